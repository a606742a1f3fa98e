"""A denial in words: what the payer says, the verdict, the corrected claim, and a letter if one is warranted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from ivcoder.answer import CorrectedLine, DenialExplanation, Edit, Question, Reason
from ivcoder.book import EditTable, adjustments, sources
from ivcoder.denials import Denial, Examined, Fixed, Hit
from ivcoder.edits import Checked
from ivcoder.explain import edit_parts, question, receipt_of, sentence
from ivcoder.rule import RULES
from ivcoder.what_if import Explored

_ADVICE = {
    "denied-professional-in-facility": "Leave drug administration to the facility's claim in a facility.",
    "denied-repeat-push-place": "Outside a hospital outpatient department, report the drug once with all its units.",
    "denied-repeat-push-too-soon": "Chart the time of every push and why the repeat was needed.",
    "denied-chemo-as-push": "Chart the drug with each push, so that chemotherapy takes its own push codes.",
    "denied-push-over-time": "Chart start and stop; for a slow manual push also that someone stayed throughout.",
    "denied-same-drug-as-new": "Chart each push with its drug, its time, and why a repeat was needed.",
    "denied-two-initials": "Chart the access of each drug; a second access only with why it was needed.",
    "denied-second-access-unmarked": "Chart why the second access was needed, and mark its initial service.",
    "denied-add-on-alone": "Send add-ons on the claim of their primary.",
    "denied-new-drug-as-same": "Chart each push with its drug.",
    "denied-second-access-supported": "Chart why a second access was needed, at the time.",
    "denied-inpatient": "Leave drug administration off inpatient claims.",
    "denied-not-a-drug": "Report drugs given by push, infusion or injection only.",
    "denied-other-family": "Check each drug's category before choosing its administration code.",
    "denied-second-access-claimed": "Chart why a second access was needed, at the time.",
    "denied-initial-units": "Report the initial service once, and further hours and drugs with their own codes.",
    "denied-visit-marked": "Chart what the visit did beyond the drug administration, in a note of its own.",
    "denied-modifier-misplaced": "Put the visit's modifier on the visit, and those of discarded drug on the drug.",
    "denied-beside-unmarked-visit": "Chart what the visit did beyond the drug administration, in a note of its own.",
    "denied-not-coding": "Settle filing, authorization and eligibility before the claim is sent.",
    "denied-more-than-coding": "Settle authorization, coverage and indication before the claim is sent.",
    "denied-claim-twice": "Look up the first claim before sending one again.",
    "denied-packaged": "Report what was given; a packaged service needs no appeal.",
    "denied-necessity": "Chart the indication with each order, and check the payer's coverage policy.",
    "denied-documents": "Send the record of each administration with the claim, when the payer asks for it.",
    "denied-drug-not-billed": "Bill the drug beside its administration, and say so where it was supplied free.",
    "denied-primary-present": "Send add-ons on the claim of their primary, and chart each with its own times.",
    "denied-with-primary": "Settle the primary's denial first.",
    "denied-hydration": "Chart why fluid was needed, and its start and stop apart from drug infusions.",
    "denied-second-concurrent": "Report a concurrent infusion once, however many ran.",
    "denied-included-service": "Do not report starting, reaching or flushing the access beside the drug.",
    "denied-minimal-visit": "Do not report the minimal visit on the day of a drug administration.",
    "denied-visit-unmarked": "Chart what the visit did beyond the drug administration, in a note of its own.",
    "denied-wastage-unmarked": "Chart the amount discarded from each single-dose container, also when it is none.",
    "denied-drug-code-out-of-date": "Check drug codes against the date of service each quarter.",
    "denied-units": "Chart each administration behind the units, with drug and time.",
    "denied-duplicate": "Chart each drug with its own time; stack the units or mark the lines as the payer asks.",
    "denied-supported-add-on": "Chart each drug with its own order, route and time.",
    "denied-unsupported": "Code from the record, and report what it supports.",
}
_WANTED = {
    "drug": "the drug each denied line was billed for",
    "category": "whether the payer counts the drug as chemotherapy or a complex biologic, since payers differ on it",
    "administrations": "what was charted: drugs, routes and times of the encounter",
    "place_of_service": "the place of service",
    "claim": "whether it is the facility's claim or a professional one",
    "start": "the times of the pushes",
    "date_of_service": "the date of service",
    "access_reason": "the note that says why the second access was needed",
    "purpose": "what the drug was given for",
    "primary_reason": "what the visit was for",
    "payer": "the payer",
    "dose": "the dose, to count the units of the code in force",
    "discarded": "the amount discarded from the container, or that none was",
    "questions": "the answers to the open questions about the encounter",
}
_DECIDES = {
    "denied-second-access-unmarked": "the note that says why the second access was needed",
    "denied-second-access-claimed": "the note that says why the second access was needed",
    "denied-visit-marked": "the note of the visit, showing work beyond the drug administration",
    "denied-not-coding": "what the reason asks for; it is not about the codes",
    "denied-necessity": "the order, the diagnosis, and the payer's coverage policy",
    "denied-documents": "what was charted: drugs, routes and times of the encounter",
    "denied-drug-not-billed": "whether the drug was bought: its own line goes on the claim then",
    "denied-primary-present": "what was charted: drugs, routes and times of the encounter",
    "denied-more-than-coding": "what the other reason asks for",
    "denied-claim-twice": "what the first claim was paid or denied for",
    "denied-with-primary": "why the primary was denied",
    "denied-visit-unmarked": "the note of the visit, showing work beyond the drug administration",
    "denied-beside-unmarked-visit": "the note of the visit, showing work beyond the drug administration",
    "denied-units": "the record of every unit, and whether the payer's limit can be appealed",
}


_FOLLOWS = frozenset({"denied-with-primary"})
"""What the record decides by itself once the rest of the claim is settled."""


def denial_explanation(
    denial: Denial, examined: Examined, edits: Sequence[Checked] = (), tables: Iterable[EditTable] = ()
) -> DenialExplanation:
    """Put an examined denial into words, with payers' edits as the consulted ``tables`` have them."""
    verdict = _verdict(examined.hits)
    letter_kind, letter = _letter(denial, examined, verdict)
    explored = examined.case.explored
    return DenialExplanation(
        status="explained" if examined.hits else "needs_information",
        payer_says=_payer_says(examined),
        verdict=verdict,
        reasons=tuple(
            Reason(
                line=hit.place + 1,
                pattern=hit.finding.rule,
                verdict=hit.verdict,
                why=sentence(hit.finding),
                rules=(hit.finding.rule,),
            )
            for hit in examined.hits
        ),
        corrected_lines=tuple(CorrectedLine(**row._asdict()) for row in _corrected(examined)),
        removed_lines=examined.correction.removed if examined.hits else (),
        document_next_time=tuple(dict.fromkeys(_ADVICE[hit.finding.rule] for hit in examined.hits)),
        letter=letter,
        letter_kind=letter_kind,
        missing=_missing(examined),
        questions=_questions(explored) if explored else (),
        edits=tuple(Edit.model_validate(edit_parts(row)) for row in edits),
        receipt=receipt_of(denial, denial.date_of_service, examined.case.book, tables),
    )


def _verdict(
    hits: tuple[Hit, ...],
) -> Literal["payer_right", "payer_wrong", "record_decides", "cannot_tell"]:
    """One verdict for the claim: a fault on the claim comes first, then what the record must decide."""
    verdicts = {hit.verdict for hit in hits}
    for verdict in ("payer_right", "record_decides", "payer_wrong"):
        if verdict in verdicts:
            return verdict
    return "cannot_tell"


def _payer_says(examined: Examined) -> tuple[str, ...]:
    known = adjustments()
    return tuple(
        f"{code}: {known[code].says}" if code in known else f"{code}: not a code we know; see the payer's list"
        for code in examined.case.reasons
    )


def _questions(explored: Explored) -> tuple[Question, ...]:
    visit = explored.edited.selected.ranked.classified.visit
    return tuple(question(row, visit) for row in explored.questions)


def _corrected(examined: Examined) -> tuple[Fixed, ...]:
    """The corrected claim, or nothing while a fact is wanted and no line could be mended."""
    mended = _changes(examined) or not examined.correction.wanted
    return examined.correction.lines if examined.hits and mended else ()


def _missing(examined: Examined) -> tuple[str, ...]:
    if examined.hits:
        mended = _FOLLOWS if _changes(examined) else frozenset[str]()
        rules = [hit.finding.rule for hit in examined.hits if hit.finding.rule not in mended]
        decides = [_DECIDES[rule] for rule in rules if rule in _DECIDES]
        return tuple(dict.fromkeys([*decides, *(_WANTED[field] for field in examined.correction.wanted)]))
    wanted = [_WANTED[hit.finding.missing or ""] for hit in examined.open]
    if examined.case.edited is None:
        wanted.append(_WANTED["administrations"])
    if not examined.case.reasons:
        wanted.append("the reason and remark codes of the denial")
    if examined.case.edited is not None and examined.case.reasons and not wanted:
        wanted.append("the payer's explanation: the record given supports the billed lines")
    return tuple(dict.fromkeys(wanted))


def _label(row: Fixed) -> str:
    return f"{'-'.join((row.code, *row.modifiers))} x {row.units}"


def _letter(
    denial: Denial, examined: Examined, verdict: str
) -> tuple[Literal["corrected_claim", "appeal", "none"], str | None]:
    """A letter that rests on the input alone; none while the record must decide, or a fact is wanted."""
    changes = _changes(examined)
    if examined.correction.wanted or not examined.correction.lines or verdict not in ("payer_right", "payer_wrong"):
        return "none", None
    if any(hit.verdict == "record_decides" and hit.finding.rule not in _FOLLOWS for hit in examined.hits):
        return "none", None
    wrong = [hit for hit in examined.hits if hit.verdict == "payer_wrong"]
    day = f" with date of service {denial.date_of_service}" if denial.date_of_service else ""
    if verdict == "payer_right" or changes:
        if not changes:
            return "none", None
        reasons = [hit for hit in examined.hits if hit.verdict == "payer_right"]
        parts = [f"We submit a corrected claim{day}, in place of the one billed.", *_told(reasons), *changes]
        if wrong:
            parts += [f"We ask you to reconsider {_codes(denial, wrong)}, which stands as billed.", *_told(wrong)]
        return "corrected_claim", "\n".join([*parts, *_basis([*reasons, *wrong])])
    parts = [f"We ask you to reconsider the denial of {_codes(denial, wrong)} on the claim{day}.", *_told(wrong)]
    return "appeal", "\n".join([*parts, "The lines stand as billed.", *_basis(wrong)])


def _codes(denial: Denial, hits: Iterable[Hit]) -> str:
    return " and ".join(dict.fromkeys(denial.billed_lines[hit.place].code for hit in hits))


def _changes(examined: Examined) -> list[str]:
    """What the corrected claim does to the billed one, a sentence each."""
    said = []
    for row in examined.correction.lines:
        if row.change == "added":
            said.append(f"{_label(row)} is added.")
        elif row.change == "changed":
            said.append(f"{row.was} is {'corrected to' if row.was == row.code else 'replaced by'} {_label(row)}.")
    return said + [f"{code} is removed." for code in examined.correction.removed]


def _told(hits: Iterable[Hit]) -> list[str]:
    return list(dict.fromkeys(sentence(hit.finding) for hit in hits))


def _basis(hits: Iterable[Hit]) -> list[str]:
    """The sources a payer would accept, policy, contractors and code sets, in a line if there are any."""
    named = dict.fromkeys(source for hit in hits for source in RULES[hit.finding.rule].sources)
    rows = [sources()[name] for name in named]
    firm = [f"{row.title} ({row.publisher})" for row in rows if row.kind in ("policy", "contractor", "codeset")]
    return [f"Basis: {'; '.join(firm)}."] if firm else []

"""A denial in words: what the payer says, the verdict, the corrected claim, and a letter if one is warranted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from ivcoder.answer import CorrectedLine, DenialExplanation, Reason
from ivcoder.book import adjustments, sources
from ivcoder.denials import Denial, Examined, Fixed, Hit
from ivcoder.explain import question, receipt_of, sentence
from ivcoder.rule import RULES

_ADVICE = {
    "denied-professional-in-facility": "Leave drug administration to the facility's claim in a facility.",
    "denied-repeat-push-place": "In an office, chart every push, and report the drug once with all its units.",
    "denied-repeat-push-too-soon": "Chart the time of every push and why the repeat was needed.",
    "denied-chemo-as-push": "Chart the drug with each push, so that chemotherapy takes its own push codes.",
    "denied-push-over-time": "Chart start and stop; for a slow manual push also that someone stayed throughout.",
    "denied-same-drug-as-new": "Chart each push with its drug, its time, and why a repeat was needed.",
    "denied-two-initials": "Chart the access of each drug; a second access only with why it was needed.",
    "denied-second-access-unmarked": "Chart why the second access was needed, and mark its initial service.",
    "denied-add-on-alone": "Send add-ons on the claim of their primary.",
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
    "administrations": "what was charted: drugs, routes and times of the encounter",
    "place_of_service": "the place of service",
    "claim": "whether it is the facility's claim or a professional one",
    "start": "the times of the pushes",
    "date_of_service": "the date of service",
}
_DECIDES = {
    "denied-second-access-unmarked": "the note that says why the second access was needed",
    "denied-with-primary": "why the primary was denied",
    "denied-visit-unmarked": "the note of the visit, showing work beyond the drug administration",
    "denied-units": "the record of every unit, and whether the payer's limit can be appealed",
}


def denial_explanation(denial: Denial, examined: Examined) -> DenialExplanation:
    """Put an examined denial into words."""
    verdict = _verdict(examined.hits)
    letter_kind, letter = _letter(denial, examined, verdict)
    mattering = examined.explored.questions if examined.explored else ()
    visit = examined.explored.edited.selected.ranked.classified.visit if examined.explored else None
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
        corrected_lines=tuple(CorrectedLine(**row._asdict()) for row in examined.corrected) if examined.hits else (),
        removed_lines=examined.removed if examined.hits else (),
        document_next_time=tuple(dict.fromkeys(_ADVICE[hit.finding.rule] for hit in examined.hits)),
        letter=letter,
        letter_kind=letter_kind,
        missing=_missing(examined),
        questions=tuple(question(row, visit) for row in mattering) if visit else (),
        receipt=receipt_of(denial, denial.date_of_service, examined.case.book),
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


def _missing(examined: Examined) -> tuple[str, ...]:
    if examined.hits:
        return tuple(dict.fromkeys(_DECIDES[hit.finding.rule] for hit in examined.hits if hit.finding.rule in _DECIDES))
    wanted = [_WANTED.get(hit.finding.missing or "", "") for hit in examined.open]
    if examined.case.edited is None:
        wanted.append(_WANTED["administrations"])
    if not examined.case.reasons:
        wanted.append("the reason and remark codes of the denial")
    if examined.case.edited is not None and examined.case.reasons:
        wanted.append("the payer's explanation: the record given supports the billed lines")
    return tuple(dict.fromkeys(word for word in wanted if word))


def _label(row: Fixed) -> str:
    return f"{'-'.join((row.code, *row.modifiers))} x {row.units}"


def _letter(
    denial: Denial, examined: Examined, verdict: str
) -> tuple[Literal["corrected_claim", "appeal", "none"], str | None]:
    """A letter that rests on the input alone; none when the record must decide first."""
    day = f" with date of service {denial.date_of_service}" if denial.date_of_service else ""
    if verdict == "payer_right":
        reasons = [hit for hit in examined.hits if hit.verdict == "payer_right"]
        parts = [f"We submit a corrected claim{day}, in place of the one billed.", *_told(reasons)]
        changes = [f"{row.was} is replaced by {_label(row)}." for row in examined.corrected if row.change == "changed"]
        changes += [f"{_label(row)} is added." for row in examined.corrected if row.change == "added"]
        changes += [f"{code} is removed." for code in examined.removed]
        return "corrected_claim", "\n".join([*parts, *changes, *_basis(reasons)])
    if verdict == "payer_wrong":
        lines = ", ".join(dict.fromkeys(denial.billed_lines[hit.place].code for hit in examined.hits))
        parts = [f"We ask you to reconsider the denial of {lines} on the claim{day}.", *_told(examined.hits)]
        return "appeal", "\n".join([*parts, "The lines stand as billed.", *_basis(examined.hits)])
    return "none", None


def _told(hits: Iterable[Hit]) -> list[str]:
    return list(dict.fromkeys(sentence(hit.finding) for hit in hits))


def _basis(hits: Iterable[Hit]) -> list[str]:
    """The sources a payer would accept, policy, contractors and code sets, in a line if there are any."""
    named = dict.fromkeys(source for hit in hits for source in RULES[hit.finding.rule].sources)
    rows = [sources()[name] for name in named]
    firm = [f"{row.title} ({row.publisher})" for row in rows if row.kind in ("policy", "contractor", "codeset")]
    return [f"Basis: {'; '.join(firm)}."] if firm else []

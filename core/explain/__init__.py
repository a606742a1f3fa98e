"""Findings to sentences, and results to answers: the only place where prose is put together.

Everything here is a pure function of what the steps found; nothing is decided anew.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Literal

from pydantic import BaseModel

from ivcoder._version import __version__
from ivcoder.answer import (
    Classification,
    CodeUnits,
    Coding,
    NotReported,
    Outcome,
    Question,
    RankedService,
    Ranking,
    Receipt,
    Service,
    Status,
    Table,
    TippingPoint,
)
from ivcoder.book import EditTable, Pair, Rulebook
from ivcoder.classify import Classified, Option
from ivcoder.classify import Question as Asked
from ivcoder.classify import Service as Sorted
from ivcoder.documentation import Documented
from ivcoder.edits import Checked, Cited, Edited, hierarchy_notice, newest_rulebook
from ivcoder.edits import Line as ClaimLine
from ivcoder.encounter import Encounter, Visit
from ivcoder.explain.documentation import gap_parts, nurse_query, record_parts
from ivcoder.rank import Ranked
from ivcoder.rule import RULES, Finding, Rule
from ivcoder.rule import Outcome as Ruling
from ivcoder.select import Remark
from ivcoder.what_if import Explored, Mattering
from ivcoder.what_if import Outcome as Walked

_ASK = {
    "stop": "When did {drug} stop?",
    "start": "When did {drug} start?",
    "start_of_push": "When was {drug} pushed?",
    "start_of_pushes": "When was each repeat push given?",
    "minutes": "How many minutes did {drug} run?",
    "attended": "Did someone stay to inject {drug} by hand and watch throughout?",
    "category": "Does {drug} count as chemotherapy (or a highly complex biologic), or as another drug?",
    "category_or_fluid": "Does {drug} count as chemotherapy (or a highly complex biologic), as another drug, or as "
    "plain fluid?",
    "start_of_both": "When did {drug} start, and when the other infusion?",
    "purpose": "What was {drug} given for?",
    "access_reason": "Why was a second access used for {drug}?",
    "discarded": "How much of the single-dose container of {drug} was discarded?",
    "resumed": "Did this infusion of {drug} go on with the same dose after an interruption, or was it a dose of its "
    "own?",
    "claim": "Is this the facility's claim or a professional one?",
    "lesions": "How many lesions were injected with {drug}?",
    "counselled": "Was the family counselled about {drug}?",
    "pump_from": "Whose pump did {drug} go home in, the practice's or hospital's, or a supplier's?",
    "route_of_pump": "Did {drug} run from a pump at the bedside, or did the patient take the pump home?",
    "route": "How was {drug} given, and which product was it?",
    "drug": "Which product of {drug} was given?",
    "access_device": "What was flushed with {drug}?",
}
_IF = {
    "ran_minutes": "{it} ran {minutes} minutes",
    "ran_at_most": "{it} ran {minutes} minutes or less",
    "ran_at_least": "{it} ran {minutes} minutes or more",
    "ran_between": "{it} ran {minutes} to {most} minutes",
    "ran_until_next": "{it} ran until {next} was hung, {minutes} minutes",
    "pushed_minutes": "{it} ran {minutes} minutes and nobody stayed to inject it throughout",
    "pushed_at": "{it} was pushed {gap} minutes {order} {other}",
    "attended": "someone stayed to inject {it} by hand throughout",
    "unattended": "nobody stayed to inject {it} by hand",
    "category_chemotherapy": "{it} counts as chemotherapy or a highly complex biologic",
    "category_therapeutic": "{it} counts as another drug",
    "category_hydration": "{it} is plain fluid for hydration",
    "purpose_hydration": "{it} was given for dehydration",
    "purpose_carrier": "it carried a drug or kept the line open",
    "purpose_replacement": "{it} was given to treat a low level",
    "access_incompatible_drugs": "the drugs must not be mixed, or a protocol asks for a second access",
    "access_second_lumen": "it was a second lumen of one line, or for convenience",
    "resumed": "it was the same dose, interrupted and resumed",
    "own_dose": "it was a dose of its own",
    "all_resumed": "{of} were the same dose, interrupted and resumed",
    "all_own_doses": "{of} were doses of their own",
    "overlapping": "the two ran at the same time",
    "apart": "one ran after the other",
    "interval_enough": "{gap} minutes or more lay between the two",
    "interval_short": "{gap} minutes or fewer lay between the two",
    "intervals_enough": "{gap} minutes or more lay before each of them",
    "intervals_mixed": "{gap} minutes or more lay before {count} of the {total}",
    "intervals_short": "{gap} minutes or fewer lay before each of them",
    "none_discarded": "nothing was discarded",
    "some_discarded": "some was discarded, here one unit ({per})",
    "claim_facility": "it is the facility's claim",
    "claim_professional": "it is a professional claim",
    "lesions_few": "{lesions} lesions or fewer were injected",
    "lesions_many": "more than {lesions} lesions were injected",
    "counselled": "the family was counselled",
    "not_counselled": "the family was not counselled",
    "pump_at_bedside": "it ran from a pump at the bedside, watched to its end",
    "pump_taken_home": "the patient took the pump home, or it is implanted",
    "pump_provider": "the practice or hospital provided the pump",
    "pump_supplier": "a supplier provided the pump",
    "flushed_port": "it flushed an implanted port",
    "flushed_peripheral": "it flushed a peripheral line",
    "by_route": "{it} was given by {route}",
    "other_product": "it was {product}",
    "other_place": "it were given at {place}, on a {claim} claim",
}


@cache
def _forms(rule: str, outcome: Ruling) -> tuple[str, str]:
    """A sentence's %-template, and the same where its drug is already the subject."""
    text = RULES[rule].sentences[outcome].replace("%", "%%")
    full = _FIELD.sub(r"%(\1)s", text)
    return full, f"It {full.removeprefix('%(drug)s ')}" if full.startswith("%(drug)s ") else full


_FIELD = re.compile(r"\{(\w+)\}")


def _singular(text: str) -> str:
    return text.replace(" 1 minutes", " 1 minute").replace(" 1 units", " 1 unit")


def sentence(finding: Finding) -> str:
    """Put one finding into words."""
    return _singular(_forms(finding.rule, finding.outcome)[0] % finding.facts)


def told(findings: Iterable[Finding]) -> tuple[str, tuple[str, ...]]:
    """Findings in words, each once, and the rules behind them; a drug that stays the subject is named once."""
    said: dict[tuple[str, str | int | None], str] = {}
    subject: str | int | None = None
    for rule, outcome, facts, _ in findings:
        drug = facts.get("drug")
        full, again = _forms(rule, outcome)
        said.setdefault(((again if drug == subject else full) % facts, drug), rule)
        subject = drug
    text = " ".join([sentence for sentence, _ in said])
    return _singular(text), tuple(dict.fromkeys(said.values()))


def statement(rule: Rule[...], limits: Mapping[str, int]) -> str:
    """What a rule says, with the book's numbers in it."""
    return " ".join(rule.statement.format_map(limits).split())


def receipt_of(understood: BaseModel, day: date | None, book: Rulebook, tables: Iterable[EditTable] = ()) -> Receipt:
    """The receipt of an answer to what was understood, read for a date of service, with the tables consulted."""
    return Receipt(
        ivcoder=__version__,
        rulebook=book.version,
        rulebook_sha256=book.sha256,
        date_of_service=day,
        input_sha256=hashlib.sha256(understood.model_dump_json().encode()).hexdigest(),
        tables=tuple(map(_table, tables)),
    )


def option_words(option: Option, it: str = "it") -> str:
    """An answer to a question, in words; ``it`` names what was given."""
    return _IF[option.key].format(it=it, **option.facts)


def codes(lines: Iterable[ClaimLine], *, drugs: bool = True) -> tuple[CodeUnits, ...]:
    """Lines as codes with units."""
    return tuple(
        CodeUnits(code=line.code, units=line.units, modifiers=line.modifiers)
        for line in lines
        if drugs or line.answer != "drug"
    )


def question(mattering: Mattering, visit: Visit) -> Question:
    """A question that matters, with the lines each answer gives."""
    asked = mattering.question
    drug = _drug(visit, asked.administration)
    because = sentence(asked.finding)
    # A drug's code is told where that is all the answers differ in, or where its product is asked for.
    drugs = not mattering.changes_codes or asked.field in ("drug", "route")
    own = asked.administration if asked.field == "discarded" else None
    return Question(
        administration=asked.administration,
        field=asked.field,
        ask=f"{_ASK[_asked_as(asked)].format(drug=drug)} {because}",
        rules=(asked.finding.rule,),
        outcomes=tuple(
            Outcome.model_validate({"if": option_words(row.option), "then": codes(_about(own, row.lines), drugs=drugs)})
            for row in mattering.outcomes
        ),
    )


def _about(administration: str | None, lines: Iterable[ClaimLine]) -> Iterable[ClaimLine]:
    """The drug lines of one administration, where only they can differ; else all lines."""
    return [
        row
        for row in lines
        if administration is None or (row.answer == "drug" and administration in row.administrations)
    ]


def _asked_as(asked: Asked) -> str:
    """Which wording a question takes."""
    both = asked.field == "start" and any(option.key == "apart" and len(option.changes) > 1 for option in asked.options)
    told = (_ASKED_BY[option.key] for option in asked.options if option.key in _ASKED_BY)
    return next(told, "start_of_both" if both else asked.field)


_ASKED_BY = {
    "category_hydration": "category_or_fluid",
    "interval_enough": "start_of_push",
    "intervals_enough": "start_of_pushes",
    "pump_at_bedside": "route_of_pump",
}
"""Answers that tell how their question is worded, where the field does not."""


def _drug(visit: Visit, administration: str | None) -> str:
    return next((row.drug for row in visit.administrations if row.id == administration), "the drug")


def _numbered(visit: Visit, labels: Sequence[str]) -> str:
    """The drug, or the drugs of a bag, with the ids, which tell two rows of one drug apart."""
    drugs = dict.fromkeys(_drug(visit, label) for label in labels)
    return f"{' + '.join(drugs)} [{' '.join(labels)}]"


def tipping_point(point: Walked, visit: Visit) -> TippingPoint:
    """A change of fact that would change a code, in words."""
    labels = tuple(label for label in point.option.changes if label)
    words = option_words(point.option, _numbered(visit, labels))
    return TippingPoint(change=f"If {words}", then=codes(point.lines, drugs=False))


def line_parts(row: ClaimLine) -> dict[str, object]:
    """The parts of a claim line, with its reason in words."""
    why, rules = told(row.findings)
    return {
        "code": row.code,
        "units": row.units,
        "modifiers": row.modifiers,
        "dates": tuple({"date": day, "units": units} for day, units in row.dates),
        "role": row.answer,
        "administrations": row.administrations,
        "why": why,
        "rules": rules,
        "not_instead": tuple(
            {"code": code, "why": sentence(finding), "rules": (finding.rule,)} for code, finding in row.lost
        ),
    }


def _not_reported(rows: Iterable[tuple[tuple[str, ...], Sequence[Finding]]]) -> tuple[dict[str, object], ...]:
    return tuple(
        {"administrations": administrations, "why": why, "rules": rules}
        for administrations, findings in rows
        for why, rules in (told(findings),)
    )


def _status(questions: Iterable[Mattering], lines: Sequence[ClaimLine]) -> Status:
    if any(row.changes_codes for row in questions):
        return "needs_information"
    return "coded" if lines else "nothing_to_report"


def _table(table: Cited) -> Table:
    if isinstance(table, EditTable):
        return Table(
            kind=table.kind, audience=table.audience, quarter=table.quarter, part=table.part, sha256=table.sha256
        )
    kind: Literal["ptp", "mue"] = "ptp" if isinstance(table, Pair) else "mue"
    return Table(kind=kind, audience=table.audience, sources=table.sources, confidence=table.confidence.value)


def edit_parts(row: Checked) -> dict[str, object]:
    """The parts of a payers' edit held against the claim, with its reason in words."""
    why, rules = told(row.findings)
    return {
        "kind": row.kind,
        "codes": row.codes,
        "result": row.result,
        "why": why,
        "rules": rules,
        "tables": tuple(map(_table, row.tables)),
    }


def coding(
    encounter: Encounter,
    explored: Explored,
    edits: Sequence[Checked],
    tables: Iterable[EditTable],
    documented: Documented | None,
) -> Coding:
    """The whole answer, with payers' edits as the consulted ``tables`` have them, and what the record lacks."""
    edited = explored.edited
    classified = edited.selected.ranked.classified
    visit = classified.visit
    lines = [line_parts(row) for row in edited.lines]
    for place, record in documented.records.items() if documented else ():
        lines[place]["record"] = record_parts(record)
    gaps = documented.gaps if documented else ()
    # One validation of the whole is several times faster than building the parts one by one.
    return Coding.model_validate(
        {
            "status": _status(explored.questions, edited.lines),
            "lines": tuple(lines),
            "not_reported": _not_reported((row.administrations, row.findings) for row in edited.refused),
            "questions": tuple(question(row, visit) for row in explored.questions),
            "notices": notices(edited),
            "tipping_points": tuple(tipping_point(point, visit) for point in explored.tipping_points),
            "documentation": tuple(gap_parts(gap, visit) for gap in gaps),
            "nurse_query": nurse_query(gaps, explored) if documented else None,
            "edits": tuple(map(edit_parts, edits)),
            "receipt": receipt_of(encounter, encounter.date_of_service, classified.book, tables),
        }
    )


def notices(edited: Edited) -> tuple[dict[str, object], ...]:
    """What is to be known or mended beside the lines, in words, each once."""
    classified = edited.selected.ranked.classified
    places: dict[tuple[tuple[str, ...], bool], int] = {}
    if edited.remarks:
        for number, row in enumerate(edited.lines, 1):
            places.setdefault((row.administrations, row.answer == "drug"), number)
    used = (newest_rulebook(classified.visit), hierarchy_notice(edited.selected.ranked))
    remarks = (*edited.remarks, *(Remark("info", (finding,)) for finding in used if finding.holds))
    said: dict[str, dict[str, object]] = {}
    for remark in remarks:
        why, rules = told(remark.findings)
        line = places.get((remark.administrations, False), places.get((remark.administrations, True)))
        said.setdefault(why, {"level": remark.level, "line": line, "why": why, "rules": rules})
    return tuple(said.values())


def classification(encounter: Encounter, classified: Classified, explored: Explored) -> Classification:
    """What each administration counts as, in words."""
    return Classification(
        status=_status(explored.questions, explored.edited.lines),
        services=tuple(map(_service, classified.services)),
        questions=_of_services(explored, classified.visit),
        receipt=receipt_of(encounter, encounter.date_of_service, classified.book),
    )


def _of_services(explored: Explored, visit: Visit) -> tuple[Question, ...]:
    """The questions whose answers change what a service is or earns, those about a drug's own line left aside."""
    return tuple(question(row, visit) for row in explored.questions if row.changes_codes)


def _service(row: Sorted) -> Service:
    why, rules = told(row.findings)
    return Service(
        administrations=row.administrations,
        kind=row.kind.value,
        category=row.category.value if row.category else None,
        minutes=row.minutes,
        why=why,
        rules=rules,
    )


def ranking(encounter: Encounter, ranked: Ranked, explored: Explored) -> Ranking:
    """Which service is initial, in words."""
    classified = ranked.classified
    return Ranking(
        status=_status(explored.questions, explored.edited.lines),
        method=ranked.method,
        services=tuple(
            RankedService(
                rank=number,
                administrations=row.service.administrations,
                kind=row.service.kind.value,
                category=row.service.category.value if row.service.category else None,
                tier=row.tier_says,
                access=row.service.access or "1",
                initial=row.initial,
                why=why,
                rules=rules,
            )
            for number, row in enumerate(ranked.standings, 1)
            for why, rules in (told(row.findings),)
        ),
        not_reported=tuple(
            NotReported.model_validate(row)
            for row in _not_reported((row.administrations, row.findings) for row in ranked.left_out)
        ),
        questions=_of_services(explored, classified.visit),
        receipt=receipt_of(encounter, encounter.date_of_service, classified.book),
    )

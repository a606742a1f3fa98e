"""The tools as plain values: name, models, the core's function, and the few lines of text each answer gets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

import ivcoder
from ivcoder.answer import (
    Audit,
    AuditFinding,
    Classification,
    CodeUnits,
    Coding,
    DenialExplanation,
    Edit,
    Gap,
    Question,
    Ranking,
)
from ivcoder.audit import BilledClaim
from ivcoder.book import DrugTable, EditTables
from ivcoder.denials import Denial
from ivcoder.encounter import Encounter
from ivcoder.server import reading

PASSED = frozenset({"not_bundled", "within", "primary_present"})
"""Results of payers' edits that need no word."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: what it takes and gives, and how it is described to an assistant."""

    name: str
    title: str
    description: str
    takes: type[BaseModel]
    gives: type[BaseModel]
    answer: Callable[[Mapping[str, object], DrugTable | None, EditTables | None], tuple[BaseModel, str]]


def _label(code: str, units: int, modifiers: Iterable[str] = ()) -> str:
    return f"{'-'.join((code, *modifiers))} x{units}"


def _codes(then: Iterable[CodeUnits]) -> str:
    return ", ".join(_label(row.code, row.units, row.modifiers) for row in then) or "nothing to report"


def _about(administrations: Iterable[str]) -> str:
    return f"[{' '.join(administrations)}]"


def _asked(questions: Iterable[Question]) -> list[str]:
    out = []
    for row in questions:
        out.append(f"Ask ({row.administration or 'encounter'}.{row.field}): {row.ask}")
        out += [f"  if {each.if_}: {_codes(each.then)}" for each in row.outcomes]
    return out


def _coding(given: Mapping[str, object], drugs: DrugTable | None, tables: EditTables | None) -> tuple[BaseModel, str]:
    coding = ivcoder.select_push_codes(given, drugs=drugs, tables=tables)
    return coding, coding_text(coding)


def coding_text(coding: Coding) -> str:
    """A coding in a line for each part; rivals, tipping points and receipt are in the structured content."""
    out = [f"Status: {coding.status.replace('_', ' ')}"]
    for line in coding.lines:
        label = _label(line.code, line.units, line.modifiers)
        days = f", dated {', '.join(f'{row.date} x{row.units}' for row in line.dates)}" if line.dates else ""
        out.append(f"{label} {line.role} {_about(line.administrations)}{days}: {line.why} ({', '.join(line.rules)})")
    out += [
        f"Not reported {_about(row.administrations)}: {row.why} ({', '.join(row.rules)})" for row in coding.not_reported
    ]
    out += _asked(coding.questions)
    out += [f"{row.level.capitalize()}: {row.why} ({', '.join(row.rules)})" for row in coding.notices]
    if dear := unasked(coding):
        lacks = "; ".join(f"{row.element} of [{row.administration}]" for row in dear)
        out.append(f"Record lacks: {lacks}. nurse_query asks for it.")
    out += _edits(coding.edits)
    return "\n".join(out)


def _edits(edits: Sequence[Edit]) -> list[str]:
    return [
        f"Payer edits, {row.result.replace('_', ' ')} [{' '.join(row.codes)}]: {row.why} ({', '.join(row.rules)})"
        for row in edits
        if row.result not in PASSED
    ]


def decided(edits: Sequence[Edit]) -> list[Edit]:
    """The edits a table at hand decides: beside a denial or an audit, what no table covers is left unsaid."""
    return [row for row in edits if row.result != "no_data"]


def unasked(coding: Coding) -> list[Gap]:
    """What the record lacks, a code depends on, and no question asks for."""
    asked = {(row.administration, row.field) for row in coding.questions}
    return [
        row
        for row in coding.documentation
        if row.at_stake not in ("drug_line", "nothing") and (row.administration, row.field) not in asked
    ]


def _classification(
    given: Mapping[str, object], drugs: DrugTable | None, _: EditTables | None
) -> tuple[BaseModel, str]:
    answer: Classification = ivcoder.classify_administration(given, drugs=drugs)
    out = [
        f"{_about(row.administrations)} {row.category or 'category open'}, {row.kind.replace('_', ' ')}: {row.why} "
        f"({', '.join(row.rules)})"
        for row in answer.services
    ]
    return answer, "\n".join([*out, *_asked(answer.questions)])


def _ranking(given: Mapping[str, object], drugs: DrugTable | None, _: EditTables | None) -> tuple[BaseModel, str]:
    answer: Ranking = ivcoder.rank_services(given, drugs=drugs)
    out = [
        f"{row.rank}. {_about(row.administrations)} {row.tier}{', initial' if row.initial else ''}: {row.why} "
        f"({', '.join(row.rules)})"
        for row in answer.services
    ]
    out += [f"Not reported {_about(row.administrations)}: {row.why}" for row in answer.not_reported]
    return answer, "\n".join([f"Chosen by: {answer.method.replace('_', ' ')}", *out, *_asked(answer.questions)])


def _denial(given: Mapping[str, object], drugs: DrugTable | None, tables: EditTables | None) -> tuple[BaseModel, str]:
    answer: DenialExplanation = ivcoder.explain_denial(given, drugs=drugs, tables=tables)
    out = [f"Verdict: {answer.verdict.replace('_', ' ')}"]
    out += [f"Payer says: {row}" for row in answer.payer_says]
    out += [f"{row.verdict.replace('_', ' ')}: {row.why} ({', '.join(row.rules)})" for row in answer.reasons]
    out += [
        f"Corrected: {_label(row.code, row.units, row.modifiers)} {row.change}{f', was {row.was}' if row.was else ''}"
        for row in answer.corrected_lines
    ]
    out += [f"Removed: {code}" for code in answer.removed_lines]
    out += [f"Missing: {row}" for row in answer.missing]
    out += _edits(decided(answer.edits))
    if answer.letter:
        out.append(f"Letter ({answer.letter_kind.replace('_', ' ')}):\n{answer.letter}")
    return answer, "\n".join([*out, *_asked(answer.questions)])


def _found(row: AuditFinding) -> str:
    where = f"line {row.line}" if row.line else "not billed"
    kind, way = (word.replace("_", " ") for word in (row.kind, row.direction))
    return f"{where}, {row.code}: {kind}, {way}: {row.why} ({', '.join(row.rules)})"


def _audit(given: Mapping[str, object], drugs: DrugTable | None, tables: EditTables | None) -> tuple[BaseModel, str]:
    encounter = given.get("encounter")
    if isinstance(encounter, str):
        # Some clients send an object that a schema only refers to as its text.
        given = {**given, "encounter": reading.parsed(encounter)}
    answer: Audit = ivcoder.audit_claim(given, drugs=drugs, tables=tables)
    out = [f"Status: {answer.status.replace('_', ' ')}"]
    out += [f"Finding, {_found(row)}" for row in answer.findings]
    out += [f"Undecided, {_found(row)}" for row in answer.undecided]
    out += [f"Not audited, line {row.line}, {row.code}: {row.why}" for row in answer.not_audited]
    supported = ", ".join(_label(row.code, row.units, row.modifiers) for row in answer.supported_lines)
    out.append(f"The record supports: {supported or 'nothing to report'}")
    out += _asked(answer.questions)
    out += [f"{row.level.capitalize()}: {row.why} ({', '.join(row.rules)})" for row in answer.notices]
    out += _edits(decided(answer.edits))
    return answer, "\n".join(out)


TOOLS = (
    Tool(
        "classify_administration",
        "Classify administrations",
        "Decide what each drug administration counts as: push, infusion, hydration, injection, chemotherapy or not, "
        "from route, documented times and drug. Call it when asked what kind of service something was.",
        Encounter,
        Classification,
        _classification,
    ),
    Tool(
        "rank_services",
        "Rank services",
        "Decide which service of an encounter is the initial one and how the others rank: facility hierarchy, or "
        "the reason for the visit on a professional claim. Call it when asked which service comes first.",
        Encounter,
        Ranking,
        _ranking,
    ),
    Tool(
        "select_push_codes",
        "Select codes",
        "Decide the drug-administration codes and units of an encounter (pushes, infusions, hydration, injections, "
        "chemotherapy) and the drugs' own lines, each with its rule, and the questions that would change them. Call "
        "it whenever codes are wanted; never answer from memory.",
        Encounter,
        Coding,
        _coding,
    ),
    Tool(
        "explain_denial",
        "Explain a denial",
        "Decide why billed drug-administration lines were denied, whether the payer is right, and the corrected "
        "claim. Give the billed lines, the reason codes if known, and the encounter if there is one.",
        Denial,
        DenialExplanation,
        _denial,
    ),
    Tool(
        "audit_claim",
        "Audit a claim",
        "Hold billed drug-administration and drug lines against what the encounter's record supports: lines missed, "
        "unsupported, or with the wrong code, units or modifier, over- or under-coded. Call it when a claim is to be "
        "checked before or after it is sent; for denied lines call explain_denial.",
        BilledClaim,
        Audit,
        _audit,
    ),
)

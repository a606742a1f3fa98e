"""Step 6: why was this line denied, is the payer right, what now?

Every denied line is held against the patterns. The claim is corrected to what the encounter supports when one is
given, and line by line otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ivcoder.book import DrugTable
from ivcoder.denials import patterns as p
from ivcoder.denials.claim import BilledLine, Case, Denial
from ivcoder.edits import Line
from ivcoder.rule import Finding, Rule
from ivcoder.what_if import Explored, explore

__all__ = ["BilledLine", "Case", "Denial", "Examined", "Fixed", "Hit", "examine"]

Verdict = Literal["payer_right", "payer_wrong", "record_decides"]
Asked = Rule[[Case, BilledLine]]


class Hit(NamedTuple):
    """A pattern that fits a billed line."""

    place: int
    finding: Finding
    verdict: Verdict


class Fixed(NamedTuple):
    """A line of the corrected claim; ``was`` is the billed code, None when it was not billed."""

    code: str
    units: int
    modifiers: tuple[str, ...]
    was: str | None
    change: Literal["kept", "changed", "added"]


@dataclass(frozen=True, slots=True)
class Examined:
    """The outcome of the step."""

    case: Case
    hits: tuple[Hit, ...]
    open: tuple[Hit, ...]
    corrected: tuple[Fixed, ...]
    removed: tuple[str, ...]
    explored: Explored | None


PATTERNS: tuple[tuple[Asked, Verdict], ...] = (
    (p.denied_professional_in_facility, "payer_right"),
    (p.denied_repeat_push_place, "payer_right"),
    (p.denied_repeat_push_too_soon, "payer_right"),
    (p.denied_chemo_as_push, "payer_right"),
    (p.denied_push_over_time, "payer_right"),
    (p.denied_same_drug_as_new, "payer_right"),
    (p.denied_two_initials, "payer_right"),
    (p.denied_second_access_unmarked, "record_decides"),
    (p.denied_add_on_alone, "payer_right"),
    (p.denied_with_primary, "record_decides"),
    (p.denied_hydration, "payer_right"),
    (p.denied_second_concurrent, "payer_right"),
    (p.denied_included_service, "payer_right"),
    (p.denied_minimal_visit, "payer_right"),
    (p.denied_visit_unmarked, "record_decides"),
    (p.denied_wastage_unmarked, "payer_right"),
    (p.denied_drug_code_out_of_date, "payer_right"),
    (p.denied_units, "record_decides"),
    (p.denied_duplicate, "payer_wrong"),
    (p.denied_supported_add_on, "payer_wrong"),
)

_DEMOTED: Mapping[str, str] = {
    "chemo_infusion_initial": "chemo_infusion_sequential",
    "chemo_push_initial": "chemo_push_new_drug",
    "infusion_initial": "infusion_sequential",
    "push_initial": "push_new_drug",
    "hydration_initial": "hydration_more",
}
_PROMOTED: Mapping[str, str] = {later: initial for initial, later in _DEMOTED.items()}
_CHEMO: Mapping[str, str] = {
    "push_initial": "chemo_push_initial",
    "push_new_drug": "chemo_push_new_drug",
    "push_same_drug": "chemo_push_new_drug",
}


def examine(denial: Denial, drugs: DrugTable | None = None) -> Examined:
    """Find the patterns that fit, and correct the claim.

    Lines marked denied are looked at; when none is marked, all are. ``open`` holds patterns that would decide if
    a fact were known.
    """
    case = Case.of(denial, drugs)
    lines = denial.billed_lines
    marked = [place for place, line in enumerate(lines) if line.denied]
    hits: list[Hit] = []
    undecided: list[Hit] = []
    for place in marked or range(len(lines)):
        found = [(rule(case, lines[place]), verdict) for rule, verdict in PATTERNS]
        fitting = [Hit(place, finding, verdict) for finding, verdict in found if finding.holds]
        if not fitting:
            unsupported = p.denied_unsupported(case, lines[place])
            fitting = [Hit(place, unsupported, "payer_right")] if unsupported.holds else []
        gone = next((hit for hit in fitting if _FIXES.get(hit.finding.rule) is _remove), None)
        if gone:
            # A line that comes off needs no second reason.
            fitting = [gone]
        if any(hit.verdict != "payer_wrong" for hit in fitting):
            # A line with a fault of its own is no ground for an appeal.
            fitting = [hit for hit in fitting if hit.verdict != "payer_wrong"]
        hits += fitting
        if not fitting:
            undecided += [Hit(place, finding, verdict) for finding, verdict in found if finding.open]
    corrected, removed = _against_encounter(case, hits) if case.edited else _by_patterns(case, hits)
    explored = explore(case.edited, tipping=False) if case.edited else None
    return Examined(case, tuple(hits), tuple(undecided), corrected, removed, explored)


def _kept(line: BilledLine) -> Fixed:
    return Fixed(line.code, line.units, line.modifiers, line.code, "kept")


def _changed(line: BilledLine, code: str, units: int | None = None, modifiers: tuple[str, ...] | None = None) -> Fixed:
    kept = line.modifiers if modifiers is None else modifiers
    return Fixed(code, line.units if units is None else units, kept, line.code, "changed")


def _by_patterns(case: Case, hits: list[Hit]) -> tuple[tuple[Fixed, ...], tuple[str, ...]]:
    """The claim corrected line by line, from the billed lines alone."""
    fixed: list[Fixed] = []
    removed: list[str] = []
    for place, line in enumerate(case.denial.billed_lines):
        rules = [hit.finding.rule for hit in hits if hit.place == place]
        if not rules:
            fixed.append(_kept(line))
            continue
        correction = _FIXES.get(rules[0], _kept_fix)(case, line)
        if correction is None:
            removed.append(line.code)
        else:
            fixed.append(correction)
    return tuple(fixed), tuple(removed)


_Fix = Callable[[Case, BilledLine], Fixed | None]


def _kept_fix(_: Case, line: BilledLine) -> Fixed | None:
    return _kept(line)


def _remove(_: Case, __: BilledLine) -> Fixed | None:
    return None


def _to(case: Case, line: BilledLine, role: str | None) -> Fixed | None:
    return _changed(line, case.book.codes[role].code) if role else None


def _as_chemo(case: Case, line: BilledLine) -> Fixed | None:
    """A chemotherapy push code: the further one when another chemotherapy initial stands on the claim."""
    role = _CHEMO[case.role(line)]
    initial = {"chemo_push_initial", "chemo_infusion_initial"} & set(p.roles_billed(case))
    return _to(case, line, "chemo_push_new_drug" if initial else "chemo_push_initial" if role in p.INITIALS else role)


def _demoted(case: Case, line: BilledLine) -> Fixed | None:
    changed = _to(case, line, _DEMOTED[case.role(line)])
    separate = case.book.modifiers["separate_service"]
    return changed._replace(modifiers=tuple(mark for mark in line.modifiers if mark != separate)) if changed else None


def _promoted(case: Case, line: BilledLine) -> Fixed | None:
    return _to(case, line, _PROMOTED.get(case.role(line)))


def _same_drug(case: Case, line: BilledLine) -> Fixed | None:
    allowed = case.place is not None and case.place.outpatient_hospital and not _is_professional(case)
    return _to(case, line, "push_same_drug" if allowed else None)


def _is_professional(case: Case) -> bool:
    return case.claim is not None and case.claim.value == "professional"


def _one_concurrent(case: Case, line: BilledLine) -> Fixed | None:
    first = next(row for row in case.denial.billed_lines if row.code == line.code)
    return _changed(line, line.code, 1) if first is line else None


def _dated(case: Case, line: BilledLine) -> Fixed | None:
    """The code now in force, when one unit of it stands for the same amount; otherwise the units need the dose."""
    drug = case.book.formulary.by_code[line.code][0]
    old = next(row for row in drug.hcpcs if row.code == line.code)
    new = next((row for row in drug.billing_on(case.book.day) if row.per == old.per), None)
    return _changed(line, new.code) if new else _kept(line)


_FIXES: Mapping[str, _Fix] = {
    "denied-professional-in-facility": _remove,
    "denied-repeat-push-place": _remove,
    "denied-repeat-push-too-soon": _remove,
    "denied-chemo-as-push": _as_chemo,
    "denied-same-drug-as-new": _same_drug,
    "denied-two-initials": _demoted,
    "denied-add-on-alone": _promoted,
    "denied-hydration": _remove,
    "denied-second-concurrent": _one_concurrent,
    "denied-included-service": _remove,
    "denied-minimal-visit": _remove,
    "denied-drug-code-out-of-date": _dated,
    "denied-unsupported": _remove,
}


def _against_encounter(case: Case, hits: list[Hit]) -> tuple[tuple[Fixed, ...], tuple[str, ...]]:
    """The claim corrected to the lines the encounter supports; other billed lines line by line."""
    wanted = list(case.edited.lines) if case.edited else []
    fixed: list[tuple[int, Fixed]] = []
    waiting: list[tuple[int, BilledLine]] = []
    removed: list[str] = []
    for place, line in enumerate(case.denial.billed_lines):
        match = next((row for row in wanted if _fits(row, line)), None)
        if match is not None:
            wanted.remove(match)
            same = match.units == line.units and set(match.modifiers) <= set(line.modifiers)
            kept = _kept(line) if same else _changed(line, match.code, match.units, match.modifiers)
            fixed.append((place, kept))
        elif case.role(line):
            waiting.append((place, line))
        else:
            rules = [hit.finding.rule for hit in hits if hit.place == place]
            correction = _FIXES.get(rules[0], _kept_fix)(case, line) if rules else _kept(line)
            if correction is None:
                removed.append(line.code)
            else:
                fixed.append((place, correction))
    for place, line in waiting:
        successor = next((row for row in wanted if _succeeds(case, row, line)), None)
        if successor is None:
            removed.append(line.code)
            continue
        wanted.remove(successor)
        fixed.append((place, _changed(line, successor.code, successor.units, successor.modifiers)))
    fixed.sort(key=lambda row: row[0])
    added = [Fixed(row.code, row.units, row.modifiers, None, "added") for row in wanted]
    return (*(row for _, row in fixed), *added), tuple(removed)


def _fits(row: Line, line: BilledLine) -> bool:
    about = set(line.administrations)
    return row.code == line.code and (not about or bool(about & set(row.administrations)))


def _succeeds(case: Case, row: Line, line: BilledLine) -> bool:
    """Whether a supported line takes the place of a billed one: for the same administrations if they are named."""
    if line.administrations:
        return bool(set(row.administrations) & set(line.administrations)) and row.answer != "drug"
    return case.role(line) != "" and row.answer != "drug"

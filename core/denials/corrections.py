"""The corrected claim: what the encounter supports, or the billed lines mended one by one where that can be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ivcoder.denials.claim import BilledLine, Case, Fixed
from ivcoder.denials.mend import (
    DEMOTED,
    PROMOTED,
    Lacks,
    Mended,
    Off,
    changed,
    kept,
    may_repeat,
    mend,
    to_family,
    to_role,
)
from ivcoder.denials.patterns.claims import denied_inpatient, denied_professional_in_facility
from ivcoder.denials.patterns.initials import INITIALS
from ivcoder.denials.patterns.pushes import CHEMO_PUSHES, PUSHES
from ivcoder.denials.patterns.services import family_role
from ivcoder.edits import Line
from ivcoder.encounter import Claim


@dataclass(frozen=True, slots=True)
class Correction:
    """The corrected claim, the codes that come off, and what is wanted before it could be sent."""

    lines: tuple[Fixed, ...]
    removed: tuple[str, ...]
    wanted: tuple[str, ...]


_Row = tuple[Fixed, BilledLine]
"""A corrected line, and the billed one it comes from."""


def corrected(case: Case, rules: Mapping[int, Sequence[str]]) -> Correction:
    """The claim with the patterns' faults mended; ``rules`` are those that fit, by the place of the line."""
    if case.edited is not None and not case.unsettled:
        return _against_encounter(case, rules)
    rows: list[_Row] = []
    removed: list[str] = []
    wanted: list[str] = []
    barred = any(rule(case, line).holds for rule in _BARRING for line in case.family)
    families = any(_FAMILIES & set(each) for each in rules.values())
    for place, line in enumerate(case.denial.billed_lines):
        mended = mend(case, line, rules.get(place, ()))
        if barred and case.role(line):
            mended = Off()
        elif families and mended == kept(line) and family_role(case, line) not in ("", case.role(line)):
            mended = to_family(case, line)
        rows += _settled(mended, line, removed, wanted)
    if _two_initials(rules) or any(row.change == "changed" for row, _ in rows):
        _one_initial(case, rows, removed, wanted)
        _one_family(case, rows, wanted)
        _each_drug_once(case, rows, removed, wanted)
    wanted += _left_open(case, rules, rows)
    return Correction(tuple(row for row, _ in rows), tuple(removed), tuple(dict.fromkeys(wanted)))


def _settled(mended: Mended, line: BilledLine, removed: list[str], wanted: list[str]) -> list[_Row]:
    """The line a mending leaves, if any; what comes off and what is wanted is noted."""
    if isinstance(mended, Off):
        removed.append(line.code)
        return []
    if isinstance(mended, Lacks):
        wanted.append(mended.field)
        return [(kept(line), line)]
    return [(mended, line)]


def _two_initials(rules: Mapping[int, Sequence[str]]) -> bool:
    return any("denied-two-initials" in each for each in rules.values())


def _left_open(case: Case, rules: Mapping[int, Sequence[str]], rows: Sequence[_Row]) -> list[str]:
    """What must be known before a claim so corrected could be sent."""
    wanted: list[str] = []
    changed_rows = [(row, line) for row, line in rows if row.change == "changed"]
    if case.edited is None or case.unsettled:
        wanted += [field for row, line in changed_rows for field in _doubts(case, row, line)]
    if case.unsettled and changed_rows:
        wanted.append("questions")
    about = [line for place, line in enumerate(case.denial.billed_lines) if rules.get(place)]
    implied = case.claim is Claim.FACILITY and case.denial.claim is None
    if implied and any(case.hinted(line, "practitioner") for line in about):
        wanted.append("claim")
    tiers = {case.role(line) for line in case.family if case.role(line) in INITIALS}
    office = case.claim is Claim.PROFESSIONAL and case.denial.primary_reason is None
    if _two_initials(rules) and office and len(tiers) > 1:
        wanted.append("primary_reason")
    return wanted


def _doubts(case: Case, row: Fixed, line: BilledLine) -> Iterator[str]:
    """What the billed lines alone leave open of a changed line."""
    role, drug = case.role(row), case.drug(line)
    if role == "push_same_drug":
        yield "start"
    if drug is not None and drug.other_use:
        yield "purpose"
    if role in PUSHES | CHEMO_PUSHES:
        if case.procedures:
            yield "purpose"
        if line.units > 1 or (drug is not None and not drug.by_push):
            yield "administrations"
    elif role in INITIALS and line.units > 1:
        yield "administrations"
    elif role in ("infusion_sequential", "chemo_infusion_sequential"):
        others = [case.substance(each) for each in case.family if each is not line and "hour" not in case.role(each)]
        if case.substance(line) in others:
            yield "administrations"


_BARRING = (denied_professional_in_facility, denied_inpatient)
"""Rules that take every drug administration off the claim, not only the denied lines."""
_FAMILIES = frozenset({"denied-chemo-as-push", "denied-other-family"})


def _one_initial(case: Case, rows: list[_Row], removed: list[str], wanted: list[str]) -> None:
    """Leave one initial service: the highest leads, among equals one that was paid; the others follow as their drugs
    allow.
    """
    places = [
        place
        for place, (row, _) in enumerate(rows)
        if case.role(row) in INITIALS and not set(row.modifiers) & case.separate
    ]
    if not places:
        return

    def order(place: int) -> tuple[int, bool]:
        row, line = rows[place]
        return INITIALS.index(case.role(row)), line.denied

    lead, *others = sorted(places, key=order)
    substance = case.substance(rows[lead][1])
    gone: list[int] = []
    for place in others:
        row, line = rows[place]
        role = case.role(row)
        same = substance is not None and case.substance(line) == substance
        if same and role == "push_initial" and may_repeat(case):
            rows[place] = to_role(case, line, "push_same_drug"), line
            wanted.append("start")
        elif same and role == "push_initial":
            gone.append(place)
            removed.append(row.code)
        elif same:
            wanted.append("administrations")
        else:
            marks = tuple(mark for mark in line.modifiers if mark not in case.separate)
            rows[place] = to_role(case, line, DEMOTED[role])._replace(modifiers=marks), line
            if role == "hydration_initial":
                wanted.append("administrations")
            elif line.drug is None and not line.administrations:
                wanted.append("drug")
    for place in sorted(gone, reverse=True):
        del rows[place]


def _one_family(case: Case, rows: list[_Row], wanted: list[str]) -> None:
    """Give an add-on that has lost its primary the lead when it can lead, and ask for the record when it cannot."""
    for place, (row, line) in enumerate(rows):
        primaries = case.primaries(row.code)
        present = {each.code for each, _ in rows}
        if not primaries or present & set(primaries):
            continue
        role = case.book.numbers[row.code].role
        if role == "chemo_push_new_drug" and row.units == 1:
            lead = case.book.codes[PROMOTED[role]].code
            rows[place] = Fixed(lead, 1, row.modifiers, row.was, "changed"), line
            _one_initial(case, rows, [], wanted)
        else:
            wanted.append("administrations")


def _each_drug_once(case: Case, rows: list[_Row], removed: list[str], wanted: list[str]) -> None:
    """Where a change leaves two pushes of one drug, the later is the same again, which chemotherapy has no code for."""
    seen = {case.substance(line) for row, line in rows if case.role(row) in ("push_initial", "chemo_push_initial")}
    gone = []
    for place, (row, line) in enumerate(rows):
        substance, role = case.substance(line), case.role(row)
        if role not in ("push_new_drug", "chemo_push_new_drug") or substance is None:
            continue
        if substance not in seen:
            seen.add(substance)
        elif may_repeat(case) and role == "push_new_drug":
            rows[place] = to_role(case, line, "push_same_drug"), line
            wanted.append("start")
        else:
            gone.append(place)
            removed.append(line.code)
    for place in reversed(gone):
        del rows[place]


def _against_encounter(case: Case, rules: Mapping[int, Sequence[str]]) -> Correction:
    """The claim corrected to the lines the encounter supports; other billed lines one by one."""
    supported = list(case.edited.lines) if case.edited else []
    rows: list[_Row] = []
    waiting: list[BilledLine] = []
    removed: list[str] = []
    wanted: list[str] = []
    # A paid line keeps what it was paid for; a denied one takes what is left.
    billed = sorted(enumerate(case.denial.billed_lines), key=lambda row: row[1].denied)
    for place, line in billed:
        matches = _matches(supported, line)
        if matches:
            for match in matches:
                supported.remove(match)
            rows.append((_as_supported(case, line, matches), line))
        elif case.role(line) or "denied-drug-code-out-of-date" in rules.get(place, ()):
            waiting.append(line)
        else:
            rows += _settled(mend(case, line, rules.get(place, ())), line, removed, wanted)
    for line in sorted(waiting, key=case.number):
        successor = next((row for row in supported if _succeeds(case, row, line)), None)
        if successor is not None:
            supported.remove(successor)
            rows.append((changed(case, line, successor.code, successor.units, successor.modifiers), line))
        elif _is_charted(case, line):
            rows += _settled(mend(case, line, rules.get(case.number(line), ())), line, removed, wanted)
        else:
            removed.append(line.code)
    rows.sort(key=lambda row: case.number(row[1]))
    shared = _shared_marks(case)
    added = []
    for row in supported:
        if row.answer != "drug":
            added.append(Fixed(row.code, row.units, (*row.modifiers, *shared), None, "added"))
        elif any(each.was == row.code and each.change == "changed" for each, _ in rows):
            # What was discarded of a drug whose line had it in its units.
            added.append(Fixed(row.code, row.units, row.modifiers, None, "added"))
    wanted += _left_open(case, rules, rows)
    return Correction((*(row for row, _ in rows), *added), tuple(removed), tuple(dict.fromkeys(wanted)))


def _matches(supported: Sequence[Line], line: BilledLine) -> list[Line]:
    """The supported lines of a billed line's code and administrations, as many as its units take."""
    about = set(line.administrations)
    found: list[Line] = []
    for row in supported:
        fits = row.code == line.code and (not about or bool(about & set(row.administrations)))
        more = row.answer not in ("initial", "drug") and sum(each.units for each in found) < line.units
        if fits and (not found or more):
            found.append(row)
    return found


def _as_supported(case: Case, line: BilledLine, matches: Sequence[Line]) -> Fixed:
    """A billed line with the units and modifiers the record gives it; kept when nothing differs."""
    units = sum(row.units for row in matches)
    marks = tuple(dict.fromkeys(mark for row in matches for mark in row.modifiers))
    wastage = {mark for row in case.supported(line) if row.answer == "drug" for mark in row.modifiers}
    if wastage and set(line.modifiers) & set(case.misplaced) != set(marks):
        own = tuple(mark for mark in line.modifiers if mark not in case.misplaced)
        return Fixed(line.code, units, (*own, *marks), line.code, "changed")
    initial = case.role(line) in INITIALS
    wrongly_marked = initial and bool(set(marks) & case.separate) != case.is_separate(line)
    if units == line.units and not wrongly_marked and set(marks) - case.separate <= set(line.modifiers):
        return kept(line)
    separate = () if initial else tuple(mark for mark in line.modifiers if mark in case.separate)
    return changed(case, line, line.code, units, (*marks, *separate))


def _shared_marks(case: Case) -> tuple[str, ...]:
    """The modifiers, other than those of a separate service, that every billed administration line carries."""
    rows = [set(line.modifiers) for line in case.family]
    shared = set[str].intersection(*rows) - case.separate - {case.book.modifiers["separate_visit"]} if rows else set()
    return tuple(sorted(shared))


def _is_charted(case: Case, line: BilledLine) -> bool:
    """Whether the drug of a drug's line was charted, and only what counts its units is wanting."""
    charted = case.charted_drugs(row.id for row in case.denial.administrations)
    return any(drug in charted for drug in case.meant_by(line))


def _succeeds(case: Case, row: Line, line: BilledLine) -> bool:
    """Whether a supported line takes the place of a billed one: of its administrations, or of its drug."""
    if not case.role(line):
        drugs = case.book.formulary.by_code.get(line.code, ())
        return row.answer == "drug" and any(drug in drugs for drug in case.charted_drugs(row.administrations))
    if line.administrations:
        return bool(set(row.administrations) & set(line.administrations)) and row.answer != "drug"
    return row.answer != "drug"

"""Which supported line each billed line stands for: the same code first, then the same drug, then the same kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ivcoder.book import Reported
from ivcoder.denials import BilledLine, Case
from ivcoder.edits import Line

Likeness = tuple[bool, ...]
"""How much a billed line is like a supported one, the weightiest likeness first."""


class Pair(NamedTuple):
    """Units of a billed line that stand for units of a supported one; both lines by their place, from 0."""

    billed: int
    supported: int
    units: int
    same_code: bool


@dataclass(frozen=True, slots=True)
class Matching:
    """The pairs, and the units of billed and of supported lines that none takes."""

    pairs: tuple[Pair, ...]
    over: dict[int, int]
    under: dict[int, int]

    def of_billed(self, place: int) -> list[Pair]:
        """The pairs of one billed line."""
        return [pair for pair in self.pairs if pair.billed == place]

    def of_supported(self, place: int) -> list[Pair]:
        """The pairs of one supported line."""
        return [pair for pair in self.pairs if pair.supported == place]


def match(case: Case, lines: Sequence[Line], places: Iterable[int]) -> Matching:
    """Pair the billed lines at ``places`` with supported ``lines``: the most alike first, unit by unit.

    The order of the billed lines changes nothing but which of several alike is named.
    """
    billed = case.denial.billed_lines
    over = {place: billed[place].units for place in places}
    under = {place: line.units for place, line in enumerate(lines)}
    pairs: list[Pair] = []
    for alike, same in ((_same_code, True), (_same_service, False)):
        pairs += _paired(case, lines, over, under, alike, same)
    return Matching(tuple(pairs), over, under)


def _paired(
    case: Case,
    lines: Sequence[Line],
    over: dict[int, int],
    under: dict[int, int],
    alike: Callable[[Case, BilledLine, Line], Likeness | None],
    same: bool,
) -> Iterable[Pair]:
    """Take the best pairs in turn, and what they pair off ``over`` and ``under``."""
    billed = case.denial.billed_lines
    found: list[tuple[tuple[bool, ...], tuple[object, ...], int, int]] = []
    twins: dict[tuple[object, ...], list[int]] = {}
    for place in (place for place, left in over.items() if left):
        twins.setdefault(_content(billed[place]), []).append(place)
    left = [number for number, units in under.items() if units]
    for content, places in twins.items():
        for number in left:
            likeness = alike(case, billed[places[0]], lines[number])
            if likeness is not None:
                unlike = tuple(not each for each in likeness)
                found += [(unlike, content, number, place) for place in places]
    for _, _, number, place in sorted(found):
        units = min(over[place], under[number])
        if units and not same and lines[number].answer == "drug":
            # Units of two drug codes count different amounts: the one line stands for the other.
            yield Pair(place, number, over[place], same)
            over[place] = under[number] = 0
        elif units:
            over[place] -= units
            under[number] -= units
            yield Pair(place, number, units, same)


def _content(line: BilledLine) -> tuple[str, int, tuple[str, ...], tuple[str, ...], str]:
    """What a billed line says, whatever its place."""
    return line.code, line.units, line.modifiers, line.administrations, line.drug or ""


def _names(case: Case, line: BilledLine, row: Line) -> bool | None:
    """Whether a billed line names what a supported one is for; None when it names nothing."""
    if line.administrations:
        return bool(set(line.administrations) & set(row.administrations))
    drug = case.drug(line)
    if drug is None:
        return None
    return any(charted is drug for charted in case.charted_drugs(row.administrations))


def _same_code(case: Case, line: BilledLine, row: Line) -> Likeness | None:
    if line.code != row.code:
        return None
    marks = case.separate | set(case.misplaced)
    return (
        bool(_names(case, line, row)),
        set(line.modifiers) & marks == set(row.modifiers) & marks,
        line.units == row.units,
    )


def _same_service(case: Case, line: BilledLine, row: Line) -> Likeness | None:
    """Another code for what the line was billed for, as far as that can be told."""
    if not case.role(line):
        drugs = (*case.book.formulary.by_code.get(line.code, ()), case.drug(line))
        charted = case.charted_drugs(row.administrations) if row.answer == "drug" else []
        hit = any(drug is not None and drug in drugs for drug in charted)
        return (bool(_names(case, line, row)), line.units == row.units) if hit else None
    if row.answer == "drug":
        return None
    named = _names(case, line, row)
    if named is False:
        return None
    mine, theirs = reported(case, line.code), reported(case, row.code)
    kind, leads = mine.kind == theirs.kind, case.book.numbers[line.code].answer == row.answer
    initial = leads and row.answer == "initial"
    dose = {mine.kind, theirs.kind} <= _DRUG_GIVEN and not (mine.hour or theirs.hour)
    if not (named or kind or initial or dose):
        return None
    return bool(named), kind, mine.hour == theirs.hour, leads, mine.category == theirs.category


_DRUG_GIVEN = frozenset({"push", "infusion", "pump", "injection", "on_body_injector"})
"""Kinds that are taken for one another: ways to give one dose of a drug."""


def reported(case: Case, code: str) -> Reported:
    """What kind of service a drug-administration code reports."""
    return case.book.services[case.book.numbers[code].role]

"""Step 6: what must the record show for each line, and what does this one lack?

What is lacking is ranked by what it puts at stake, which is walked and not declared: the answers to an open question,
or the lines that are left when what is not shown is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, auto
from typing import NamedTuple

from ivcoder.book import Element, When, elements
from ivcoder.classify import Kind
from ivcoder.edits import Line
from ivcoder.encounter import Claim, Given, Purpose, Route
from ivcoder.select.infusion import same_drug_infused_again
from ivcoder.what_if import Explored, answer, with_changes


class Stake(IntEnum):
    """What a gap puts at stake, the worst first."""

    LINE = auto()
    CODE = auto()
    UNITS = auto()
    MODIFIER = auto()
    DRUG_LINE = auto()
    NOTHING = auto()


class Gap(NamedTuple):
    """Something a record should show of an administration and does not; ``lines`` are what it could come to."""

    administration: str
    element: Element
    stake: Stake
    lines: tuple[Line, ...]


class Record(NamedTuple):
    """For one line, what its record must show: shown here, lacking here, or not part of this input."""

    shown: tuple[Element, ...]
    lacking: tuple[Element, ...]
    elsewhere: tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class Documented:
    """The outcome of the step: a record for each administration line by its place, and the gaps, the dearest first."""

    records: Mapping[int, Record]
    gaps: tuple[Gap, ...]


_OVER_TIME = frozenset(
    {
        Route.IV_INFUSION,
        Route.IV_PUMP,
        Route.SC_INFUSION,
        Route.INTRA_ARTERIAL_INFUSION,
        Route.INTRA_ARTERIAL_PUMP,
    }
)


def document(explored: Explored) -> Documented:
    """Hold each line against what its record must show.

    Sources: the elements in the book, each with its own.
    """
    classified = explored.edited.selected.ranked.classified
    rows = {row.id: row for row in classified.visit.administrations}
    records: dict[int, Record] = {}
    lacking: dict[tuple[str, str | None], Element] = {}
    for place, line in enumerate(_administration(explored.edited.lines)):
        needs = set(_needs(line, explored))
        needed = [each for each in elements() if each.when in needs]
        without = [each for each in needed if any(_lacks(rows[label], each) for label in line.administrations)]
        for element in without:
            for label in line.administrations:
                if _lacks(rows[label], element):
                    lacking.setdefault((label, element.field), element)
        records[place] = Record(
            tuple(each for each in needed if each.field is not None and each not in without),
            tuple(without),
            tuple(each for each in needed if each.field is None),
        )
    gaps = [_gap(rows[label], element, explored) for (label, _), element in lacking.items()]
    order = list(rows)
    gaps.sort(key=lambda gap: (gap.stake, order.index(gap.administration)))
    return Documented(records, tuple(gaps))


def _needs(line: Line, explored: Explored) -> Iterator[When]:
    """What holds of a line, and so which elements its record must show."""
    classified = explored.edited.selected.ranked.classified
    visit, book = classified.visit, classified.book
    rows = [row for row in visit.administrations if row.id in line.administrations]
    drugs = [classified.drugs[row.id] for row in rows]
    asked = {question.administration for question in explored.edited.questions if question.field == "access_reason"}
    yield "every"
    yield "timed" if any(row.route in _OVER_TIME for row in rows) else "moment"
    if line.code == book.codes["push_same_drug"].code:
        yield "repeat_push"
    longest = book.limits["push_longest"]
    if any(row.route is Route.IV_PUSH and row.minutes is not None and row.minutes > longest for row in rows):
        yield "slow_push"
    if any(row.access_reason is not None or row.id in asked for row in rows):
        yield "second_access"
    if book.services[book.numbers[line.code].role].kind == Kind.HYDRATION:
        yield "fluid"
    single = any(drug is not None and drug.container == "single_dose" for drug in drugs)
    if single and book.marks_discarded(visit.payer, visit.place.code):
        yield "single_dose"
    if any(finding.rule == same_drug_infused_again.id for finding in line.findings):
        yield "repeat_infusion"
    if any(drug is not None and drug.disputed is not None for drug in drugs):
        yield "disputed"
    if None in drugs:
        yield "unknown_product"
    if visit.claim is Claim.PROFESSIONAL:
        yield "professional"


def _lacks(given: Given, element: Element) -> bool:
    """Whether an element that this input can hold is not charted of an administration."""
    return element.field is not None and getattr(given, element.field) is None


def _gap(given: Given, element: Element, explored: Explored) -> Gap:
    """A gap with the lines it could come to: those of an open question, or those left without what is not shown."""
    now = explored.edited.lines
    found = [(_stake(now, lines), lines) for lines in _alternatives(given, element, explored)]
    stake, lines = min(found, key=lambda pair: pair[0], default=(Stake.NOTHING, now))
    if element.field == "dose" and stake is Stake.NOTHING:
        stake = Stake.DRUG_LINE
    return Gap(given.id, element, stake, lines)


def _alternatives(given: Given, element: Element, explored: Explored) -> Iterator[tuple[Line, ...]]:
    asked = [row for row in explored.questions if row.question.administration == given.id]
    fields = (element.field, "minutes") if element.field == "stop" else (element.field,)
    mine = [row for row in asked if row.question.field in fields]
    for row in mine:
        yield from (outcome.lines for outcome in row.outcomes)
    changes = {} if mine else _refused(given, element)
    if changes:
        classified = explored.edited.selected.ranked.classified
        yield answer(with_changes(classified.visit, {given.id: changes}), classified.book).lines


def _refused(given: Given, element: Element) -> Mapping[str, object]:
    """The facts that fall when an element is not shown."""
    if element.field in ("start", "stop") and given.minutes is not None and given.route in _OVER_TIME:
        return {"start": None, "stop": None, "minutes": None}
    return {"purpose": Purpose.CARRIER} if element.field == "purpose" else {}


def _stake(now: Sequence[Line], then: Sequence[Line]) -> Stake:
    """What is at stake between two answers."""
    mine, theirs = _administration(now), _administration(then)
    if len(theirs) < len(mine):
        return Stake.LINE
    if {line.code for line in theirs} != {line.code for line in mine}:
        return Stake.CODE
    if sorted((line.code, line.units) for line in theirs) != sorted((line.code, line.units) for line in mine):
        return Stake.UNITS
    if sorted((line.code, line.modifiers) for line in then) != sorted((line.code, line.modifiers) for line in now):
        return Stake.MODIFIER
    return Stake.NOTHING


def _administration(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if line.answer != "drug"]

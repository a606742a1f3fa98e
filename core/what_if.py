"""Step 5: what would change the answer, and which open questions matter?

The same way is walked again with facts changed, and the lines are compared. A question matters when two
answers to it give different lines; a tipping point is the smallest change of fact that changes a code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ivcoder.book import Rulebook
from ivcoder.classify import Classified, Kind, Option, Question, Service, classify
from ivcoder.edits import Edited, Line, edit
from ivcoder.encounter import HOUR, Claim, Given, Route, Visit
from ivcoder.rank import rank
from ivcoder.select import select

Signature = tuple[tuple[str, int, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One answer to a question, or one change of fact, with the lines it leads to."""

    option: Option
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Mattering:
    """A question that changes the lines, with the lines each answer gives."""

    question: Question
    outcomes: tuple[Outcome, ...]
    changes_codes: bool


@dataclass(frozen=True, slots=True)
class Explored:
    """The outcome of the step."""

    edited: Edited
    questions: tuple[Mattering, ...]
    tipping_points: tuple[Outcome, ...]


def answer(visit: Visit, book: Rulebook, *, drugs: bool = True) -> Edited:
    """Walk the whole way, from the facts to the lines; without ``drugs``, to the administration lines."""
    return edit(select(rank(classify(visit, book)), drugs=drugs))


def unexplored(edited: Edited) -> Explored:
    """Every question as it stands, taken to matter, with no outcomes and no tipping points."""
    rows = tuple(Mattering(question, (), question.field != "discarded") for question in edited.questions)
    return Explored(edited, rows, ())


def explore(edited: Edited, *, tipping: bool = True) -> Explored:
    """Find the questions that matter, and the tipping points when none is open.

    Returns the questions whose answers lead to different lines, each with those lines; ``changes_codes`` tells
    whether the administration lines differ or only a drug line's modifiers.
    """
    visit, book = edited.selected.ranked.classified.visit, edited.selected.ranked.classified.book
    mattering = []
    for question in edited.questions:
        outcomes = tuple(
            Outcome(option, answer(_with(visit, option.changes), book).lines) for option in question.options
        )
        if len({_signature(outcome.lines) for outcome in outcomes} | {_signature(edited.lines)}) > 1:
            codes = {_administration(outcome.lines) for outcome in outcomes} | {_administration(edited.lines)}
            mattering.append(Mattering(question, _distinct(outcomes), len(codes) > 1))
    points: tuple[Outcome, ...] = ()
    if tipping and not any(row.changes_codes for row in mattering):
        points = tuple(_tipping_points(edited))
    return Explored(edited, tuple(mattering), points)


def _with(visit: Visit, changes: Mapping[str | None, Mapping[str, object]]) -> Visit:
    """The visit with the changed facts."""
    rows = tuple(
        row._replace(**changes[row.id]) if row.id in changes else row  # type: ignore[arg-type]
        for row in visit.administrations
    )
    return visit._replace(administrations=rows, **changes.get(None, {}))  # type: ignore[arg-type]


def _signature(lines: tuple[Line, ...]) -> Signature:
    return tuple(sorted((line.code, line.units, line.modifiers) for line in lines))


def _administration(lines: tuple[Line, ...]) -> Signature:
    return _signature(tuple(line for line in lines if line.answer != "drug"))


def _distinct(outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
    """Drop an outcome whose lines the one before it has already given."""
    kept: list[Outcome] = []
    for outcome in outcomes:
        if not kept or _signature(kept[-1].lines) != _signature(outcome.lines):
            kept.append(outcome)
    return tuple(kept)


def _tipping_points(edited: Edited) -> Iterator[Outcome]:
    classified = edited.selected.ranked.classified
    visit, book = classified.visit, classified.book
    now = _administration(edited.lines)

    def walked(option: Option) -> tuple[Line, ...] | None:
        """The lines a change gives, if they are other lines."""
        lines = answer(_with(visit, option.changes), book, drugs=False).lines
        return lines if _signature(lines) != now else None

    for given in visit.administrations:
        for edges in _lengths(given, book):
            same = given.minutes or 0
            for edge in edges:
                if walked(_length(given, edge)):
                    yield _first_change(given, same, edge, walked)
                    break
                same = edge
    for option in (*_intervals(classified), _elsewhere(visit, book)):
        if lines := walked(option):
            yield Outcome(option, lines)


def _first_change(given: Given, same: int, other: int, walked: Callable[[Option], tuple[Line, ...] | None]) -> Outcome:
    """The change of length nearest to what was charted, between one that changes nothing and one that does."""
    step = 1 if other > same else -1
    found = Outcome(_length(given, other), walked(_length(given, other)) or ())
    probe = other - step
    while probe != same:
        option = _length(given, probe)
        lines = walked(option)
        if lines is None:
            same = probe
        else:
            other, found = probe, Outcome(option, lines)
        probe = (same + other) // 2 if abs(other - same) > 1 else same
    return found


def _lengths(given: Given, book: Rulebook) -> Iterator[tuple[int, ...]]:
    """Longer and shorter lengths at which lines change, from the nearest on."""
    if given.minutes is None or given.route not in _TIMED:
        return
    names = ["push_longest", "hydration_shortest", "hour_past", "pump_shortest"]
    push, shortest, past, pump = (book.limits[name] for name in names)
    hours = given.minutes // HOUR
    edges = {push + 1, shortest, *(HOUR * (hours + step) + past for step in (-1, 0, 1) if hours + step > 0)}
    if given.route is Route.IV_PUMP:
        edges.add(pump)
    yield tuple(sorted(edge for edge in edges if edge > given.minutes))
    yield tuple(sorted((edge - 1 for edge in edges if edge <= given.minutes), reverse=True))


_TIMED = frozenset({Route.IV_PUSH, Route.IV_INFUSION, Route.IV_PUMP, Route.SC_INFUSION, Route.INTRA_ARTERIAL_INFUSION})


def _length(given: Given, minutes: int) -> Option:
    changes: dict[str, object] = {"minutes": minutes}
    if given.start is not None:
        changes["stop"] = given.start + minutes
    slow = given.route is Route.IV_PUSH and given.attended is None
    return Option("pushed_minutes" if slow else "ran_minutes", {"minutes": minutes}, {given.id: changes})


def _intervals(classified: Classified) -> Iterator[Option]:
    """A push of the same drug a minute on the other side of the interval after the one before it."""
    needed = classified.book.limits["repeat_push_after"]
    before: dict[str, Service] = {}
    pushes = [row for row in classified.services if row.kind is Kind.PUSH and row.start is not None]
    for row in sorted(pushes, key=lambda row: (row.start or 0, row.administrations)):
        earlier = before.get(row.substance)
        before[row.substance] = row
        if earlier is None:
            continue
        began = earlier.start or 0
        gap = needed - 1 if (row.start or 0) - began >= needed else needed
        label, minutes = row.administrations[0], row.minutes
        start = began + gap
        changes: dict[str, object] = {"start": start, "stop": None if minutes is None else start + minutes}
        yield Option("pushed_after", {"gap": gap, "other": f"[{earlier.administrations[0]}]"}, {label: changes})


def _elsewhere(visit: Visit, book: Rulebook) -> Option:
    """The usual place of the other kind of claim; a physician's claim from a facility is compared with an office."""
    leaves = visit.claim is Claim.PROFESSIONAL and not visit.place.facility_reports
    claim = Claim.FACILITY if leaves else Claim.PROFESSIONAL
    place = next(row for row in book.places.values() if row.usual and row.claim == claim.value)
    return Option(
        "other_place", {"place": place.spoken, "claim": claim.value}, {None: {"place": place, "claim": claim}}
    )

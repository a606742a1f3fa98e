"""Step 5: what would change the answer, and which open questions matter?

The same way is walked again with facts changed, and the lines are compared. A question matters when two
answers to it give different lines; a tipping point is the smallest change of fact that changes a code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ivcoder.book import Rulebook
from ivcoder.classify import Option, Question, classify
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
    ladders = [ladder for given in visit.administrations for ladder in _lengths(given, book)]
    for ladder in (*ladders, *_elsewhere(visit, book)):
        for option in ladder:
            lines = answer(_with(visit, option.changes), book, drugs=False).lines
            if _signature(lines) != now:
                yield Outcome(option, lines)
                break


def _lengths(given: Given, book: Rulebook) -> Iterator[tuple[Option, ...]]:
    """Ladders of longer and of shorter times; the first rung that changes the lines is the tipping point."""
    if given.minutes is None or given.route not in _TIMED:
        return
    push, shortest, past = (book.limits[name] for name in ("push_longest", "hydration_shortest", "hour_past"))
    hours = given.minutes // HOUR
    starts = sorted({push + 1, shortest, *(HOUR * (hours + step) + past for step in (-1, 0, 1) if hours + step > 0)})
    yield tuple(_length(given, edge) for edge in starts if edge > given.minutes)
    yield tuple(_length(given, edge - 1) for edge in reversed(starts) if edge <= given.minutes)


_TIMED = frozenset({Route.IV_PUSH, Route.IV_INFUSION, Route.IV_PUMP, Route.SC_INFUSION})


def _length(given: Given, minutes: int) -> Option:
    changes: dict[str, object] = {"minutes": minutes}
    if given.start is not None:
        changes["stop"] = given.start + minutes
    return Option("ran_minutes", {"minutes": minutes}, {given.id: changes})


def _elsewhere(visit: Visit, book: Rulebook) -> Iterator[tuple[Option, ...]]:
    """The first place of the other kind, with the claim that goes with it."""
    claim = Claim.FACILITY if visit.claim is Claim.PROFESSIONAL else Claim.PROFESSIONAL
    place = next(row for row in book.places.values() if row.claim == claim.value)
    facts = {"place": place.name, "code": place.code}
    yield (Option("other_place", facts, {None: {"place": place, "claim": claim}}),)

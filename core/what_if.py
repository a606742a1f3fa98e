"""Step 5: what would change the answer, and which open questions matter?

The same way is walked again with facts changed, and the lines are compared. A question matters when two
answers to it give different lines; a tipping point is the smallest change of fact that changes a code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ivcoder.book import Rulebook
from ivcoder.classify import Kind, Option, Question, Service, classify
from ivcoder.edits import Edited, Line, edit
from ivcoder.encounter import HOUR, LONGEST, Claim, Given, Route, Visit
from ivcoder.rank import Ranked, rank
from ivcoder.select import Selected, repeat_push_interval, select

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


def answer(visit: Visit, book: Rulebook, *, drugs: bool = True, remarks: bool = True) -> Edited:
    """Walk the whole way, from the facts to the lines; without ``drugs``, to the administration lines, and without
    ``remarks``, to nothing else that is to be said of them.
    """
    return edit(select(rank(classify(visit, book)), drugs=drugs), remarks=remarks)


def walked(edited: Edited, option: Option) -> Edited:
    """The same way walked again with the facts of an answer to a question."""
    classified = edited.selected.ranked.classified
    return answer(with_changes(classified.visit, option.changes), classified.book)


def unexplored(edited: Edited) -> Explored:
    """Every question as it stands, taken to matter, with no outcomes and no tipping points."""
    rows = tuple(Mattering(question, (), question.field != "discarded") for question in edited.questions)
    return Explored(edited, rows, ())


def explore(edited: Edited, *, tipping: bool = True) -> Explored:
    """Find the questions that matter, and the tipping points when none is open.

    Returns the questions whose answers lead to different lines, each with those lines; ``changes_codes`` tells
    whether the administration lines or the drugs' codes differ, or only a drug line's modifiers and units.
    """
    visit, book = edited.selected.ranked.classified.visit, edited.selected.ranked.classified.book
    walk = partial(_walk, visit, book)
    mattering = []
    for question in edited.questions:
        outcomes = tuple(outcome for option in question.options for outcome in _ranges(option, walk))
        if len({signature(outcome.lines) for outcome in outcomes} | {signature(edited.lines)}) > 1:
            codes = {_codes(outcome.lines) for outcome in outcomes} | {_codes(edited.lines)}
            mattering.append(Mattering(question, _distinct(outcomes), len(codes) > 1))
    points: tuple[Outcome, ...] = ()
    if tipping and not any(row.changes_codes for row in mattering):
        points = tuple(_tipping_points(edited))
    return Explored(edited, tuple(mattering), points)


def with_changes(visit: Visit, changes: Mapping[str | None, Mapping[str, object]]) -> Visit:
    """The visit with the changed facts, by administration id; None stands for the encounter itself."""
    rows = tuple(
        row._replace(**changes[row.id]) if row.id in changes else row  # type: ignore[arg-type]
        for row in visit.administrations
    )
    return visit._replace(administrations=rows, **changes.get(None, {}))  # type: ignore[arg-type]


def _walk(visit: Visit, book: Rulebook, option: Option) -> Outcome:
    return Outcome(option, answer(with_changes(visit, option.changes), book, remarks=False).lines)


def _ranges(option: Option, walk: Callable[[Option], Outcome]) -> Iterator[Outcome]:
    """An answer with the lines it gives; a range of minutes is split where its lines change."""
    first, last = _bounds(option)
    while first < last:
        low, high = walk(_lasting(option, first)), walk(_lasting(option, last))
        same, other = first, last
        if signature(low.lines) == signature(high.lines):
            same = last
        while other - same > 1:
            probe = (same + other) // 2
            if signature(walk(_lasting(option, probe)).lines) == signature(low.lines):
                same = probe
            else:
                other = probe
        yield Outcome(_from_to(option, first, same), low.lines)
        first = same + 1
    if first == last:
        yield walk(option if option.key not in _SPANNING else _from_to(option, first, last))


_SPANNING = frozenset({"ran_at_most", "ran_between"})


def _bounds(option: Option) -> tuple[int, int]:
    """The shortest and the longest length an answer stands for; the same for one that is no range."""
    minutes = int(option.facts.get("minutes", 0))
    if option.key == "ran_at_most":
        return 1, minutes
    return minutes, int(option.facts["most"]) if option.key == "ran_between" else minutes


def _lasting(option: Option, minutes: int) -> Option:
    """An answer's facts, for another length."""
    changes: dict[str | None, Mapping[str, object]] = {}
    for label, change in option.changes.items():
        longer = minutes - int(str(change["minutes"]))
        moved = {"stop": longer, "start": -longer}
        changes[label] = {
            name: minutes if name == "minutes" else int(str(value)) + moved[name] for name, value in change.items()
        }
    return option._replace(changes=changes)


def _from_to(option: Option, first: int, last: int) -> Option:
    """The part of a range of minutes from ``first`` to ``last``."""
    part = _lasting(option, first)
    if first == 1:
        return part._replace(key="ran_at_most", facts={"minutes": last})
    if first == last:
        return part._replace(key="ran_minutes", facts={"minutes": first})
    return part._replace(key="ran_between", facts={"minutes": first, "most": last})


def signature(lines: tuple[Line, ...]) -> Signature:
    """What tells two answers apart: codes, modifiers and units, on however many lines."""
    units: Counter[tuple[str, tuple[str, ...]]] = Counter()
    for line in lines:
        units[line.code, line.modifiers] += line.units
    return tuple(sorted((code, count, modifiers) for (code, modifiers), count in units.items()))


def _administration(lines: tuple[Line, ...]) -> Signature:
    return signature(tuple(line for line in lines if line.answer != "drug"))


def _codes(lines: tuple[Line, ...]) -> tuple[Signature, frozenset[str]]:
    """What a claim cannot go out without: the administration lines, and which codes the drugs have."""
    return _administration(lines), frozenset(line.code for line in lines if line.answer == "drug")


def _distinct(outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
    """Join an outcome to the one before it when they give the same lines."""
    kept: list[Outcome] = []
    for outcome in outcomes:
        if kept and signature(kept[-1].lines) == signature(outcome.lines) and outcome.option.key != "other_product":
            kept[-1] = Outcome(_both(kept[-1].option, outcome.option), outcome.lines)
        else:
            kept.append(outcome)
    return tuple(kept)


def _both(one: Option, other: Option) -> Option:
    """One option for two neighbouring ranges of minutes; else the first stands for both."""
    if one.key not in {*_SPANNING, "ran_minutes"} or other.key == "ran_until_next":
        return one
    if other.key == "ran_at_least":
        return one._replace(key="ran_at_least", facts={"minutes": one.facts["minutes"]})
    return _from_to(one, _bounds(one)[0], _bounds(other)[1])


def _tipping_points(edited: Edited) -> Iterator[Outcome]:
    classified = edited.selected.ranked.classified
    visit, book = classified.visit, classified.book
    now = _administration(edited.lines)

    def walked(option: Option) -> tuple[Line, ...] | None:
        """The lines a change gives, if they are other lines."""
        lines = answer(with_changes(visit, option.changes), book, drugs=False, remarks=False).lines
        return lines if signature(lines) != now else None

    rows = {row.id: row for row in visit.administrations}
    apart = answer(visit._replace(stacked=False), book, drugs=False, remarks=False) if visit.stacked else edited
    for service in classified.services:
        members = tuple(rows[label] for label in service.administrations)
        charted = _charted(members)
        if charted is None or members[0].route not in _TIMED:
            continue
        shift = _beside(service, charted, edited.selected.ranked)
        edges = {*_edges(charted, book), *(edge + shift for edge in _edges(charted - shift, book))}
        edges |= _crossings(service, charted, classified.services)
        if members[0].route is Route.IV_PUMP:
            edges.add(book.limits["pump_shortest"])
        longest = _room(service, charted, classified.services)
        longer = sorted(edge for edge in edges if charted < edge <= longest)
        shorter = sorted((edge - 1 for edge in edges if 0 < edge <= charted), reverse=True)
        for lengths in (longer, shorter):
            same = charted
            for edge in lengths:
                option = _length(members, edge)
                if (lines := walked(option)) is not None:
                    yield _first_change(members, same, edge, Outcome(option, lines), walked)
                    break
                same = edge
    for option in (*_intervals(apart.selected, rows, book), _elsewhere(visit, book)):
        if (lines := walked(option)) is not None:
            yield Outcome(option, lines)


def _charted(members: Sequence[Given]) -> int | None:
    """How long a service ran, from its first start to its last stop, or as charted in minutes."""
    starts = [row.start for row in members if row.start is not None]
    stops = [row.stop for row in members if row.stop is not None]
    if starts and stops:
        return max(stops) - min(starts)
    return next((row.minutes for row in members if row.minutes is not None), None)


def _first_change(
    members: Sequence[Given],
    same: int,
    other: int,
    found: Outcome,
    walked: Callable[[Option], tuple[Line, ...] | None],
) -> Outcome:
    """The change of length nearest to what was charted, between one that changes nothing and one that does."""
    step = 1 if other > same else -1
    probe = other - step
    while probe != same:
        option = _length(members, probe)
        lines = walked(option)
        if lines is None:
            same = probe
        else:
            other, found = probe, Outcome(option, lines)
        probe = (same + other) // 2 if abs(other - same) > 1 else same
    return found


def _edges(minutes: int, book: Rulebook) -> set[int]:
    """The lengths near ``minutes`` from which on a service counts as another one, or earns more."""
    push, shortest, past = (book.limits[name] for name in ("push_longest", "hydration_shortest", "hour_past"))
    hours = minutes // HOUR
    return {push + 1, shortest, *(HOUR * (hours + step) + past for step in (-1, 0, 1) if hours + step > 0)}


def _beside(service: Service, charted: int, ranked: Ranked) -> int:
    """Minutes of a service that do not count, less those that other parts of the same infusion add to it."""
    whole = next(
        (row.service for row in ranked.standings if set(service.administrations) <= {*row.service.administrations}),
        service,
    )
    return charted - whole.length if service.minutes is not None else 0


def _crossings(service: Service, charted: int, services: Sequence[Service]) -> set[int]:
    """Lengths, up to an hour past twice the charted one, at which most of a service, or of one beside it, runs at the
    same time as the other.
    """
    found: set[int] = set()
    if service.start is None:
        return found
    begin = service.start
    for other in services:
        if other is service or len(other.spans) != 1 or other.substance == service.substance:
            continue
        start, stop = other.spans[0]
        if start > begin + charted + HOUR or stop <= begin:
            continue
        found.add(max(start, begin) + (stop - start) // 2 + 1 - begin)
        found.add(2 * (stop - max(start, begin)))
    return {length for length in found if length <= 2 * charted + HOUR}


def _room(service: Service, charted: int, services: Sequence[Service]) -> int:
    """How long a service can run before the next dose of its drug begins on the access, if it has not yet begun."""
    if service.start is None:
        return LONGEST
    later = [
        row.start - service.start
        for row in services
        if row is not service
        and (row.kind is service.kind or (service.kind is Kind.PUSH and row.kind is Kind.INFUSION))
        and row.start is not None
        and row.start >= service.start + (charted if service.kind is not Kind.PUSH else 0)
        and (row.substance, row.access) == (service.substance, service.access)
    ]
    return min(later, default=LONGEST)


_TIMED = frozenset({Route.IV_PUSH, Route.IV_INFUSION, Route.IV_PUMP, Route.SC_INFUSION, Route.INTRA_ARTERIAL_INFUSION})


def _length(members: Sequence[Given], minutes: int) -> Option:
    """The facts of a service that ran ``minutes``: a bag's drugs share them, and a drip's rows end where it ends."""
    begin = min((row.start for row in members if row.start is not None), default=None)
    end = None if begin is None else begin + minutes
    last = max((row.stop for row in members if row.stop is not None), default=None)
    changes: dict[str | None, Mapping[str, object]] = {}
    for row in members:
        if end is None or row.start is None:
            changes[row.id] = {"minutes": minutes}
            continue
        start = min(row.start, end)
        stop = end if row.stop is None or row.stop == last else min(row.stop, end)
        changes[row.id] = {"start": start, "stop": stop, "minutes": stop - start}
    first = members[0]
    slow = first.route is Route.IV_PUSH and first.attended is None
    return Option("pushed_minutes" if slow else "ran_minutes", {"minutes": minutes}, changes)


def _intervals(selected: Selected, rows: Mapping[str, Given], book: Rulebook) -> Iterator[Option]:
    """A push of the same drug a minute on the other side of the interval to its nearest reported administration."""
    needed = book.limits["repeat_push_after"]
    outcomes = [(row.administrations, row.findings) for row in selected.earned]
    outcomes += [(row.administrations, row.findings) for row in selected.refused]
    for labels, findings in outcomes:
        for finding in findings:
            if finding.rule != repeat_push_interval.id or "gap" not in finding.facts:
                continue
            gap, order, other = (finding.facts[name] for name in ("gap", "order", "other"))
            wanted = needed - 1 if int(gap) >= needed else needed
            shift = (wanted - int(gap)) * (-1 if order == "before" else 1)
            changes: dict[str | None, Mapping[str, object]] = {}
            for label in labels:
                start, stop = rows[label].start, rows[label].stop
                changes[label] = {
                    "start": None if start is None else start + shift,
                    "stop": None if stop is None else stop + shift,
                }
            yield Option("pushed_at", {"gap": wanted, "order": str(order), "other": str(other)}, changes)


def _elsewhere(visit: Visit, book: Rulebook) -> Option:
    """The usual place of the other kind of claim; a physician's claim from a facility is compared with an office."""
    leaves = visit.claim is Claim.PROFESSIONAL and not visit.place.facility_reports
    claim = Claim.FACILITY if leaves else Claim.PROFESSIONAL
    place = next(row for row in book.places.values() if row.usual and row.claim == claim.value)
    return Option(
        "other_place", {"place": place.spoken, "claim": claim.value}, {None: {"place": place, "claim": claim}}
    )

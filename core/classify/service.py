"""What classifying works with and gives back: bags, services, questions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from ivcoder.book import Category, Drug, Rulebook, plain
from ivcoder.encounter import HOUR, Given, Route, Visit
from ivcoder.rule import Finding

Span = tuple[int, int]


class Kind(StrEnum):
    """What an administration counts as."""

    INFUSION = "infusion"
    PUMP = "pump"
    PUSH = "push"
    HYDRATION = "hydration"
    INJECTION = "injection"
    SC_INFUSION = "sc_infusion"
    ARTERIAL_PUSH = "arterial_push"
    ARTERIAL_INFUSION = "arterial_infusion"
    ARTERIAL_PUMP = "arterial_pump"
    INTRATHECAL = "intrathecal"
    CSF_RESERVOIR = "csf_reservoir"
    INTRAPLEURAL = "intrapleural"
    INTRAPERITONEAL = "intraperitoneal"
    LESIONS = "lesions"
    MANY_LESIONS = "many_lesions"
    ON_BODY_INJECTOR = "on_body_injector"
    PORTABLE_PUMP_REFILL = "portable_pump_refill"
    IMPLANTED_PUMP_REFILL = "implanted_pump_refill"
    PORT_FLUSH = "port_flush"
    RSV = "rsv"
    RSV_COUNSELLED = "rsv_counselled"
    UNLISTED = "unlisted"
    NOT_REPORTABLE = "not_reportable"
    UNDECIDED = "undecided"


IN_CONTEST = frozenset({Kind.INFUSION, Kind.PUSH, Kind.HYDRATION})
"""Kinds that compete to be the initial service of an access."""


_STRETCHES = frozenset(
    {
        Kind.INFUSION,
        Kind.PUMP,
        Kind.HYDRATION,
        Kind.SC_INFUSION,
        Kind.ARTERIAL_INFUSION,
        Kind.ARTERIAL_PUMP,
        Kind.UNLISTED,
        Kind.NOT_REPORTABLE,
        Kind.UNDECIDED,
    }
)
"""Kinds whose start alone does not tell when they happened."""

BY_VEIN = frozenset({Route.IV_PUSH, Route.IV_INFUSION, Route.IV_PUMP})


class Option(NamedTuple):
    """One possible answer to a question: how it is worded, and the facts it would set.

    ``changes`` holds new field values by administration id; None stands for the encounter itself.
    """

    key: str
    facts: Mapping[str, str | int]
    changes: Mapping[str | None, Mapping[str, object]]


class Question(NamedTuple):
    """A fact the record lacks, why it is wanted, and what it could be."""

    administration: str | None
    field: str
    finding: Finding
    options: tuple[Option, ...]


class Service(NamedTuple):
    """What one administration, or one bag of mixed drugs, counts as.

    ``minutes`` are those that count; ``spans`` are clock times in minutes from midnight of the date of
    service, empty when the chart does not tell them. ``substance`` tells same drug from other drug.
    """

    administrations: tuple[str, ...]
    drug: str
    substance: str
    category: Category | None
    kind: Kind
    minutes: int | None
    spans: tuple[Span, ...]
    access: str
    findings: tuple[Finding, ...]
    hormonal: bool = False
    resumed: bool | None = None
    encounter: str = "1"

    @property
    def start(self) -> int | None:
        """The first minute, if charted."""
        return self.spans[0][0] if self.spans else None

    @property
    def length(self) -> int:
        """The minutes, none documented counting as none."""
        return self.minutes or 0

    @property
    def when(self) -> tuple[bool, int]:
        """Its place in time, what has no time last."""
        return self.start is None, self.start or 0


@dataclass(frozen=True, slots=True)
class Classified:
    """The outcome of the step."""

    visit: Visit
    book: Rulebook
    services: tuple[Service, ...]
    questions: tuple[Question, ...]
    drugs: Mapping[str, Drug | None]

    def by_encounter(self) -> list[Classified]:
        """The outcome apart for each encounter of the day, in the order of the services."""
        labels = dict.fromkeys(row.encounter for row in self.services)
        return [
            replace(self, services=tuple(row for row in self.services if row.encounter == label), questions=())
            for label in labels
        ]


class Bag(NamedTuple):
    """What hung or was injected together: one administration, several mixed, or several rows of one drip.

    ``members`` are the drugs in it; ``first`` is the first of them with the facts of all; ``rows`` are all
    administrations it stands for.
    """

    members: tuple[Given, ...]
    drugs: tuple[Drug | None, ...]
    first: Given
    start: int | None
    minutes: int | None
    label: str
    rows: tuple[str, ...]

    @property
    def length(self) -> int:
        """The minutes, none documented counting as none."""
        return self.minutes or 0

    @property
    def when(self) -> tuple[bool, int]:
        """Its place in time, what has no time last."""
        return self.start is None, self.start or 0


def contents(bag: Bag) -> list[tuple[Given, Drug | None]]:
    """The drugs that decide what a bag counts as; contrast, blood and the like beside them do not."""
    held = list(zip(bag.members, bag.drugs, strict=True))
    return [(row, drug) for row, drug in held if drug is None or not drug.elsewhere] or held


def service_of(bag: Bag, category: Category | None, kind: Kind, findings: tuple[Finding, ...], access: str) -> Service:
    """The service a bag counts as, with the clock times its chart gives."""
    spans: tuple[Span, ...] = ()
    if bag.start is not None and bag.minutes is not None:
        spans = ((bag.start, bag.start + bag.minutes),)
    elif bag.start is not None and kind not in _STRETCHES:
        spans = ((bag.start, bag.start),)
    hormonal = category is Category.CHEMOTHERAPY and is_hormonal(bag)
    return Service(
        bag.rows,
        bag.label,
        substance_of(bag),
        category,
        kind,
        bag.minutes,
        spans,
        access,
        findings,
        hormonal,
        bag.first.resumed,
        bag.first.encounter,
    )


def substance_of(bag: Bag) -> str:
    """What tells same drug from other drug: the drug's name, or the names of a mixture."""
    known = [drug.name if drug else plain(row.drug) for row, drug in zip(bag.members, bag.drugs, strict=True)]
    return " + ".join(sorted(known))


def is_hormonal(bag: Bag) -> bool:
    """Whether a drug of the bag is a hormonal antineoplastic."""
    return any(drug is not None and drug.agent == "hormonal" for drug in bag.drugs)


def lacks(bag: Bag) -> str:
    """The field that would complete the length: stop, start, or minutes when neither is charted."""
    given = bag.first
    if given.start is not None:
        return "stop"
    return "start" if given.stop is not None else "minutes"


def length_question(bag: Bag, finding: Finding, lengths: Iterable[int], *, hours: int | None = HOUR) -> Question:
    """Ask how long it ran: up to the first of ``lengths``, or in one of the ranges that begin at the others.

    The last range ends where the next further hour would begin, or not at all where there are no further hours.
    """
    given, field = bag.first, lacks(bag)
    starts = tuple(lengths)
    ends = (*(start - 1 for start in starts[2:]), None if hours is None else starts[-1] + hours - 1)
    options = []
    for number, length in enumerate(starts):
        end = ends[number - 1] if number else None
        key = "ran_at_most" if not number else "ran_at_least" if end is None else "ran_between"
        changes: dict[str, object] = {"minutes": length}
        if given.start is not None:
            changes["stop"] = given.start + length
        elif given.stop is not None:
            changes["start"] = given.stop - length
        facts: dict[str, str | int] = {"minutes": length} if end is None else {"minutes": length, "most": end}
        options.append(Option(key, facts, {given.id: changes}))
    return Question(given.id, field, finding, tuple(options))


def push_or_hours(bag: Bag, finding: Finding, book: Rulebook) -> Question:
    """Ask how long a drug ran: as a push, within the first hour, or into the next."""
    push = book.limits["push_longest"]
    return length_question(bag, finding, (push, push + 1, HOUR + book.limits["hour_past"]))


def gaps(span: Span, others: Iterable[Span]) -> tuple[Span, ...]:
    """The parts of ``span`` that none of ``others`` covers."""
    reached, end = span
    free: list[Span] = []
    for start, stop in sorted(others):
        if start >= end:
            break
        if start > reached:
            free.append((reached, start))
        reached = max(reached, stop)
    if reached < end:
        free.append((reached, end))
    return tuple(free)


def uncovered(span: Span, others: Iterable[Span]) -> int:
    """The minutes of ``span`` that none of ``others`` covers."""
    return sum(stop - start for start, stop in gaps(span, others))

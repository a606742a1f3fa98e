"""Hydration: only documented minutes of its own, and enough of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ivcoder.book import Category, Rulebook
from ivcoder.classify.service import (
    Bag,
    Kind,
    Option,
    Question,
    Service,
    Span,
    gaps,
    lacks,
    length_question,
    service_of,
    uncovered,
)
from ivcoder.encounter import HOUR
from ivcoder.rule import Finding, Verdict, applies, cannot_tell, does_not, listed, rule


@rule(
    "hydration-times",
    "classify",
    "Hydration without a documented length is not reportable",
    sources=("noridian-hydration", "fcso-infusion-hydration", "qhr-no-stop"),
    says="{drug} is hydration without a documented {lacks}: not reportable until it is found.",
    otherwise="The length of {drug} is documented.",
)
def hydration_times(drug: str, minutes: int | None, lacks: str) -> Verdict:
    """Hydration is reported only on documented start and stop, or a documented length; it is never a push."""
    return (applies if minutes is None else does_not)(drug=drug, lacks=lacks)


@rule(
    "hydration-concurrent",
    "classify",
    "Hydration beside a drug infusion is not reportable",
    sources=("noridian-hydration", "selecthealth-hydration-09"),
    says="{drug} ran {beside} of its {total} minutes beside {others}; those do not count.",
    otherwise="{drug} did not run beside a drug infusion.",
    unsure="Whether {drug} ran beside a drug infusion cannot be told from the times; taken as apart.",
)
def hydration_concurrent(bag: Bag, others: Sequence[Service]) -> Verdict:
    """Minutes of hydration that run while a drug infuses are not reportable; the rest counts."""
    total = bag.length
    if bag.start is None:
        return cannot_tell("start", drug=bag.label) if others else does_not(drug=bag.label)
    beside = total - uncovered((bag.start, bag.start + total), (span for row in others for span in row.spans))
    if beside:
        running = (bag.start, bag.start + total)
        names = [row.drug for row in others if uncovered(running, row.spans) < total]
        return applies(drug=bag.label, beside=beside, total=total, others=listed(names))
    if any(not row.spans for row in others):
        return cannot_tell("start", drug=bag.label)
    return does_not(drug=bag.label)


@rule(
    "hydration-minimum",
    "classify",
    "Hydration needs a minimum time",
    sources=("fcso-infusion-hydration", "medicalcoding123-2012", "ahima-105755", "aapc-hydration-chemo-thread"),
    says="Hydration ran {minutes} minutes that count, at least {limit}.",
    otherwise="Hydration ran {minutes} minutes that count, fewer than {limit}: not reportable.",
)
def hydration_minimum(minutes: int, book: Rulebook) -> Verdict:
    """Hydration of fewer than {hydration_shortest} minutes is not reportable; the segments of one access add up."""
    limit = book.limits["hydration_shortest"]
    return (applies if minutes >= limit else does_not)(minutes=minutes, limit=limit)


def hydrate(
    services: list[Service | None],
    waiting: Sequence[tuple[int, Bag, tuple[Finding, ...]]],
    drug_infusions: Sequence[Service],
    accesses: Mapping[str, tuple[str, tuple[Finding, ...]]],
    book: Rulebook,
    questions: list[Question],
) -> None:
    """Fill in the hydration services, whose minutes depend on the drug infusions and on one another."""
    totals: dict[str, int] = {}
    taken: dict[str, list[Span]] = {}
    counted: list[tuple[int, Service]] = []
    for place, bag, why in sorted(waiting, key=lambda row: (row[1].when, row[1].rows)):
        access = accesses[bag.first.access_site][0]
        lacking = lacks(bag)
        timed = hydration_times(bag.label, bag.minutes, "length" if lacking == "minutes" else lacking)
        if bag.minutes is None:
            shortest = book.limits["hydration_shortest"]
            lengths = (shortest - 1, shortest, HOUR + book.limits["hour_past"])
            asked = length_question(bag, timed, lengths)
            until = _until_the_next(
                bag, [other for _, other, _ in waiting if accesses[other.first.access_site][0] == access]
            )
            questions.append(asked._replace(options=(*asked.options, *until)))
            services[place] = service_of(bag, Category.HYDRATION, Kind.NOT_REPORTABLE, (*why, timed), access)
            continue
        beside = hydration_concurrent(bag, drug_infusions)
        if beside.open:
            questions.append(_overlap_question(bag, drug_infusions, beside))
        found = (*why, beside) if beside.holds or beside.open else why
        service = service_of(bag, Category.HYDRATION, Kind.HYDRATION, found, access)
        if bag.start is not None:
            # Two fluids at the same time are one hydration: a minute counts once.
            running, mine = (bag.start, bag.start + bag.minutes), taken.setdefault(access, [])
            left = gaps(running, [*(span for row in drug_infusions for span in row.spans), *mine])
            mine.append(running)
            minutes = sum(stop - start for start, stop in left)
            service = service._replace(minutes=minutes, spans=left or ((bag.start, bag.start),))
        totals[access] = totals.get(access, 0) + service.length
        counted.append((place, service))
    for place, service in counted:
        enough = hydration_minimum(totals[service.access], book)
        kind = Kind.HYDRATION if enough.holds else Kind.NOT_REPORTABLE
        services[place] = service._replace(kind=kind, findings=(*service.findings, enough))


def _until_the_next(bag: Bag, fluids: Sequence[Bag]) -> tuple[Option, ...]:
    """That a fluid without a stop ran until the next one on its access was hung, if one was."""
    if bag.start is None:
        return ()
    later = {other.start: other for other in reversed(fluids) if other.start is not None and other.start > bag.start}
    if not later:
        return ()
    stop = min(later)
    following = later[stop]
    facts: dict[str, str | int] = {"next": f"{following.label} [{following.first.id}]", "minutes": stop - bag.start}
    return (Option("ran_until_next", facts, {bag.first.id: {"minutes": stop - bag.start, "stop": stop}}),)


def _overlap_question(bag: Bag, drug_infusions: Sequence[Service], finding: Finding) -> Question:
    """Ask for the one time that would show whether the hydration ran beside the drug."""
    length = bag.length
    fixed: dict[str | None, Mapping[str, object]] = {}
    if bag.start is None:
        other = next((row for row in drug_infusions if row.spans), None)
        if other is None:
            # Neither has a clock time: the drug's is put at midnight, and the fluid's beside it or after.
            other = drug_infusions[0]
            fixed = {other.administrations[0]: {"start": 0, "stop": other.length}}
        beside = other.spans[0][0] if other.spans else 0
        apart = max((stop for row in drug_infusions for _, stop in row.spans), default=other.length)
        about = bag.first.id
        times = ((beside, beside + length), (apart, apart + length))
    else:
        unknown = next(row for row in drug_infusions if not row.spans)
        about = unknown.administrations[0]
        ran = unknown.length
        times = ((bag.start, bag.start + ran), (bag.start + length, bag.start + length + ran))
    options = tuple(
        Option(key, {}, {**fixed, about: {"start": start, "stop": stop}})
        for key, (start, stop) in zip(("overlapping", "apart"), times, strict=True)
    )
    return Question(about, "start", finding, options)

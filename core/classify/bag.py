"""What hung together: drugs mixed in one bag, and the rows of one drip, are one administration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ivcoder.book import Confidence, Drug
from ivcoder.classify.service import Bag, substance_of
from ivcoder.encounter import Given, Route, mixed, shared
from ivcoder.rule import Verdict, applies, does_not, rule


@rule(
    "mixed-bag",
    "classify",
    "Drugs mixed in one bag are one administration",
    sources=("cpt", "aapc-mixed-bag-5fu"),
    says="{drugs} shared one bag: one administration.",
    otherwise="{drugs} was given on its own.",
)
def mixed_bag(members: Sequence[Given]) -> Verdict:
    """Several drugs in the same bag or syringe are given once, and earn one administration."""
    drugs = " + ".join(member.drug for member in members)
    return applies(drugs=drugs) if len(members) > 1 else does_not(drugs=drugs)


@rule(
    "infusion-continued",
    "classify",
    "A drip charted in rows that touch is one infusion",
    sources=("house", "fcso-infusion-hydration"),
    nature="reading",
    confidence=Confidence.MEDIUM,
    says="{drug} is charted in {rows} rows that touch or overlap: one infusion of {minutes} minutes.",
    otherwise="{drug} is charted in one row, or in rows with a gap between them.",
)
def infusion_continued(drug: str, rows: int, minutes: int) -> Verdict:
    """Rate changes and new bags of the same drug on the same access, each row beginning when the one before it ends,
    are one infusion, and its minutes add up.
    """
    return applies(drug=drug, rows=rows, minutes=minutes) if rows > 1 else does_not(drug=drug)


def drips_of(bags: Iterable[Bag], accesses: Mapping[str, str]) -> list[Bag]:
    """Join infusions of one substance on one access that touch, unless a row is charted as a dose of its own.

    Bags come back in the order of their first rows.
    """
    rows = list(bags)
    running: dict[tuple[Route, str, str], list[int]] = {}
    for place, bag in enumerate(rows):
        given = bag.first
        if given.route in _DRIPS and bag.start is not None and bag.minutes is not None:
            access = accesses.get(given.access_site, given.access_site)
            running.setdefault((given.route, access, substance_of(bag)), []).append(place)
    gone: set[int] = set()
    for places in running.values():
        places.sort(key=lambda place: _span(rows[place]))
        into = places[0]
        for place in places[1:]:
            drip, bag = rows[into], rows[place]
            end = _span(drip)[1]
            if _span(bag)[0] > end or bag.first.resumed is False:
                into = place
                continue
            minutes = max(end, _span(bag)[1]) - _span(drip)[0]
            joined = drip._replace(minutes=minutes, rows=(*drip.rows, *bag.rows))
            into, other = min(into, place), max(into, place)
            rows[into] = joined
            gone.add(other)
    return [bag for place, bag in enumerate(rows) if place not in gone]


def whole_doses(bags: Iterable[Bag], accesses: Mapping[str, str]) -> dict[tuple[str, ...], int]:
    """For each bag: the minutes of the whole dose, where it was interrupted all its parts added up."""
    doses: dict[tuple[Route, str, str], list[list[Bag]]] = {}
    for bag in sorted(bags, key=lambda bag: (bag.when, bag.first.resumed is True, bag.rows)):
        access = accesses.get(bag.first.access_site, "")
        of_drug = doses.setdefault((bag.first.route, access, substance_of(bag)), [])
        if bag.first.resumed and of_drug:
            of_drug[-1].append(bag)
        else:
            of_drug.append([bag])
    return {
        bag.rows: sum(part.length for part in parts) for of_drug in doses.values() for parts in of_drug for bag in parts
    }


_DRIPS = frozenset({Route.IV_INFUSION, Route.IV_PUMP, Route.SC_INFUSION, Route.INTRA_ARTERIAL_INFUSION})


def _span(bag: Bag) -> tuple[int, int, bool, tuple[str, ...]]:
    """From when to when, a dose of its own last, and the rows to tell equal ones apart."""
    start = bag.start or 0
    return start, start + bag.length, bag.first.resumed is False, bag.rows


def bags_of(rows: Sequence[Given], drugs: Mapping[str, Drug | None]) -> Iterator[Bag]:
    """One bag for each administration, or for several that were mixed, in the order charted."""
    if all(row.mixed_with is None for row in rows):
        for row in rows:
            yield Bag((row,), (drugs[row.id],), row, row.start, row.minutes, row.drug, (row.id,))
        return
    for members in mixed(rows):
        whole = shared(members)
        yield Bag(
            tuple(members),
            tuple(drugs[row.id] for row in members),
            whole,
            whole.start,
            whole.minutes,
            whole.drug,
            tuple(row.id for row in members),
        )

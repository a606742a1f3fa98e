"""What hung together: drugs mixed in one bag are one administration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ivcoder.book import Drug
from ivcoder.classify.service import Bag
from ivcoder.encounter import Given
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


def bags_of(rows: Sequence[Given], drugs: Mapping[str, Drug | None]) -> Iterator[Bag]:
    """One bag for each administration, or for several that were mixed, in the order charted."""
    parent = {row.id: row.mixed_with or row.id for row in rows}

    def root(label: str) -> str:
        seen = [label]
        while parent[label] != label and parent[label] not in seen:
            label = parent[label]
            seen.append(label)
        return min(seen) if parent[label] != label else label

    if all(row.mixed_with is None for row in rows):
        for row in rows:
            yield Bag((row,), (drugs[row.id],), row, row.start, row.minutes, row.drug)
        return
    groups: dict[str, list[Given]] = {}
    for row in rows:
        groups.setdefault(root(row.id), []).append(row)
    for members in groups.values():
        yield Bag(
            tuple(members),
            tuple(drugs[row.id] for row in members),
            members[0],
            next((row.start for row in members if row.start is not None), None),
            next((row.minutes for row in members if row.minutes is not None), None),
            " + ".join(row.drug for row in members),
        )

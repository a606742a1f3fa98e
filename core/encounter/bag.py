"""What hung or was drawn up together, as the chart names it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ivcoder.encounter.administration import Given

SPAN = ("start", "stop", "minutes")
SAID = ("attended", "resumed", "discontinued")
_OF_BAG = (*SPAN, *SAID, "access_reason")


def mixed(rows: Iterable[Given]) -> list[list[Given]]:
    """The rows that hung together, directly or by way of others, in the order charted."""
    given = list(rows)
    parent = {row.id: row.id for row in given}

    def root(label: str) -> str:
        while parent[label] != label:
            label = parent[label]
        return label

    for row in given:
        if row.mixed_with is not None:
            parent[root(row.mixed_with)] = root(row.id)
    groups: dict[str, list[Given]] = {}
    for row in given:
        groups.setdefault(root(row.id), []).append(row)
    return list(groups.values())


def shared(members: Sequence[Given]) -> Given:
    """A bag as one administration: its first drug's row, with every fact that stands beside any of its drugs."""
    facts: dict[str, object] = {"drug": " + ".join(row.drug for row in members)}
    for name in _OF_BAG:
        facts[name] = next((value for row in members if (value := getattr(row, name)) is not None), None)
    whole = members[0]._replace(**facts)  # type: ignore[arg-type]
    start, stop, minutes = whole.start, whole.stop, whole.minutes
    if start is not None and stop is not None:
        return whole._replace(minutes=stop - start) if minutes is None and start <= stop else whole
    if minutes is not None and stop is not None:
        return whole._replace(start=stop - minutes)
    if minutes is not None and start is not None:
        return whole._replace(stop=start + minutes)
    return whole

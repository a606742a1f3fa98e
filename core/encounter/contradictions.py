"""What an encounter may not say: ids used twice, times that contradict, bags at odds with themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from ivcoder.encounter.administration import Administration, Given
from ivcoder.encounter.bag import SAID, SPAN, mixed, shared
from ivcoder.encounter.fields import LONGEST
from ivcoder.faults import Fault


def contradictions(
    charted: Sequence[Administration], rows: Sequence[Given], day: date | None, reason: str | None
) -> list[Fault]:
    """Every contradiction among the administrations, and a reason for the visit that is none of them."""
    faults: list[Fault] = []
    by_id = {row.id: row for row in rows}
    seen: set[str] = set()
    for number, (row, written) in enumerate(zip(rows, charted, strict=True)):
        if row.id in seen:
            faults.append(_fault(number, "id", "is used twice", "a different id for each administration"))
        seen.add(row.id)
        faults += _bad_times(number, row, written, day)
        if row.mixed_with is not None:
            problem, right = _bad_bag(row, by_id)
            if problem:
                faults.append(_fault(number, "mixed_with", problem, right))
    if reason is not None and reason not in by_id:
        faults.append(Fault("primary_reason", "is not the id of an administration", "one of the ids above"))
    if not faults and any(row.mixed_with is not None for row in rows):
        faults += _at_odds(rows)
    return faults


def _fault(number: int, field: str, problem: str, right: str) -> Fault:
    return Fault(f"administrations[{number}].{field}", problem, right)


def _bad_times(number: int, row: Given, charted: Administration, day: date | None) -> Iterator[Fault]:
    backwards = row.minutes is not None and row.minutes < 0
    if backwards:
        yield _fault(number, "stop", "is before the start", "a stop at or after the start")
    elif row.minutes is not None and charted.minutes is not None and row.minutes != charted.minutes:
        right = "the length from start to stop, or no minutes"
        yield _fault(number, "minutes", "contradicts the start and stop", right)
    elif row.minutes is not None and row.minutes > LONGEST:
        right = "the end of this administration"
        yield _fault(number, "stop", "is more than 14 days after the start", right)
    if day and charted.start is not None and (row.start or 0) < 0:
        yield _fault(number, "start", "is before the date of service", "a time on or after it")
    if day and charted.stop is not None and (row.stop or 0) < 0 and not backwards:
        yield _fault(number, "stop", "is before the date of service", "a time on or after it")


def _bad_bag(row: Given, by_id: Mapping[str, Given]) -> tuple[str, str]:
    other = by_id.get(row.mixed_with or "")
    if other is None or other.id == row.id:
        return "is not the id of another administration", "the id of one sharing the bag"
    if (other.route, other.encounter, other.access_site) != (row.route, row.encounter, row.access_site):
        return "names a bag on another route, access or encounter", "the route, access and encounter of the bag"
    return "", ""


def _at_odds(rows: Sequence[Given]) -> Iterator[Fault]:
    """What the drugs of one bag contradict one another in."""
    numbers = {row.id: number for number, row in enumerate(rows)}
    for members in mixed(rows):
        whole = shared(members)
        naming = [row for row in members if row.mixed_with is not None]
        apart = [row for row in members if _differs(row, whole, SPAN)] or (naming[:1] if _is_torn(whole) else [])
        for number in sorted({numbers[(row if row in naming else naming[0]).id] for row in apart}):
            yield _fault(number, "mixed_with", "names a bag with other times", "the times of the bag")
        for row in members:
            for name in SAID:
                if _differs(row, whole, (name,)):
                    yield _fault(numbers[row.id], name, "contradicts the rest of its bag", "one answer for a bag")


def _differs(row: Given, whole: Given, names: Iterable[str]) -> bool:
    return any(getattr(row, name) not in (None, getattr(whole, name)) for name in names)


def _is_torn(whole: Given) -> bool:
    """Whether the start of one drug and the stop or length of another do not fit together."""
    if whole.start is None or whole.stop is None:
        return False
    return whole.minutes is None or whole.start + whole.minutes != whole.stop

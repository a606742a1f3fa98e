"""What must hold of every answer of the small world, told from the encounter alone and not from the core's tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ivcoder.answer import Coding, Line
from prove.world import Case, Row

PUSHES = {"96374", "96375", "96376", "96409", "96411"}
INFUSIONS = {"96365", "96367", "96368", "96413", "96417"}
HYDRATIONS = {"96360", "96361"}
INITIALS = {"96360", "96365", "96374", "96409", "96413"}
INJECTIONS = {"96372", "96401", "96402"}
HOURS = {
    "96361": {"96360"},
    "96366": {"96365", "96367"},
    "96370": {"96369"},
    "96415": {"96413", "96417"},
    "96423": {"96422"},
}
"""A code of further hours, and the codes whose first hour it goes on from."""
OF_CHEMOTHERAPY = {
    "96401", "96402", "96409", "96411", "96413", "96415", "96416", "96417", "96420", "96422", "96423", "96450", "96549",
}  # fmt: skip
PRIMARIES = {
    "96361": {"96360", "96365", "96374", "96409", "96413"},
    "96366": {"96365", "96367", "96413"},
    "96367": {"96365", "96374", "96409", "96413"},
    "96368": {"96365", "96366", "96413", "96415", "96416"},
    "96370": {"96369"},
    "96375": {"96365", "96374", "96409", "96413"},
    "96376": {"96365", "96374", "96409", "96413"},
    "96411": {"96409", "96413"},
    "96415": {"96413", "96417"},
    "96417": {"96413"},
    "96423": {"96422"},
}
PRACTITIONERS = {"96366", "96367", "96368", "96375"}
"""Add-ons that may stand beside 96360 too where the claim is professional."""

CHEMOTHERAPY = {"c", "d", "h"}
RANKS = ("chemotherapy infusion", "chemotherapy push", "infusion", "push", "hydration")
LONGEST_PUSH = 15
HOUR = 60
PAST_HALF = 31


class Episode(NamedTuple):
    """What one line can stand for: rows of one drug that touch, with their minutes together."""

    rows: tuple[Row, ...]
    minutes: int | None
    kind: str

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(sorted(row.id for row in self.rows))


def minutes_of(rows: Iterable[Row]) -> set[int]:
    """The minutes of the clock during which any of the rows ran."""
    return {
        minute
        for row in rows
        if row.start is not None
        for minute in range(row.start, row.start + (row.letter.minutes or 0))
    }


def episodes(case: Case) -> list[Episode]:
    """Every administration by vein other than fluid and pumps, those of one drip together."""
    found = []
    drips: dict[tuple[str, str], list[list[Row]]] = {}
    for row in sorted(case.rows, key=lambda row: row.start or 0):
        drug, way, minutes = row.letter
        if drug == "f" or way not in ("push", "drip"):
            continue
        if way == "push" or minutes is None or row.start is None:
            found.append([row])
            continue
        groups = drips.setdefault((drug, row.site), [])
        if groups and row.start <= max((other.start or 0) + (other.letter.minutes or 0) for other in groups[-1]):
            groups[-1].append(row)
        else:
            groups.append([row])
    found += [group for groups in drips.values() for group in groups]
    return [_episode(rows) for rows in found]


def _episode(rows: list[Row]) -> Episode:
    drug, _, minutes = rows[0].letter
    if len(rows) > 1:
        minutes = len(minutes_of(rows))
    kind = "push" if minutes is None or minutes <= LONGEST_PUSH else "infusion"
    return Episode(tuple(rows), minutes, f"chemotherapy {kind}" if drug in CHEMOTHERAPY else kind)


def fluid_minutes(case: Case, site: str) -> int:
    """The minutes of hydration on an access that no drug infusion runs beside, each counted once."""
    fluids = [row for row in case.rows if row.letter[:2] == ("f", "drip") and row.site == site]
    drugs = [row for one in episodes(case) if one.kind.endswith("infusion") for row in one.rows]
    drugs += [row for row in case.rows if row.letter.way == "pump"]
    untimed = sum(row.letter.minutes or 0 for row in fluids if row.start is None)
    return untimed + len(minutes_of(fluids) - minutes_of(drugs))


def further(minutes: int) -> int:
    """Hours after the first: each counts once 31 of its minutes have run."""
    return max(0, (minutes - PAST_HALF) // HOUR)


def complaints(case: Case, answer: Coding) -> Iterator[str]:
    """Every invariant the answer breaks."""
    for hold in ALL:
        yield from hold(case, answer)


def every_administration_is_answered_once(case: Case, answer: Coding) -> Iterator[str]:
    """In lines or among what is not reported, and never in both."""
    lines = {label for line in answer.lines for label in line.administrations}
    refused = [label for row in answer.not_reported for label in row.administrations]
    if lines & set(refused) or len(set(refused)) < len(refused):
        yield "an administration is answered twice"
    if lines | set(refused) != {row.id for row in case.rows}:
        yield "an administration is not answered"
    if (answer.status == "nothing_to_report") != (not answer.lines and not answer.questions):
        yield "the status is not that of the lines"


def one_initial_for_each_access(case: Case, answer: Coding) -> Iterator[str]:
    """At most one initial service for each access; without a modifier at most one in all."""
    sites = {row.id: row.site for row in case.rows}
    initial = [line for line in answer.lines if line.code in INITIALS]
    where = [sites[line.administrations[0]] for line in initial]
    if len(set(where)) < len(where):
        yield "two initial services on one access"
    if [line.modifiers for line in initial] not in ([], [()], [(), ("59",)]):
        yield "a second initial service, and only that one, carries its modifier"
    if any(line.modifiers for line in answer.lines if line.code not in INITIALS):
        yield "a modifier on another line"


def the_initial_service_ranks_highest(case: Case, answer: Coding) -> Iterator[str]:
    """Of what each access can report, by the hierarchy, or the reason for the visit in an office."""
    for site in {row.site for row in case.rows}:
        ranks = {one.ids: RANKS.index(one.kind) for one in episodes(case) if one.rows[0].site == site}
        if fluid_minutes(case, site) >= PAST_HALF:
            ranks[("f",)] = RANKS.index("hydration")
        fluids = {row.id for row in case.rows if row.letter.drug == "f"}
        mine = {row.id for row in case.rows if row.site == site}
        leads = [line for line in answer.lines if line.code in INITIALS and set(line.administrations) <= mine]
        if bool(leads) != bool(ranks):
            yield "what can be initial is, and nothing else"
        for line in leads:
            ids = ("f",) if set(line.administrations) & fluids else tuple(sorted(line.administrations))
            if ranks.get(ids) != min(ranks.values(), default=None) and case.reason not in line.administrations:
                yield "the initial service does not rank highest"


def an_add_on_has_a_primary(case: Case, answer: Coding) -> Iterator[str]:
    """Or an error beside it says that it has none."""
    codes = {line.code for line in answer.lines}
    for number, line in enumerate(answer.lines, 1):
        if (line.role == "add_on") != (line.code in PRIMARIES):
            yield "an add-on is called otherwise, or another line an add-on"
        told = any(row.line == number and row.level == "error" for row in answer.notices)
        leads = {"96360"} if case.place == "11" and line.code in PRACTITIONERS else set()
        lacks = line.code in PRIMARIES and not codes & (PRIMARIES[line.code] | leads)
        if lacks != told:
            yield "an add-on lacks a primary without a word, or a word is said for nothing"


def a_repeat_push_is_for_a_facility_and_late_enough(case: Case, answer: Coding) -> Iterator[str]:
    """At least 31 minutes from the start of whatever is reported of the drug by vein, or the end of an infusion of it.
    Such a push is reported, unless an infusion of the drug that earns nothing began closer by: the core counts from
    those too.
    """
    given = [one.rows for one in episodes(case)]
    infused = [one.rows for one in episodes(case) if one.kind.endswith("infusion")]
    by_vein = PUSHES | INFUSIONS | {"96366"}
    lines = {label for line in answer.lines if line.code in by_vein for label in line.administrations}
    reported = [rows for rows in given if rows[0].id in lines]
    repeats = {label for line in answer.lines if line.code == "96376" for label in line.administrations}
    if repeats and case.place == "11":
        yield "a repeat push in an office"
    for row in case.rows:
        if row.letter.way != "push" or row.letter.drug not in ("a", "b") or (row.letter.minutes or 0) > LONGEST_PUSH:
            continue
        gaps = _gaps(row, reported)
        if row.id in repeats and not (gaps and _late(gaps)):
            yield "a repeat push too soon, or the first"
        mine = any(rows[0].id == row.id for rows in reported)
        if case.place == "22" and not mine and _late([*gaps, *_gaps(row, infused)]):
            yield "a push late enough is not reported"


def _gaps(row: Row, others: Iterable[Sequence[Row]]) -> list[int | None]:
    """Minutes to what else was given of the drug, from the end of an infusion that was over, else from start to start;
    None where a time is missing.
    """
    mine = [rows for rows in others if rows[0].letter.drug == row.letter.drug]
    return [_gap(row, rows) for rows in mine if row.id not in [one.id for one in rows]]


def _gap(row: Row, rows: Sequence[Row]) -> int | None:
    starts = [one.start for one in rows]
    if row.start is None or None in starts:
        return None
    end = max((one.start or 0) + (one.letter.minutes or 0) for one in rows)
    start = min(one.start or 0 for one in rows)
    over = end - start > LONGEST_PUSH and end <= row.start
    return row.start - end if over else abs(row.start - start)


def _late(gaps: Iterable[int | None]) -> bool:
    return all(gap is not None and gap >= PAST_HALF for gap in gaps)


def units_follow_the_minutes(case: Case, answer: Coding) -> Iterator[str]:
    """One of a code that counts no hours; of the others (minutes - 31) // 60, and one more for an hour that leads."""
    wholes = {one.ids: one.minutes for one in episodes(case)}
    for line in answer.lines:
        ids = tuple(sorted(line.administrations))
        minutes = _ran(case, ids, wholes)
        firsts = [other for other in answer.lines if other.code in HOURS.get(line.code, ()) and _same(other, line)]
        if line.code not in HOURS:
            right = 1
            more = [code for code, leads in HOURS.items() if line.code in leads]
            hours = [other for other in answer.lines if other.code in more and _same(other, line)]
            if more and bool(hours) != bool(further(minutes or 0)):
                yield "further hours are missing, or too many"
        else:
            right = further(minutes or 0) + (0 if firsts else 1)
        if line.units != right:
            yield f"{line.code} has {line.units} units and should have {right}"
        if line.code in INFUSIONS and (minutes or 0) <= LONGEST_PUSH:
            yield "an infusion of 15 minutes or less"
        if line.code in PUSHES and (minutes or 0) > LONGEST_PUSH:
            yield "a push of more than 15 minutes"
        if line.code in HYDRATIONS and (minutes or 0) < PAST_HALF:
            yield "hydration of 30 minutes or less"


def _same(one: Line, other: Line) -> bool:
    return one.administrations == other.administrations


def _ran(case: Case, ids: tuple[str, ...], wholes: dict[tuple[str, ...], int | None]) -> int | None:
    rows = [row for row in case.rows if row.id in ids]
    if rows[0].letter.drug == "f":
        return fluid_minutes(case, rows[0].site)
    if rows[0].letter.way == "under" and len(rows) > 1:
        # Whatever the drug, infusions under the skin are one service.
        timed = all(row.start is not None for row in rows)
        return len(minutes_of(rows)) if timed else sum(row.letter.minutes or 0 for row in rows)
    return wholes[ids] if ids in wholes else rows[0].letter.minutes


def fluid_is_never_a_push(case: Case, answer: Coding) -> Iterator[str]:
    """Fluid has the codes of hydration or none, and nothing else has them."""
    fluids = {row.id for row in case.rows if row.letter.drug == "f"}
    for line in answer.lines:
        labels = set(line.administrations)
        if labels & fluids and line.code not in HYDRATIONS:
            yield "fluid under a drug's code"
        if labels - fluids and line.code in HYDRATIONS:
            yield "a drug under a code of hydration"


def categories_do_not_mix(case: Case, answer: Coding) -> Iterator[str]:
    """Chemotherapy has its codes and other drugs have theirs."""
    chemo = {row.id for row in case.rows if row.letter.drug in CHEMOTHERAPY}
    for line in answer.lines:
        if bool(chemo & set(line.administrations)) != (line.code in OF_CHEMOTHERAPY):
            yield f"{line.code} for a drug of the other category"


def one_concurrent_infusion(case: Case, answer: Coding) -> Iterator[str]:
    """Once an encounter, whatever the number of bags and hours."""
    if sum(line.units for line in answer.lines if line.code == "96368") > 1:
        yield "more than one concurrent infusion"


def an_injection_has_its_own_line(case: Case, answer: Coding) -> Iterator[str]:
    """Each drug into muscle or under the skin, once, whatever else was given; nothing else has its codes."""
    injected = [row.id for row in case.rows if row.letter.way in ("im", "sc") and row.letter.drug != "f"]
    short = [row.id for row in case.rows if row.letter.way == "under" and row.letter.minutes == LONGEST_PUSH]
    lines = [line for line in answer.lines if line.code in INJECTIONS]
    if sorted(label for line in lines for label in line.administrations) != sorted(injected + short):
        yield "an injection without its line, or a line without its injection"


ALL = (
    every_administration_is_answered_once,
    one_initial_for_each_access,
    the_initial_service_ranks_highest,
    an_add_on_has_a_primary,
    a_repeat_push_is_for_a_facility_and_late_enough,
    units_follow_the_minutes,
    fluid_is_never_a_push,
    categories_do_not_mix,
    one_concurrent_infusion,
    an_injection_has_its_own_line,
)

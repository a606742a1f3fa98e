"""Payers' dated edits: the final lines and the claim's other services against the tables at hand.

A table that a user loaded goes before the rulebook's own rows. What no table covers is said to be so, never passed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import Literal, NamedTuple, TypeAlias

from ivcoder.book import Audience, EditTable, EditTables, Pair, Rulebook, UnitLimit
from ivcoder.edits.claim import Edited
from ivcoder.edits.line import Line
from ivcoder.encounter import Claim, Visit
from ivcoder.rule import Finding, Verdict, applies, cannot_tell, does_not, rule

Cited: TypeAlias = EditTable | Pair | UnitLimit
"""Where an edit stands: a file a user loaded, or a row of the rulebook."""

Result = Literal[
    "bundled",
    "modifier_needed",
    "modifier_present",
    "not_bundled",
    "over",
    "within",
    "primary_missing",
    "primary_present",
    "contractor_decides",
    "no_data",
]


class Checked(NamedTuple):
    """One edit held against the claim; ``codes`` are column one and two of a pair, or what no table covers."""

    kind: Literal["pair", "units", "add_on"]
    codes: tuple[str, ...]
    result: Result
    findings: tuple[Finding, ...]
    tables: tuple[Cited, ...]


class _Billed(NamedTuple):
    """A code on the claim, and the modifiers of each of its lines."""

    code: str
    modifiers: tuple[frozenset[str], ...]

    def carries(self, wanted: frozenset[str]) -> str | None:
        """One of the modifiers, if every line carries one of them."""
        if not all(wanted & row for row in self.modifiers):
            return None
        return min(wanted & self.modifiers[0])


@rule(
    "edits-by-claim",
    "edits",
    "Hospitals and practitioners have tables of edits of their own",
    sources=("cms-ptp", "fcso-mue", "regence-105-asuris"),
    says="The edits for outpatient hospitals hold for this claim.",
    otherwise="The edits for practitioners hold for this claim.",
    unsure="Whose claim this is does not follow from {place}, so it is open which payers' edits hold.",
)
def edits_by_claim(visit: Visit) -> Verdict:
    """Facility claims meet the edits for outpatient hospitals; professional claims, and those of ambulatory surgical
    centres, the edits for practitioners.
    """
    if visit.place.practitioner_edits or visit.claim is Claim.PROFESSIONAL:
        return does_not()
    return applies() if visit.claim is Claim.FACILITY else cannot_tell("claim", place=visit.place.spoken)


@rule(
    "ncci-pair",
    "edits",
    "Two codes that Medicare's edits do not pay together",
    sources=("cms-ptp", "mln-modifier-59", "medlearn-2017-ncci-indicator", "aapc-cci-2009"),
    says="{one} and {two} are an edit of {table}: {one} is paid and {two} is bundled into it.",
    otherwise="{table}: no edit of {one} and {two} is in force on this date.",
    unsure="No table at hand for this date has the pairs of {codes}: CMS's procedure-to-procedure files would tell.",
)
def ncci_pair(one: str, two: str, indicator: int | None, table: str) -> Verdict:
    """An edit of two codes in force on the date of service pays the code of column one and not that of column two. An
    edit whose indicator says it was withdrawn is none. Only a file that holds every edit of its quarter shows that
    there is none.
    """
    if not table:
        return cannot_tell("tables", codes=one)
    return (does_not if indicator is None else applies)(one=one, two=two, table=table)


@rule(
    "ncci-modifier-never",
    "edits",
    "An edit that no modifier passes",
    sources=("mln-modifier-59", "medlearn-2017-ncci-indicator"),
    says="No modifier passes this edit.",
    otherwise="A modifier can pass this edit where the record supports it.",
)
def ncci_modifier_never(indicator: int) -> Verdict:
    """An edit's indicator says whether any modifier can pass it."""
    return (does_not if indicator else applies)()


@rule(
    "ncci-modifier-visit",
    "edits",
    "The modifier that passes an edit of a visit",
    sources=("ncci-manual-ch11", "aapc-ncci-13-0"),
    says="{code} takes modifier {modifier}, if the record shows a visit that was significant and separate.",
    otherwise="{code} carries modifier {modifier}: the record must show a visit that was significant and separate.",
)
def ncci_modifier_visit(code: str, modifier: str, carried: bool) -> Verdict:
    """A visit passes an edit with the modifier for a significant and separately identifiable visit, and only if it was
    one.
    """
    return (does_not if carried else applies)(code=code, modifier=modifier)


@rule(
    "ncci-modifier-separate",
    "edits",
    "The modifiers that pass an edit of two services",
    sources=("mln-modifier-59", "cr-11168", "cms-rac-0071"),
    says="{code} takes one of {modifiers} only if the record shows a separate access, encounter or practitioner; it is "
    "never added to get past a denial.",
    otherwise="{code} carries modifier {modifiers}: the record must show a separate access, encounter or practitioner.",
)
def ncci_modifier_separate(code: str, modifiers: str, carried: bool) -> Verdict:
    """Two services pass an edit with a modifier for a separate service, and only if they were separate. It stands on
    the code of column two; from July 2019 it may stand on either.
    """
    return (does_not if carried else applies)(code=code, modifiers=modifiers)


@rule(
    "medically-unlikely-units",
    "edits",
    "More units of a code than payers take as likely",
    sources=("cms-mue", "fcso-mue", "ngs-mue"),
    says="{code} stands with {units} in units, more than the {limit} of {table}.",
    otherwise="{code} stands with {units} in units, within the {limit} of {table}.",
    unsure="No table at hand for this date limits the units of {codes}: CMS's medically unlikely edits may.",
)
def medically_unlikely_units(code: str, units: int, limit: int | None, table: str) -> Verdict:
    """Units of a code above the limit in force on the date of service are denied. The limit is held against the date,
    or against each line where the table says so. CMS does not publish every limit.
    """
    if limit is None:
        return cannot_tell("tables", codes=code)
    return (applies if units > limit else does_not)(code=code, units=units, limit=limit, table=table)


@rule(
    "unlikely-units-absolute",
    "edits",
    "A limit of units that nothing lifts",
    sources=("fcso-mue", "ngs-mue"),
    says="It is an absolute limit for the date: no modifier and no appeal lifts it.",
    otherwise="More can be paid on review, if the record shows that the units were given, coded right and needed.",
    unsure="Whether the record can lift the limit is not said.",
)
def unlikely_units_absolute(indicator: int | None) -> Verdict:
    """A limit that rests on policy is absolute for the date; another can be lifted by the record."""
    if indicator is None:
        return cannot_tell("tables")
    return (applies if indicator == ABSOLUTE else does_not)()


@rule(
    "unlikely-units-by-line",
    "edits",
    "A limit of units that is held against each line",
    sources=("ngs-mue",),
    says="It is held against each line: units that were truly separate stand on a line of their own with its modifier.",
    otherwise="It is held against the date, whatever the lines.",
)
def unlikely_units_by_line(indicator: int) -> Verdict:
    """A limit can be held against one line of the claim, or against all units of the date."""
    return (applies if indicator == BY_LINE else does_not)()


@rule(
    "add-on-primary-listed",
    "edits",
    "An add-on and the primaries CMS lists for it",
    sources=("cms-addon-codes", "cms-addon-types", "cms-addon-layout"),
    says="{table}: {code} is an add-on to {beside}, and none of them is on the claim.",
    otherwise="{table}: {code} stands beside {beside}, its primary.",
    unsure="{table}: {code} stands beside none of its listed primaries; the payer's contractor says which others it "
    "takes.",
)
def add_on_primary_listed(
    code: str, kind: int, primaries: Sequence[str], present: Iterable[str], table: str
) -> Verdict:
    """An add-on of type 1 is payable only beside a primary that CMS lists for it; for types 2 and 3 the contractor may
    accept others.
    """
    here = [primary for primary in primaries if primary in present]
    if here:
        return does_not(code=code, beside=here[0], table=table)
    if kind > 1:
        return cannot_tell("tables", code=code, table=table)
    return applies(code=code, beside=", ".join(primaries), table=table)


BY_LINE, ABSOLUTE = 1, 2
"""CMS's indicators of how a limit of units is held."""

WITHDRAWN = 1
"""Indicators above this one say that an edit is withdrawn."""


def checked(edited: Edited, tables: EditTables | None) -> tuple[Checked, ...]:
    """Hold the claim's final lines and other services against the tables: pairs, then units, then add-ons.

    Called once for an answer, on its lines; drug lines are not checked.
    """
    classified = edited.selected.ranked.classified
    visit, book = classified.visit, classified.book
    lines = _reported(edited)
    if not lines:
        return ()
    loaded = tables or EditTables(())
    claim = edits_by_claim(visit)
    audience = _audience(claim)
    if audience is None:
        codes = tuple(dict.fromkeys(line.code for line in lines))
        return (Checked("pair", codes, "no_data", (claim,), ()), Checked("units", codes, "no_data", (claim,), ()))
    billed = _billed(lines, visit)
    return (
        *_pairs(billed, {line.code for line in lines}, audience, book, loaded),
        *_units(lines, audience, book, loaded),
        *_add_ons(lines, billed, audience, book, loaded),
    )


def consulted(edited: Edited, tables: EditTables | None) -> tuple[EditTable, ...]:
    """The loaded tables that ``checked`` asks for this claim."""
    if tables is None or not _reported(edited):
        return ()
    return tables.asked(_audience(edits_by_claim(edited.selected.ranked.classified.visit)))


def _reported(edited: Edited) -> list[Line]:
    return [line for line in edited.lines if line.answer != "drug"]


def _audience(claim: Finding) -> Audience | None:
    if claim.open:
        return None
    return "outpatient_hospital" if claim.holds else "practitioner"


def _billed(lines: Iterable[Line], visit: Visit) -> list[_Billed]:
    """Every code on the claim, each once, in the order of the lines."""
    rows = [(line.code, line.modifiers) for line in lines]
    rows += [(service.code, service.modifiers) for service in visit.other_services]
    modifiers: dict[str, list[frozenset[str]]] = {}
    for code, carried in rows:
        modifiers.setdefault(code, []).append(frozenset(carried))
    return [_Billed(code, tuple(each)) for code, each in modifiers.items()]


def _pairs(
    billed: Sequence[_Billed], ours: set[str], audience: Audience, book: Rulebook, loaded: EditTables
) -> Iterator[Checked]:
    unknown: dict[str, None] = {}
    for first, second in combinations(billed, 2):
        if first.code not in ours and second.code not in ours:
            continue
        found = _of_files(first, second, audience, book, loaded) if loaded.tables else None
        if found is None and (row := _own(first, second, audience, book) or _own(second, first, audience, book)):
            found = row
        if found is None:
            unknown |= dict.fromkeys((first.code, second.code))
        else:
            yield found
    if unknown:
        finding = ncci_pair(", ".join(unknown), "", None, "")
        yield Checked("pair", tuple(unknown), "no_data", (finding,), ())


def _of_files(
    first: _Billed, second: _Billed, audience: Audience, book: Rulebook, loaded: EditTables
) -> Checked | None:
    """What the loaded tables say of two codes: an edit in either order, or that there is none, or nothing."""
    found = _pair(first, second, audience, book, loaded) or _pair(second, first, audience, book, loaded)
    if found is None and (files := loaded.complete(first.code, second.code, audience, book.day)):
        finding = ncci_pair(first.code, second.code, None, files[0].spoken)
        return Checked("pair", (first.code, second.code), "not_bundled", (finding,), files)
    return found


def _pair(one: _Billed, two: _Billed, audience: Audience, book: Rulebook, loaded: EditTables) -> Checked | None:
    """The loaded edit with ``one`` in column one, if there is one."""
    found = loaded.pair(one.code, two.code, audience, book.day)
    return _edit(one, two, found[0], found[1], book) if found else None


def _own(one: _Billed, two: _Billed, audience: Audience, book: Rulebook) -> Checked | None:
    """The rulebook's own edit with ``one`` in column one, if there is one."""
    row = book.pair(one.code, two.code, audience)
    return _edit(one, two, row.indicator, row, book) if row else None


def _edit(one: _Billed, two: _Billed, indicator: int, table: EditTable | Pair, book: Rulebook) -> Checked:
    codes = (one.code, two.code)
    if indicator > WITHDRAWN:
        return Checked("pair", codes, "not_bundled", (ncci_pair(*codes, None, table.spoken),), (table,))
    findings = [ncci_pair(*codes, indicator, table.spoken), ncci_modifier_never(indicator)]
    if not indicator:
        return Checked("pair", codes, "bundled", tuple(findings), (table,))
    visit = next((row for row in (two, one) if book.is_visit(row.code)), None)
    if visit:
        modifier = book.modifiers["separate_visit"]
        carried = visit.carries(frozenset({modifier}))
        findings.append(ncci_modifier_visit(visit.code, modifier, carried is not None))
    else:
        wanted = [code for name, code in book.modifiers.items() if name.startswith("separate_service")]
        columns = (two, one)[: book.limits["modifier_columns"]]
        bearer = next((row for row in columns if row.carries(frozenset(wanted))), None)
        carried = bearer.carries(frozenset(wanted)) if bearer else None
        code = bearer.code if bearer else two.code
        findings.append(ncci_modifier_separate(code, carried or ", ".join(wanted), carried is not None))
    result: Result = "modifier_present" if carried else "modifier_needed"
    return Checked("pair", codes, result, tuple(findings), (table,))


def _units(lines: Iterable[Line], audience: Audience, book: Rulebook, loaded: EditTables) -> Iterator[Checked]:
    units: dict[str, list[int]] = {}
    for line in lines:
        units.setdefault(line.code, []).append(line.units)
    unknown = []
    for code, counts in units.items():
        limit = loaded.limit(code, audience, book.day)
        own = None if limit or loaded.limits_known(audience, book.day) else book.unit_limit(code, audience)
        if own:
            yield _held(code, counts, own.units, own.indicator, own)
        elif limit:
            yield _held(code, counts, limit.units, limit.indicator, limit.table)
        else:
            unknown.append(code)
    if unknown:
        finding = medically_unlikely_units(", ".join(unknown), 0, None, "")
        yield Checked("units", tuple(unknown), "no_data", (finding,), ())


def _held(code: str, counts: Sequence[int], limit: int, indicator: int | None, table: EditTable | UnitLimit) -> Checked:
    """Units against a limit, by line or by date."""
    units = max(counts) if indicator == BY_LINE else sum(counts)
    findings = [medically_unlikely_units(code, units, limit, table.spoken)]
    if not findings[0].holds:
        return Checked("units", (code,), "within", tuple(findings), (table,))
    if indicator is not None and indicator != ABSOLUTE:
        findings.append(unlikely_units_by_line(indicator))
    findings.append(unlikely_units_absolute(indicator))
    return Checked("units", (code,), "over", tuple(findings), (table,))


def _add_ons(
    lines: Iterable[Line], billed: Sequence[_Billed], audience: Audience, book: Rulebook, loaded: EditTables
) -> Iterator[Checked]:
    """Add-ons against a loaded list; without one the rulebook's own primaries were held against them already."""
    present = {row.code for row in billed}
    for code in dict.fromkeys(line.code for line in lines):
        found = loaded.primaries(code, audience, book.day)
        if found is None:
            continue
        finding = add_on_primary_listed(code, found.type, found.codes, present, found.table.spoken)
        decided: Result = "primary_missing" if finding.holds else "primary_present"
        result = "contractor_decides" if finding.open else decided
        yield Checked("add_on", (code,), result, (finding,), (found.table,))

"""A claim line: the code number of a role, its modifiers, and its dates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

from ivcoder.book import Confidence, Rulebook
from ivcoder.classify import Span
from ivcoder.classify.vein import stopped_early
from ivcoder.encounter import DAY, HOUR, Claim, Given, Visit
from ivcoder.rank import Ranked
from ivcoder.rule import Finding, Verdict, applies, does_not, rule
from ivcoder.select import INITIAL_ROLES, Earned


class Line(NamedTuple):
    """A claim line: code number, units, modifiers, and the findings behind it.

    ``answer`` is the role as answers give it: initial, add_on, stand_alone or drug; ``lost`` are the code numbers that
    came closest, each with the finding that ruled it out; ``dates`` are the units of each date where a stay has
    several.
    """

    code: str
    units: int
    modifiers: tuple[str, ...]
    answer: str
    administrations: tuple[str, ...]
    findings: tuple[Finding, ...]
    lost: tuple[tuple[str, Finding], ...]
    dates: tuple[tuple[date, int], ...] = ()


@rule(
    "separate-access-modifier",
    "edits",
    "A second initial service says why it is separate",
    sources=("cms-rac-0071", "noridian-initial-administration", "ibx-x-modifiers", "moda-rpm027"),
    says="{drug} is one of two initial services, each of an access of its own, and not the higher: it carries modifier "
    "{modifier}{wish}.",
    otherwise="The initial service is the only one.",
)
def separate_access_modifier(drug: str, modifier: str | None, payer: str | None = None) -> Verdict:
    """Of two initial services of two needed accesses, the lower-ranked carries the modifier for a separate service,
    or the more specific one for a separate structure where the payer wants that.
    """
    wish = f", as {payer} wants it" if payer else ""
    return applies(drug=drug, modifier=modifier, wish=wish) if modifier else does_not()


@rule(
    "separate-encounter-modifier",
    "edits",
    "A second encounter on one day says that it is one",
    sources=("aapc-two-trips", "hcpro-2009-initial", "ncci-manual-ch11"),
    says="{drug} is the initial service of a second encounter on the day: it carries modifier {modifier}{more}.",
    otherwise="There was one encounter on the day.",
)
def separate_encounter_modifier(drug: str, modifier: str | None, payer: str | None, narrow: str) -> Verdict:
    """Each encounter of a day has its own initial service; that of a later one carries the modifier for a separate
    service, or the narrower one for a separate encounter, which Medicare takes and some payers want.
    """
    if modifier is None:
        return does_not()
    more = f", as {payer} wants" if payer else f", or {narrow} for payers that take it"
    return applies(drug=drug, modifier=modifier, more=more)


@rule(
    "discontinued-modifier",
    "edits",
    "An infusion broken off carries the modifier for it",
    sources=("aapc-discontinued-infusion", "palmetto-discontinued-2014"),
    nature="disputed",
    confidence=Confidence.MEDIUM,
    says="{drug} was broken off: modifier {modifier} on a professional claim. A contractor calls the modifier "
    "optional, since the code covers any time up to an hour.",
    otherwise="{drug} was broken off, and on a facility claim the infusion carries no modifier for it.",
)
def discontinued_modifier(drug: str, claim: Claim | None, modifier: str) -> Verdict:
    """An infusion broken off within the minutes of a push carries the modifier for a discontinued service on a
    professional claim; a facility's modifiers for discontinued procedures are for those with anaesthesia.
    """
    return (applies if claim is Claim.PROFESSIONAL else does_not)(drug=drug, modifier=modifier)


@rule(
    "reduced-modifier",
    "edits",
    "A service without a part that its code takes in",
    sources=("palmetto-cavity-2007",),
    nature="convention",
    confidence=Confidence.LOW,
    says="No puncture of the chest was made for {drug}, which the code takes in: modifier {modifier}, with a word on "
    "it.",
    otherwise="The service was done with all that its code takes in.",
)
def reduced_modifier(drug: str, modifier: str | None) -> Verdict:
    """Chemotherapy into the pleural cavity through a catheter already there lacks the puncture that its code takes in,
    and carries the modifier for a reduced service. The one source is old.
    """
    return applies(drug=drug, modifier=modifier) if modifier else does_not()


@rule(
    "dates-of-a-stay",
    "edits",
    "In a stay over several dates each line carries its own",
    sources=("cms-r1702cp", "iom-100-04-ch4-230.2", "rca-midnight", "hcpro-2009-midnight", "haugen-midnight"),
    nature="disputed",
    confidence=Confidence.MEDIUM,
    says="The encounter runs over {days} dates. Each line carries the date on which it was given, and the initial "
    "service does not start anew with the day. An hour that runs over midnight is dated by its beginning here; some "
    "put the whole infusion on the date it began.",
    otherwise="Everything was given on one date.",
)
def dates_of_a_stay(days: int) -> Verdict:
    """A hospital reports each service with the date on which it was given, under one initial service for the encounter.
    How the hours of an infusion across midnight are dated is not settled.
    """
    return (applies if days > 1 else does_not)(days=days)


def is_initial(row: Earned) -> bool:
    """Whether a line is the initial service of a vascular access."""
    return row.role in INITIAL_ROLES.values()


def line_of(
    row: Earned, drug: str, visit: Visit, book: Rulebook, given: Mapping[str, Given], leading: Earned | None
) -> Line:
    """The line of a role: its code number on the date, and the modifiers that the record calls for."""
    code = book.codes[row.role]
    modifiers, findings = row.modifiers, row.findings
    if leading is not None and row is not leading and is_initial(row):
        found = _separate(drug, visit, book, *(given[line.administrations[0]].encounter for line in (leading, row)))
        modifiers, findings = (*modifiers, str(found.facts["modifier"])), (*findings, found)
    if any(finding.rule == stopped_early.id for finding in findings):
        found = discontinued_modifier(drug, visit.claim, book.modifiers["discontinued"])
        modifiers = (*modifiers, book.modifiers["discontinued"]) if found.holds else modifiers
        findings = (*findings, found)
    if row.role == "chemo_pleural" and given[row.administrations[0]].access_device is not None:
        found = reduced_modifier(given[row.administrations[0]].drug, book.modifiers["reduced"])
        modifiers, findings = (*modifiers, book.modifiers["reduced"]), (*findings, found)
    lost = tuple((book.codes[role].code, finding) for role, finding in row.lost)
    return Line(code.code, row.units, modifiers, code.answer, row.administrations, findings, lost)


def _separate(drug: str, visit: Visit, book: Rulebook, first: str, mine: str) -> Finding:
    """Why an initial service is a second one: an encounter of its own, or an access; with the payer's modifier."""
    wanted = next(iter(book.differs(visit.payer, "separate_modifier")), None)
    payer = book.payers[wanted.payer].name if wanted else None
    if first != mine:
        usual, narrow = book.modifiers["separate_service"], book.modifiers["separate_service_encounter"]
        return separate_encounter_modifier(drug, narrow if wanted else usual, payer, narrow)
    separate = book.modifiers[wanted.modifier if wanted and wanted.modifier else "separate_service"]
    return separate_access_modifier(drug, separate, payer)


def dated(
    lines: list[Line], drug_lines: list[Line], visit: Visit, first: date, ranked: Ranked
) -> tuple[list[Line], list[Line], Finding]:
    """The lines with the dates of their units, an hour's by its beginning."""
    spans = {row.service.administrations: row.service.spans for row in ranked.standings}
    starts = {row.id: row.start for row in visit.administrations}
    counted: dict[tuple[str, ...], int] = {}

    def with_dates(line: Line) -> Line:
        before = counted.get(line.administrations, 0)
        if line.answer == "drug":
            begins = [starts[line.administrations[0]]] * line.units
        elif run := spans.get(line.administrations):
            counted[line.administrations] = before + line.units
            begins = [_at(run, HOUR * (before + number)) for number in range(line.units)]
        else:
            # Several pushes stacked on one line, or one without a time.
            begins = [starts[labels[0]] for labels in spans if set(labels) <= set(line.administrations)]
        if any(begin is None for begin in begins):
            return line
        days = Counter(first + timedelta(days=(begin or 0) // DAY) for begin in begins)
        return line._replace(dates=tuple(sorted(days.items())))

    marked, marked_drugs = [with_dates(line) for line in lines], [with_dates(line) for line in drug_lines]
    found = dates_of_a_stay(len({day for line in (*marked, *marked_drugs) for day, _ in line.dates}))
    return (marked, marked_drugs, found) if found.holds else (lines, drug_lines, found)


def _at(spans: tuple[Span, ...], minute: int) -> int:
    """The clock time at which so many minutes had run; of what took no time, such as a push, its own."""
    for start, stop in spans:
        if minute < stop - start:
            return start + minute
        minute -= stop - start
    return spans[-1][0]

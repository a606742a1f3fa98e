"""Billed lines held against the lines a record supports: what is wrong with each, and what is left aside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ivcoder.audit.matching import Matching, Pair, match, reported
from ivcoder.audit.rules import (
    audit_direction,
    audit_discarded_marks,
    audit_discarded_unknown,
    audit_drug_product,
    audit_drug_uncounted,
    audit_line_style,
    audit_missed,
    audit_other_encounter,
    audit_outside,
    audit_separate_unmarked,
    audit_separate_unsupported,
    audit_units,
    audit_units_of_the_day,
    audit_unsupported,
    audit_wrong_code,
)
from ivcoder.denials import BilledLine, Case, denied_drug_code_out_of_date, denied_modifier_misplaced
from ivcoder.edits import (
    Line,
    em_minimal_visit,
    em_significant_separate,
    included_services,
    inpatient_claim,
)
from ivcoder.encounter import OtherService, Route
from ivcoder.rule import Finding
from ivcoder.select import Refused
from ivcoder.select.drug import drug_units_of_the_day

Kind = Literal["unsupported", "wrong_code", "wrong_units", "missed", "wrong_modifier"]
Direction = Literal["over_coded", "under_coded", "neutral"]


class Found(NamedTuple):
    """Something wrong: the billed line, None for a missed one; the supported lines it was held against."""

    billed: int | None
    code: str
    kind: Kind
    direction: Direction
    findings: tuple[Finding, ...]
    supported: tuple[int, ...] = ()


class Noted(NamedTuple):
    """Something to say of a billed line that is no error, or why it is not judged."""

    billed: int
    finding: Finding


@dataclass(frozen=True, slots=True)
class Compared:
    """The outcome of holding the billed lines against supported ones."""

    lines: tuple[Line, ...]
    pairs: tuple[Pair, ...]
    found: tuple[Found, ...]
    aside: tuple[Noted, ...]
    notes: tuple[Noted, ...]


class _Desk:
    """The billed lines and the supported ones side by side, and what is noted of them on the way."""

    def __init__(self, case: Case, lines: tuple[Line, ...]) -> None:
        self.case, self.lines, self.billed = case, lines, case.denial.billed_lines
        self.found: list[Found] = []
        self.aside: list[Noted] = []
        self.notes: list[Noted] = []

    def wrong(
        self, place: int | None, kind: Kind, way: Direction, *findings: Finding, rows: Sequence[int] = ()
    ) -> None:
        """Note an error of a billed line, or of a missed one."""
        code = self.billed[place].code if place is not None else self.lines[rows[0]].code
        self.found.append(Found(place, code, kind, way, findings, tuple(rows)))

    def drugs(self, rows: Iterable[int]) -> str:
        """What supported lines are for, by name and id."""
        labels = dict.fromkeys(label for row in rows for label in self.lines[row].administrations)
        return " and ".join(f"{name} [{label}]" for label in labels for name, _ in self.case.charted([label]))


def compare(case: Case, lines: tuple[Line, ...], barred: Finding | None) -> Compared:
    """Hold a case's billed lines against ``lines``; ``barred`` says why a claim carries none, if it does."""
    desk = _Desk(case, lines)
    held = [place for place in range(len(desk.billed)) if _is_held(desk, place, barred)]
    if barred is not None:
        for place in held:
            desk.wrong(place, "unsupported", "over_coded", audit_unsupported(desk.billed[place], False), barred)
        return Compared(lines, (), tuple(desk.found), tuple(desk.aside), ())
    matching = match(case, lines, held)
    for place in held:
        _other_codes(desk, place, matching)
    for place in held:
        _modifiers(desk, place, matching.of_billed(place))
        _surplus(desk, place, matching)
    _deficit(desk, matching)
    _styles(desk, matching)
    return Compared(lines, matching.pairs, tuple(desk.found), tuple(desk.aside), tuple(desk.notes))


def _is_held(desk: _Desk, place: int, barred: Finding | None) -> bool:
    """Whether a line is drug administration or a drug that can be held against the record; others are judged here."""
    case, line = desk.case, desk.billed[place]
    drug = not case.role(line) and _is_drug(case, line)
    for aside in (audit_other_encounter(case, line), audit_discarded_unknown(case, line, desk.lines)):
        if aside.holds:
            desk.aside.append(Noted(place, aside))
            return False
    if case.role(line) or (drug and (barred is None or barred.rule != inpatient_claim.id)):
        audit_outside(line, decided=True)
        return True
    other = OtherService(code=line.code, modifiers=line.modifiers)
    beside = any(row.answer != "drug" for row in desk.lines)
    for ask in (included_services, em_minimal_visit):
        if beside and (found := ask(other, case.book)).holds:
            desk.wrong(place, "unsupported", "over_coded", found)
            return False
    if beside and (found := em_significant_separate(other, case.book)).holds:
        desk.wrong(place, "wrong_modifier", "neutral", found)
    else:
        desk.aside.append(Noted(place, audit_outside(line, decided=False)))
    return False


def _is_drug(case: Case, line: BilledLine) -> bool:
    """Whether a code is a drug's: of the formulary, or of no list here but billed for a drug by name."""
    return line.code in case.book.formulary.by_code or (line.code[0].isalpha() and case.drug(line) is not None)


def _other_codes(desk: _Desk, place: int, matching: Matching) -> None:
    """Note where a line stands for supported ones of another code."""
    case, line = desk.case, desk.billed[place]
    groups: dict[str, list[Pair]] = {}
    for pair in matching.of_billed(place):
        groups.setdefault(desk.lines[pair.supported].code, []).append(pair)
    for code, pairs in groups.items():
        rows = [pair.supported for pair in pairs]
        row, drugs = desk.lines[rows[0]], desk.drugs(rows)
        units = sum(pair.units for pair in pairs)
        is_drug = row.answer == "drug"
        wrong = audit_wrong_code(line, row, drugs, units, row.units if is_drug else units)
        if not wrong.holds:
            continue
        if not is_drug:
            way = audit_direction(case, line.code, code)
            separate = audit_separate_unsupported(case, line, needed=False)
            said = [wrong, way, *([separate] if separate.holds else ())]
            desk.wrong(place, "wrong_code", _way(way), *said, rows=rows)
            continue
        dated, product = denied_drug_code_out_of_date(case, line), audit_drug_product(case, line, row, drugs)
        if product.holds or dated.open:
            desk.aside.append(Noted(place, product if product.holds else dated))
        else:
            desk.wrong(place, "wrong_code", "neutral", wrong, *([dated] if dated.holds else ()), rows=rows)


def _way(finding: Finding) -> Direction:
    if not finding.holds:
        return "neutral"
    return "over_coded" if finding.facts["up"] else "under_coded"


def _modifiers(desk: _Desk, place: int, pairs: Sequence[Pair]) -> None:
    """Note modifiers that the record contradicts, on a line that otherwise stands."""
    case, line = desk.case, desk.billed[place]
    for pair in (pair for pair in pairs if pair.same_code):
        row = desk.lines[pair.supported]
        asked = (
            audit_separate_unsupported(case, line, needed=bool(set(row.modifiers) & case.separate)),
            audit_separate_unmarked(case, line, row),
            audit_discarded_marks(case, line, row, pair.units),
        )
        for finding in asked:
            if finding.holds:
                desk.wrong(place, "wrong_modifier", "neutral", finding, rows=[pair.supported])
    misplaced = denied_modifier_misplaced(case, line)
    if misplaced.holds and pairs:
        desk.wrong(place, "wrong_modifier", "neutral", misplaced, rows=[pair.supported for pair in pairs])


def _surplus(desk: _Desk, place: int, matching: Matching) -> None:
    """Note billed units that no supported line takes."""
    case, line, left = desk.case, desk.billed[place], matching.over[place]
    pairs = matching.of_billed(place)
    unsupported = audit_unsupported(line, paired=bool(pairs))
    units = audit_units(line, line.units - left)
    if not left:
        return
    if not case.role(line):
        uncounted = audit_drug_uncounted(case, line, desk.lines)
        if uncounted.holds or line.code not in case.book.formulary.by_code:
            reason = uncounted if uncounted.holds else audit_outside(line, decided=False)
            desk.aside.append(Noted(place, reason))
            return
    if unsupported.holds:
        refused = [finding for row in _refused_for(case, line) for finding in row.findings]
        desk.wrong(place, "unsupported", "over_coded", unsupported, *refused)
    else:
        rows = [pair.supported for pair in pairs]
        desk.wrong(place, "wrong_units", "over_coded", units, rows=rows)


_KINDS = {
    Route.IV_PUSH: ("push",),
    Route.IV_INFUSION: ("push", "infusion", "hydration"),
    Route.IV_PUMP: ("infusion", "pump"),
    Route.IM: ("injection",),
    Route.SC: ("injection",),
}
"""The kinds of service an administration can have been billed as, by its route."""


def _refused_for(case: Case, line: BilledLine) -> Iterator[Refused]:
    """What the record holds and leaves unreported that a line can have been billed for."""
    if case.edited is None or not case.role(line):
        return
    kind = reported(case, line.code).kind
    rows = {row.id: row for row in case.edited.selected.ranked.classified.visit.administrations}
    for refused in case.edited.refused:
        named = set(line.administrations) & {*refused.administrations}
        alike = any(kind in _KINDS.get(rows[label].route, ()) for label in refused.administrations)
        if named or (alike and not line.administrations):
            yield refused


def _deficit(desk: _Desk, matching: Matching) -> None:
    """Note supported units that no billed line takes: on the line that stands for the rest, or as missed."""
    short: dict[int, tuple[int, list[int]]] = {}
    told = {
        desk.lines[pair.supported].code for pair in matching.pairs if not pair.same_code and _is_drug_row(desk, pair)
    }
    short_of = dict.fromkeys(row.code for number, row in enumerate(desk.lines) if matching.under[number])
    told |= {code for code in short_of if _added_up(desk, code)}
    for number, row in enumerate(desk.lines):
        left, pairs = matching.under[number], matching.of_supported(number)
        missed = audit_missed(row, desk.drugs([number]), paired=bool(pairs))
        if not left or row.code in told:
            continue
        owner = pairs[0].billed if pairs else _stack(matching, desk, row.code)
        if owner is None:
            desk.wrong(None, "missed", "under_coded", missed, rows=[number])
        else:
            units, rows = short.get(owner, (0, []))
            short[owner] = units + left, [*rows, number]
    for place, (units, rows) in short.items():
        line = desk.billed[place]
        desk.wrong(place, "wrong_units", "under_coded", audit_units(line, line.units + units), rows=rows)


def _is_drug_row(desk: _Desk, pair: Pair) -> bool:
    return desk.lines[pair.supported].answer == "drug"


def _added_up(desk: _Desk, code: str) -> bool:
    """Whether a drug is billed with the day's doses added up before rounding."""
    remarks = desk.case.edited.remarks if desk.case.edited else ()
    told = [finding.facts for row in remarks for finding in row.findings if finding.rule == drug_units_of_the_day.id]
    together = [int(facts["together"]) for facts in told if facts["code"] == code]
    places = [place for place, line in enumerate(desk.billed) if line.code == code]
    found = audit_units_of_the_day(code, sum(desk.billed[place].units for place in places), together)
    if found.holds:
        desk.notes.append(Noted(places[0], found))
    return found.holds


def _stack(matching: Matching, desk: _Desk, code: str) -> int | None:
    """The billed line that stands for several supported ones of a code, if there is one."""
    for place, line in enumerate(desk.billed):
        if line.code == code and len([pair for pair in matching.of_billed(place) if pair.same_code]) > 1:
            return place
    return None


def _styles(desk: _Desk, matching: Matching) -> None:
    """Note units that stand on fewer or on more lines than they are kept on here."""
    same = [pair for pair in matching.pairs if pair.same_code]
    codes = dict.fromkeys(sorted(desk.lines[pair.supported].code for pair in same))
    for code in codes:
        pairs = [pair for pair in same if desk.lines[pair.supported].code == code]
        billed, kept = {pair.billed for pair in pairs}, {pair.supported for pair in pairs}
        style = audit_line_style(code, sum(pair.units for pair in pairs), len(billed), len(kept))
        if style.holds:
            desk.notes.append(Noted(min(billed), style))

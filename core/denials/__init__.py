"""Step 7: why was this line denied, is the payer right, what now?

Every denied line is held against the patterns. The claim is corrected to what the encounter supports when one is
given, and line by line otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from ivcoder.book import DrugTable
from ivcoder.denials.claim import BilledLine, Case, Denial, Fixed, known_administrations
from ivcoder.denials.corrections import Correction, corrected
from ivcoder.denials.mend import REMOVING
from ivcoder.denials.patterns import claims, initials, pushes, services
from ivcoder.denials.patterns.claims import denied_drug_code_out_of_date, denied_modifier_misplaced
from ivcoder.rule import Finding, Rule

__all__ = [
    "BilledLine",
    "Case",
    "Correction",
    "Denial",
    "Examined",
    "Fixed",
    "Hit",
    "denied_drug_code_out_of_date",
    "denied_modifier_misplaced",
    "examine",
    "known_administrations",
]

Verdict = Literal["payer_right", "payer_wrong", "record_decides"]
Asked = Rule[[Case, BilledLine]]


class Hit(NamedTuple):
    """A pattern that fits a billed line."""

    place: int
    finding: Finding
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Examined:
    """The outcome of the step; ``open`` holds patterns that would decide if a fact were known."""

    case: Case
    hits: tuple[Hit, ...]
    open: tuple[Hit, ...]
    correction: Correction


PATTERNS: tuple[tuple[Asked, Verdict], ...] = (
    (claims.denied_professional_in_facility, "payer_right"),
    (claims.denied_inpatient, "payer_right"),
    (services.denied_not_a_drug, "payer_right"),
    (pushes.denied_repeat_push_place, "payer_right"),
    (pushes.denied_repeat_push_too_soon, "payer_right"),
    (pushes.denied_chemo_as_push, "payer_right"),
    (services.denied_other_family, "payer_right"),
    (pushes.denied_push_over_time, "payer_right"),
    (pushes.denied_same_drug_as_new, "payer_right"),
    (pushes.denied_new_drug_as_same, "payer_right"),
    (initials.denied_second_access_claimed, "record_decides"),
    (initials.denied_two_initials, "payer_right"),
    (initials.denied_second_access_unmarked, "record_decides"),
    (initials.denied_initial_units, "payer_right"),
    (initials.denied_add_on_alone, "payer_right"),
    (initials.denied_with_primary, "record_decides"),
    (services.denied_hydration, "payer_right"),
    (services.denied_second_concurrent, "payer_right"),
    (claims.denied_included_service, "payer_right"),
    (claims.denied_minimal_visit, "payer_right"),
    (claims.denied_visit_unmarked, "record_decides"),
    (claims.denied_visit_marked, "record_decides"),
    (claims.denied_modifier_misplaced, "payer_right"),
    (claims.denied_wastage_unmarked, "payer_right"),
    (claims.denied_drug_code_out_of_date, "payer_right"),
    (services.denied_units, "record_decides"),
    (services.denied_duplicate, "payer_wrong"),
    (services.denied_supported_add_on, "payer_wrong"),
    (initials.denied_second_access_supported, "payer_wrong"),
)

_FALLBACKS: tuple[tuple[Asked, Verdict], ...] = (
    (services.denied_unsupported, "payer_right"),
    (claims.denied_packaged, "payer_right"),
    (claims.denied_beside_unmarked_visit, "record_decides"),
    (claims.denied_necessity, "record_decides"),
    (claims.denied_documents, "record_decides"),
    (claims.denied_drug_not_billed, "record_decides"),
    (initials.denied_primary_present, "record_decides"),
    (claims.denied_more_than_coding, "record_decides"),
)
"""Asked in turn of a line that no pattern fits, or that only an appeal does."""


def examine(denial: Denial, drugs: DrugTable | None = None) -> Examined:
    """Find the patterns that fit, and correct the claim.

    Lines marked denied are looked at; when none is marked, all are.
    """
    case = Case.of(denial, drugs)
    lines = denial.billed_lines
    marked = [place for place, line in enumerate(lines) if line.denied]
    hits: list[Hit] = []
    undecided: list[Hit] = []
    for place in marked or range(len(lines)):
        fitting, unsure = _examined(case, place)
        hits += fitting
        undecided += unsure
    rules = {place: [hit.finding.rule for hit in hits if hit.place == place] for place in range(len(lines))}
    return Examined(case, tuple(hits), tuple(undecided), corrected(case, rules))


def _examined(case: Case, place: int) -> tuple[list[Hit], list[Hit]]:
    """The patterns that fit one line, and those that cannot tell when none does."""
    line = case.denial.billed_lines[place]
    for aside in (claims.denied_not_coding, claims.denied_claim_twice):
        if (found := aside(case, line)).holds:
            return [Hit(place, found, "record_decides")], []
    asked = [Hit(place, rule(case, line), verdict) for rule, verdict in PATTERNS]
    fitting = [hit for hit in asked if hit.finding.holds]
    gone = next((hit for hit in fitting if hit.finding.rule in REMOVING), None)
    if gone:
        return [gone], []
    faults = [hit for hit in fitting if hit.verdict != "payer_wrong"]
    unsure = [hit for hit in asked if hit.finding.open]
    if faults and all(hit.finding.rule == initials.denied_with_primary.id for hit in faults):
        finding = services.denied_unsupported(case, line)
        faults += [Hit(place, finding, "payer_right")] if finding.holds else []
    if faults:
        beside = Hit(place, claims.denied_more_than_coding(case, line), "record_decides")
        return [*faults, beside] if beside.finding.holds else faults, []
    for rule, verdict in _FALLBACKS:
        finding = rule(case, line)
        if finding.holds and not (fitting and verdict != "payer_right"):
            return [Hit(place, finding, verdict)], []
        if finding.open:
            unsure.append(Hit(place, finding, verdict))
    return fitting, [] if fitting else unsure

"""Denied initial services and add-ons: one initial an access, and what stands beside what."""

from __future__ import annotations

from ivcoder.denials.claim import BilledLine, Case
from ivcoder.rule import Verdict, applies, cannot_tell, does_not, rule

INITIALS = (
    "chemo_infusion_initial",
    "chemo_push_initial",
    "infusion_initial",
    "push_initial",
    "hydration_initial",
)
"""Initial roles from the highest tier down."""


def leading(case: Case) -> BilledLine | None:
    """The billed initial service that ranks highest; among equals one that was paid, then the first billed."""
    rows = [line for line in case.family if case.role(line) in INITIALS]
    return min(rows, key=lambda line: (INITIALS.index(case.role(line)), line.denied), default=None)


def needs_second_access(case: Case) -> bool:
    """Whether the encounter shows a second, needed access."""
    if case.edited is None:
        return False
    rows = case.edited.selected.ranked.classified.services
    return any(finding.rule == "second-access" and finding.holds for row in rows for finding in row.findings)


@rule(
    "denied-two-initials",
    "denials",
    "Denied: two initial services on one access",
    sources=("carecost-iv-push", "cms-rac-0071", "noridian-initial-administration"),
    says="Two initial services were billed, {both}; an access has one{higher}.",
    otherwise="{code} is not one of two initial services on one access.",
    unsure="Why {code} was billed as a second initial service, on an access of its own, is not documented.",
)
def denied_two_initials(case: Case, line: BilledLine) -> Verdict:
    """One initial service is reported for each vascular access; the lower becomes an add-on. A modifier does not
    change that on one access.
    """
    lead = leading(case)
    rivals = [row for row in case.family if case.role(row) in INITIALS and row is not line]
    if case.role(line) not in INITIALS or not rivals or lead is None or needs_second_access(case):
        return does_not(code=line.code)
    if case.book.modifiers["separate_service_encounter"] in line.modifiers:
        return does_not(code=line.code)
    other = lead if lead is not line else rivals[0]
    if case.edited is None and (case.is_separate(line) or case.is_separate(other)):
        return cannot_tell("access_reason", code=line.code)
    if case.edited is not None and case.unsettled and case.is_separate(line):
        return cannot_tell("questions", code=line.code)
    alike = line.code == other.code
    both = f"{line.code} twice" if alike else f"{line.code} and {other.code}"
    return applies(code=line.code, both=both, higher="" if alike else f", and {lead.code} leads")


@rule(
    "denied-second-access-claimed",
    "denials",
    "Denied: a second initial service marked as separate",
    sources=("cms-rac-0071", "noridian-initial-administration", "fcso-infusion-hydration"),
    says="{code} was billed as a second initial service and marked as separate. It stands only if the record shows a "
    "second, needed access, or an encounter of its own.",
    otherwise="{code} is not a second initial service marked as separate, or the record settles it.",
)
def denied_second_access_claimed(case: Case, line: BilledLine) -> Verdict:
    """A second initial service is payable when drugs must not be mixed or a protocol asks for another access, or in
    another encounter of the day; without the record nothing settles it.
    """
    second = case.role(line) in INITIALS and sum(case.role(row) in INITIALS for row in case.family) > 1
    elsewhen = case.book.modifiers["separate_service_encounter"] in line.modifiers
    hit = second and case.is_separate(line) and (case.edited is None or elsewhen)
    return (applies if hit else does_not)(code=line.code)


@rule(
    "denied-second-access-supported",
    "denials",
    "Denied: a second initial service that the record supports",
    sources=("cms-rac-0071", "noridian-initial-administration", "fcso-infusion-hydration"),
    says="{code} is the initial service of a second access that the record shows was needed, and it is marked so.",
    otherwise="{code} is not a marked initial service of a second, needed access.",
)
def denied_second_access_supported(case: Case, line: BilledLine) -> Verdict:
    """A second, needed access has an initial service of its own, marked as separate."""
    marked = [row for row in case.supported(line) if row.modifiers]
    hit = case.role(line) in INITIALS and marked and case.is_separate(line) and line.units == 1
    about = case.hinted(line, "bundled") or case.hinted(line, "duplicate")
    about = about and not case.hinted(line, "no_appeal") and not case.beside_coding(line)
    return (applies if hit and about and not case.unsettled else does_not)(code=line.code)


@rule(
    "denied-second-access-unmarked",
    "denials",
    "Denied: a second, needed access without its modifier",
    sources=("cms-rac-0071", "aapc-two-trips", "noridian-initial-administration"),
    says="{code} is the initial service of a second access that the record says was needed, billed without the "
    "modifier that says so.",
    otherwise="{code} is not an unmarked initial service of a second, needed access.",
)
def denied_second_access_unmarked(case: Case, line: BilledLine) -> Verdict:
    """A second initial service, on an access that was needed and is documented so, carries the modifier for a
    separate service; the record decides.
    """
    marked = [row for row in case.supported(line) if row.modifiers]
    hit = case.role(line) in INITIALS and needs_second_access(case) and marked and not case.is_separate(line)
    return (applies if hit else does_not)(code=line.code)


@rule(
    "denied-initial-units",
    "denials",
    "Denied: an initial service with more than one unit",
    sources=("cpt", "carecost-iv-push"),
    says="{code} was billed with {units} units; an initial service has one, and further hours and drugs have codes of "
    "their own.",
    otherwise="{code} is not an initial service with more than one unit.",
)
def denied_initial_units(case: Case, line: BilledLine) -> Verdict:
    """An initial service is reported once for an access."""
    hit = case.role(line) in INITIALS and line.units > 1
    return (applies if hit else does_not)(code=line.code, units=line.units)


@rule(
    "denied-add-on-alone",
    "denials",
    "Denied: an add-on without its primary",
    sources=("cms-addon-codes", "cms-addon-types", "x12-rarc"),
    says="{code} is an add-on and none of its primaries ({beside}) is on the claim.",
    otherwise="{code} stands beside a primary, or is not an add-on.",
)
def denied_add_on_alone(case: Case, line: BilledLine) -> Verdict:
    """An add-on is payable only beside one of its primaries."""
    primaries = case.primaries(line.code)
    if not primaries:
        return does_not(code=line.code)
    present = {each.code for each in case.denial.billed_lines}
    return (does_not if present & set(primaries) else applies)(code=line.code, beside=", ".join(primaries))


@rule(
    "denied-with-primary",
    "denials",
    "Denied: an add-on whose primary was denied too",
    sources=("cms-addon-codes", "cms-addon-types", "x12-carc"),
    says="{code} was denied with its primary {primary}; it stands or falls with it.",
    otherwise="{code} was not denied together with its primary.",
)
def denied_with_primary(case: Case, line: BilledLine) -> Verdict:
    """When the primary is denied, its add-ons go with it; the primary's denial is what to settle."""
    primaries = case.primaries(line.code)
    present = [each for each in case.denial.billed_lines if each.code in primaries]
    hit = present and all(each.denied for each in present)
    return applies(code=line.code, primary=present[0].code) if hit else does_not(code=line.code)


@rule(
    "denied-primary-present",
    "denials",
    "Denied for want of a primary that is there",
    sources=("cms-addon-codes", "aapc-96361-primaries", "x12-carc"),
    nature="reading",
    says="{code} was denied for want of its primary, but {primary} is one of its primaries, is on the claim, and was "
    "not denied: the reason does not hold. Whether the line stands is for the record.",
    otherwise="{code} was not denied for want of a primary, or none is paid on the claim, or the record is given.",
)
def denied_primary_present(case: Case, line: BilledLine) -> Verdict:
    """An add-on is not denied for want of a primary when any one of its primaries is on the claim."""
    if case.edited is not None or not case.hinted(line, "alone"):
        return does_not(code=line.code)
    primaries = case.primaries(line.code)
    present = [each.code for each in case.family if each.code in primaries and not each.denied]
    return applies(code=line.code, primary=present[0]) if present else does_not(code=line.code)

"""The patterns of denial: each a rule that looks at one billed line of a case."""

from __future__ import annotations

from ivcoder.book import Category, Confidence
from ivcoder.classify import Kind
from ivcoder.denials.claim import BilledLine, Case
from ivcoder.edits import Line
from ivcoder.encounter import Claim
from ivcoder.rule import Verdict, applies, cannot_tell, does_not, rule

PUSHES = frozenset({"push_initial", "push_new_drug", "push_same_drug"})
CHEMO_PUSHES = frozenset({"chemo_push_initial", "chemo_push_new_drug"})
INITIALS = (
    "chemo_infusion_initial",
    "chemo_push_initial",
    "infusion_initial",
    "push_initial",
    "hydration_initial",
)
"""Initial roles from the highest tier down."""


def roles_billed(case: Case) -> list[str]:
    """The role of each billed line."""
    return [case.role(line) for line in case.denial.billed_lines]


def supported(case: Case, line: BilledLine) -> list[Line]:
    """Lines the encounter supports with the same code, for the same administrations if the line names any."""
    if case.edited is None:
        return []
    about = set(line.administrations)
    return [
        row for row in case.edited.lines if row.code == line.code and (not about or about & set(row.administrations))
    ]


def is_chemo(case: Case, line: BilledLine) -> bool | None:
    """Whether the line's drug counts as chemotherapy; None when nothing tells."""
    services = case.services(line)
    if services:
        return services[0].category is Category.CHEMOTHERAPY
    drug = case.book.formulary.find(line.drug) if line.drug else None
    return None if drug is None else drug.category is Category.CHEMOTHERAPY


@rule(
    "denied-professional-in-facility",
    "denials",
    "Denied: drug administration on a professional claim in a facility",
    sources=("ncci-manual-ch11", "noridian-a52953", "x12-rarc"),
    says="{code} was billed on a professional claim from {place}, where the facility reports drug administration.",
    otherwise="{code} is not drug administration on a professional claim in a facility.",
    unsure="Whose claim this is decides whether {code} may be reported from {place}.",
)
def denied_professional_in_facility(case: Case, line: BilledLine) -> Verdict:
    """A physician's claim from a facility carries no drug administration; the facility's does."""
    if not case.role(line) or case.place is None or not case.place.facility_reports:
        return does_not(code=line.code)
    if case.claim is None:
        return cannot_tell("claim", code=line.code, place=case.place.spoken)
    hit = case.claim is Claim.PROFESSIONAL
    return (applies if hit else does_not)(code=line.code, place=case.place.spoken)


@rule(
    "denied-repeat-push-place",
    "denials",
    "Denied: a repeat push outside a hospital outpatient facility",
    sources=("cpt", "ahima-107707", "aapc-office-same-drug-thread", "carecost-iv-push"),
    says="{code} was billed from {place}; pushing the same drug again is reported only by hospital outpatient "
    "facilities, and is included in the push before.",
    otherwise="{code} is not a repeat push from outside a hospital outpatient facility.",
    unsure="Where {code} was given decides whether it is reportable, and the place of service is not stated.",
)
def denied_repeat_push_place(case: Case, line: BilledLine) -> Verdict:
    """A further push of the same drug is reportable by hospital outpatient facilities only, the emergency
    department among them.
    """
    if case.role(line) != "push_same_drug":
        return does_not(code=line.code)
    if case.place is None:
        return cannot_tell("place_of_service", code=line.code)
    allowed = case.place.outpatient_hospital and case.claim is not Claim.PROFESSIONAL
    return (does_not if allowed else applies)(code=line.code, place=case.place.spoken)


@rule(
    "denied-repeat-push-too-soon",
    "denials",
    "Denied: a repeat push too soon after the last",
    sources=("cpt", "umiami-obc", "centramed-bolus", "wearemedicalcoders-96374"),
    says="{code} was billed for a push that came too soon after the last reported one of the same drug.",
    otherwise="{code} is not a repeat push that came too soon.",
    unsure="Whether {code} is reportable depends on the time since the last reported push of the drug, which is not "
    "given.",
)
def denied_repeat_push_too_soon(case: Case, line: BilledLine) -> Verdict:
    """A push of the same drug within {repeat_push_disputed} minutes of a reported one is not reportable."""
    if case.role(line) != "push_same_drug":
        return does_not(code=line.code)
    if case.edited is None or not line.administrations:
        return cannot_tell("administrations", code=line.code)
    for row in case.edited.refused:
        if set(row.administrations) & set(line.administrations):
            for finding in row.findings:
                if finding.rule == "repeat-push-interval":
                    return cannot_tell("start", code=line.code) if finding.open else applies(code=line.code)
    return does_not(code=line.code)


@rule(
    "denied-chemo-as-push",
    "denials",
    "Denied: a chemotherapy push billed as another drug's",
    sources=("carecost-iv-push", "noridian-chemo-nonchemo"),
    says="{code} was billed for {drug}, which counts as chemotherapy; a chemotherapy push has codes of its own.",
    otherwise="{code} was not billed for a chemotherapy push.",
    unsure="Which drug {code} was billed for is not given.",
)
def denied_chemo_as_push(case: Case, line: BilledLine) -> Verdict:
    """Chemotherapy and highly complex biologics given by push take the chemotherapy push codes."""
    if case.role(line) not in PUSHES:
        return does_not(code=line.code)
    chemo = is_chemo(case, line)
    if chemo is None:
        return cannot_tell("drug", code=line.code)
    kinds = {row.kind for row in case.services(line)}
    hit = chemo and kinds <= {Kind.PUSH}
    return (applies if hit else does_not)(code=line.code, drug=case.named(line))


@rule(
    "denied-push-over-time",
    "denials",
    "Denied: a push billed for documented infusion time",
    sources=("fcso-infusion-hydration", "cms-article-a53778", "carecost-iv-push"),
    says="{code} was billed for {drug}, but the record documents {minutes} minutes: an infusion, not a push.",
    otherwise="{code} was not billed for documented infusion time.",
    unsure="How long the drug of {code} ran is not given.",
)
def denied_push_over_time(case: Case, line: BilledLine) -> Verdict:
    """Documented time past {push_longest} minutes makes an infusion, unless a manual push was attended throughout."""
    if case.role(line) not in PUSHES | CHEMO_PUSHES:
        return does_not(code=line.code)
    services = case.services(line)
    if not services:
        return cannot_tell("administrations", code=line.code)
    service = services[0]
    if service.kind is not Kind.INFUSION:
        return does_not(code=line.code)
    return applies(code=line.code, drug=service.drug, minutes=service.minutes or 0)


@rule(
    "denied-same-drug-as-new",
    "denials",
    "Denied: a push of the same drug billed as another drug's",
    sources=("cpt", "ahima-107707", "carecost-iv-push"),
    says="{code} was billed for {drug}, which another billed push gave already; it is for another drug only.",
    otherwise="{code} was not billed for a drug pushed already.",
    unsure="Which drugs the pushes gave is not stated, so whether {code} stands for another drug is open.",
)
def denied_same_drug_as_new(case: Case, line: BilledLine) -> Verdict:
    """The additional push is for another drug. The same drug again is a repeat push in a hospital outpatient
    facility, and not reported elsewhere.
    """
    if case.role(line) != "push_new_drug":
        return does_not(code=line.code)
    substance = case.substance(line)
    others = [row for row in case.denial.billed_lines if row is not line and case.role(row) in PUSHES]
    if substance is None or any(case.substance(row) is None for row in others):
        return cannot_tell("drug", code=line.code)
    same = [row for row in others if case.substance(row) == substance]
    first = not any(case.role(row) == "push_initial" for row in same) and _is_first(case, line, same)
    return (applies if same and not first else does_not)(code=line.code, drug=case.named(line))


def _is_first(case: Case, line: BilledLine, same: list[BilledLine]) -> bool:
    """Whether this is the drug's first push: by the clock where it tells, else by the order billed."""
    lines = [line, *same]
    starts = [min((row.start for row in case.services(each) if row.start is not None), default=None) for each in lines]
    known = [start for start in starts if start is not None]
    if len(known) == len(lines):
        return starts[0] == min(known) and starts.count(starts[0]) == 1
    billed = case.denial.billed_lines
    return all(billed.index(line) < billed.index(row) if row.denied == line.denied else row.denied for row in same)


@rule(
    "denied-two-initials",
    "denials",
    "Denied: two initial services on one access",
    sources=("carecost-iv-push", "cms-rac-0071", "noridian-initial-administration"),
    says="{code} was billed as an initial service beside {higher}, which ranks above it; an access has one initial "
    "service.",
    otherwise="{code} is not a second initial service on one access.",
)
def denied_two_initials(case: Case, line: BilledLine) -> Verdict:
    """One initial service is reported for each vascular access; the lower becomes an add-on. A modifier does not
    change that on one access.
    """
    role = case.role(line)
    if role not in INITIALS or needs_second_access(case):
        return does_not(code=line.code)
    mine = INITIALS.index(role)
    billed = case.denial.billed_lines
    for row in billed:
        other = case.role(row)
        if row is line or other not in INITIALS:
            continue
        denied_alike = row.denied == line.denied
        first = billed.index(row) < billed.index(line) if denied_alike else line.denied
        if INITIALS.index(other) < mine or (other == role and first):
            return applies(code=line.code, higher=row.code)
    return does_not(code=line.code)


def needs_second_access(case: Case) -> bool:
    """Whether the encounter shows a second, needed access."""
    if case.edited is None:
        return False
    rows = case.edited.selected.ranked.classified.services
    return any(finding.rule == "second-access" and finding.holds for row in rows for finding in row.findings)


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
    marked = [row for row in supported(case, line) if row.modifiers]
    hit = case.role(line) in INITIALS and needs_second_access(case) and marked and not line.modifiers
    return (applies if hit else does_not)(code=line.code)


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
    row = case.book.numbers.get(line.code)
    if row is None or not row.beside:
        return does_not(code=line.code)
    present = {each.code for each in case.denial.billed_lines}
    return (does_not if present & set(row.beside) else applies)(code=line.code, beside=", ".join(row.beside))


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
    row = case.book.numbers.get(line.code)
    if row is None or not row.beside:
        return does_not(code=line.code)
    present = [each for each in case.denial.billed_lines if each.code in row.beside]
    hit = present and all(each.denied for each in present)
    return applies(code=line.code, primary=present[0].code) if hit else does_not(code=line.code)


@rule(
    "denied-hydration",
    "denials",
    "Denied: hydration too short, or beside a drug infusion",
    sources=("fcso-infusion-hydration", "noridian-hydration", "medicalcoding123-2012"),
    says="{code} was billed for hydration that is not reportable: too short once the time beside drug infusions is "
    "taken off, not documented, or a carrier.",
    otherwise="{code} is not hydration the record leaves unreportable.",
    unsure="How long the hydration of {code} ran by itself is not given.",
)
def denied_hydration(case: Case, line: BilledLine) -> Verdict:
    """Hydration needs {hydration_shortest} documented minutes of its own."""
    if case.role(line) not in ("hydration_initial", "hydration_more"):
        return does_not(code=line.code)
    if case.edited is None:
        return cannot_tell("administrations", code=line.code)
    return (does_not if supported_hydration(case) else applies)(code=line.code)


def supported_hydration(case: Case) -> bool:
    """Whether the encounter has reportable hydration."""
    rows = case.edited.selected.ranked.classified.services if case.edited else ()
    return any(row.kind is Kind.HYDRATION for row in rows)


@rule(
    "denied-second-concurrent",
    "denials",
    "Denied: more than one concurrent infusion",
    sources=("cpt", "codingahead-96368"),
    says="{code} was billed more than once; a concurrent infusion is reported once an encounter.",
    otherwise="{code} was not billed more than once as a concurrent infusion.",
)
def denied_second_concurrent(case: Case, line: BilledLine) -> Verdict:
    """A concurrent infusion is reported once in an encounter."""
    if case.role(line) != "infusion_concurrent":
        return does_not(code=line.code)
    earlier = [row for row in case.denial.billed_lines if row.code == line.code]
    hit = line.units > 1 or earlier[0] is not line
    return (applies if hit else does_not)(code=line.code)


@rule(
    "denied-units",
    "denials",
    "Denied: more units than a payer allows",
    sources=("x12-carc", "x12-rarc", "cms-mue"),
    nature="convention",
    confidence=Confidence.MEDIUM,
    says="{code} was denied for its {units} units. Unlikely-edit limits are not in this rulebook; the record of each "
    "unit decides, where the limit can be appealed at all.",
    otherwise="{code} was not denied for its units, or the record does not support them.",
)
def denied_units(case: Case, line: BilledLine) -> Verdict:
    """Units over a payer's limit stand or fall with the record, where the edit's kind allows an appeal."""
    enough = case.edited is None or sum(row.units for row in supported(case, line)) >= line.units
    hit = case.hinted(line, "units") and line.units > 1 and enough
    return (applies if hit else does_not)(code=line.code, units=line.units)


@rule(
    "denied-duplicate",
    "denials",
    "Denied: additional pushes of different drugs taken for duplicates",
    sources=("cpt", "x12-carc", "carecost-iv-push"),
    nature="convention",
    confidence=Confidence.MEDIUM,
    says="{code} was denied as a duplicate, but each of its lines is for another drug ({drugs}).",
    otherwise="{code} was not denied as a duplicate of a push of another drug.",
    unsure="{code} was denied as a duplicate; which drug each of its lines was for is not stated.",
)
def denied_duplicate(case: Case, line: BilledLine) -> Verdict:
    """Lines with the same additional-push code are no duplicates when each is for another drug."""
    twins = [row for row in case.denial.billed_lines if row.code == line.code]
    if case.role(line) not in ("push_new_drug", "chemo_push_new_drug") or not case.hinted(line, "duplicate"):
        return does_not(code=line.code)
    substances = [case.substance(row) for row in twins]
    if any(substance is None for substance in substances):
        return cannot_tell("drug", code=line.code)
    distinct = len(twins) > 1 and len(set(substances)) == len(twins)
    return (applies if distinct else does_not)(code=line.code, drugs=", ".join(map(case.named, twins)))


@rule(
    "denied-supported-add-on",
    "denials",
    "Denied: an add-on the record supports",
    sources=("cpt", "cms-addon-codes", "ahima-107707", "carecost-iv-push"),
    says="{code} was denied as part of another service, but {drug} is another drug than the other services gave, and "
    "its primary {primary} is on the claim.",
    otherwise="{code} is not an add-on for another drug that the record supports.",
    unsure="{code} was denied as part of another service; which drug each line was for is not stated.",
)
def denied_supported_add_on(case: Case, line: BilledLine) -> Verdict:
    """An additional push or infusion of another drug is payable beside its primary and is not part of it."""
    code = case.book.numbers.get(line.code)
    roles = ("push_new_drug", "chemo_push_new_drug", "infusion_sequential", "chemo_infusion_sequential")
    if code is None or code.role not in roles or case.hinted(line, "duplicate"):
        return does_not(code=line.code)
    others = [row for row in case.denial.billed_lines if row is not line and case.role(row)]
    primary = next((row.code for row in others if row.code in code.beside), None)
    if primary is None:
        return does_not(code=line.code)
    if case.edited is not None:
        hit = bool(supported(case, line))
    else:
        substance = case.substance(line)
        if substance is None or any(case.substance(row) is None for row in others):
            return cannot_tell("drug", code=line.code)
        hit = all(case.substance(row) != substance for row in others) and not is_chemo(case, line)
    return (applies if hit else does_not)(code=line.code, drug=case.named(line), primary=primary)


@rule(
    "denied-included-service",
    "denials",
    "Denied: a service included in the drug administration",
    sources=("ncci-manual-ch11", "noridian-initial-administration"),
    says="{code} ({short}) is included in the drug administration.",
    otherwise="{code} is not included in a drug administration on the claim.",
)
def denied_included_service(case: Case, line: BilledLine) -> Verdict:
    """Starting, reaching or flushing the access is part of the drug administration."""
    row = case.book.included.get(line.code)
    beside = any(roles_billed(case))
    return applies(code=line.code, short=row.short) if row and beside else does_not(code=line.code)


@rule(
    "denied-minimal-visit",
    "denials",
    "Denied: a minimal visit beside a drug administration",
    sources=("noridian-chemo-nonchemo", "ncci-manual-ch11"),
    says="{code} is never reported beside a drug administration, with or without a modifier.",
    otherwise="{code} is not a minimal visit beside a drug administration.",
)
def denied_minimal_visit(case: Case, line: BilledLine) -> Verdict:
    """The minimal office visit is part of the drug administration."""
    hit = line.code in case.book.minimal_visits and any(roles_billed(case))
    return (applies if hit else does_not)(code=line.code)


@rule(
    "denied-visit-unmarked",
    "denials",
    "Denied: a visit without its modifier",
    sources=("ncci-manual-ch11", "x12-rarc"),
    says="{code} was billed beside a drug administration without modifier {modifier}; the record decides whether the "
    "visit was significant and separate.",
    otherwise="{code} is not an unmarked visit beside a drug administration.",
)
def denied_visit_unmarked(case: Case, line: BilledLine) -> Verdict:
    """A visit beside a drug administration needs its modifier, and a record of work that was separate."""
    modifier = case.book.modifiers["separate_visit"]
    hit = case.book.is_visit(line.code) and line.code not in case.book.minimal_visits
    hit = hit and modifier not in line.modifiers and any(roles_billed(case))
    return (applies if hit else does_not)(code=line.code, modifier=modifier)


@rule(
    "denied-wastage-unmarked",
    "denials",
    "Denied: a drug line without its wastage modifier",
    sources=("iom-100-04-ch17-40", "noridian-jw-jz", "medprecision-n822"),
    says="{code} is a drug from a single-dose container, billed to {payer} without {modifiers}.",
    otherwise="{code} is not an unmarked drug from a single-dose container.",
)
def denied_wastage_unmarked(case: Case, line: BilledLine) -> Verdict:
    """Medicare wants drugs from single-dose containers marked as to what was discarded."""
    payer = case.book.payers.get(case.denial.payer or "")
    marks = [case.book.modifiers[name] for name in ("none_discarded", "discarded") if name in case.book.modifiers]
    drugs = case.book.formulary.by_code.get(line.code, ())
    single = any(drug.container == "single_dose" for drug in drugs)
    wanted = payer is not None and payer.wastage_modifiers and "none_discarded" in case.book.modifiers
    if not (wanted and single and case.hinted(line, "wastage")) or set(marks) & set(line.modifiers):
        return does_not(code=line.code)
    return applies(code=line.code, payer=payer.name if payer else "", modifiers=" or ".join(marks))


@rule(
    "denied-drug-code-out-of-date",
    "denials",
    "Denied: a drug code not in force on the date of service",
    sources=("cms-hcpcs", "x12-carc"),
    says="{code} was not in force for {drug} on the date of service; {now} was.",
    otherwise="{code} was in force on the date of service, or is no drug code we know.",
    unsure="Whether {code} was in force depends on the date of service, which is not given.",
)
def denied_drug_code_out_of_date(case: Case, line: BilledLine) -> Verdict:
    """A drug's code is billed only for the dates of service for which it holds."""
    day = case.denial.date_of_service
    drugs = case.book.formulary.by_code.get(line.code, ())
    dated = [drug for drug in drugs if any(row.code == line.code and (row.since or row.until) for row in drug.hcpcs)]
    if not dated:
        return does_not(code=line.code)
    if day is None:
        return cannot_tell("date_of_service", code=line.code)
    drug = dated[0]
    rows = drug.billing_on(day)
    if any(row.code == line.code for row in rows):
        return does_not(code=line.code)
    return applies(code=line.code, drug=drug.name, now=" or ".join(row.code for row in rows) or "none")


@rule(
    "denied-unsupported",
    "denials",
    "Denied: a line the record does not support",
    sources=("x12-carc", "house"),
    nature="reading",
    says="{code} x {units} is not what the record given supports.",
    otherwise="{code} is supported by the record given, or no record is given.",
)
def denied_unsupported(case: Case, line: BilledLine) -> Verdict:
    """When the encounter is given, a billed drug-administration line that it does not support in code or units is
    corrected to what it does.
    """
    if case.edited is None or not case.role(line):
        return does_not(code=line.code, units=line.units)
    units = sum(row.units for row in supported(case, line))
    billed = case.denial.billed_lines
    before = [] if line.administrations else billed[: billed.index(line)]
    taken = sum(row.units for row in before if row.code == line.code)
    return (does_not if units >= taken + line.units else applies)(code=line.code, units=line.units)

"""Denied lines held against the drug and the record: family, units, hydration, duplicates, and what is supported."""

from __future__ import annotations

from collections.abc import Sequence

from ivcoder.book import Category, Confidence, Drug
from ivcoder.classify import Kind
from ivcoder.denials.claim import BilledLine, Case
from ivcoder.denials.patterns.initials import INITIALS
from ivcoder.denials.patterns.pushes import PUSHES
from ivcoder.edits import Line
from ivcoder.encounter import Claim
from ivcoder.rule import RULES, Verdict, applies, cannot_tell, does_not, rule
from ivcoder.select import hydration_purpose

OF_CHEMO = {
    "push_initial": "chemo_push_initial",
    "push_new_drug": "chemo_push_new_drug",
    "push_same_drug": "chemo_push_new_drug",
    "infusion_initial": "chemo_infusion_initial",
    "infusion_hour": "chemo_infusion_hour",
    "infusion_sequential": "chemo_infusion_sequential",
    "injection": "chemo_injection",
}
"""The chemotherapy role in the place of another drug's."""

OF_OTHERS = {
    "chemo_push_initial": "push_initial",
    "chemo_push_new_drug": "push_new_drug",
    "chemo_infusion_initial": "infusion_initial",
    "chemo_infusion_hour": "infusion_hour",
    "chemo_infusion_sequential": "infusion_sequential",
    "chemo_injection": "injection",
    "hormonal_injection": "injection",
}
"""Another drug's role in the place of a chemotherapy one."""

_NEW_PUSHES = frozenset({"push_new_drug", "chemo_push_new_drug"})


def family_role(case: Case, line: BilledLine) -> str:
    """The role the line's drug belongs to: the other family's where the two disagree, else its own."""
    role, chemo, drug = case.role(line), case.is_chemo(line), case.drug(line)
    if chemo and role in OF_CHEMO:
        hormonal = drug is not None and drug.agent == "hormonal"
        return "hormonal_injection" if role == "injection" and hormonal else OF_CHEMO[role]
    return OF_OTHERS.get(role, role) if chemo is False else role


@rule(
    "denied-other-family",
    "denials",
    "Denied: a drug billed with the codes of the other family",
    sources=("cpt", "noridian-chemo-nonchemo"),
    says="{code} was billed for {drug}, which counts as {category}; {family} codes report it.",
    otherwise="{code} belongs to the family of its drug, or is a push told by another rule.",
    unsure="Which drug {code} was billed for is not given, or payers differ on it.",
)
def denied_other_family(case: Case, line: BilledLine) -> Verdict:
    """Chemotherapy takes the chemotherapy codes and other drugs do not; chemotherapy pushes billed as another drug's
    have a rule of their own.
    """
    role = case.role(line)
    if role in PUSHES or role not in {*OF_CHEMO, *OF_OTHERS}:
        return does_not(code=line.code)
    chemo = case.is_chemo(line)
    if chemo is None:
        return cannot_tell("category" if case.drug(line) else "drug", code=line.code)
    category = Category.CHEMOTHERAPY if chemo else Category.THERAPEUTIC
    family = "chemotherapy" if chemo else "other drugs'"
    hit = family_role(case, line) != role
    return (applies if hit else does_not)(code=line.code, drug=case.named(line), category=category.value, family=family)


@rule(
    "denied-not-a-drug",
    "denials",
    "Denied: what was given is not drug administration",
    sources=("cpt", "ncci-manual-ch11", "noridian-hydration"),
    says="{code} was billed for {drug}, which is not reported as a drug given by push, infusion or injection.",
    otherwise="{code} was not billed for fluid, contrast, blood, a vaccine or a flush.",
)
def denied_not_a_drug(case: Case, line: BilledLine) -> Verdict:
    """Plain fluid, contrast, blood, vaccines and flushes are no drugs given by push, infusion or injection."""
    drug, role = case.drug(line), case.role(line)
    fluid = drug is not None and drug.category is Category.HYDRATION
    hit = drug is not None and role and not role.startswith("hydration") and (drug.elsewhere or fluid)
    return (applies if hit else does_not)(code=line.code, drug=case.named(line))


@rule(
    "denied-hydration",
    "denials",
    "Denied: hydration too short, or beside a drug infusion",
    sources=("fcso-infusion-hydration", "noridian-hydration", "medicalcoding123-2012"),
    says="{code} was billed for hydration that the record does not show as reportable: {why}.",
    otherwise="{code} is not hydration the record leaves unreportable.",
    unsure="How long the hydration of {code} ran by itself, and what it was for, is not settled.",
)
def denied_hydration(case: Case, line: BilledLine) -> Verdict:
    """Hydration needs {hydration_shortest} documented minutes of its own."""
    if case.role(line) not in ("hydration_initial", "hydration_more"):
        return does_not(code=line.code)
    if case.edited is None:
        return cannot_tell("administrations", code=line.code)
    services = case.edited.selected.ranked.classified.services
    if any(row.kind is Kind.HYDRATION for row in services):
        return does_not(code=line.code)
    if case.unsettled:
        return cannot_tell("questions", code=line.code)
    found = {finding.rule for row in services for finding in row.findings if finding.holds}
    short = {finding.rule for row in services for finding in row.findings} & {"hydration-minimum"}
    words = [said for name, said in _UNREPORTED.items() if name in found or name in short]
    return applies(code=line.code, why=" and ".join(words) or "there is none")


_UNREPORTED = {
    "hydration-concurrent": "it ran beside a drug infusion",
    "hydration-minimum": "too few of its minutes count",
    "hydration-times": "its times are not documented",
    "carrier-fluid": "the fluid was a carrier, a keep-open drip or a flush",
}


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
    hit = line.units > 1 or the_one(case, line) is not line
    return (applies if hit else does_not)(code=line.code)


def the_one(case: Case, line: BilledLine) -> BilledLine:
    """Of the lines of a code that is reported once, the one that stands: one that was paid, then the first billed."""
    return min((row for row in case.denial.billed_lines if row.code == line.code), key=lambda row: row.denied)


@rule(
    "denied-units",
    "denials",
    "Denied: more units than a payer allows",
    sources=("x12-carc", "x12-rarc", "cms-mue"),
    nature="convention",
    confidence=Confidence.MEDIUM,
    says="{code} was denied for its {units} units. Which limit was applied does not follow from the denial; the record "
    "of each unit decides, where the limit can be appealed at all.",
    otherwise="{code} was not denied for its units, or the record does not support them.",
)
def denied_units(case: Case, line: BilledLine) -> Verdict:
    """Units over a payer's limit stand or fall with the record, where the edit's kind allows an appeal."""
    enough = case.edited is None or sum(row.units for row in case.supported(line)) >= line.units
    once = (*INITIALS, "infusion_concurrent")
    hit = case.hinted(line, "units") and line.units > 1 and enough and case.role(line) not in once
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
    twins = [row for row in case.family if row.code == line.code]
    if case.role(line) not in _NEW_PUSHES or not case.hinted(line, "duplicate") or not _payable(case, line):
        return does_not(code=line.code)
    if any(case.drug(row) is None for row in case.family if not case.services(row)):
        return cannot_tell("drug", code=line.code)
    names = [case.substance(row) for row in case.family if "hour" not in case.role(row)]
    distinct = len(twins) > 1 and len(set(names)) == len(names) and all(_plain_push(case, row) for row in twins)
    return (applies if distinct else does_not)(code=line.code, drugs=" and ".join(map(case.named, twins)))


def _plain_push(case: Case, line: BilledLine) -> bool:
    """One unit of a drug that is given by push, belongs to the code's family, and has no other use to rule out."""
    drug: Drug | None = case.drug(line)
    if line.units > 1 or drug is None or drug.elsewhere or drug.other_use or not drug.by_push:
        return False
    return family_role(case, line) == case.role(line)


def _payable(case: Case, line: BilledLine) -> bool:
    """Whether place and claim are such that the line could be paid at all, and the denial one to argue with."""
    if case.place is None or case.hinted(line, "no_appeal") or case.beside_coding(line):
        return False
    if not {*line.carc, *case.denial.carc} <= case.arguable:
        return False
    if not (line.denied or line.carc or line.rarc) or (case.edited is None and case.hinted(line, "documents")):
        return False
    if case.claim is Claim.FACILITY:
        # Elsewhere a facility is paid by the stay, the visit or the treatment, which takes the administration in.
        return case.place.outpatient_hospital
    return case.claim is Claim.PROFESSIONAL and not case.place.facility_reports


@rule(
    "denied-supported-add-on",
    "denials",
    "Denied: an add-on the record supports",
    sources=("cpt", "cms-addon-codes", "ahima-107707", "carecost-iv-push"),
    says="{code} was denied, but {ground}, and its primary {primary} is on the claim.",
    otherwise="{code} is not an add-on that was denied as part of another service and is supported.",
    unsure="{code} was denied as part of another service; whether it stands cannot be told without {lacks}.",
)
def denied_supported_add_on(case: Case, line: BilledLine) -> Verdict:
    """An add-on is not part of its primary when the record shows it, in code and units. From the billed lines alone
    only a push can be told: one unit of a drug the formulary knows, which no other line gave.
    """
    code = case.book.numbers.get(line.code)
    beside = [row for row in case.family if row is not line]
    primary = next((row.code for row in beside if row.code in case.primaries(line.code)), None)
    charted = case.edited is not None and (case.hinted(line, "documents") or case.hinted(line, "duplicate"))
    alone = case.hinted(line, "alone") and not any(row.denied for row in beside if row.code == primary)
    bundled = case.hinted(line, "bundled") or alone or charted
    if code is None or primary is None or not bundled or not _payable(case, line):
        return does_not(code=line.code)
    if case.claim is Claim.FACILITY and case.denial.claim is None and case.hinted(line, "practitioner"):
        return cannot_tell("claim", code=line.code, lacks="whose claim it was")
    if case.edited is not None:
        return _by_record(case, line, primary)
    if code.role not in _NEW_PUSHES:
        return cannot_tell("administrations", code=line.code, lacks="what was charted")
    if case.procedures or any(drug and drug.other_use for drug in map(case.drug, case.family)):
        return cannot_tell("purpose", code=line.code, lacks="what the drugs were given for")
    if any(case.drug(row) is None for row in case.family):
        return cannot_tell("drug", code=line.code, lacks="the drug of each line")
    given = [case.substance(row) for row in beside]
    drug = case.drug(line)
    if drug is not None and not (drug.by_push or drug.not_by or drug.elsewhere):
        return cannot_tell("administrations", code=line.code, lacks="the route charted for each drug")
    hit = _plain_push(case, line) and case.substance(line) not in given
    ground = f"{case.named(line)} is another drug than the other services gave"
    return (applies if hit else does_not)(code=line.code, ground=ground, primary=primary)


def _by_record(case: Case, line: BilledLine, primary: str) -> Verdict:
    """Whether the record supports a denied line whole."""
    rows = case.supported(line)
    if not rows or sum(row.units for row in rows) < _taken(case, line) + line.units:
        return does_not(code=line.code)
    if case.unsettled:
        return cannot_tell("questions", code=line.code, lacks="the answers to open questions")
    if line.drug and line.administrations and case.drug(line) is None:
        return cannot_tell("drug", code=line.code, lacks="the drug, which differs between the line and the record")
    charted = case.charted(label for row in rows for label in row.administrations)
    unsure = case.procedures or any(drug is not None and drug.other_use for _, drug in charted)
    if unsure or _unstated(case, rows):
        return cannot_tell("purpose", code=line.code, lacks="what the drug was given for")
    ground = f"the record supports {line.units} of it for {' and '.join(dict.fromkeys(name for name, _ in charted))}"
    return applies(code=line.code, ground=ground, primary=primary)


def _unstated(case: Case, rows: Sequence[Line]) -> bool:
    """Whether fluid is among the lines and nothing says what it was for."""
    remarks = case.edited.remarks if case.edited else ()
    asked = {label for row in remarks if row.findings[0].rule == hydration_purpose.id for label in row.administrations}
    return any(asked & set(row.administrations) for row in rows)


@rule(
    "denied-unsupported",
    "denials",
    "Denied: a line the record does not support",
    sources=("x12-carc", "house"),
    nature="reading",
    says="{code} x {units} was billed; the record given supports {supported}.",
    otherwise="{code} is supported by the record given, or no record is given.",
    unsure="Whether the record supports {code} depends on questions it leaves open.",
)
def denied_unsupported(case: Case, line: BilledLine) -> Verdict:
    """When the encounter is given, a billed drug-administration line that it does not support in code or units, or a
    drug line in its units, is corrected to what it does.
    """
    drug = line.code in case.book.formulary.by_code and case.supported(line)
    if case.edited is None or not (case.role(line) or drug):
        return does_not(code=line.code, units=line.units)
    units = sum(row.units for row in case.supported(line))
    taken = _taken(case, line)
    together = sum(row.units for row in case.denial.billed_lines if row.code == line.code)
    if units == together if drug else units >= taken + line.units:
        return does_not(code=line.code, units=line.units)
    if case.unsettled:
        return cannot_tell("questions", code=line.code)
    if units > taken:
        supported = f"{line.code} x {units - taken}"
    else:
        supported = "no more of it than its other lines have" if units else _instead(case, line)
    return applies(code=line.code, units=line.units, supported=supported)


def _taken(case: Case, line: BilledLine) -> int:
    """Units of the code that other lines for the same administrations take first: the paid ones, then in order."""
    about = set(line.administrations)
    taken = 0
    for row in case.denial.billed_lines:
        if row is line or row.code != line.code:
            continue
        first = case.number(row) < case.number(line) if row.denied == line.denied else not row.denied
        if first and (not about or not row.administrations or about & set(row.administrations)):
            taken += row.units
    return taken


def _instead(case: Case, line: BilledLine) -> str:
    """What the record supports for a line's administrations, or the rule that leaves them unreported."""
    about = set(line.administrations)
    edited = case.edited
    if edited is None or not about:
        return "no such line"
    rows = [row for row in edited.lines if row.answer != "drug" and about & set(row.administrations)]
    if rows:
        return " and ".join(f"{row.code} x {row.units}" for row in rows) + " for it"
    refused = next((row for row in edited.refused if about & set(row.administrations)), None)
    if refused is None or not refused.findings:
        return "no such line for it"
    title = RULES[refused.findings[-1].rule].title
    return f"nothing for it: {title[0].lower()}{title[1:]}"

"""What an audit asks of a billed line and of the line it stands for."""

from __future__ import annotations

from collections.abc import Iterable

from ivcoder.book import Confidence, Reported
from ivcoder.denials import BilledLine, Case
from ivcoder.edits import Line
from ivcoder.rule import Verdict, applies, does_not, rule


@rule(
    "audit-missed",
    "audit",
    "Audit: a supported line nobody billed",
    sources=("iom-100-04-ch4-230.2", "house"),
    nature="reading",
    says="The record supports {code} x {units} for {drugs}, and no billed line stands for it{unless}.",
    otherwise="A billed line stands for {code}.",
)
def audit_missed(line: Line, drugs: str, paired: bool) -> Verdict:
    """A line that the record supports and the claim lacks is missed. A drug's own line may be missing because somebody
    else supplied the drug and bills it.
    """
    unless = "; leave it off if the drug was supplied and billed by somebody else" if line.answer == "drug" else ""
    return (does_not if paired else applies)(code=line.code, units=line.units, drugs=drugs, unless=unless)


@rule(
    "audit-unsupported",
    "audit",
    "Audit: a billed line the record does not support",
    sources=("iom-100-04-ch4-230.2", "house"),
    nature="reading",
    says="{code} x {units} was billed, and nothing in the record supports it beside the other billed lines.",
    otherwise="The record holds a service that {code} can stand for.",
)
def audit_unsupported(line: BilledLine, paired: bool) -> Verdict:
    """A billed line that stands for nothing in the record, or for what another billed line reports already, is not
    supported.
    """
    return (does_not if paired else applies)(code=line.code, units=line.units)


@rule(
    "audit-wrong-code",
    "audit",
    "Audit: another code for the same service",
    sources=("iom-100-04-ch4-230.2", "house"),
    nature="reading",
    says="{code} x {units} was billed; for {drugs} the record supports {instead} x {units_instead} in its place.",
    otherwise="{code} is the code the record supports for {drugs}.",
)
def audit_wrong_code(line: BilledLine, row: Line, drugs: str, units: int, instead: int) -> Verdict:
    """A billed line and a supported one without a counterpart are held to be the same service when the line names its
    administration or drug, or when both are of one kind, both initial, or both a dose by push, infusion or
    injection.
    """
    facts: dict[str, str | int] = {"units": units, "instead": row.code, "units_instead": instead}
    return (does_not if line.code == row.code else applies)(code=line.code, drugs=drugs, **facts)


@rule(
    "audit-direction",
    "audit",
    "Audit: which of two codes stands higher",
    sources=("iom-100-04-ch4-230.2", "ahima-107707"),
    nature="reading",
    confidence=Confidence.MEDIUM,
    says="{higher} stands higher than {lower}: {why}.",
    otherwise="Neither {code} nor {instead} can be said to stand higher.",
)
def audit_direction(case: Case, code: str, instead: str) -> Verdict:
    """Of two codes the one of the higher tier of the facility hierarchy stands higher, and of two in one tier an
    initial service stands above an add-on. Where the two disagree, or a code has no tier, nothing is said. The tier
    tells the direction of an error, not an amount of money.
    """
    mine, theirs = (case.book.numbers[each] for each in (code, instead))
    tiers = [case.book.tiers.get(_tier(case.book.services[row.role])) for row in (mine, theirs)]
    if tiers[0] is None or tiers[1] is None:
        return does_not(code=code, instead=instead)
    by_tier = tiers[1].rank - tiers[0].rank
    by_lead = (mine.answer == "initial") * (theirs.answer == "add_on")
    by_lead -= (mine.answer == "add_on") * (theirs.answer == "initial")
    if by_tier * by_lead < 0 or not (by_tier or by_lead):
        return does_not(code=code, instead=instead)
    up = by_tier > 0 or by_lead > 0
    higher, lower = (code, instead) if up else (instead, code)
    says = [tier.says for tier in tiers if tier]
    ranks = f"{says[0 if up else 1]} ranks above {says[1 if up else 0]}"
    why = " and ".join([ranks] * (by_tier != 0) + ["an initial service stands above an add-on"] * (by_lead != 0))
    return applies(higher=higher, lower=lower, why=why, up=int(up))


def _tier(row: Reported) -> tuple[str, str]:
    return row.kind, row.category


@rule(
    "audit-units",
    "audit",
    "Audit: units the record does not support",
    sources=("iom-100-04-ch4-230.2", "rtacpa-units", "house"),
    nature="reading",
    says="{code} was billed with {billed} units, and the record supports {supported} for this line.",
    otherwise="{code} was billed with the units the record supports.",
)
def audit_units(line: BilledLine, supported: int) -> Verdict:
    """A line's units are those of the supported lines it stands for. Several supported lines of one code may be billed
    on one line, and one on several, as long as the units agree.
    """
    return (does_not if line.units == supported else applies)(code=line.code, billed=line.units, supported=supported)


@rule(
    "audit-separate-unsupported",
    "audit",
    "Audit: marked as separate without a second access",
    sources=("cms-rac-0071", "noridian-initial-administration", "ncci-manual-ch11"),
    says="{code} carries modifier {modifier}, which says it is separate, and the record documents no second, needed "
    "access for it.",
    otherwise="{code} is not an initial service marked as separate, or the record shows the second, needed access.",
)
def audit_separate_unsupported(case: Case, line: BilledLine, needed: bool) -> Verdict:
    """The modifier of a separate service on an initial code stands only on a second access that the record says was
    needed; it does not get round the rule of one initial service on one access.
    """
    marks = [mark for mark in line.modifiers if mark in case.separate]
    role = case.book.numbers.get(line.code)
    hit = marks and role is not None and role.answer == "initial" and not needed
    return applies(code=line.code, modifier=marks[0]) if hit else does_not(code=line.code)


@rule(
    "audit-separate-unmarked",
    "audit",
    "Audit: a second, needed access without its modifier",
    sources=("cms-rac-0071", "aapc-two-trips", "noridian-initial-administration"),
    says="{code} is the initial service of a second access that the record says was needed, and carries no modifier "
    "that says so ({modifier}).",
    otherwise="{code} needs no modifier of a separate service, or carries it.",
)
def audit_separate_unmarked(case: Case, line: BilledLine, row: Line) -> Verdict:
    """The initial service of a second, needed access carries the modifier of a separate service."""
    marks = [mark for mark in row.modifiers if mark in case.separate]
    hit = marks and not case.is_separate(line)
    return applies(code=line.code, modifier=marks[0]) if hit else does_not(code=line.code)


def _wants_marks(case: Case) -> bool:
    return case.book.marks_discarded(case.denial.payer, case.place.code if case.place else "")


@rule(
    "audit-discarded-marks",
    "audit",
    "Audit: a drug line without the modifier of what was discarded",
    sources=("iom-100-04-ch17-40", "noridian-jw-jz"),
    says="{units} of {code} {was} billed {billed}, and the record and this payer ask for {wanted}.",
    otherwise="{code} is marked as the record and the payer ask, or nothing is known of what they ask.",
)
def audit_discarded_marks(case: Case, line: BilledLine, row: Line, units: int) -> Verdict:
    """For a payer that wants it, a drug from a single-dose container is marked as to what was discarded, as the record
    says; no other payer's lines are judged by it.
    """
    known = {case.book.modifiers[name] for name in ("none_discarded", "discarded") if name in case.book.modifiers}
    mine, theirs = (sorted(known & {*marks}) for marks in (line.modifiers, row.modifiers))
    drugs = [drug for _, drug in case.charted(row.administrations)]
    told = theirs or any(drug is not None and drug.container in ("single_dose", "multi_dose") for drug in drugs)
    if row.answer != "drug" or mine == theirs or not _wants_marks(case) or not told:
        return does_not(code=line.code)
    billed, wanted = (
        f"with {' and '.join(marks)}" if marks else "without a modifier of discarded drug" for marks in (mine, theirs)
    )
    words = f"{units} unit" if units == 1 else f"{units} units"
    asked = wanted.removeprefix("with ") if theirs else "none"
    return applies(code=line.code, units=words, was="was" if units == 1 else "were", billed=billed, wanted=asked)


@rule(
    "audit-line-style",
    "audit",
    "Audit: lines joined or split",
    sources=("carecost-iv-push",),
    nature="convention",
    confidence=Confidence.MEDIUM,
    says="{code} x {units} stands on {billed} for what is kept here on {kept}: the same units, in another style. "
    "Payers differ on which they want.",
    otherwise="{code} stands on as many lines as it is kept on here.",
)
def audit_line_style(code: str, units: int, billed: int, kept: int) -> Verdict:
    """Units of one code billed on one line instead of several, or on several instead of one, are no error."""
    facts: dict[str, str | int] = {"units": units, "billed": _count(billed), "kept": _count(kept)}
    return (does_not if billed == kept else applies)(code=code, **facts)


def _count(lines: int) -> str:
    return "one line" if lines == 1 else f"{lines} lines"


@rule(
    "audit-units-of-the-day",
    "audit",
    "Audit: a drug's units added up over the day",
    sources=("rtacpa-units", "carecost-iv-push"),
    nature="disputed",
    confidence=Confidence.MEDIUM,
    says="{code} x {units} is what the day's doses come to when they are added up before rounding, as payers count.",
    otherwise="{code} is not billed with the day's doses added up before rounding.",
)
def audit_units_of_the_day(code: str, units: int, together: Iterable[int]) -> Verdict:
    """Where each dose rounded up by itself gives more units than the day's doses added up, either is accepted, for one
    day or for all the days of a stay.
    """
    days = tuple(together)
    return (applies if units in (*days, sum(days)) and days else does_not)(code=code, units=units)


@rule(
    "audit-outside",
    "audit",
    "Audit: a code ivcoder does not decide",
    sources=("house",),
    nature="reading",
    says="{code} is not decided here: it is called neither right nor wrong.",
    otherwise="{code} is held against the record.",
)
def audit_outside(line: BilledLine, decided: bool) -> Verdict:
    """Visits marked as separate, procedures, supplies and drug codes the formulary lacks are outside the audit."""
    return (does_not if decided else applies)(code=line.code)


@rule(
    "audit-other-encounter",
    "audit",
    "Audit: a line of another encounter of the day",
    sources=("cms-rac-0071", "house"),
    nature="reading",
    says="{code} is marked {modifier}, as of an encounter of its own, which is not the one given: audit it with that "
    "record.",
    otherwise="{code} is not marked as of another encounter.",
)
def audit_other_encounter(case: Case, line: BilledLine) -> Verdict:
    """A line marked as of another encounter is not held against a record that holds only one; where the record holds
    several of the day, it is held against them.
    """
    mark = case.book.modifiers["separate_service_encounter"]
    several = len({row.encounter for row in case.denial.administrations}) > 1
    return (applies if mark in line.modifiers and not several else does_not)(code=line.code, modifier=mark)


@rule(
    "audit-drug-uncounted",
    "audit",
    "Audit: a drug whose units the record does not tell",
    sources=("rtacpa-units", "cms-hcpcs", "house"),
    nature="reading",
    says="{code} x {units} was billed; {drug} is charted, but its units cannot be counted from the record.",
    otherwise="The units of {code} can be counted, or its drug is not charted.",
)
def audit_drug_uncounted(case: Case, line: BilledLine, lines: Iterable[Line]) -> Verdict:
    """A drug's line is judged when the record gives every dose of it in an amount its code counts."""
    counted = {label for row in lines if row.answer == "drug" for label in row.administrations}
    drugs = case.book.formulary.by_code.get(line.code, ())
    rows = case.edited.selected.ranked.classified.visit.administrations if case.edited else ()
    for row in rows:
        [(_, drug)] = case.charted([row.id])
        mine = drug in drugs if drug is not None else row.hcpcs in (None, line.code)
        if mine and row.id not in counted:
            return applies(code=line.code, units=line.units, drug=row.drug)
    return does_not(code=line.code)


@rule(
    "audit-drug-product",
    "audit",
    "Audit: several codes in force for one drug",
    sources=("cms-hcpcs", "house"),
    nature="reading",
    says="{code} and {instead} are both codes of {drugs} on this date: the product given decides, which the record "
    "does not name.",
    otherwise="{code} is not another code in force for the drug.",
)
def audit_drug_product(case: Case, line: BilledLine, row: Line, drugs: str) -> Verdict:
    """Where a drug has several codes in force, by product or by maker, another of them is not called wrong."""
    charted = [drug for _, drug in case.charted(row.administrations) if drug is not None]
    both = any(billing.code == line.code for drug in charted for billing in drug.billing_on(case.book.day))
    hit = both and line.code != row.code
    return (applies if hit else does_not)(code=line.code, instead=row.code, drugs=drugs)


@rule(
    "audit-discarded-unknown",
    "audit",
    "Audit: a discarded amount that cannot be checked",
    sources=("iom-100-04-ch17-40", "noridian-jw-jz"),
    says="{code} x {units} was billed with {modifier}; {lacks}, so it cannot be checked.",
    otherwise="{code} is not a line for discarded drug, or what was discarded is charted.",
)
def audit_discarded_unknown(case: Case, line: BilledLine, lines: Iterable[Line]) -> Verdict:
    """A line for discarded drug is judged for a payer that wants one, when the record says what was discarded."""
    mark = case.book.modifiers.get("discarded")
    if case.role(line) or mark is None or mark not in line.modifiers or case.edited is None:
        return does_not(code=line.code)
    if any(row.code == line.code and mark in row.modifiers for row in lines):
        return does_not(code=line.code)
    drugs = case.book.formulary.by_code.get(line.code, ())
    rows = case.edited.selected.ranked.classified.visit.administrations
    mine = [row for row in rows if any(drug in drugs for _, drug in case.charted([row.id]))]
    if not _wants_marks(case):
        lacks = "no payer that is known to want it is given"
    elif any(row.discarded is None for row in mine):
        lacks = "what was discarded is not charted"
    else:
        return does_not(code=line.code)
    return applies(code=line.code, units=line.units, modifier=mark, lacks=lacks)


@rule(
    "audit-depends",
    "audit",
    "Audit: an open question decides",
    sources=("house",),
    nature="reading",
    says="Whether this is an error depends on what the record leaves open ({asks}).",
    otherwise="No open question of the record would make it right.",
)
def audit_depends(asks: Iterable[str]) -> Verdict:
    """What an answer to an open question would make right is asked, and not called an error."""
    words = ", ".join(asks)
    return applies(asks=words) if words else does_not()

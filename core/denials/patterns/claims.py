"""Denials about the claim around the lines: whose it is, where, visits, included services, drug codes, reasons."""

from __future__ import annotations

from ivcoder.book import Confidence, hints
from ivcoder.denials.claim import BilledLine, Case
from ivcoder.encounter import Claim
from ivcoder.rule import Verdict, applies, cannot_tell, does_not, rule


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
    "denied-inpatient",
    "denials",
    "Denied: drug administration billed by code for an inpatient stay",
    sources=("cms-pos-codes", "house"),
    says="{code} was billed by the facility from {place}, where drug administration is part of the stay.",
    otherwise="{code} is not a facility's line for an inpatient stay.",
)
def denied_inpatient(case: Case, line: BilledLine) -> Verdict:
    """A facility does not report drug administration by code for an inpatient stay."""
    inpatient = case.place is not None and case.place.inpatient and case.claim is Claim.FACILITY
    place = case.place.spoken if case.place else ""
    return (applies if inpatient and case.role(line) else does_not)(code=line.code, place=place)


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
    return applies(code=line.code, short=row.short) if row and case.family else does_not(code=line.code)


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
    hit = line.code in case.book.minimal_visits and case.family
    return (applies if hit else does_not)(code=line.code)


def _is_visit(case: Case, line: BilledLine) -> bool:
    """A visit beside drug administration, denied as part of it or for its modifier, or without a reason."""
    about = not case.said(line) or case.hinted(line, "bundled") or case.hinted(line, "modifier")
    visit = case.book.is_visit(line.code) and line.code not in case.book.minimal_visits
    return bool(visit and case.family and about)


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
    hit = _is_visit(case, line) and modifier not in line.modifiers
    return (applies if hit else does_not)(code=line.code, modifier=modifier)


@rule(
    "denied-visit-marked",
    "denials",
    "Denied: a visit that carries its modifier",
    sources=("ncci-manual-ch11", "noridian-chemo-nonchemo"),
    says="{code} carries modifier {modifier} and was denied beside a drug administration; the note of the visit "
    "decides whether it was significant and separate.",
    otherwise="{code} is not a marked visit denied beside a drug administration.",
)
def denied_visit_marked(case: Case, line: BilledLine) -> Verdict:
    """A marked visit stands when its note shows work beyond the drug administration."""
    modifier = case.book.modifiers["separate_visit"]
    hit = _is_visit(case, line) and modifier in line.modifiers and case.said(line)
    return (applies if hit else does_not)(code=line.code, modifier=modifier)


@rule(
    "denied-modifier-misplaced",
    "denials",
    "Denied: a visit's or a drug's modifier on a drug administration",
    sources=("ncci-manual-ch11", "iom-100-04-ch17-40", "x12-carc"),
    says="{code} carries modifier {modifier}, which belongs on {owner} and not on a drug administration.",
    otherwise="{code} does not carry a visit's or a drug's modifier.",
)
def denied_modifier_misplaced(case: Case, line: BilledLine) -> Verdict:
    """The modifier of a separate visit goes on the visit, those of discarded drug on the drug's own line."""
    found = [mark for mark in case.misplaced if mark in line.modifiers]
    if not case.role(line) or not found:
        return does_not(code=line.code)
    visit = found[0] == case.book.modifiers["separate_visit"]
    owner = "a visit" if visit else "the drug's own line"
    return applies(code=line.code, modifier=found[0], owner=owner)


@rule(
    "denied-beside-unmarked-visit",
    "denials",
    "Denied: a drug administration beside a visit without its modifier",
    sources=("ncci-manual-ch11", "noridian-chemo-nonchemo"),
    nature="convention",
    confidence=Confidence.MEDIUM,
    says="{code} was denied beside {visit}, which carries no modifier {modifier}. The note of the visit decides "
    "whether it may.",
    otherwise="{code} was not denied beside a visit without its modifier.",
)
def denied_beside_unmarked_visit(case: Case, line: BilledLine) -> Verdict:
    """A visit and a drug administration on one day are paid together only when the visit is marked as separate; some
    payers then deny the administration instead of the visit.
    """
    modifier = case.book.modifiers["separate_visit"]
    rows = case.denial.billed_lines
    bare = [row.code for row in rows if case.book.is_visit(row.code) and modifier not in row.modifiers]
    hit = case.role(line) and bare and line.denied and case.hinted(line, "bundled")
    return (applies if hit else does_not)(code=line.code, visit=bare[0] if bare else "", modifier=modifier)


@rule(
    "denied-wastage-unmarked",
    "denials",
    "Denied: a drug line without its wastage modifier",
    sources=("iom-100-04-ch17-40", "noridian-jw-jz", "medprecision-n822"),
    says="{code} is a drug from a single-dose container, billed to {payer} without {modifiers}.",
    otherwise="{code} is not an unmarked drug from a single-dose container.",
    unsure="{code} is a drug from a single-dose container without {modifiers}; whether the payer wants them is not "
    "known.",
)
def denied_wastage_unmarked(case: Case, line: BilledLine) -> Verdict:
    """Medicare, and payers that follow it, want drugs from single-dose containers marked as to what was discarded."""
    marks = [case.book.modifiers[name] for name in ("none_discarded", "discarded") if name in case.book.modifiers]
    drugs = case.book.formulary.by_code.get(line.code, ())
    single = any(drug.container == "single_dose" for drug in drugs)
    about = single and "none_discarded" in case.book.modifiers and case.hinted(line, "wastage")
    if not about or set(marks) & set(line.modifiers):
        return does_not(code=line.code)
    payer = case.payer
    words = " or ".join(marks)
    if payer is None and case.denial.payer is None:
        return cannot_tell("payer", code=line.code, modifiers=words)
    place = case.place.code if case.place else ""
    if payer is None or not case.book.marks_discarded(payer.id, place):
        return does_not(code=line.code)
    return applies(code=line.code, payer=payer.name, modifiers=words)


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
    if any(row.code == line.code for drug in dated for row in drug.billing_on(day)):
        return does_not(code=line.code)
    meant = case.meant_by(line)
    now = dict.fromkeys(row.code for drug in meant for row in drug.billing_on(day))
    names = " or ".join(drug.name for drug in meant)
    return applies(code=line.code, drug=names, now=" or ".join(now) or "none")


@rule(
    "denied-not-coding",
    "denials",
    "Denied for a reason that is not about coding",
    sources=("x12-carc",),
    nature="reading",
    says="{code} was denied for a reason that is not about how it was coded ({reasons}): it is settled there, and not "
    "with other codes.",
    otherwise="{code} was denied for a reason that can be about coding, or without one.",
)
def denied_not_coding(case: Case, line: BilledLine) -> Verdict:
    """Late filing, authorization, another payer, the patient's share: such reasons say nothing of the codes."""
    reasons = (*line.carc, *case.denial.carc)
    hit = reasons and set(reasons) <= hints()["not_coding"]
    return (applies if hit else does_not)(code=line.code, reasons=", ".join(reasons))


@rule(
    "denied-more-than-coding",
    "denials",
    "Denied for more than its coding",
    sources=("x12-carc", "x12-rarc"),
    nature="reading",
    says="{code} was denied for {reasons} too, which other codes do not settle.",
    otherwise="{code} was not denied for a reason beside its coding.",
)
def denied_more_than_coding(case: Case, line: BilledLine) -> Verdict:
    """A line that is also denied for authorization, filing, another payer or necessity is not paid by arguing over its
    code: the other reason comes first.
    """
    reasons = case.beside_coding(line)
    return (applies if reasons else does_not)(code=line.code, reasons=" and ".join(reasons))


@rule(
    "denied-claim-twice",
    "denials",
    "Denied: the whole claim as a duplicate",
    sources=("x12-carc",),
    nature="reading",
    says="Every line was denied as a duplicate: the claim was most likely sent twice. What the first one "
    "was paid settles it.",
    otherwise="{code} was not denied as a duplicate together with all other lines.",
)
def denied_claim_twice(case: Case, line: BilledLine) -> Verdict:
    """When all lines are denied as duplicates, the earlier claim is what to look for."""
    rows = case.denial.billed_lines
    whole = set(case.denial.carc) & hints()["duplicate"]
    every = len({row.code for row in rows}) > 1 and all(row.denied and case.hinted(row, "duplicate") for row in rows)
    hit = every or (whole and all(row.denied == rows[0].denied for row in rows))
    return (applies if hit else does_not)(code=line.code)


@rule(
    "denied-packaged",
    "denials",
    "Denied: a service the payer packages",
    sources=("codingahead-96368", "house"),
    nature="convention",
    confidence=Confidence.MEDIUM,
    says="{payer} pays {code} to a hospital within other services, not apart: it stays on the claim, and there is "
    "nothing to appeal.",
    otherwise="{code} is not a service that this payer packages for hospitals.",
)
def denied_packaged(case: Case, line: BilledLine) -> Verdict:
    """Medicare pays hospitals nothing apart for a concurrent infusion or a repeat push; they are reported all the
    same.
    """
    payer = case.payer
    roles = {role for row in case.book.differs(payer.id, "packaged") for role in row.roles} if payer else set[str]()
    hospital = case.place is not None and case.place.outpatient_hospital and case.claim is Claim.FACILITY
    hit = hospital and case.role(line) in roles and case.hinted(line, "bundled")
    return (applies if hit else does_not)(code=line.code, payer=payer.name if payer else "")


@rule(
    "denied-necessity",
    "denials",
    "Denied for want of medical necessity",
    sources=("x12-carc", "house"),
    nature="reading",
    says="{code} was denied for its diagnosis or its necessity. The order, the diagnosis and the payer's coverage "
    "policy decide; other codes do not mend it.",
    otherwise="{code} was not denied for its diagnosis or its necessity.",
)
def denied_necessity(case: Case, line: BilledLine) -> Verdict:
    """Necessity rests on the order, the diagnosis and the payer's policy, which ivcoder does not hold."""
    return (applies if case.hinted(line, "necessity") else does_not)(code=line.code)


@rule(
    "denied-documents",
    "denials",
    "Denied until the record is sent",
    sources=("x12-carc", "x12-rarc"),
    nature="reading",
    says="{code} was denied because the record was not seen or does not show it. The record decides, and none is "
    "given.",
    otherwise="{code} was not denied for want of the record, or the record is given.",
)
def denied_documents(case: Case, line: BilledLine) -> Verdict:
    """Without the encounter nothing can be held against a denial that asks for the record."""
    hit = case.hinted(line, "documents") and case.edited is None
    return (applies if hit else does_not)(code=line.code)


@rule(
    "denied-drug-not-billed",
    "denials",
    "Denied: the administration without its drug",
    sources=("orbdoc-96372", "legalclarity-96365", "x12-carc"),
    nature="convention",
    confidence=Confidence.LOW,
    says="{code} was denied as incomplete, and no line bills what was given: {drug} belongs beside it, unless the drug "
    "was supplied without charge.",
    otherwise="{code} was not denied as incomplete with no drug on the claim, or the record names no drug's code.",
)
def denied_drug_not_billed(case: Case, line: BilledLine) -> Verdict:
    """Where no remark code says what a claim lacks, payers look for the drug's own line beside its administration; one
    supplied without charge has none.
    """
    known = case.book.formulary.by_code
    billed = any(row.code in known or row.code[0].isalpha() for row in case.denial.billed_lines)
    told = line.rarc or case.denial.rarc
    if case.edited is None or case.unsettled or billed or told or not case.hinted(line, "incomplete"):
        return does_not(code=line.code)
    about = {label for row in case.supported(line) for label in row.administrations}
    given = [row for row in case.edited.lines if row.answer == "drug" and about & set(row.administrations)]
    named = " and ".join(f"{row.code} x {row.units}" for row in given)
    return applies(code=line.code, drug=named) if given else does_not(code=line.code)

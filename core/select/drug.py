"""The drugs' own lines: code by date, units rounded up, and what was discarded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache

from ivcoder.book import Amount, Billing, Category, Confidence, Drug, Rulebook
from ivcoder.classify import Option, Question
from ivcoder.classify.category import INCLUDED
from ivcoder.encounter import DAY, Given, Route, Visit
from ivcoder.rank import Ranked
from ivcoder.rule import Finding, Verdict, applies, cannot_tell, does_not, listed, rule
from ivcoder.select.earned import Asides, Earned, Remark

_BILLED_HERE = (None, "procedure")
"""What is reported elsewhere, and still has a drug line of its own here."""

_NOT_BILLED = frozenset({Route.ORAL, Route.SUBLINGUAL, Route.RECTAL, Route.NASAL, Route.INHALED, Route.TOPICAL})


@rule(
    "drug-units",
    "select",
    "A drug's units are its dose over the code's unit, rounded up",
    sources=("rtacpa-units", "cms-hcpcs"),
    says="{dose} of {drug} at {per} a unit of {code}: {units} {unit}{rounded}.",
    otherwise="{drug}: a dose in {dose_unit} cannot be turned into units of {code}, which count {per}.",
)
def drug_units(given: Given, dose: str, billing: Billing, units: int | None) -> Verdict:
    """The drug's own line carries its HCPCS code in units of the code's amount; a part of a unit counts as one."""
    if units is None:
        return does_not(drug=given.drug, code=billing.code, per=billing.per, dose_unit=Amount.parse(dose).unit)
    return applies(
        drug=given.drug,
        dose=dose,
        per=billing.per,
        code=billing.code,
        units=units,
        unit="unit" if units == 1 else "units",
        rounded="" if units == _units(dose, billing.per, whole=True) else ", a part counting as one",
    )


@rule(
    "undosed-drugs",
    "select",
    "A drug without a dose has no line of its own",
    sources=("rtacpa-units", "cms-hcpcs"),
    says="No dose is charted for {drugs}: the drug's own line is missing here.",
    otherwise="Every drug has its dose, or none has.",
)
def undosed_drugs(drugs: Sequence[str]) -> Verdict:
    """Units cannot be counted without a dose; where some doses are charted, the answer names the drugs without."""
    return applies(drugs=listed(drugs)) if drugs else does_not()


@rule(
    "drug-code-by-date",
    "select",
    "A drug's code holds for its dates of service",
    sources=("cms-hcpcs",),
    says="{code} is the code of {drug} {when}{instead}.",
    otherwise="{drug} has no code of its own {when}: the payer's unlisted-drug code.",
    unsure="{drug} has no code of its own in the formulary: {instead}",
)
def drug_code_by_date(given: Given, drug: Drug, billing: Billing | None, day: date | None) -> Verdict:
    """HCPCS drug codes come and go; the one in force on the date of service is used."""
    when = "on this date of service" if day else "in the newest rulebook"
    if billing is None:
        found = cannot_tell("hcpcs", drug=given.drug, instead=drug.uncoded or "the payer's unlisted-drug code.")
        return does_not(drug=given.drug, when=when) if drug.hcpcs else found
    instead = f", not the charted {given.hcpcs}" if given.hcpcs and given.hcpcs != billing.code else ""
    return applies(drug=given.drug, code=billing.code, when=when, instead=instead)


@rule(
    "product-by-route",
    "select",
    "Products of one drug have codes of their own by route",
    sources=("cms-hcpcs",),
    says="{drug} given by {route} is {product}, which has a code of its own.",
    otherwise="{drug} is not another product by this route.",
    unsure="{doubt}: until the chart says which product was given, the drug has no line of its own.",
)
def product_by_route(given: Given, drug: Drug, book: Rulebook) -> Verdict:
    """The codes of some drugs stand for one product, given by one route; the charted route chooses among them. A
    product charted by a route that another is made for is asked about, and so is a name that several products go by.
    """
    route = given.route
    if _is_doubtful(drug, route, book):
        routes = listed((Route(name).spoken for name in drug.by), "or")
        doubt = f"{drug.spoken} is for {routes}, and was given by {route.spoken}"
        return cannot_tell("route", drug=given.drug, doubt=doubt)
    made = book.formulary.made_for(drug, route.value)
    if len(made) > 1:
        several = listed((row.spoken for row in made), "or")
        return cannot_tell("drug", drug=given.drug, doubt=f"{given.drug} by {route.spoken} is {several}")
    hit = drug.form_of and book.formulary.find(given.drug) is not drug
    return (applies if hit else does_not)(drug=given.drug, route=route.spoken, product=drug.spoken)


def _is_doubtful(drug: Drug, route: Route, book: Rulebook) -> bool:
    """Whether a drug's code does not hold for the route: another product is made for it, or the code itself says so."""
    if drug.is_for(route.value):
        return False
    kin = book.formulary.kin(drug)
    return not kin or any(row.is_for(route.value) for row in kin)


def _product_question(given: Given, drug: Drug, found: Finding, book: Rulebook) -> Question:
    """Which is wrong, the product or the route: each product made for this route, or the route this one is made for."""
    route = given.route.value
    made = [row for row in book.formulary.kin(drug) if row.is_for(route)]
    products = [Option("other_product", {"product": row.spoken}, {given.id: {"drug": row.name}}) for row in made]
    others = () if drug.is_for(route) else drug.by[:1]
    routes = [Option("by_route", {"route": Route(name).spoken}, {given.id: {"route": Route(name)}}) for name in others]
    return Question(given.id, "drug" if drug.is_for(route) else "route", found, (*products, *routes))


@rule(
    "drug-code-payer",
    "select",
    "Some payers do not take S codes",
    sources=("cms-hcpcs", "carecost-iv-push"),
    says="{drug} has {code} on this date, a kind of code {payer} does not take: the payer's unlisted-drug code.",
    otherwise="The payer takes the code of {drug}.",
)
def drug_code_payer(given: Given, billing: Billing, payer: str | None, book: Rulebook) -> Verdict:
    """Temporary codes that begin with S are for commercial payers; Medicare takes none of them."""
    if not billing.code.startswith("S") or not book.differs(payer, "no_s_codes"):
        return does_not(drug=given.drug)
    return applies(drug=given.drug, code=billing.code, payer=book.payers[payer or ""].name)


@rule(
    "drug-units-of-the-day",
    "select",
    "Doses of one drug on one day",
    sources=("rtacpa-units", "carecost-iv-push"),
    nature="disputed",
    confidence=Confidence.MEDIUM,
    says="Each dose of {drug} has its own line, rounded up by itself: {apart} units of {code} in all. Added up first, "
    "the day's doses are {together} units, which is what payers count.",
    otherwise="The doses of {drug} come to the same units apart and together.",
)
def drug_units_of_the_day(drug: str, code: str, apart: int, together: int) -> Verdict:
    """A drug's lines are kept for each dose; where rounding each dose up gives more units than the day's total, the
    answer says what the total gives.
    """
    return (applies if together < apart else does_not)(drug=drug, code=code, apart=apart, together=together)


@rule(
    "discarded-drug",
    "select",
    "What was discarded from a single-dose container",
    sources=("iom-100-04-ch17-40", "noridian-jw-jz", "fcso-jw-jz", "bcbsnc-jz"),
    says="{drug} comes in single-dose containers, which {payer} wants marked: {words}.",
    otherwise="Discarded amounts of {drug} need no modifier here.",
    unsure="{drug} comes in single-dose containers; whether any was discarded is not documented, and {payer} "
    "wants to be told either way where it pays the drug by itself.",
)
def discarded_drug(given: Given, drug: Drug, visit: Visit, book: Rulebook, units: int | None) -> Verdict:
    """Medicare, and payers that follow it, want what was discarded from a single-dose container on a line of its own
    with its modifier, from one whole unit on, and, since that modifier exists, another modifier when nothing was
    discarded.
    """
    wanted = book.marks_discarded(visit.payer, visit.place.code)
    if drug.container != "single_dose" or not wanted:
        return does_not(drug=given.drug)
    payer = book.payers[visit.payer or ""].name
    if "discarded" not in book.modifiers:
        return does_not(drug=given.drug)
    if units:
        return applies(drug=given.drug, payer=payer, words=f"{given.discarded} was discarded, on a line of its own")
    if "none_discarded" not in book.modifiers:
        return does_not(drug=given.drug)
    if units is None:
        return cannot_tell("discarded", drug=given.drug, payer=payer)
    return applies(drug=given.drug, payer=payer, words="nothing that makes a whole unit was discarded")


@rule(
    "discarded-drug-payer",
    "select",
    "Some payers want to know what was discarded",
    sources=("iom-100-04-ch17-40", "noridian-jw-jz"),
    says="No payer is given. Medicare wants {none} (nothing discarded) or {some} (what was) on separately payable "
    "drugs from single-dose containers, as {drugs} may be: give the payer and the discarded amount.",
    otherwise="The payer is given, or no drug came from a single-dose container.",
)
def discarded_drug_payer(drugs: Sequence[str], visit: Visit, book: Rulebook) -> Verdict:
    """Without a payer, modifiers for discarded drug are left off, and the answer says which payer wants them."""
    hit = drugs and visit.payer is None and "none_discarded" in book.modifiers
    if not hit:
        return does_not()
    marks = book.modifiers
    return applies(drugs=listed(drugs), none=marks["none_discarded"], some=marks["discarded"])


@rule(
    "discarded-no-line",
    "select",
    "A discarded amount that has no line",
    sources=("noridian-jw-jz", "legalclarity-jw"),
    confidence=Confidence.MEDIUM,
    says="{discarded} of {drug} is charted as discarded, and has no line: {because}.",
    otherwise="Nothing is charted as discarded, or it has its line.",
)
def discarded_no_line(given: Given, drug: Drug, visit: Visit, book: Rulebook) -> Verdict:
    """Only what is left of a single-dose container can be billed as discarded, to a payer that takes it; what a
    multi-dose container still holds is not waste.
    """
    if given.discarded is None or not Amount.parse(given.discarded).value:
        return does_not()
    if drug.container != "single_dose":
        comes = _COMES_IN.get(drug.container or "", "what it comes in is not known here")
        because = f"{comes}, and only what is left of a single-dose one is billed"
    elif visit.payer and not book.marks_discarded(visit.payer, visit.place.code):
        because = f"nothing here says that {book.payers[visit.payer].name} takes it at this place on this date"
    else:
        return does_not()
    return applies(drug=given.drug, discarded=given.discarded, because=because)


_COMES_IN = {
    "multi_dose": "it comes in multi-dose containers",
    "either": "it comes in single-dose and in multi-dose containers",
}


def drug_lines_of(ranked: Ranked, asides: Asides) -> tuple[Earned, ...]:
    """Each dose's own HCPCS line, in the order of the administrations' rank."""
    classified = ranked.classified
    visit, book = classified.visit, classified.book
    order = [label for row in ranked.standings for label in row.service.administrations]
    order += [label for row in ranked.left_out for label in row.administrations]
    rows = {row.id: row for row in visit.administrations}
    lines: list[Earned] = []
    single: list[str] = []
    undosed: list[Given] = []
    doses: dict[tuple[str, str, str, int], list[str]] = {}
    for label in order:
        given, drug = rows[label], classified.drugs[label]
        if drug is None or drug.elsewhere not in _BILLED_HERE or given.route in _NOT_BILLED:
            continue
        if _is_carrier(given, drug):
            continue
        product = product_by_route(given, drug, book)
        if product.open:
            asides.questions.append(_product_question(given, drug, product, book))
            continue
        if given.dose is None:
            undosed.append(given)
            continue
        billed = _billed(given, drug, given.dose, visit, book, asides)
        if billed is None:
            continue
        billing, units, why = billed
        if drug.container == "single_dose":
            single.append(given.drug)
        line = Earned("drug", units, (label,), (product, *why) if product.holds else why, code=billing.code)
        if (left := discarded_no_line(given, drug, visit, book)).holds:
            asides.remarks.append(Remark("info", (left,), (label,)))
        day = (given.start or 0) // DAY
        doses.setdefault((given.drug, billing.code, billing.per, day), []).append(given.dose)
        if visit.payer is None:
            lines.append(line)
        else:
            lines += _with_discarded(line, given, drug, billing, visit, book, asides)
    asides.remarks.extend(_rounded_apart(doses))
    lacking = undosed_drugs(tuple(dict.fromkeys(given.drug for given in undosed)) if lines else ())
    if lacking.holds:
        asides.remarks.append(Remark("info", (lacking,)))
    unpaid = discarded_drug_payer(tuple(dict.fromkeys(single)), visit, book)
    if unpaid.holds:
        asides.remarks.append(Remark("info", (unpaid,)))
    return tuple(lines)


def _billed(
    given: Given, drug: Drug, dose: str, visit: Visit, book: Rulebook, asides: Asides
) -> tuple[Billing, int, tuple[Finding, ...]] | None:
    """The code of a dose and its units, with the reasons; None, and why in a remark, where it has no line."""
    billing = _billing(given, drug, dose, book)
    dated = drug_code_by_date(given, drug, billing, book.day)
    if billing is None:
        asides.remarks.append(Remark("info", (dated,), (given.id,)))
        return None
    if visit.payer and (refused := drug_code_payer(given, billing, visit.payer, book)).holds:
        asides.remarks.append(Remark("info", (refused,), (given.id,)))
        return None
    units = _units(dose, billing.per)
    counted = drug_units(given, dose, billing, units)
    if units is None:
        asides.remarks.append(Remark("warning", (counted,), (given.id,)))
    return (billing, units, (dated, counted)) if units else None


def _is_carrier(given: Given, drug: Drug) -> bool:
    """Fluid that carries a drug, keeps the line open, or flushes it has no line of its own."""
    flush = given.route is Route.IV_PUSH and drug.category is Category.HYDRATION
    return flush or given.purpose in INCLUDED


def _with_discarded(
    line: Earned,
    given: Given,
    drug: Drug,
    billing: Billing,
    visit: Visit,
    book: Rulebook,
    asides: Asides,
) -> list[Earned]:
    discarded = None if given.discarded is None else _units(given.discarded, billing.per, whole=True)
    found = discarded_drug(given, drug, visit, book, discarded)
    if found.open:
        options = (
            Option("none_discarded", {}, {given.id: {"discarded": f"0 {Amount.parse(given.dose or '').unit}"}}),
            Option("some_discarded", {"per": billing.per}, {given.id: {"discarded": billing.per}}),
        )
        asides.questions.append(Question(given.id, "discarded", found, options))
    if not found.holds:
        return [line]
    if not discarded:
        return [line._replace(modifiers=(book.modifiers["none_discarded"],), findings=(*line.findings, found))]
    return [
        line,
        line._replace(units=discarded, modifiers=(book.modifiers["discarded"],), findings=(found,)),
    ]


@lru_cache
def _units(dose: str, per: str, *, whole: bool = False) -> int | None:
    """Units of a dose, a part counting as one unless only ``whole`` ones do; None where they cannot be counted."""
    amount, unit = Amount.parse(dose), Amount.parse(per)
    if unit.unit != amount.unit:
        return None
    units, part = divmod(amount.value, unit.value)
    return int(units) + (1 if part > Decimal(0) and not whole else 0)


def _rounded_apart(doses: Mapping[tuple[str, str, str, int], Sequence[str]]) -> Iterator[Remark]:
    """Say where rounding each dose of a drug up gives more than their total."""
    for (drug, code, per, _), given in doses.items():
        apart = sum(_units(dose, per) or 0 for dose in given)
        units, part = divmod(sum(Amount.parse(dose).value for dose in given), Amount.parse(per).value)
        found = drug_units_of_the_day(drug, code, apart, int(units) + (1 if part else 0))
        if found.holds:
            yield Remark("warning", (found,))


def _billing(given: Given, drug: Drug, dose: str, book: Rulebook) -> Billing | None:
    """The code in force: the charted one if it is among them, else one whose unit the dose is a multiple of, with the
    fewest units. Of equals the first in the table, where the drug's own code stands before single makers'.
    """
    rows = drug.billing_on(book.day)
    charted = next((row for row in rows if row.code == given.hcpcs), None)
    if charted is not None:
        return charted
    countable = [row for row in rows if _units(dose, row.per) is not None]
    if not countable:
        return rows[0] if rows else None
    return min(
        countable,
        key=lambda row: (
            _units(dose, row.per) != _units(dose, row.per, whole=True),
            _units(dose, row.per) or 0,
            Amount.parse(row.per).value,
        ),
    )

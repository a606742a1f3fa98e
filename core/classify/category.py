"""Chemotherapy, another drug, or plain fluid: as charted, or by the drug."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ivcoder.book import Category, Confidence, Difference, Drug, Rulebook, plain
from ivcoder.classify.service import Bag, Option, Question, contents
from ivcoder.encounter import Given, Purpose, Route
from ivcoder.rule import Finding, Verdict, applies, cannot_tell, does_not, rule


@rule(
    "category-charted",
    "classify",
    "A charted category is followed",
    sources=("house",),
    nature="reading",
    says="{drug} counts as {category}, as the record says.",
    otherwise="The record does not say what {drug} counts as.",
)
def category_charted(given: Given) -> Verdict:
    """What the record states about a drug's category is followed; the formulary is asked only when it is silent."""
    if given.category is None:
        return does_not(drug=given.drug)
    return applies(drug=given.drug, category=given.category.value)


@rule(
    "category-by-drug",
    "classify",
    "The category follows from the drug",
    sources=("iom-100-04-ch12-30.5", "noridian-complex-clarification"),
    says="{drug}{name} counts as {category}.",
    otherwise="What {drug} is for decides its category.",
    unsure="{drug} is not in the formulary, so what it counts as is open.{like} If it is a vaccine, contrast or a "
    "blood product, it is not coded here.",
)
def category_by_drug(given: Given, drug: Drug | None, book: Rulebook) -> Verdict:
    """A drug's category comes from the formulary; a drug that is not there has none, and is asked about."""
    if drug is None:
        near = book.formulary.like(given.drug)
        return cannot_tell("category", drug=given.drug, like=f" Did you mean {' or '.join(near)}?" if near else "")
    if drug.category is None:
        return does_not(drug=given.drug)
    generic = drug.name.partition(" (")[0]
    name = "" if plain(given.drug) in (plain(drug.name), plain(generic)) else f" ({generic})"
    return applies(drug=given.drug, name=name, category=drug.category.value)


@rule(
    "category-disputed",
    "classify",
    "Payers disagree whether some biologics are complex",
    sources=("cms-cr-13468", "noridian-complex-clarification", "ibx-chemo-drug-list", "csro-downcoding"),
    nature="disputed",
    confidence=Confidence.MEDIUM,
    says="{drug} is taken as {category}, but payers differ. {dispute}",
    otherwise="No dispute over the category of {drug} is known.",
)
def category_disputed(given: Given, drug: Drug) -> Verdict:
    """Whether giving a biologic is complex enough for the chemotherapy codes is decided by the record and the
    payer, not by the drug's name alone. The formulary's category is the starting point, and the answer says
    so; a charted category, an own drug table or the payer's list settles it.
    """
    if drug.disputed is None or drug.category is None:
        return does_not(drug=given.drug)
    return applies(drug=given.drug, category=drug.category.value, dispute=drug.disputed)


@rule(
    "payer-category",
    "classify",
    "A payer's own list settles the category",
    sources=("ibx-chemo-drug-list",),
    nature="convention",
    says="{payer} counts {drug} as {category}{since}.",
    otherwise="{payer} has no word of its own on {drug}.",
)
def payer_category(given: Given, drug: Drug | None, payer: str, book: Rulebook) -> Verdict:
    """Some payers list drugs that they take off the chemotherapy codes, or put on them. Such a list goes before the
    formulary for that payer's claims; a charted category and a user's own drug table go before the list.
    """
    name = book.payers[payer].name
    row = payers_list(drug, given.hcpcs, payer, book)
    if row is None or row.category is None:
        return does_not(drug=given.drug, payer=name)
    since = f" from {row.since}" if row.since else ""
    return applies(drug=given.drug, payer=name, category=row.category.value, since=since)


def payers_list(drug: Drug | None, charted: str | None, payer: str | None, book: Rulebook) -> Difference | None:
    """The row of a payer's list that holds a drug: by its charted code, or else by all of its codes in force."""
    if drug is not None and drug.own_category:
        return None
    codes = {row.code for row in drug.billing_on(book.day)} if drug is not None else set[str]()
    if charted and (drug is None or any(row.code == charted for row in drug.hcpcs)):
        codes = {charted}
    return next((row for row in book.differs(payer, "category") if codes and codes <= set(row.codes)), None)


@rule(
    "category-by-route",
    "classify",
    "Some drugs are complex by one route",
    sources=("noridian-spinraza", "carecost-spinraza"),
    nature="disputed",
    confidence=Confidence.MEDIUM,
    says="{drug} given by {route} goes with the codes of chemotherapy and complex drugs, as contractors have it; "
    "another page names the code of a spinal injection.",
    otherwise="{drug} is not counted otherwise by its route.",
)
def category_by_route(given: Given, drug: Drug) -> Verdict:
    """A drug that contractors count as complex only by one route goes with the chemotherapy codes by that route."""
    hit = given.route.value in drug.complex_by
    return (applies if hit else does_not)(drug=given.drug, route=given.route.spoken)


@rule(
    "fluid-purpose",
    "classify",
    "What a fluid with electrolytes was for decides its category",
    sources=("haugen-investigating", "uwhc-2014"),
    nature="disputed",
    confidence=Confidence.MEDIUM,
    says="{drug} was given {purpose}, so it counts as {category}.",
    otherwise="The category of {drug} does not depend on its purpose.",
    unsure="{drug} is hydration if given for dehydration and therapeutic if given to treat a low level; "
    "the record does not say.",
)
def fluid_purpose(given: Given, drug: Drug | None) -> Verdict:
    """Fluid with electrolytes is hydration when given for dehydration, and a therapeutic infusion when given
    to treat a low level such as potassium or magnesium. What the formulary does not know is hydration when the record
    says that it was infused for that.
    """
    if drug is None and given.purpose is Purpose.HYDRATION and given.route is Route.IV_INFUSION:
        return applies(drug=given.drug, purpose="for hydration", category=Category.HYDRATION.value)
    if drug is None or drug.depends_on != "purpose":
        return does_not(drug=given.drug)
    match given.purpose:
        case Purpose.HYDRATION:
            return applies(drug=given.drug, purpose="for hydration", category=Category.HYDRATION.value)
        case Purpose.REPLACEMENT:
            return applies(drug=given.drug, purpose="to treat a low level", category=Category.THERAPEUTIC.value)
        case _:
            return cannot_tell("purpose", drug=given.drug)


INCLUDED: Mapping[Purpose | None, str] = {
    Purpose.CARRIER: "a drug's carrier",
    Purpose.KEEP_OPEN: "a keep-open drip",
    Purpose.FLUSH: "a flush",
}
"""Purposes that are part of giving a drug, in words."""


@rule(
    "carrier-fluid",
    "classify",
    "Carrier fluid, keep-open and flush are included",
    sources=("noridian-hydration", "selecthealth-hydration-09"),
    says="{drug} served as {purpose}: included in the drug administration, not reported.",
    otherwise="{drug} was not a carrier, a keep-open drip or a flush.",
)
def carrier_fluid(given: Given) -> Verdict:
    """Fluid that carries a drug, keeps the line open or flushes it is part of the administration."""
    if given.purpose in INCLUDED:
        return applies(drug=given.drug, purpose=INCLUDED[given.purpose])
    return does_not(drug=given.drug)


def carried(bag: Bag, category: Category | None) -> Finding | None:
    """Whether all of a bag carried a drug, kept the line open or flushed it; of drugs only the last two count."""
    purposes = {row.purpose for row, _ in contents(bag)}
    charted = any(row.category is not None for row in bag.members)
    if category is not Category.HYDRATION and (charted or not purposes <= _FLUSHING):
        return None
    purpose = next((value for value in Purpose if value in purposes), None)
    return carrier_fluid(bag.first._replace(purpose=purpose if purposes <= INCLUDED.keys() else None))


_FLUSHING = frozenset({Purpose.KEEP_OPEN, Purpose.FLUSH})

_Found = tuple[Category | None, tuple[Finding, ...], list[Question]]


def category_of(bag: Bag, payer: str | None, book: Rulebook) -> _Found:
    """The category of a bag: the highest of its drugs, or none while one that could raise it is unknown."""
    found = [_category_of_one(row, drug, payer, book) for row, drug in contents(bag)]
    categories = {category for category, _, _ in found}
    questions = [question for _, _, asked in found for question in asked]
    why = tuple(finding for _, findings, _ in found for finding in findings)
    if Category.CHEMOTHERAPY in categories:
        return Category.CHEMOTHERAPY, why, questions
    if None in categories:
        return None, why, questions
    return (
        (Category.THERAPEUTIC if Category.THERAPEUTIC in categories else Category.HYDRATION),
        why,
        questions,
    )


def _category_of_one(given: Given, drug: Drug | None, payer: str | None, book: Rulebook) -> _Found:
    if given.category is not None:
        return given.category, (category_charted(given),), []
    if drug is None and (unknown := fluid_purpose(given, drug)).holds:
        return Category.HYDRATION, (unknown,), []
    if drug is not None and drug.depends_on:
        purpose = fluid_purpose(given, drug)
        if purpose.open:
            if carrier_fluid(given).holds:
                return Category.HYDRATION, (), []
            options = tuple(
                Option(f"purpose_{value.value}", {}, {given.id: {"purpose": value}})
                for value in (Purpose.HYDRATION, Purpose.REPLACEMENT)
            )
            return None, (purpose,), [Question(given.id, "purpose", purpose, options)]
        return Category(str(purpose.facts["category"])), (purpose,), []
    if payer and book.differs(payer, "category") and (listed := payer_category(given, drug, payer, book)).holds:
        return Category(str(listed.facts["category"])), (listed,), []
    if drug is not None and given.route.value in drug.complex_by:
        return Category.CHEMOTHERAPY, (category_by_route(given, drug),), []
    found = category_by_drug(given, drug, book)
    if drug is None or drug.category is None:
        return None, (found,), [_category_question(given, found, tuple(Category))]
    if drug.disputed:
        dispute = category_disputed(given, drug)
        asked = _category_question(given, dispute, (Category.CHEMOTHERAPY, Category.THERAPEUTIC))
        return drug.category, (found, dispute), [asked]
    return drug.category, (found,), []


def _category_question(given: Given, finding: Finding, choices: Iterable[Category]) -> Question:
    options = tuple(
        Option(f"category_{value.value}", {}, {given.id: {"category": value}})
        for value in choices
        if value is not Category.HYDRATION or given.route is Route.IV_INFUSION
    )
    return Question(given.id, "category", finding, options)

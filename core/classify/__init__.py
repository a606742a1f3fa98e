"""Step 1: what kind of service was each administration?

``classify`` turns the encounter into services: one for each administration, or for each bag where drugs were
mixed. It decides category, kind, access and the minutes that count; it does not rank.
"""

from __future__ import annotations

from ivcoder.book import Category, Drug, Rulebook
from ivcoder.classify.access import accesses_of
from ivcoder.classify.bag import bags_of, drips_of, infusion_continued, mixed_bag
from ivcoder.classify.category import carried, category_of
from ivcoder.classify.elsewhere import given_elsewhere, injected_as, never_here, no_administration_code
from ivcoder.classify.hydration import hydrate
from ivcoder.classify.service import (
    BY_VEIN,
    IN_CONTEST,
    Bag,
    Classified,
    Kind,
    Option,
    Question,
    Service,
    contents,
    service_of,
)
from ivcoder.classify.vein import infused_as, pumped_as, pushed_as
from ivcoder.encounter import Given, Route, Visit
from ivcoder.rule import Finding

__all__ = ["BY_VEIN", "IN_CONTEST", "Classified", "Kind", "Option", "Question", "Service", "classify", "drug_of"]


def classify(visit: Visit, book: Rulebook) -> Classified:
    """Decide what each administration counts as.

    Returns one service for each administration or mixed bag, in the order charted, and the questions that
    came up. Hydration minutes are net of drug infusions, and short hydration is not reportable.
    """
    questions: list[Question] = []
    drugs = {row.id: drug_of(row, book) for row in visit.administrations}
    accesses = accesses_of(visit.administrations, questions)
    services: list[Service | None] = []
    waiting: list[tuple[int, Bag, tuple[Finding, ...]]] = []
    kind: Kind
    found: tuple[Finding, ...]
    for bag in drips_of(
        bags_of(visit.administrations, drugs), {site: access for site, (access, _) in accesses.items()}
    ):
        first = bag.first
        access, on_access = accesses.get(first.access_site, ("", ()))
        if first.route not in BY_VEIN and (nowhere := no_administration_code(first)).holds:
            services.append(service_of(bag, first.category, Kind.NOT_REPORTABLE, (nowhere,), access))
            continue
        drug = contents(bag)[0][1]
        if drug is not None and drug.elsewhere and (other := never_here(first, drug)):
            services.append(service_of(bag, None, Kind.NOT_REPORTABLE, (other,), access))
            continue
        category, why, open_questions = category_of(bag, visit.payer, book)
        questions += open_questions
        if first.route in BY_VEIN:
            why = (*why, *on_access)
        if len(bag.members) > 1:
            why = (*why, mixed_bag(bag.members))
        if len(bag.rows) > len(bag.members):
            why = (*why, infusion_continued(bag.label, len(bag.rows), bag.minutes or 0))
        included = carried(bag) if category is Category.HYDRATION and first.route in BY_VEIN else None
        if included is not None and included.holds:
            kind, found, why = Kind.NOT_REPORTABLE, (included,), ()
        elif included is not None and first.route is not Route.IV_PUSH:
            waiting.append((len(services), bag, why))
            services.append(None)
            continue
        elif category is None:
            kind, found = Kind.UNDECIDED, ()
        else:
            kind, found = _kind(bag, category, visit, book, questions)
        services.append(service_of(bag, category, kind, (*why, *found), access))
    drug_infusions = [row for row in services if row and row.kind in (Kind.INFUSION, Kind.PUMP)]
    hydrate(services, waiting, drug_infusions, accesses, book, questions)
    return Classified(visit, book, tuple(row for row in services if row), tuple(questions), drugs)


def drug_of(given: Given, book: Rulebook) -> Drug | None:
    """The formulary's row for what was given: by name, or else by a HCPCS code only one drug has."""
    found = book.formulary.find(given.drug)
    if found is None and given.hcpcs:
        candidates = book.formulary.by_code.get(given.hcpcs, ())
        if len(candidates) == 1:
            return candidates[0]
    return found


def _kind(
    bag: Bag, category: Category, visit: Visit, book: Rulebook, questions: list[Question]
) -> tuple[Kind, tuple[Finding, ...]]:
    match bag.first.route:
        case Route.IV_PUSH:
            return pushed_as(bag, category, book, questions)
        case Route.IV_INFUSION:
            return infused_as(bag, visit, book, questions)
        case Route.IV_PUMP:
            return pumped_as(bag, category, visit, book, questions)
        case Route.IM | Route.SC:
            return injected_as(bag, category)
        case _:
            return given_elsewhere(bag, category, book, questions)

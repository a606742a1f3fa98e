"""Step 1: what kind of service was each administration?

``classify`` turns the encounter into services: one for each administration, or for each bag where drugs were
mixed. It decides category, kind, access and the minutes that count; it does not rank.
"""

from __future__ import annotations

from collections.abc import Mapping

from ivcoder.book import Category, Drug, Rulebook
from ivcoder.classify.access import accesses_of
from ivcoder.classify.bag import bags_of, drips_of, infusion_continued, mixed_bag, whole_doses
from ivcoder.classify.category import carried, category_of
from ivcoder.classify.device import device_service, with_port_flush
from ivcoder.classify.elsewhere import (
    given_elsewhere,
    injected_as,
    integral_to_procedure,
    local_anesthetic,
    never_here,
    no_administration_code,
    outside_family,
    peritoneal_perfusion,
    procedure_reported,
)
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
    Span,
    contents,
    service_of,
    uncovered,
)
from ivcoder.classify.vein import infused_as, pumped_as, pushed_as
from ivcoder.encounter import Given, Route, Visit
from ivcoder.rule import Finding

__all__ = [
    "BY_VEIN",
    "IN_CONTEST",
    "Classified",
    "Kind",
    "Option",
    "Question",
    "Service",
    "Span",
    "classify",
    "drug_of",
    "uncovered",
]


def classify(visit: Visit, book: Rulebook) -> Classified:
    """Decide what each administration counts as.

    Returns one service for each administration or mixed bag, in the order charted, and the questions that
    came up; where the patient came back on the same day, one encounter after the other. Hydration minutes are net of
    drug infusions, and short hydration is not reportable.
    """
    drugs = {row.id: drug_of(row, book) for row in visit.administrations}
    questions: list[Question] = []
    services = [service for part in _encounters_of(visit) for service in _classified(part, drugs, book, questions)]
    services = with_port_flush(services, visit, questions)
    return Classified(visit, book, tuple(services), tuple(questions), drugs)


def _encounters_of(visit: Visit) -> list[Visit]:
    """The separate encounters of a day, the first in time first."""
    labels = dict.fromkeys(row.encounter for row in visit.administrations)
    parts = [
        visit._replace(administrations=tuple(row for row in visit.administrations if row.encounter == label))
        for label in labels
    ]
    return sorted(parts, key=_begins)


def _begins(part: Visit) -> tuple[bool, int, str]:
    starts = [row.start for row in part.administrations if row.start is not None]
    return not starts, min(starts, default=0), part.administrations[0].encounter


def _classified(
    visit: Visit, drugs: Mapping[str, Drug | None], book: Rulebook, questions: list[Question]
) -> list[Service]:
    """The services of one encounter."""
    accesses = accesses_of(visit.administrations, questions)
    services: list[Service | None] = []
    waiting: list[tuple[int, Bag, tuple[Finding, ...]]] = []
    kind: Kind
    found: tuple[Finding, ...]
    sites = {site: access for site, (access, _) in accesses.items()}
    bags = drips_of(bags_of(visit.administrations, drugs), sites)
    doses = whole_doses(bags, sites) if any(bag.first.resumed for bag in bags) else {}
    for bag in bags:
        first = bag.first
        access, on_access = accesses.get(first.access_site, ("", ()))
        if (barred := _never_reported(bag)) is not None:
            services.append(service_of(bag, first.category, Kind.NOT_REPORTABLE, (barred,), access))
            continue
        if first.route not in BY_VEIN and (device := device_service(first)) is not None:
            services.append(service_of(bag, first.category, device[0], (device[1],), access))
            continue
        if (other := _of_a_procedure(bag, visit)) is not None:
            services.append(service_of(bag, None, Kind.NOT_REPORTABLE, (other,), access))
            continue
        category, why, open_questions = category_of(bag, visit.payer, book)
        questions += open_questions
        if first.route in BY_VEIN:
            why = (*why, *on_access)
        if len(bag.members) > 1:
            why = (*why, mixed_bag(bag.members))
        if len(bag.rows) > len(bag.members):
            why = (*why, infusion_continued(bag.label, len(bag.rows), bag.length))
        included = carried(bag, category) if first.route in BY_VEIN else None
        if included is not None and included.holds:
            kind, found, why = Kind.NOT_REPORTABLE, (included,), ()
        elif included is not None and first.route is not Route.IV_PUSH:
            waiting.append((len(services), bag, why))
            services.append(None)
            continue
        elif category is None:
            kind, found = Kind.UNDECIDED, ()
        else:
            kind, found = _kind(bag, category, visit, book, questions, doses.get(bag.rows))
        services.append(service_of(bag, category, kind, (*why, *found), access))
    drug_infusions = [row for row in services if row and row.kind in (Kind.INFUSION, Kind.PUMP)]
    hydrate(services, waiting, drug_infusions, accesses, book, questions)
    return [row for row in services if row]


def _of_a_procedure(bag: Bag, visit: Visit) -> Finding | None:
    """Why giving all of a bag, plain fluid aside, belongs to other codes, or to the service it was given for."""
    found = [_of_other_codes(bag.first, drug, visit) for _, drug in contents(bag) if not _is_fluid(drug)]
    return found[0] if found and all(found) else None


def _is_fluid(drug: Drug | None) -> bool:
    return drug is not None and drug.category is Category.HYDRATION and not drug.elsewhere


def _of_other_codes(given: Given, drug: Drug | None, visit: Visit) -> Finding | None:
    """Why giving this drug belongs to other codes, or to the service it was given for."""
    if drug is None:
        return None
    if drug.elsewhere:
        return never_here(given, drug)
    if drug.local_anesthetic and (numbing := local_anesthetic(given, drug)).holds:
        return numbing
    if drug.other_codes:
        found = procedure_reported(given, drug, [row.code for row in visit.other_services])
        return found if found.holds else None
    return None


def _never_reported(bag: Bag) -> Finding | None:
    """Why what was given so, or for that, is not reported with this family whatever it is."""
    given = bag.first
    for row, drug in zip(bag.members, bag.drugs, strict=True):
        if (perfused := peritoneal_perfusion(row, drug)).holds:
            return perfused
    if given.purpose is not None and (integral := integral_to_procedure(given)).holds:
        return integral
    if given.route in BY_VEIN:
        return None
    for decide in (no_administration_code(given), outside_family(given, None)):
        if decide.holds:
            return decide
    return None


def drug_of(given: Given, book: Rulebook) -> Drug | None:
    """The formulary's row for what was given: by name, its charted code telling which of a drug's products it was, or
    else by a HCPCS code only one drug has.
    """
    found = book.formulary.product(given.drug, given.route.value)
    if not given.hcpcs:
        return found
    if found is None:
        charted = list(book.formulary.by_code.get(given.hcpcs, ()))
    else:
        alike = (found, *book.formulary.kin(found))
        charted = [drug for drug in alike if any(row.code == given.hcpcs for row in drug.hcpcs)]
    return charted[0] if len(charted) == 1 else found


def _kind(
    bag: Bag, category: Category, visit: Visit, book: Rulebook, questions: list[Question], dose: int | None
) -> tuple[Kind, tuple[Finding, ...]]:
    match bag.first.route:
        case Route.IV_PUSH:
            return pushed_as(bag, category, book, questions)
        case Route.IV_INFUSION:
            return infused_as(bag, visit, book, questions, dose)
        case Route.IV_PUMP:
            return pumped_as(bag, category, visit, book, questions)
        case Route.IM | Route.SC:
            return injected_as(bag, category, book, questions)
        case _:
            return given_elsewhere(bag, category, book, questions)

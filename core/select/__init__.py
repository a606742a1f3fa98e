"""Step 3: which role, and how many units, does each service earn?

Roles are the field's own (initial push, repeat push of the same drug); their code numbers come later, by date.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ivcoder.book import Confidence, Payer, Rulebook
from ivcoder.classify import Classified, Kind, Option, Question, Service
from ivcoder.encounter import Given, PumpFrom, Purpose
from ivcoder.rank import Ranked, Standing, hydration_leads
from ivcoder.rule import Finding, Verdict, applies, cannot_tell, does_not, rule
from ivcoder.select.drug import drug_lines_of
from ivcoder.select.earned import CHEMO, INITIAL_ROLES, Asides, Earned, Refused, Remark, Selected
from ivcoder.select.infusion import HOURED, Company, hydration_purpose, later_hydration, later_infusion, with_hours
from ivcoder.select.push import at_once, pushes_of, repeat_push_interval

__all__ = [
    "INITIAL_ROLES",
    "Earned",
    "Refused",
    "Remark",
    "Selected",
    "hydration_purpose",
    "repeat_push_interval",
    "select",
]


_ALONE = {
    (Kind.INJECTION, False): "injection",
    (Kind.PUMP, False): "hospital_pump",
    (Kind.PUMP, True): "chemo_pump",
    (Kind.ARTERIAL_PUMP, True): "chemo_arterial_pump",
    (Kind.CSF_RESERVOIR, True): "chemo_reservoir",
    (Kind.INTRAPLEURAL, True): "chemo_pleural",
    (Kind.INTRAPERITONEAL, True): "chemo_peritoneal",
    (Kind.LESIONS, True): "chemo_lesions",
    (Kind.MANY_LESIONS, True): "chemo_many_lesions",
    (Kind.ARTERIAL_PUSH, False): "arterial_push",
    (Kind.ARTERIAL_PUSH, True): "chemo_arterial_push",
    (Kind.ARTERIAL_INFUSION, True): "chemo_arterial_infusion",
    (Kind.INTRATHECAL, True): "chemo_intrathecal",
    (Kind.UNLISTED, False): "unlisted",
}


_WHATEVER = {
    Kind.ON_BODY_INJECTOR: "on_body_injector",
    Kind.PORTABLE_PUMP_REFILL: "portable_pump_refill",
    Kind.IMPLANTED_PUMP_REFILL: "implanted_pump_refill",
    Kind.PORT_FLUSH: "port_flush",
    Kind.RSV: "rsv_injection",
    Kind.RSV_COUNSELLED: "rsv_injection_counselled",
}
"""Roles that do not depend on the drug's category."""

_STACKABLE = frozenset({"push_new_drug", "push_same_drug", "chemo_push_new_drug"})


@rule(
    "separate-push-lines",
    "select",
    "Each additional push on a line of its own",
    sources=("carecost-iv-push",),
    nature="convention",
    confidence=Confidence.MEDIUM,
    says="Additional pushes stand on one line with units, as asked.",
    otherwise="Each additional push stands on a line of its own with one unit.",
)
def separate_push_lines(stacked: bool) -> Verdict:
    """Each additional push is a line of its own with one unit, as payers track them; lines are stacked only for a
    payer that wants it.
    """
    return (applies if stacked else does_not)()


@rule(
    "one-puncture",
    "select",
    "One puncture, one code",
    sources=("codingahead-96450", "codingahead-96542", "cpt"),
    nature="convention",
    confidence=Confidence.MEDIUM,
    says="{drug} went through the same puncture as the drug before it: the code is reported once for all the drugs.",
    otherwise="{drug} is the first drug into the spinal fluid.",
)
def one_puncture(service: Service, earned: Iterable[Earned]) -> Verdict:
    """Chemotherapy into the spinal fluid, by puncture or through a reservoir, is reported once, whatever the number of
    drugs; a second puncture on one day is not expected, and is left to the record.
    """
    already = any(line.role == _ALONE[service.kind, True] for line in earned)
    return (applies if already else does_not)(drug=service.drug)


@rule(
    "one-seasonal-dose",
    "select",
    "One seasonal dose, one code",
    sources=("aap-nirsevimab-coding", "cpt"),
    nature="reading",
    confidence=Confidence.MEDIUM,
    says="{drug} was given in more than one injection: one seasonal dose, whose code is reported once.",
    otherwise="{drug} is the first injection of its dose.",
)
def one_seasonal_dose(service: Service, earned: Iterable[Earned]) -> Verdict:
    """The codes of an antibody against RSV stand for a seasonal dose; that of the second season takes two injections,
    for which the product is reported twice and giving it once.
    """
    already = any(line.role in (_WHATEVER[Kind.RSV], _WHATEVER[Kind.RSV_COUNSELLED]) for line in earned)
    return (applies if already else does_not)(drug=service.drug)


_ONCE = {
    (Kind.INTRATHECAL, Kind.CSF_RESERVOIR): one_puncture,
    (Kind.RSV, Kind.RSV_COUNSELLED): one_seasonal_dose,
}
"""What is reported once in an encounter, whatever the number of drugs or injections, and the rule that says so."""


@rule(
    "sc-new-set-up",
    "select",
    "A further pump set-up under the skin",
    sources=("cpt", "clearcost-96369", "codingahead-96371"),
    confidence=Confidence.MEDIUM,
    says="{drug} ran through {count} set-ups of the pump, each with sites of its own: one further set-up, reported "
    "once.",
    otherwise="{drug} ran through one set-up of the pump, which the first hour takes in with all its sites.",
)
def sc_new_set_up(service: Service, count: int) -> Verdict:
    """A further set-up of the pump with new sites under the skin is reported once in an encounter; several sites of one
    set-up are part of the first hour.
    """
    return (applies if count > 1 else does_not)(drug=service.drug, count=count)


@rule(
    "provider-pump",
    "select",
    "A pump that the practice or hospital provides",
    sources=("cms-article-a55134", "wps-l37205-g0498", "aapc-g0498-2026"),
    says="{payer} has a code of its own for {drug} in a portable pump that the practice or hospital provides and takes "
    "back.",
    otherwise="{drug} went home in a supplier's pump, for which {payer} takes the usual code.",
    unsure="{payer} has another code for a portable pump that the practice or hospital provides; whose pump {drug} "
    "went home in is not documented.",
)
def provider_pump(service: Service, given: Given, payer: Payer) -> Verdict:
    """Medicare takes one code for a prolonged chemotherapy infusion started in the office or hospital with its own
    portable pump, the visit at its end included, from 2016-01-01; with a supplier's pump the usual code stays.
    """
    if given.pump_from is None:
        return cannot_tell("pump_from", drug=service.drug, payer=payer.name)
    found = applies if given.pump_from is PumpFrom.PROVIDER else does_not
    return found(drug=service.drug, payer=payer.name)


@rule(
    "divided-dose",
    "select",
    "One dose divided over several injections",
    sources=("aapc-divided-dose", "carecost-96401-96402", "codingahead-96372"),
    nature="disputed",
    confidence=Confidence.LOW,
    says="{drug} was injected more than once within minutes or without a time. Each injection has its line here; if "
    "they were one dose divided, some payers take one line, and some want the later ones marked as distinct.",
    otherwise="{drug} was injected once, or at different times.",
)
def divided_dose(service: Service, others: Iterable[Service], book: Rulebook) -> Verdict:
    """Sources differ on one dose split over two injections, here {divided_dose_within} minutes apart or fewer: one
    unit, or one for each injection. Each is reported here, and the answer says so.
    """
    within = book.limits["divided_dose_within"]
    again = any(
        row.substance == service.substance and _apart_at_most(within, row.start, service.start) for row in others
    )
    return (applies if again else does_not)(drug=service.drug)


def _apart_at_most(minutes: int, one: int | None, other: int | None) -> bool:
    """Whether two starts are that near; two without a time are."""
    if one is None or other is None:
        return one is other
    return abs(one - other) <= minutes


def select(ranked: Ranked, *, drugs: bool = True) -> Selected:
    """Give each service its role and units; without ``drugs``, no drug lines.

    Returns administration lines in ranked order, drug lines after them, what is not reportable with its
    reason, and the questions and remarks that came up.
    """
    classified = ranked.classified
    asides = Asides(list(classified.questions), [])
    lines: list[Earned] = []
    refused: list[Refused] = []
    for part in ranked.by_encounter():
        earned, without = _selected(part, asides)
        lines += _stacked(earned) if classified.visit.stacked else earned
        refused += without
    drug_lines = drug_lines_of(ranked, asides) if drugs else ()
    return Selected(ranked, tuple(lines), drug_lines, tuple(refused), tuple(asides.remarks), tuple(asides.questions))


def _selected(ranked: Ranked, asides: Asides) -> tuple[list[Earned], list[Refused]]:
    """The lines of one encounter, and what earns none."""
    classified = ranked.classified
    pushes = pushes_of(ranked, asides)
    asides.remarks.extend(at_once([row.service for row in ranked.standings], classified.visit))
    lines: list[Earned] = []
    refused = [Refused(row.administrations, row.findings) for row in ranked.left_out]
    for place, standing in enumerate(ranked.standings):
        higher = ranked.standings[:place]
        outcome = pushes[place] if place in pushes else _outcome(standing, higher, lines, ranked, asides)
        for doubt in _doubts(standing, higher, classified):
            if doubt.open:
                asides.questions.append(_purpose_question(doubt, standing.service))
            else:
                asides.warn(doubt, standing.service)
        if isinstance(outcome, Refused):
            refused.append(outcome)
        else:
            lines += outcome
    return lines, refused


def _outcome(
    standing: Standing, higher: Sequence[Standing], lines: Sequence[Earned], ranked: Ranked, asides: Asides
) -> list[Earned] | Refused:
    """What a service other than a push earns, below the ``higher`` ones and the ``lines`` they earned."""
    service, book = standing.service, ranked.classified.book
    for kinds, decide in _ONCE.items():
        if service.kind in kinds and (once := decide(service, lines)).holds:
            return Refused(service.administrations, (*service.findings, once))
    if service.kind is Kind.SC_INFUSION:
        return _under_the_skin(standing, ranked)
    mine = (row.service for row in (*higher, standing) if row.initial and row.service.access == service.access)
    first = next(mine, None)
    if first is None or standing.initial or service.kind not in (Kind.INFUSION, Kind.HYDRATION):
        role = _role_of(standing, alone=first is None)
        payer = ranked.classified.visit.payer or ""
        chemo = service.category is CHEMO
        if service.kind is Kind.PUMP and chemo and book.differs(payer, "provider_pump"):
            return _pumped(standing, role, book.payers[payer], ranked, asides)
        return with_hours(standing, role, book)
    if service.kind is Kind.HYDRATION:
        return [later_hydration(standing, first, book)]
    beside = [row for row in _of_kind(Kind.INFUSION, higher) if row.access == service.access]
    concurrent = any(line.role == "infusion_concurrent" for line in lines)
    same = {label for row in beside if row.substance == service.substance for label in row.administrations}
    hours = any(line.role in HOURED and same & set(line.administrations) for line in lines)
    company = Company(first, beside, _further_doses(ranked, service), concurrent, hours)
    return later_infusion(standing, company, book, asides)


def _under_the_skin(standing: Standing, ranked: Ranked) -> list[Earned]:
    """The first hour under the skin, a further set-up of the pump if there was one, and further hours."""
    service, classified = standing.service, ranked.classified
    sites = {row.access_site for row in classified.visit.administrations if row.id in service.administrations}
    first, *hours = with_hours(standing, "sc_infusion_initial", classified.book)
    new = sc_new_set_up(service, len(sites))
    if not new.holds:
        return [first, *hours]
    return [first, *hours, Earned("sc_infusion_set_up", 1, service.administrations, (new,), service.access)]


def _pumped(standing: Standing, usual: str, payer: Payer, ranked: Ranked, asides: Asides) -> list[Earned]:
    """The line of a prolonged infusion for a payer with a code of its own; asks whose pump it was."""
    service = standing.service
    given = next(row for row in ranked.classified.visit.administrations if row.id == service.administrations[0])
    found = provider_pump(service, given, payer)
    if found.open:
        options = tuple(Option(f"pump_{value.value}", {}, {given.id: {"pump_from": value}}) for value in PumpFrom)
        asides.questions.append(Question(given.id, "pump_from", found, options))
    role = "chemo_provider_pump" if found.holds else usual
    why = (*service.findings, *standing.findings, found)
    return [Earned(role, 1, service.administrations, why, service.access)]


def _doubts(standing: Standing, higher: Sequence[Standing], classified: Classified) -> Iterator[Finding]:
    """What is to be checked of a service, whatever it earns."""
    service = standing.service
    yield from (found for found in standing.findings if found.rule == hydration_leads.id)
    if service.kind is Kind.INJECTION:
        twice = divided_dose(service, _of_kind(Kind.INJECTION, higher), classified.book)
        if twice.holds:
            yield twice
    if service.kind is Kind.HYDRATION and _unstated(classified, service):
        yield hydration_purpose(service.drug, False, _runs_on_from(service, classified))


def _runs_on_from(service: Service, classified: Classified) -> str | None:
    """The drug whose infusion a fluid began beside, or as it ended."""
    begun = [row.start for row in classified.visit.administrations if row.id in service.administrations]
    for row in classified.services:
        beside = row.kind is Kind.INFUSION and row.access == service.access
        if beside and all(
            start is not None and any(first < start <= last for first, last in row.spans) for start in begun
        ):
            return row.drug
    return None


def _purpose_question(finding: Finding, service: Service) -> Question:
    asked = service.administrations
    options = tuple(
        Option(f"purpose_{value.value}", {}, {label: {"purpose": value} for label in asked})
        for value in (Purpose.HYDRATION, Purpose.CARRIER)
    )
    return Question(asked[0], "purpose", finding, options)


def _of_kind(kind: Kind, standings: Iterable[Standing]) -> list[Service]:
    return [row.service for row in standings if row.service.kind is kind]


def _unstated(classified: Classified, service: Service) -> bool:
    """Whether fluid ran beside drugs by vein without a word on what it was for."""
    drugs = any(row.kind in (Kind.INFUSION, Kind.PUSH, Kind.PUMP) for row in classified.services)
    fluids = [row for row in classified.visit.administrations if row.id in service.administrations]
    reason = classified.visit.primary_reason
    return drugs and any(row.purpose is None and row.category is None and row.id != reason for row in fluids)


def _further_doses(ranked: Ranked, service: Service) -> tuple[Service, ...]:
    """The infusions of the same drug on the same access after the first in time, or after the longest."""
    same = [
        row.service
        for row in ranked.standings
        if (row.service.kind, row.service.access, row.service.substance)
        == (service.kind, service.access, service.substance)
    ]
    same.sort(key=lambda row: (row.when, -row.length, row.administrations))
    return tuple(same[1:])


def _role_of(standing: Standing, *, alone: bool) -> str:
    """The role of an initial or a stand-alone service; ``alone`` when its access has no initial service."""
    service = standing.service
    chemo = service.category is CHEMO
    if service.kind is Kind.PUMP and chemo and alone:
        return "chemo_pump_initial"
    if standing.initial:
        return INITIAL_ROLES[service.kind, chemo]
    if service.kind is Kind.INJECTION and chemo:
        return "hormonal_injection" if service.hormonal else "chemo_injection"
    return _WHATEVER.get(service.kind) or _ALONE.get((service.kind, chemo)) or "chemo_unlisted"


def _stacked(lines: Iterable[Earned]) -> list[Earned]:
    """Join additional pushes of one role on one line with units."""
    kept: list[Earned] = []
    places: dict[str, int] = {}
    for line in lines:
        if line.role in _STACKABLE and line.role in places:
            place = places[line.role]
            old = kept[place]
            kept[place] = old._replace(
                units=old.units + line.units,
                administrations=(*old.administrations, *line.administrations),
                findings=(*old.findings, *line.findings),
                lost=(*old.lost, *line.lost),
            )
            continue
        if line.role in _STACKABLE:
            places[line.role] = len(kept)
        kept.append(line)
    for place in places.values():
        kept[place] = kept[place]._replace(findings=(*kept[place].findings, separate_push_lines(True)))
    return kept

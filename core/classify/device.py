"""What is done with a device: an on-body injector, a pump that is refilled, a port that is flushed."""

from __future__ import annotations

from collections.abc import Mapping

from ivcoder.book import Confidence
from ivcoder.classify.category import carrier_fluid
from ivcoder.classify.elsewhere import line_flush
from ivcoder.classify.service import Kind, Option, Question, Service
from ivcoder.encounter import AccessDevice, Given, Purpose, Route, Visit
from ivcoder.rule import Finding, Verdict, applies, cannot_tell, does_not, rule


@rule(
    "on-body-injector",
    "classify",
    "An on-body injector put on",
    sources=("cpt", "cms-article-a54682"),
    says="{drug} was given by an on-body injector: putting it on has a code of its own, and the dose it gives later "
    "none.",
    otherwise="{drug} was not given by an on-body injector.",
)
def on_body_injector(given: Given) -> Verdict:
    """Putting on an injector that gives the dose later is one service with a code of its own, on the day it is put on;
    the same drug from a syringe is an injection.
    """
    return (applies if given.route is Route.ON_BODY_INJECTOR else does_not)(drug=given.drug)


@rule(
    "pump-refill",
    "classify",
    "A pump that is refilled",
    sources=("cpt", "asco-jop-pumps-2010", "codingahead-96521"),
    says="{drug} was put into a pump that was already running ({pump}): its refill and upkeep have a code of their "
    "own.",
    otherwise="{drug} was not put into a pump as a refill.",
)
def pump_refill(given: Given) -> Verdict:
    """Refilling and maintaining a portable pump, or an implanted pump or reservoir that feeds a vessel, has codes of
    its own; taking a portable pump off has none. An implanted pump that feeds the spinal canal belongs to other codes.
    """
    pumps = {Route.PORTABLE_PUMP_REFILL: "portable", Route.IMPLANTED_PUMP_REFILL: "implanted"}
    pump = pumps.get(given.route)
    return applies(drug=given.drug, pump=pump) if pump else does_not(drug=given.drug)


@rule(
    "port-flush-alone",
    "classify",
    "A port flushed with nothing else done",
    sources=("cpt", "ncci-manual-ch11", "codingahead-96523", "openpayer-96523"),
    confidence=Confidence.MEDIUM,
    says="{drug} flushed {device}, and nothing else was done: the flush is a service of its own.{doubt}",
    otherwise="{drug} flushed a peripheral line, which is never a service of its own.",
    unsure="{drug} is the only thing given. Flushing a port on a day without any other service is reported; what it "
    "flushed is not documented.",
)
def port_flush_alone(given: Given) -> Verdict:
    """Flushing an implanted access device is reported only when no other service is on the claim that day. The code
    speaks of an implanted device; whether it serves a central line with its end outside the skin is disputed.
    """
    match given.access_device:
        case AccessDevice.PORT:
            return applies(drug=given.drug, device="a port", doubt="")
        case AccessDevice.CENTRAL_LINE:
            doubt = " Not every payer counts a line that ends outside the skin as implanted."
            return applies(drug=given.drug, device="a central line", doubt=doubt)
        case AccessDevice.PERIPHERAL:
            return does_not(drug=given.drug)
        case _:
            return cannot_tell("access_device", drug=given.drug)


def device_service(given: Given) -> tuple[Kind, Finding] | None:
    """The service of a device, whatever drug is in it."""
    if given.route is Route.ON_BODY_INJECTOR:
        return Kind.ON_BODY_INJECTOR, on_body_injector(given)
    if given.route is Route.PORTABLE_PUMP_REFILL:
        return Kind.PORTABLE_PUMP_REFILL, pump_refill(given)
    if given.route is Route.IMPLANTED_PUMP_REFILL:
        return Kind.IMPLANTED_PUMP_REFILL, pump_refill(given)
    return None


def with_port_flush(services: list[Service], visit: Visit, questions: list[Question]) -> list[Service]:
    """The services, with one flush counted where flushes are all there is on the day: of a port rather than of
    something not charted, and of that rather than of a peripheral line.
    """
    if visit.other_services or any(row.kind is not Kind.NOT_REPORTABLE for row in services):
        return services
    rows = {row.id: row for row in visit.administrations}
    if not all(_is_flush(row, rows) for row in services):
        return services
    flushes = [(place, port_flush_alone(rows[row.administrations[0]])) for place, row in enumerate(services)]
    place, found = min(flushes, key=lambda flush: (not flush[1].holds, not flush[1].open))
    one = services[place]
    if found.open:
        given = rows[one.administrations[0]]
        devices = (AccessDevice.PORT, AccessDevice.PERIPHERAL)
        options = tuple(Option(f"flushed_{value.value}", {}, {given.id: {"access_device": value}}) for value in devices)
        questions.append(Question(given.id, "access_device", found, options))
    flushed = one._replace(
        kind=Kind.PORT_FLUSH if found.holds else Kind.NOT_REPORTABLE,
        findings=(found,) if found.holds else (*one.findings, found),
    )
    return [*services[:place], flushed, *services[place + 1 :]]


def _is_flush(service: Service, rows: Mapping[str, Given]) -> bool:
    """Whether a service is a flush and no more: by the drug, or by what the record says all of it was for."""
    why = {finding.rule for finding in service.findings}
    flushed = all(rows[label].purpose is Purpose.FLUSH for label in service.administrations)
    return line_flush.id in why or (carrier_fluid.id in why and flushed)

"""Pushes after the first: another drug, the same drug again, too soon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ivcoder.book import Confidence, Rulebook
from ivcoder.classify import Kind, Option, Question, Service
from ivcoder.encounter import Claim, Visit
from ivcoder.rank import Ranked
from ivcoder.rule import Finding, Verdict, applies, cannot_tell, does_not, rule
from ivcoder.select.earned import CHEMO, Earned, Refused, Remark, lost_initial, moved


@rule(
    "additional-push",
    "select",
    "A push of another drug",
    sources=("cpt", "iom-100-04-ch4-230.2", "carecost-iv-push"),
    says="{drug} is another drug than those pushed before: an additional push.",
    otherwise="{drug} was already {how} in this encounter.",
)
def additional_push(service: Service, given: str | None) -> Verdict:
    """Each further drug pushed in the encounter earns an additional push, whatever the initial service was."""
    if given is None:
        return applies(drug=service.drug)
    return does_not(drug=service.drug, how=given)


@rule(
    "repeat-push-facility",
    "select",
    "Pushing the same drug again is for facilities",
    sources=("cpt", "iom-100-04-ch4-230.2", "carecost-iv-push"),
    says="{drug} was pushed again in a hospital outpatient setting ({place}).",
    otherwise="{drug} was pushed again, which only a hospital outpatient facility reports, not {place} on a "
    "{claim} claim: included in the push before.",
    unsure="{drug} was pushed again, which only a hospital outpatient facility reports; whose claim it is, "
    "is not stated.",
)
def repeat_push_facility(service: Service, visit: Visit) -> Verdict:
    """A further push of the same drug is reported by hospital outpatient facilities only; elsewhere it is
    included in the first.
    """
    place = f"{visit.place.name}, place {visit.place.code}"
    if visit.claim is None:
        return cannot_tell("claim", drug=service.drug)
    if visit.claim is Claim.FACILITY and visit.place.outpatient_hospital:
        return applies(drug=service.drug, place=place)
    return does_not(drug=service.drug, place=place, claim=visit.claim.value)


@rule(
    "repeat-push-interval",
    "select",
    "The time between pushes of the same drug",
    sources=("cpt", "iom-100-04-ch4-230.2"),
    says="{drug} was pushed again {gap} minutes after its last reported push, at least {limit}: a repeat push.",
    otherwise="{drug} was pushed again {gap} minutes after its last reported push, fewer than {limit}: not "
    "reportable.{disputed}",
    unsure="{drug} was pushed again, but the times do not show how long after its last reported push: not "
    "reported until they do.",
)
def repeat_push_interval(drug: str, start: int | None, last: int | None, book: Rulebook) -> Verdict:
    """A push of the same drug is reportable only {repeat_push_after} minutes or more after its last reported push.
    Whether exactly {repeat_push_disputed} is enough is disputed; here it is not.
    """
    limit = book.limits["repeat_push_after"]
    if start is None or last is None:
        return cannot_tell("start", drug=drug)
    gap = start - last
    if gap >= limit:
        return applies(drug=drug, gap=gap, limit=limit)
    at_edge = gap == book.limits["repeat_push_disputed"]
    disputed = " Sources disagree whether exactly this interval counts." if at_edge else ""
    return does_not(drug=drug, gap=gap, limit=limit, disputed=disputed)


@rule(
    "push-of-infused-drug",
    "select",
    "A push of a drug that is also infused",
    sources=("carecost-iv-push", "house"),
    nature="disputed",
    confidence=Confidence.LOW,
    says="{drug} is also infused in this encounter, so its push is not another drug: {then}. Sources differ here.",
    otherwise="{drug} is not also infused in this encounter.",
)
def push_of_infused_drug(service: Service, infused: bool, facility: bool) -> Verdict:
    """A push of a drug that the encounter also infuses is the same drug again: a repeat push in a facility,
    not reported elsewhere. Sources differ, some counting it as an additional push.
    """
    if not infused:
        return does_not(drug=service.drug)
    then = "a repeat push of the same drug" if facility else "not reported outside a facility"
    return applies(drug=service.drug, then=then)


@rule(
    "repeat-chemo-push",
    "select",
    "The same chemotherapy drug pushed again has no code",
    sources=("cpt", "house"),
    nature="convention",
    confidence=Confidence.MEDIUM,
    says="{drug} is chemotherapy pushed again; the further push code is for another drug: not reported.",
    otherwise="{drug} is not chemotherapy pushed again.",
)
def repeat_chemo_push(service: Service, again: bool) -> Verdict:
    """A further chemotherapy push is reported for another drug only; the same drug again has no code."""
    return (applies if again and service.category is CHEMO else does_not)(drug=service.drug)


def pushes_of(ranked: Ranked, questions: list[Question], remarks: list[Remark]) -> dict[int, Earned | Refused]:
    """Walk the pushes in the order they were given: which are new drugs, which repeats, which too soon."""
    visit, book = ranked.classified.visit, ranked.classified.book
    rows = [(place, row) for place, row in enumerate(ranked.standings) if row.service.kind is Kind.PUSH]
    if not rows:
        return {}
    infused = {row.service.substance for row in ranked.standings if row.service.kind in (Kind.INFUSION, Kind.PUMP)}
    # Initial pushes are settled; the others follow in time, those without a time last.
    rows.sort(key=lambda row: (not row[1].initial, row[1].service.start is None, row[1].service.start or 0))
    last: dict[str, list[Service]] = {}
    outcome: dict[int, Earned | Refused] = {}
    for place, standing in rows:
        service = standing.service
        why = (*service.findings, *standing.findings)
        chemo = service.category is CHEMO
        before = last.get(service.substance)
        if standing.initial:
            outcome[place] = Earned(
                "chemo_push_initial" if chemo else "push_initial",
                1,
                service.administrations,
                why,
                service.access,
                place,
            )
            last.setdefault(service.substance, []).append(service)
            continue
        infused_too = before is None and service.substance in infused
        again = before is not None or infused_too
        new = additional_push(service, "pushed" if before is not None else "infused" if infused_too else None)
        lost = lost_initial(standing)
        if not again:
            role = "chemo_push_new_drug" if chemo else "push_new_drug"
            outcome[place] = Earned(role, 1, service.administrations, (*why, new), service.access, place, lost=lost)
            last[service.substance] = [service]
            continue
        if chemo:
            outcome[place] = Refused(service.administrations, (*why, repeat_chemo_push(service, again)))
            continue
        facility = repeat_push_facility(service, visit)
        why = (*why, push_of_infused_drug(service, True, facility.holds)) if infused_too else why
        if not facility.holds:
            if facility.open:
                options = tuple(Option(f"claim_{claim.value}", {}, {None: {"claim": claim}}) for claim in Claim)
                questions.append(Question(None, "claim", facility, options))
            outcome[place] = Refused(service.administrations, (*why, facility))
            continue
        reported = last.setdefault(service.substance, [])
        interval = _interval(service, reported, book) if reported else None
        if interval is not None and not interval.holds:
            if interval.open:
                questions.append(_interval_question(service, reported, interval, book))
            outcome[place] = Refused(service.administrations, (*why, interval), interval.open)
            if interval.facts.get("disputed"):
                remarks.append(Remark("warning", (interval,), service.administrations))
            continue
        basis = (*why, facility) if interval is None else (*why, facility, interval)
        lost = (("push_new_drug", new), *lost)
        outcome[place] = Earned("push_same_drug", 1, service.administrations, basis, service.access, place, lost=lost)
        reported.append(service)
    return outcome


def _interval(service: Service, reported: Sequence[Service], book: Rulebook) -> Finding:
    """The interval to the nearest reported push of the drug; unknown while any of them has no time."""
    starts = [row.start for row in reported]
    if service.start is None or None in starts:
        return repeat_push_interval(service.drug, None, None, book)
    start = service.start
    nearest = min((time for time in starts if time is not None), key=lambda time: abs(start - time))
    return repeat_push_interval(service.drug, max(start, nearest), min(start, nearest), book)


def _interval_question(service: Service, reported: Sequence[Service], finding: Finding, book: Rulebook) -> Question:
    """Ask for the time of this push, or of the one before when only that is missing."""
    needed = book.limits["repeat_push_after"]
    before = next((row for row in reported if row.start is None), reported[-1])
    asked = service if service.start is None else before
    options = []
    changes: dict[str | None, Mapping[str, object]]
    for key, gap in (("interval_enough", needed), ("interval_short", needed - 1)):
        if service.start is not None:
            changes = {before.administrations[0]: moved(before, service.start - gap)}
        else:
            base = before.start or 0
            changes = {
                before.administrations[0]: moved(before, base),
                service.administrations[0]: moved(service, base + gap),
            }
        options.append(Option(key, {"gap": gap}, changes))
    return Question(asked.administrations[0], "start", finding, tuple(options))

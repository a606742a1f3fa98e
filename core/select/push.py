"""Pushes: the initial one, another drug, the same drug again, too soon."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ivcoder.book import Confidence, Rulebook
from ivcoder.classify import Kind, Option, Question, Service
from ivcoder.classify.vein import attended_push
from ivcoder.encounter import Claim, Route, Visit
from ivcoder.rank import Ranked, Standing
from ivcoder.rule import Finding, Verdict, applies, cannot_tell, does_not, listed, rule
from ivcoder.select.earned import CHEMO, Asides, Earned, Refused, Remark, lost_initial, moved


@rule(
    "additional-push",
    "select",
    "A push of another drug",
    sources=("cpt", "carecost-iv-push", "ahima-107707"),
    says="{drug} was not pushed before in this encounter: an additional push.",
    otherwise="{drug} was also {how} in this encounter.",
)
def additional_push(service: Service, given: str | None) -> Verdict:
    """Each further drug pushed in the encounter earns an additional push, whatever the initial service was."""
    if given is None:
        return applies(drug=service.drug)
    return does_not(drug=service.drug, how=given)


@rule(
    "pushes-at-once",
    "select",
    "Pushes charted at one minute",
    sources=("rca-2018-same-stamp", "hii-process-guide", "carondelet-charging"),
    nature="disputed",
    confidence=Confidence.MEDIUM,
    says="{drugs} were pushed in the same minute. Each counts here, as given apart; some hospitals count pushes of one "
    "minute once. If they were in one syringe, say so with mixed_with.",
    otherwise="No different drugs were pushed in the same minute.",
)
def pushes_at_once(drugs: Sequence[str]) -> Verdict:
    """Pushes of different drugs ordered and given apart count each, also when they carry the same time; some hospitals
    take one time as one push.
    """
    return applies(drugs=listed(drugs)) if len(drugs) > 1 else does_not()


def at_once(services: Sequence[Service], visit: Visit) -> Iterator[Remark]:
    """Say where what was charted as pushes of different drugs on one access carries the same minute."""
    minutes: dict[tuple[str, int], list[Service]] = {}
    charted = {row.id for row in visit.administrations if row.route is Route.IV_PUSH}
    for row in services:
        if row.kind is Kind.PUSH and row.start is not None and charted >= set(row.administrations):
            minutes.setdefault((row.access, row.start), []).append(row)
    for rows in minutes.values():
        found = pushes_at_once(tuple({row.substance: row.drug for row in rows}.values()))
        if found.holds:
            yield Remark("info", (found,), tuple(label for row in rows for label in row.administrations))


@rule(
    "repeat-push-facility",
    "select",
    "Pushing the same drug again is for facilities",
    sources=("cpt", "carecost-iv-push", "aapc-office-same-drug-thread", "ahima-107707"),
    says="{drug} was pushed again in a hospital outpatient setting, {place}.",
    otherwise="{drug} was pushed again, which only a hospital outpatient facility reports, not {place}{whose}: "
    "included in the push before.",
)
def repeat_push_facility(service: Service, visit: Visit) -> Verdict:
    """A further push of the same drug is reported by hospital outpatient facilities only; elsewhere it is
    included in the first.
    """
    if visit.place.outpatient_hospital and visit.claim is Claim.FACILITY:
        return applies(drug=service.drug, place=visit.place.spoken)
    whose = f" on a {visit.claim.value} claim" if visit.claim else ""
    return does_not(drug=service.drug, place=visit.place.spoken, whose=whose)


@rule(
    "repeat-push-interval",
    "select",
    "The time between pushes of the same drug",
    sources=(
        "cpt",
        "umiami-obc",
        "centramed-bolus",
        "wearemedicalcoders-96374",
        "codingclarified",
        "ohiohima-part5",
    ),
    says="{drug} was pushed {gap} minutes {order} {other} {edge}, at least {limit}: a repeat push.",
    otherwise="{drug} was pushed {gap} minutes {order} {other} {edge}, fewer than {limit}: not reportable.{disputed}",
    unsure="{drug} {was} pushed again, but the times do not show how long after {its} last reported administration: "
    "not reported until they do.",
)
def repeat_push_interval(
    drug: str, nearest: tuple[int, str, str, str] | None, book: Rulebook, *, several: bool = False
) -> Verdict:
    """A push of the same drug is reportable only {repeat_push_after} minutes or more from the start of its nearest
    administration, or from the end of an infusion of it that was over. Whether exactly {repeat_push_disputed} is enough
    is disputed; here it is not.
    """
    limit = book.limits["repeat_push_after"]
    if nearest is None:
        was, its = ("were", "their") if several else ("was", "its")
        return cannot_tell("start", drug=drug, was=was, its=its)
    gap, order, other, edge = nearest
    if gap >= limit:
        return applies(drug=drug, gap=gap, order=order, other=other, edge=edge, limit=limit)
    at_edge = gap == book.limits["repeat_push_disputed"]
    disputed = " Sources disagree whether exactly this interval counts." if at_edge else ""
    return does_not(drug=drug, gap=gap, order=order, other=other, edge=edge, limit=limit, disputed=disputed)


@rule(
    "push-of-infused-drug",
    "select",
    "A push of a drug that is also infused",
    sources=("centramed-bolus", "aapc-infusion-then-push", "ahima-105755"),
    nature="disputed",
    confidence=Confidence.LOW,
    says="{drug} is also infused in this encounter, so its push is the same drug again, not another. Sources differ: "
    "some take the push for part of the infusion, some for an additional push.",
    otherwise="{drug} is not also infused in this encounter.",
)
def push_of_infused_drug(service: Service, infused: bool) -> Verdict:
    """A push of a drug that the encounter also infuses is the same drug again: a loading dose belongs to its
    infusion, and only a push well after its start is a repeat push, in a facility. Some sources count it as an
    additional push, some never apart from the infusion.
    """
    return (applies if infused else does_not)(drug=service.drug)


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


def pushes_of(ranked: Ranked, asides: Asides) -> dict[int, list[Earned] | Refused]:
    """Walk the pushes in the order they were given: which are new drugs, which repeats, which too soon.

    Each stands under its place in the ranking.
    """
    rows = [(place, row) for place, row in enumerate(ranked.standings) if row.service.kind is Kind.PUSH]
    if not rows:
        return {}
    # Initial pushes are settled; the others follow in time, those without a time last.
    rows.sort(key=lambda row: (not row[1].initial, row[1].service.when))
    hung = {row.id for row in ranked.classified.visit.administrations if row.route is Route.IV_INFUSION}
    infused: dict[str, list[Service]] = {}
    for standing in ranked.standings:
        if standing.service.kind is Kind.INFUSION:
            infused.setdefault(standing.service.substance, []).append(standing.service)
    pushed: dict[str, list[Service]] = {}
    unclear: list[_Unclear] = []
    outcome: dict[int, list[Earned] | Refused] = {}
    for place, standing in rows:
        service = standing.service
        before = pushed.get(service.substance, []), infused.get(service.substance, [])
        if standing.initial or not any(before):
            earned: Earned | Refused = _first(standing, hung=service.administrations[0] in hung)
        else:
            earned = _again(standing, *before, ranked, asides, unclear)
        outcome[place] = [earned] if isinstance(earned, Earned) else earned
        if isinstance(earned, Earned):
            pushed.setdefault(service.substance, []).append(service)
    asides.questions.extend(_interval_questions(unclear, ranked.classified.book))
    return outcome


def _first(standing: Standing, *, hung: bool) -> Earned:
    """The initial push, or the first push of another drug; ``hung`` when it was charted as an infusion."""
    service = standing.service
    chemo = service.category is CHEMO
    why = (*service.findings, *standing.findings)
    lost = () if standing.initial else lost_initial(standing)
    if hung or service.findings[-1].rule == attended_push.id:
        role = "infusion_initial" if standing.initial else "infusion_sequential"
        lost = ((f"chemo_{role}" if chemo else role, service.findings[-1]), *lost)
    if chemo:
        plain = "push_initial" if standing.initial else "push_new_drug"
        lost = ((plain, service.findings[0]), *lost)
    if standing.initial:
        role = "chemo_push_initial" if chemo else "push_initial"
    else:
        role = "chemo_push_new_drug" if chemo else "push_new_drug"
        why = (*why, additional_push(service, None))
    return Earned(role, 1, service.administrations, why, service.access, lost=lost)


def _again(
    standing: Standing,
    pushed: Sequence[Service],
    infused: Sequence[Service],
    ranked: Ranked,
    asides: Asides,
    unclear: list[_Unclear],
) -> Earned | Refused:
    """A push of a drug that was already pushed, or is infused, in the encounter."""
    visit, book = ranked.classified.visit, ranked.classified.book
    service = standing.service
    why = (*service.findings, *standing.findings)
    if not pushed:
        disputed = push_of_infused_drug(service, True)
        why = (*why, disputed)
        asides.warn(disputed, service)
    if service.category is CHEMO:
        return Refused(service.administrations, (*why, repeat_chemo_push(service, True)))
    facility = repeat_push_facility(service, visit)
    if not facility.holds:
        return Refused(service.administrations, (*why, facility))
    before = (*pushed, *infused)
    interval = repeat_push_interval(service.drug, _nearest(service, before), book)
    if not interval.holds:
        if interval.open:
            unclear.append(_Unclear(service, before, interval))
        if interval.facts.get("disputed"):
            asides.warn(interval, service)
        return Refused(service.administrations, (*why, interval))
    new = additional_push(service, "pushed earlier" if pushed else "infused")
    lost = (("push_new_drug", new), *lost_initial(standing))
    basis = (*why, facility, interval)
    return Earned("push_same_drug", 1, service.administrations, basis, service.access, lost=lost)


def _nearest(service: Service, before: Sequence[Service]) -> tuple[int, str, str, str] | None:
    """Minutes to the nearest of the others, before or after which, from what on; None while a time is missing."""
    start = service.start
    if start is None or not all(row.spans for row in before):
        return None
    rows = [
        (begun - start, "before", "began", row.administrations)
        if begun > start
        else (start - ended, "after", "ended", row.administrations)
        if row.kind is Kind.INFUSION and ended <= start
        else (start - begun, "after", "began", row.administrations)
        for row in before
        for begun, ended in row.spans
    ]
    gap, order, edge, labels = min(rows)
    return gap, order, f"[{' '.join(labels)}]", edge


class _Unclear(NamedTuple):
    """A push of a drug given before, when the times do not show how long after."""

    service: Service
    before: Sequence[Service]
    finding: Finding


def _interval_questions(unclear: Sequence[_Unclear], book: Rulebook) -> Iterator[Question]:
    """Ask once for all pushes without a time; for one, or a time missing before it, by itself."""
    untimed = [row for row in unclear if row.service.start is None]
    together = untimed if len(untimed) > 1 else []
    if together:
        yield _intervals_question(together, book)
    for row in unclear:
        if row not in together:
            yield _interval_question(*row, book)


def _intervals_question(unclear: Sequence[_Unclear], book: Rulebook) -> Question:
    """Ask when several pushes were given: an answer for each number of them that came late enough to count."""
    needed, total = book.limits["repeat_push_after"], len(unclear)
    keys = {total: "intervals_enough", 0: "intervals_short"}
    options = tuple(
        Option(
            keys.get(apart, "intervals_mixed"),
            {"gap": needed if apart else needed - 1, "count": apart, "total": total},
            _spaced(unclear, apart, needed),
        )
        for apart in range(total, -1, -1)
    )
    named = listed(f"{row.service.drug} [{row.service.administrations[0]}]" for row in unclear)
    found = repeat_push_interval(named, None, book, several=True)
    return Question(unclear[0].service.administrations[0], "start", found, options)


def _spaced(unclear: Sequence[_Unclear], apart: int, needed: int) -> dict[str | None, Mapping[str, object]]:
    """Times that put the first ``apart`` pushes just late enough after the one before, and the others too soon."""
    changes: dict[str | None, Mapping[str, object]] = {}
    last: dict[str, int] = {}
    for place, (service, before, _) in enumerate(unclear):
        untimed = [row for row in before if not row.spans]
        changes |= {row.administrations[0]: moved(row, 0) for row in untimed}
        ended = [stop for row in before for _, stop in row.spans] or [row.length for row in untimed]
        start = max(ended) + needed - 1
        if place < apart:
            start = last[service.substance] = last.get(service.substance, max(ended)) + needed
        changes[service.administrations[0]] = moved(service, start)
    return changes


def _interval_question(service: Service, before: Sequence[Service], finding: Finding, book: Rulebook) -> Question:
    """Ask for the time of this push, or of the administration before when only that is missing."""
    needed = book.limits["repeat_push_after"]
    other = next((row for row in before if not row.spans), before[-1])
    asked = service if service.start is None else other
    begins = other.start or 0
    options = []
    changes: dict[str | None, Mapping[str, object]]
    for key, gap in (("interval_enough", needed), ("interval_short", needed - 1)):
        if service.start is not None:
            changes = {other.administrations[0]: moved(other, service.start - gap)}
        else:
            changes = {
                other.administrations[0]: moved(other, begins),
                service.administrations[0]: moved(service, begins + gap),
            }
        options.append(Option(key, {"gap": gap}, changes))
    return Question(asked.administrations[0], "start", finding, tuple(options))

"""Step 2: which service is the initial one?

For each vascular access one service is initial: on a facility claim the highest of the hierarchy, on a
professional claim the reason for the visit, where the record gives one that can lead. Order in time decides among
equals only.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, NamedTuple

from ivcoder.book import Category, Confidence, Tier
from ivcoder.classify import IN_CONTEST, Classified, Kind, Service, uncovered
from ivcoder.encounter import Claim, Visit
from ivcoder.rule import Finding, Verdict, applies, does_not, listed, rule

UNTIMED = sys.maxsize
"""Where services without a time of their own stand among those of their tier."""

_OUT = frozenset({Kind.NOT_REPORTABLE, Kind.UNDECIDED})
_TIMED = frozenset({Kind.INFUSION, Kind.HYDRATION, Kind.ARTERIAL_INFUSION, Kind.SC_INFUSION})
_ALL_ONE = frozenset({Kind.HYDRATION, Kind.SC_INFUSION})
"""Kinds of which an access, or the skin, has one service whatever the drug: their minutes add up."""

LAST = sys.maxsize
"""Where services without a tier of their own stand."""


Method = Literal["hierarchy", "reason", "hierarchy_as_fallback", "only_candidate"]
"""What chose the initial services."""


class Standing(NamedTuple):
    """A service with its tier, and whether it is the initial one of its access."""

    service: Service
    tier: int
    tier_says: str
    initial: bool
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Ranked:
    """The outcome of the step: reportable services in rank order, and those not reportable or undecided.

    ``method`` is what chose the initial services; ``blocked`` why the reason for the visit could not.
    """

    classified: Classified
    standings: tuple[Standing, ...]
    left_out: tuple[Service, ...]
    method: Method
    blocked: Finding | None = None

    def by_encounter(self) -> list[Ranked]:
        """The outcome apart for each encounter of the day."""
        return [
            replace(
                self,
                classified=part,
                standings=tuple(row for row in self.standings if row.service.encounter == part.services[0].encounter),
                left_out=tuple(row for row in self.left_out if row.encounter == part.services[0].encounter),
            )
            for part in self.classified.by_encounter()
        ]


@rule(
    "one-initial-per-access",
    "rank",
    "One initial service for each access",
    sources=("iom-100-04-ch4-230.2", "noridian-initial-administration", "fcso-infusion-hydration", "haugen-midnight"),
    says="{drug} is not the initial service: {initial} is, and an access has one initial service.",
    otherwise="{drug} shares its access with no higher service.",
)
def one_initial_per_access(service: Service, initial: Service) -> Verdict:
    """An encounter has one initial service for each vascular access, even when it spans several dates."""
    if service is initial:
        return does_not(drug=service.drug)
    return applies(drug=service.drug, initial=f"{initial.drug} [{' '.join(initial.administrations)}]")


@rule(
    "initial-by-hierarchy",
    "rank",
    "On a facility claim the hierarchy names the initial service",
    sources=("iom-100-04-ch4-230.2", "ahima-107707", "medicalcoding123-2012", "medlearn-2022-overlap"),
    says="{drug} {standing}, so it is the initial service.",
    otherwise="{drug} does not rank highest on its access.",
)
def initial_by_hierarchy(service: Service, standing: str | None) -> Verdict:
    """Chemotherapy ranks before other drugs and those before hydration; inside each, infusions before pushes
    before injections. The highest is the initial service, whatever the order in time. Among equals the longest
    infusion is taken, then the first in time; doses of one drug keep their order
    in time, and without times the longest leads.
    """
    return applies(drug=service.drug, standing=standing) if standing else does_not(drug=service.drug)


@rule(
    "initial-by-reason",
    "rank",
    "On a professional claim the reason for the visit is the initial service",
    sources=("cpt", "aapc-premed-infusion", "selecthealth-hydration-09"),
    says="{drug} is what the visit was for, so it is the initial service.",
    otherwise="{drug} is not what the visit was for.",
)
def initial_by_reason(service: Service, reason: str | None) -> Verdict:
    """On a professional claim the initial service is the one that best describes why the patient came, whatever
    the order in time or the hierarchy.
    """
    hit = reason is not None and reason in service.administrations
    return (applies if hit else does_not)(drug=service.drug)


@rule(
    "hierarchy-as-fallback",
    "rank",
    "Without a stated reason the hierarchy serves a professional claim",
    sources=("aapc-premed-infusion", "house"),
    nature="convention",
    confidence=Confidence.MEDIUM,
    says="{reason}; {drug} {standing}, so it is taken as the initial service.",
    otherwise="{drug} does not rank highest, or the record says what the visit was for.",
)
def hierarchy_as_fallback(service: Service, standing: str | None, stated: bool) -> Verdict:
    """When a professional claim's record does not name the reason for the visit, the facility hierarchy chooses
    the initial service, and the answer says so.
    """
    reason = (
        "What the visit was for leads nothing on this access" if stated else "What the visit was for is not charted"
    )
    return applies(drug=service.drug, standing=standing, reason=reason) if standing else does_not(drug=service.drug)


@rule(
    "injections-stand-alone",
    "rank",
    "Injections neither compete nor displace",
    sources=("cms-rac-0071", "medicalcoding123-2012"),
    says="{drug} takes no part in the contest for the initial IV service.",
    otherwise="{drug} competes to be the initial IV service.",
)
def injections_stand_alone(service: Service) -> Verdict:
    """Injections into muscle or under the skin, and services with stand-alone codes, take no part in the contest
    for the initial service.
    """
    return (does_not if service.kind in IN_CONTEST else applies)(drug=service.drug)


@rule(
    "infusion-resumed",
    "rank",
    "An interrupted infusion that goes on is one infusion",
    sources=("rca-same-drug", "house"),
    nature="convention",
    confidence=Confidence.MEDIUM,
    says="{drug} was interrupted and resumed; its times add up to {minutes} minutes of one infusion.",
    otherwise="{drug} was not resumed after an interruption.",
)
def infusion_resumed(services: Sequence[Service]) -> Verdict:
    """A dose that is interrupted and resumed is one infusion, and its minutes add up."""
    drug = services[0].drug
    if len(services) == 1:
        return does_not(drug=drug)
    return applies(drug=drug, minutes=sum(row.length for row in services))


@rule(
    "sc-infusion-once",
    "rank",
    "Infusions under the skin are one service",
    sources=("cpt", "clearcost-96369"),
    confidence=Confidence.MEDIUM,
    says="{drugs} ran under the skin in {rows} rows: one service of {minutes} minutes, a minute at several sites "
    "counting once.",
    otherwise="{drugs} was infused under the skin once.",
)
def sc_infusion_once(services: Sequence[Service], minutes: int) -> Verdict:
    """The first hour of infusion under the skin is reported once in an encounter, with its set-up and all its sites;
    further time adds up to further hours.
    """
    drugs = listed(row.drug for row in services)
    found = applies if len(services) > 1 else does_not
    return found(drugs=drugs, rows=len(services), minutes=minutes)


@rule(
    "reason-cannot-lead",
    "rank",
    "A reason for the visit that no add-on can stand beside",
    sources=("aoc-2026q3-rows", "cms-addon-types", "house"),
    nature="reading",
    confidence=Confidence.MEDIUM,
    says="{drug} is what the visit was for, but the other services have no add-on code that may follow it as the "
    "initial one; the hierarchy chooses.",
    otherwise="{drug} can lead the other services.",
)
def reason_cannot_lead(service: Service, others: Sequence[Service]) -> Verdict:
    """The reason for the visit leads only if the add-ons of the other services may stand beside it: not hydration or
    another drug beside chemotherapy, and not a push beside a chemotherapy infusion or beside infusions that run at the
    same time.
    """
    chemo = [row for row in others if row.category is Category.CHEMOTHERAPY]
    infusions = [row for row in others if row.kind is Kind.INFUSION]
    lower = service.category is not Category.CHEMOTHERAPY and chemo
    bare = service.kind is Kind.PUSH and (any(row in chemo for row in infusions) or _overlapping(infusions))
    return (applies if lower or bare else does_not)(drug=service.drug)


@rule(
    "hydration-leads",
    "rank",
    "Hydration that the visit was for leads the drugs beside it",
    sources=(
        "aoc-2026q3-rows",
        "jucm-iv-infusions",
        "aapc-hydration-push-thread",
        "noridian-initial-administration",
        "codingclarified",
    ),
    nature="disputed",
    confidence=Confidence.MEDIUM,
    says="{drug} leads the drugs given beside it, as CMS's list of add-ons allows on a professional claim. Some payers "
    "keep to the hierarchy there too: they take the drug as initial and hydration as its add-on.",
    otherwise="Hydration does not lead drugs on the access.",
)
def hydration_leads(service: Service, others: Sequence[Service]) -> Verdict:
    """On a professional claim hydration leads pushes and infusions of drugs when the visit was for it; CMS lists it
    among the primaries of their add-ons for practitioners only. Some payers follow the hierarchy all the same.
    """
    hit = service.kind is Kind.HYDRATION and any(row.kind is not Kind.HYDRATION for row in others)
    return (applies if hit else does_not)(drug=service.drug)


def _overlapping(infusions: Sequence[Service]) -> bool:
    spans = sorted(span for row in infusions for span in row.spans)
    return any(later[0] < earlier[1] for earlier, later in pairwise(spans))


def rank(classified: Classified) -> Ranked:
    """Order the services and name the initial one of each access, in each encounter of the day.

    Returns reportable services from the highest tier down, the initial ones first, and apart from them what is
    not reportable or undecided.
    """
    parts = [_ranked(part) for part in classified.by_encounter()]
    return Ranked(
        classified,
        tuple(standing for part in parts for standing in part.standings),
        tuple(row for part in parts for row in part.left_out),
        max((part.method for part in parts), key=_TELLING.index),
        next((part.blocked for part in parts if part.blocked is not None), None),
    )


_TELLING: tuple[Method, ...] = ("only_candidate", "hierarchy", "hierarchy_as_fallback", "reason")
"""What chose the initial services, the least telling first: what a ranking of several encounters says."""


def _ranked(classified: Classified) -> Ranked:
    """The ranking of one encounter."""
    book, visit = classified.book, classified.visit
    left_out = tuple(row for row in classified.services if row.kind in _OUT)
    services = _ordered(_joined(row for row in classified.services if row.kind not in _OUT), book.tiers)
    initial, blocked = _initial(services, visit)
    standings = []
    for row in services:
        first = initial.get(row.access)
        tier = book.tiers.get((row.kind, row.category or ""))
        says = tier.says if tier else row.kind.value.replace("_", " ")
        if row.kind not in IN_CONTEST or first is None:
            findings: tuple[Finding, ...] = (injections_stand_alone(row),)
        elif row is not first:
            findings = (one_initial_per_access(row, first),)
        else:
            rivals = [
                other
                for other in services
                if other.kind in IN_CONTEST and other.access == row.access and other is not row
            ]
            standing = _standing(row, rivals, services, says, book.tiers)
            if standing == _ALONE and any(out.kind is Kind.UNDECIDED and out.access == row.access for out in left_out):
                standing = _ALONE_SO_FAR
            findings = _leads(row, standing, blocked, visit, rivals)
        standings.append(Standing(row, tier.rank if tier else LAST, says, row is first, findings))
    # Initial services come first, whatever their tier.
    # Of equals the common access leads, so that the one charted with a reason is the further one.
    standings.sort(
        key=lambda standing: (
            not standing.initial,
            (standing.tier, standing.service.access != "") if standing.initial else (0, False),
        )
    )
    return Ranked(classified, tuple(standings), left_out, _method(standings, blocked, visit), blocked)


def _initial(services: Sequence[Service], visit: Visit) -> tuple[dict[str, Service], Finding | None]:
    """The initial service of each access, and why the reason for the visit could not be one if it could not."""
    contest = [row for row in services if row.kind in IN_CONTEST]
    initial: dict[str, Service] = {}
    for row in contest:
        initial.setdefault(row.access, row)
    blocked: Finding | None = None
    for row in contest:
        if _is_reason(row, visit):
            found = reason_cannot_lead(row, [other for other in contest if other.access == row.access])
            if found.holds:
                blocked = found
            else:
                initial[row.access] = row
    return initial, blocked


def _is_reason(service: Service, visit: Visit) -> bool:
    """Whether a professional claim's visit was for this service."""
    return visit.claim is Claim.PROFESSIONAL and visit.primary_reason in service.administrations


def _leads(
    service: Service, standing: str, blocked: Finding | None, visit: Visit, rivals: Sequence[Service]
) -> tuple[Finding, ...]:
    """Why an initial service is that: the reason for the visit, the hierarchy, or the hierarchy in its place."""
    if _is_reason(service, visit):
        disputed = hydration_leads(service, rivals)
        return (initial_by_reason(service, visit.primary_reason), *((disputed,) if disputed.holds else ()))
    if visit.claim is Claim.PROFESSIONAL and blocked is not None:
        return (initial_by_hierarchy(service, standing), blocked)
    if visit.claim is Claim.PROFESSIONAL and standing not in (_ALONE, _ALONE_SO_FAR):
        return (hierarchy_as_fallback(service, standing, visit.primary_reason is not None),)
    return (initial_by_hierarchy(service, standing),)


def _method(standings: Iterable[Standing], blocked: Finding | None, visit: Visit) -> Method:
    """What chose the initial services."""
    if visit.claim is not Claim.PROFESSIONAL or blocked is not None:
        return "hierarchy"
    if any(row.initial and _is_reason(row.service, visit) for row in standings):
        return "reason"
    accesses = [row.service.access for row in standings if row.service.kind in IN_CONTEST]
    return "hierarchy_as_fallback" if len(set(accesses)) < len(accesses) else "only_candidate"


_ALONE = "is the only service on its access that can be initial"
_ALONE_SO_FAR = "is the only service on its access that can be initial while another is open"


def _standing(
    row: Service,
    rivals: Sequence[Service],
    services: Sequence[Service],
    says: str,
    tiers: Mapping[tuple[str, str], Tier],
) -> str:
    """Why a service ranks first on its access: alone, of the highest tier, or the longest or first among equals."""
    if not rivals:
        return _ALONE
    equals = [other for other in rivals if _tier(other, tiers) == _tier(row, tiers)]
    if not equals:
        return f"ranks highest on its access ({says})"
    contest = _contest(services)
    once = [other for other in (row, *equals) if not _given_again(other, contest)]
    if row in once and any(_even(other, row) for other in equals if other in once):
        return f"ranks highest on its access ({says}, one of several equals: which of them leads changes no code)"
    if row.kind is not Kind.PUSH and all(other.length < row.length for other in equals):
        return f"ranks highest on its access ({says}, the longest of several)"
    return f"ranks highest on its access ({says}, the first of several)"


def _even(one: Service, other: Service) -> bool:
    """Whether nothing charted puts one of two services of a tier first."""
    length = one.kind is Kind.PUSH or one.minutes == other.minutes
    return length and one.start == other.start and one.substance != other.substance


def _tier(row: Service, tiers: Mapping[tuple[str, str], Tier]) -> int:
    tier = tiers.get((row.kind, row.category or ""))
    return tier.rank if tier else LAST


def _ordered(services: Sequence[Service], tiers: Mapping[tuple[str, str], Tier]) -> list[Service]:
    """Highest tier first; inside it the drug with the longest infusion, its doses in their order, then by time, and of
    equals by label.
    """
    contest = _contest(services)
    longest: dict[tuple[Kind, str, str], tuple[int, int]] = {}
    labels: dict[tuple[Kind, str, str], tuple[int, str]] = {}
    for row in services:
        group = (row.kind, row.access, row.substance)
        labels[group] = min(labels.get(group, _label(row)), _label(row))
        if row.kind is not Kind.PUSH:
            most, first = longest.get(group, (0, UNTIMED))
            longest[group] = min(most, -row.length), min(first, _start(row))

    def key(row: Service) -> tuple[int, int, int, bool, tuple[int, str], int, int, tuple[int, str]]:
        group = (row.kind, row.access, row.substance)
        most, first = longest.get(group, (0, _start(row)))
        # What is given again elsewhere may be a repeat: of equals the drug given once goes first.
        again = _given_again(row, contest)
        return _tier(row, tiers), most, first, again, labels[group], _start(row), -row.length, _label(row)

    return sorted(services, key=key)


def _contest(services: Iterable[Service]) -> Counter[str]:
    """How many services of each drug compete to be initial."""
    return Counter(row.substance for row in services if row.kind in IN_CONTEST)


def _given_again(row: Service, contest: Counter[str]) -> bool:
    """Whether the drug is given in another service that competes to be initial."""
    return contest[row.substance] > (row.kind in IN_CONTEST)


def _label(row: Service) -> tuple[int, str]:
    """The label of a service's first administration, so that "2" stands before "10"."""
    label = row.administrations[0]
    return len(label), label


def _start(row: Service) -> int:
    return row.spans[0][0] if row.spans else UNTIMED


def _joined(services: Iterable[Service]) -> list[Service]:
    """Join the segments of a resumed infusion, all hydration of an access, and all infusions under the skin."""
    groups: dict[tuple[Kind, str, str], list[Service]] = {}
    joined: list[Service] = []
    for row in services:
        if row.kind in _TIMED:
            substance = "" if row.kind in _ALL_ONE else row.substance
            groups.setdefault((row.kind, row.access, substance), []).append(row)
        else:
            joined.append(row)
    for members in groups.values():
        members.sort(key=lambda row: (row.when, row.resumed is True, -row.length, row.drug))
        segments = [members[0]]
        for row in members[1:]:
            if row.kind in _ALL_ONE or row.resumed:
                segments.append(row)
            else:
                joined.append(_one(segments))
                segments = [row]
        joined.append(_one(segments))
    return joined


def _one(segments: Sequence[Service]) -> Service:
    """Several segments as one service."""
    first = segments[0]
    if len(segments) == 1:
        return first
    findings = [finding for row in segments for finding in row.findings]
    timed = all(row.spans for row in segments)
    minutes = sum(row.length for row in segments)
    if first.kind is Kind.SC_INFUSION:
        minutes = _covered(segments) if timed else minutes
        findings.append(sc_infusion_once(segments, minutes))
    elif first.kind is not Kind.HYDRATION:
        findings.append(infusion_resumed(segments))
    return first._replace(
        administrations=tuple(label for row in segments for label in row.administrations),
        minutes=minutes,
        spans=tuple(sorted(span for row in segments for span in row.spans)) if timed else (),
        findings=_unique(findings),
    )


def _covered(services: Iterable[Service]) -> int:
    """The minutes in which at least one of them ran."""
    spans = [span for row in services for span in row.spans]
    whole = min(start for start, _ in spans), max(stop for _, stop in spans)
    return whole[1] - whole[0] - uncovered(whole, spans)


def _unique(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    seen: list[Finding] = []
    for finding in findings:
        if finding not in seen:
            seen.append(finding)
    return tuple(seen)

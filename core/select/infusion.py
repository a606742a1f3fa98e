"""Infusions and hydration: further hours, sequential, concurrent, the same drug again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ivcoder.book import WHOLE, Confidence, Rulebook
from ivcoder.classify import IN_CONTEST, Option, Question, Service
from ivcoder.encounter import HOUR
from ivcoder.rank import Standing
from ivcoder.rule import Finding, Verdict, applies, cannot_tell, does_not, listed, rule
from ivcoder.select.earned import CHEMO, Asides, Earned, Refused, lost_initial, moved

_HOURS = {
    "infusion_initial": "infusion_hour",
    "infusion_sequential": "infusion_hour",
    "chemo_infusion_initial": "chemo_infusion_hour",
    "chemo_infusion_sequential": "chemo_infusion_hour",
    "hydration_initial": "hydration_more",
    "sc_infusion_initial": "sc_infusion_hour",
    "chemo_arterial_infusion": "chemo_arterial_hour",
}

HOURED = frozenset(_HOURS)
"""Roles that further hours can follow."""


@rule(
    "additional-hour",
    "select",
    "A further hour counts once past its half",
    sources=("fcso-infusion-hydration", "medicalcoding123-2012", "codingclarified", "haugen-beyond-basics"),
    says="{drug} ran {minutes} minutes: {hours} further {unit} beyond the first, each of which counts once {limit} of "
    "its minutes have run.",
    otherwise="{drug} ran {minutes} minutes: no further hour, which needs at least {needed} minutes in all.",
    unsure="The length of {drug} is not documented, so no further hour is counted.",
)
def additional_hour(service: Service, book: Rulebook) -> Verdict:
    """After the first hour, each further hour counts when it has run at least {hour_past} minutes."""
    past = book.limits["hour_past"]
    if service.minutes is None:
        return cannot_tell("minutes", drug=service.drug)
    hours = further_hours(service.minutes, book)
    if hours:
        unit = "hour" if hours == 1 else "hours"
        return applies(drug=service.drug, minutes=service.minutes, hours=hours, unit=unit, limit=past)
    return does_not(drug=service.drug, minutes=service.minutes, needed=HOUR + past)


def further_hours(minutes: int, book: Rulebook) -> int:
    """Hours after the first that ``minutes`` earn: 91 earn one, 151 two."""
    return max(0, (minutes - book.limits["hour_past"]) // HOUR)


@rule(
    "concurrent-infusion",
    "select",
    "Infusions of different drugs at the same time",
    sources=("cpt", "hcpro-2015-concurrent", "aapc-96413-96368"),
    says="{drug} ran at the same time as {other} for {beside} of its {minutes} minutes: a concurrent infusion.",
    otherwise="{drug} did not run at the same time as another infusion on the access{most}.",
    unsure="Whether {drug} ran at the same time as {other} cannot be told without clock times; taken as "
    "one after the other.",
)
def concurrent_infusion(service: Service, higher: Sequence[Service], book: Rulebook) -> Verdict:
    """An infusion that runs beside another drug's, from its own bag on the same access, for more than
    {concurrent_share} percent of its minutes is concurrent; it is reported by its occurrence and not by the hour.
    """
    minutes = service.length
    for other in higher:
        beside = overlap_of(service, other)
        if beside * WHOLE > minutes * book.limits["concurrent_share"]:
            return applies(drug=service.drug, other=other.drug, beside=beside, minutes=minutes)
    for other in higher:
        if not (service.spans and other.spans):
            return cannot_tell("start", drug=service.drug, other=other.drug)
    return does_not(drug=service.drug, most=_mostly(service, higher))


def _mostly(service: Service, higher: Sequence[Service]) -> str:
    """How much of its time, when some of it was otherwise."""
    return " for most of its time" if any(overlap_of(service, other) for other in higher) else ""


@rule(
    "partial-overlap",
    "select",
    "Infusions that overlap only in part",
    sources=("hcpro-2015-concurrent", "medlearn-2022-overlap", "haugen-beyond-basics", "cms-article-a53778"),
    nature="disputed",
    confidence=Confidence.LOW,
    says="{drug} overlapped {other} for {beside} of its {minutes} minutes. Sources differ: most of the time decides "
    "here; some count any overlap as concurrent, some only the minutes that do not overlap as sequential.",
    otherwise="{drug} ran wholly beside the other infusion, or wholly apart.",
)
def partial_overlap(service: Service, higher: Sequence[Service]) -> Verdict:
    """When two infusions overlap for part of the time, sources differ on whether the later one is concurrent or
    sequential; the greater part decides here, and the answer says so.
    """
    minutes = service.length
    for other in higher:
        beside = overlap_of(service, other)
        if 0 < beside < minutes:
            return applies(drug=service.drug, other=other.drug, beside=beside, minutes=minutes)
    return does_not(drug=service.drug)


@rule(
    "same-drug-infused-again",
    "select",
    "The same drug infused again is further time of it",
    sources=("rca-same-drug", "medlearn-2025-same-drug", "icd10monitor-obs", "haugen-beyond-basics"),
    nature="disputed",
    confidence=Confidence.MEDIUM,
    says="{drug} was infused again, {taken} a dose of its own, for {minutes} minutes: {hours} further {unit} of the "
    "same drug. Sources differ: some add the times of all doses up, some count a short one as a repeat push.",
    otherwise="{drug} was infused again, {taken} a dose of its own, for {minutes} minutes, fewer than the {limit} of "
    "an infusion: not reported.",
)
def same_drug_infused_again(service: Service, book: Rulebook) -> Verdict:
    """A further dose of a drug already infused is not another drug in sequence. Each dose stands by itself: one that
    runs longer than {push_longest} minutes is a further hour of the drug, and its own hours past the first count on.
    Some sources add the times of all doses up, some count a short one as a repeat push. Whether it went on with the
    dose before is asked where that ended no more than {resumed_within} minutes earlier.
    """
    minutes, least = service.length, book.limits["push_longest"] + 1
    taken = "taken as" if service.resumed is None else "charted as"
    if minutes < least:
        return does_not(drug=service.drug, taken=taken, minutes=minutes, limit=least)
    hours = 1 + further_hours(minutes, book)
    unit = "hour" if hours == 1 else "hours"
    return applies(drug=service.drug, taken=taken, minutes=minutes, hours=hours, unit=unit)


@rule(
    "concurrent-once",
    "select",
    "One concurrent infusion an encounter",
    sources=("cpt", "codingahead-96368"),
    says="{drug} earns no line: a concurrent infusion is reported once an encounter, and one already is.",
    otherwise="{drug} is the encounter's first concurrent infusion.",
)
def concurrent_once(service: Service, already: bool) -> Verdict:
    """However many infusions run at the same time, the concurrent one is reported once in an encounter."""
    return (applies if already else does_not)(drug=service.drug)


@rule(
    "concurrent-chemo",
    "select",
    "Chemotherapy at the same time as chemotherapy has no code",
    sources=("aapc-concurrent-chemo", "asco-concurrent-2008", "aapc-onc-2006-concurrent"),
    nature="disputed",
    confidence=Confidence.MEDIUM,
    says="{drug} is chemotherapy that ran at the same time as {other}, for which there is no code of its own. CPT "
    "Assistant of November 2005 points to the unlisted code, {unlisted}, which only some payers take.",
    otherwise="{drug} is not chemotherapy that ran beside chemotherapy.",
)
def concurrent_chemo(service: Service, concurrent: bool, other: str, unlisted: str) -> Verdict:
    """The concurrent code is for drugs other than chemotherapy; chemotherapy running beside chemotherapy has
    none, and payers differ on the unlisted code.
    """
    hit = concurrent and service.category is CHEMO
    return (applies if hit else does_not)(drug=service.drug, other=other, unlisted=unlisted)


@rule(
    "sequential-infusion",
    "select",
    "An infusion of another drug before or after",
    sources=("cpt", "aapc-premed-infusion", "hfma-chemo-premed"),
    says="{drug} is another drug than {initial}, infused before or after it{most}: a sequential infusion.",
    otherwise="{drug} {because}, not in sequence.",
)
def sequential_infusion(
    service: Service, initial: Service, higher: Sequence[Service], *, concurrent: bool = False
) -> Verdict:
    """An infusion of another drug that does not run at the same time is sequential, once for each drug or
    mixture, for up to its first hour.
    """
    if any(row.substance == service.substance for row in higher):
        return does_not(drug=service.drug, because="is the same drug again")
    if concurrent:
        return does_not(drug=service.drug, because="ran at the same time as another infusion for most of its time")
    return applies(drug=service.drug, initial=initial.drug, most=_mostly(service, higher))


@rule(
    "hydration-secondary",
    "select",
    "Hydration beside another initial service",
    sources=("cpt", "codingahead-96361", "aapc-hydration-push-thread"),
    says="Hydration ran {minutes} minutes apart from drug infusions, and {initial} is the initial service: {hours} "
    "{unit} as an add-on.",
    otherwise="Hydration is the initial service.",
)
def hydration_secondary(service: Service, initial: Service | None, book: Rulebook) -> Verdict:
    """When another service is initial, reportable hydration is a later service: one for its first hour, and one
    for each further hour.
    """
    if initial is None or initial is service:
        return does_not()
    minutes = service.length
    hours = 1 + further_hours(minutes, book)
    return applies(minutes=minutes, initial=initial.drug, hours=hours, unit="unit" if hours == 1 else "units")


@rule(
    "hydration-purpose",
    "select",
    "Fluid beside drugs is hydration only if it was given for that",
    sources=("fcso-infusion-hydration", "noridian-hydration", "cms-article-a53778", "hcpro-2012-hydration-doc"),
    says="Nothing charted says that {drug} was given to hydrate. If it carried a drug or kept the line open, it is not "
    "reported; give its purpose.",
    otherwise="The record says what the fluid was for, or no drug was given beside it.",
    unsure="{drug} began while {other} ran or as it ended, as the rest of a carrier bag does, and nothing charted says "
    "that it was given to hydrate. Taken as hydration.",
)
def hydration_purpose(drug: str, stated: bool, after: str | None = None) -> Verdict:
    """Plain fluid beside drugs is hydration when the record shows that it was needed for that, and not as a carrier or
    to keep the line open. Without a word on it the fluid is taken as hydration, and the answer says so; where it began
    while a drug infusion ran or as it ended, its purpose is asked.
    """
    if not stated and after is not None:
        return cannot_tell("purpose", drug=drug, other=after)
    return (does_not if stated else applies)(drug=drug)


def overlap_of(one: Service, other: Service) -> int:
    """Minutes during which both ran."""
    return sum(
        max(0, min(mine[1], theirs[1]) - max(mine[0], theirs[0])) for mine in one.spans for theirs in other.spans
    )


def with_hours(
    standing: Standing,
    role: str,
    book: Rulebook,
    basis: tuple[Finding, ...] = (),
    rivals: tuple[tuple[str, Finding], ...] = (),
) -> list[Earned]:
    """The line of a role, and the line of its further hours where the role has them."""
    service = standing.service
    why = (*service.findings, *standing.findings, *basis)
    line = Earned(role, 1, service.administrations, why, service.access, lost=(*rivals, *_lost(role, standing)))
    further = _HOURS.get(role)
    if further is None:
        return [line]
    found = additional_hour(service, book)
    if not found.holds:
        # Within the first hour there is nothing to say of a further one.
        beyond = service.minutes is None or service.minutes > HOUR
        return [line._replace(findings=(*why, found))] if beyond else [line]
    hours = int(found.facts["hours"])
    return [line, Earned(further, hours, service.administrations, (found,), service.access)]


_SHORT = {"infusion_initial": "push_initial", "chemo_infusion_initial": "chemo_push_initial"}


def _lost(role: str, standing: Standing) -> tuple[tuple[str, Finding], ...]:
    """The role that came closest: a push for a short initial infusion, the initial role for a later one."""
    if role in _SHORT:
        short = standing.service.length < HOUR
        return ((_SHORT[role], standing.service.findings[-1]),) if short else ()
    competes = standing.service.kind in IN_CONTEST and not standing.initial
    return lost_initial(standing) if competes else ()


@dataclass(frozen=True, slots=True)
class Company:
    """What a later infusion is seen beside.

    ``initial`` is the initial service of its access, ``higher`` the access's higher-ranked infusions, ``again`` its
    drug's infusions after the first; ``concurrent`` says whether the encounter has a concurrent one, ``hours`` whether
    its drug has a line that further hours can follow.
    """

    initial: Service
    higher: Sequence[Service]
    again: Sequence[Service]
    concurrent: bool
    hours: bool


def later_infusion(standing: Standing, company: Company, book: Rulebook, asides: Asides) -> list[Earned] | Refused:
    """What an infusion earns that is not the initial service: sequential, concurrent, further hours, or nothing."""
    service = standing.service
    why = (*service.findings, *standing.findings)
    chemo = service.category is CHEMO
    peers = [row for row in company.higher if row.category is CHEMO] if chemo else company.higher
    again = any(row.substance == service.substance for row in company.higher)
    if again:
        peers = [row for row in peers if row.substance != service.substance]
    found = concurrent_infusion(service, peers, book)
    if again and company.hours and not found.holds:
        return _again(standing, company, book, asides)
    if found.open:
        asides.questions.append(times_question(service, peers, found))
    partial = partial_overlap(service, peers)
    if partial.holds:
        asides.warn(partial, service)
    if not found.holds:
        follows = sequential_infusion(service, company.initial, peers)
        role = "chemo_infusion_sequential" if chemo else "infusion_sequential"
        rivals = (("infusion_concurrent", found),) if peers and not chemo and not found.open else ()
        return with_hours(standing, role, book, (found, follows) if found.open else (follows,), rivals)
    if chemo:
        other = str(found.facts["other"])
        unlisted = book.codes["chemo_unlisted"].code
        return Refused(service.administrations, (*why, concurrent_chemo(service, found.holds, other, unlisted)))
    once = concurrent_once(service, company.concurrent)
    if once.holds:
        return Refused(service.administrations, (*why, found, once))
    in_sequence = sequential_infusion(service, company.initial, peers, concurrent=True)
    lost = (("infusion_sequential", in_sequence), *lost_initial(standing))
    return [Earned("infusion_concurrent", 1, service.administrations, (*why, found), service.access, lost=lost)]


def _again(standing: Standing, company: Company, book: Rulebook, asides: Asides) -> list[Earned] | Refused:
    """A further dose of a drug that a higher-ranked infusion of the access already gave."""
    service = standing.service
    found = same_drug_infused_again(service, book)
    why = (*service.findings, *standing.findings, found)
    doses = [row for row in (*company.higher, *company.again) if row.substance == service.substance]
    unclear = [
        row.administrations[0] for row in company.again if row.resumed is None and not _long_after(row, doses, book)
    ]
    asked = {row.administration for row in asides.questions if row.field == "resumed"}
    if unclear and unclear[0] not in asked:
        asides.questions.append(_resumed_question(unclear, found))
    if not found.holds:
        asides.warn(found, service)
        return Refused(service.administrations, why)
    # Its hours follow the first dose, also where the record puts the two in different categories.
    chemo = any(row.category is CHEMO for row in company.higher if row.substance == service.substance)
    role = "chemo_infusion_hour" if chemo else "infusion_hour"
    hours = int(found.facts["hours"])
    sequential = "chemo_infusion_sequential" if chemo else "infusion_sequential"
    in_sequence = sequential_infusion(service, company.initial, company.higher)
    lost = ((sequential, in_sequence), *lost_initial(standing))
    return [Earned(role, hours, service.administrations, why, service.access, lost=lost)]


def _long_after(service: Service, doses: Sequence[Service], book: Rulebook) -> bool:
    """Whether the last infusion of the drug had ended too long before for this one to go on with its dose."""
    start = service.start
    if start is None:
        return False
    ended = [stop for row in doses for _, stop in row.spans if stop <= start]
    return bool(ended) and start - max(ended) > book.limits["resumed_within"]


def _resumed_question(unclear: Sequence[str], finding: Finding) -> Question:
    """Ask once for all infusions of a drug after its first whether they went on with one dose."""
    keys = ("resumed", "own_dose") if len(unclear) == 1 else ("all_resumed", "all_own_doses")
    of = listed(f"[{label}]" for label in unclear)
    options = tuple(Option(key, {"of": of}, {label: {"resumed": key == keys[0]} for label in unclear}) for key in keys)
    return Question(unclear[0], "resumed", finding, options)


def later_hydration(standing: Standing, initial: Service, book: Rulebook) -> Earned:
    """What hydration earns beside another initial service."""
    service = standing.service
    found = hydration_secondary(service, initial, book)
    why = (*service.findings, *standing.findings, found)
    units = int(found.facts["hours"])
    lost = lost_initial(standing)
    return Earned("hydration_more", units, service.administrations, why, service.access, lost=lost)


def times_question(service: Service, peers: Sequence[Service], finding: Finding) -> Question:
    """Ask when an infusion ran, beside or after the one it cannot be placed against."""
    other = next(row for row in peers if row.drug == finding.facts["other"])
    still, asked = (service, other) if service.spans else (other, service)
    beside = still.spans[0][0] if still.spans else 0
    apart = max((stop for _, stop in still.spans), default=still.length)
    fixed: dict[str | None, Mapping[str, object]] = {} if still.spans else {still.administrations[0]: moved(still, 0)}
    options = tuple(
        Option(key, {}, {**fixed, asked.administrations[0]: moved(asked, start)})
        for key, start in (("overlapping", beside), ("apart", apart))
    )
    return Question(asked.administrations[0], "start", finding, options)

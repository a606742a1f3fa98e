"""The claim: code numbers for roles, and the edits that need no table.

Here roles become code numbers, for the date of service. Edits say who may report a service at all, what an
add-on must stand beside, which access carries a modifier, and what is included in a drug administration.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ivcoder.book import Code, Confidence, Drug, Rulebook
from ivcoder.classify import BY_VEIN, IN_CONTEST, Classified, Kind, Option, Question, Service
from ivcoder.edits.line import Line, dated, is_initial, line_of
from ivcoder.edits.payers import by_payer, of_drugs, within_payment
from ivcoder.encounter import DAY, Claim, OtherService, Purpose, Route, Visit
from ivcoder.rank import Ranked
from ivcoder.rule import Finding, Verdict, applies, cannot_tell, does_not, listed, rule
from ivcoder.select import Refused, Remark, Selected


@dataclass(frozen=True, slots=True)
class Edited:
    """The outcome of the step: the lines as they would stand on the claim."""

    selected: Selected
    lines: tuple[Line, ...]
    refused: tuple[Refused, ...]
    remarks: tuple[Remark, ...]
    questions: tuple[Question, ...]


@rule(
    "professional-claim-in-facility",
    "edits",
    "A physician does not report drug administration in a facility",
    sources=("ncci-manual-ch11", "noridian-a52953", "regence-109"),
    says="This is a professional claim from {place}: the facility reports the drug administration and the drugs.",
    otherwise="This is not a professional claim in a facility.",
    unsure="Whose claim this is does not follow from {place}; taken as the facility's.",
)
def professional_claim_in_facility(visit: Visit, book: Rulebook) -> Verdict:
    """In hospital and surgical-centre settings the facility reports drug administration; a physician's claim does
    not carry it. Some payers count further places as facilities.
    """
    by_payer = any(visit.place.code in row.places for row in book.differs(visit.payer, "facility"))
    if not visit.place.facility_reports and not by_payer:
        return does_not()
    place = visit.place.spoken
    if by_payer:
        place += f", which {book.payers[visit.payer or ''].name} counts as a facility"
    if visit.claim is None:
        return cannot_tell("claim", place=place)
    return (applies if visit.claim is Claim.PROFESSIONAL else does_not)(place=place)


@rule(
    "place-note",
    "edits",
    "What else may report a drug given at this place",
    sources=("medibillmd-99601", "carecost-iv-push"),
    nature="convention",
    confidence=Confidence.MEDIUM,
    says="{note}",
    otherwise="Nothing more is to be said of this place.",
)
def place_note(note: str | None) -> Verdict:
    """At home, a nurse's visit for an infusion, or the payer's amount by the day, is reported with other codes than
    these, which are for what is done incident to a physician.
    """
    return applies(note=note) if note else does_not()


@rule(
    "inpatient-claim",
    "edits",
    "Drug administration is part of an inpatient stay",
    sources=("cms-pos-codes", "house"),
    says="This is a facility's claim from {place}: drug administration is part of the stay, not reported by code.",
    otherwise="This is not a facility's inpatient claim.",
)
def inpatient_claim(visit: Visit) -> Verdict:
    """A facility does not report drug administration codes for an inpatient stay."""
    hit = visit.place.inpatient and visit.claim is not Claim.PROFESSIONAL
    return (applies if hit else does_not)(place=visit.place.spoken)


@rule(
    "add-on-needs-primary",
    "edits",
    "An add-on needs its primary on the claim",
    sources=("cms-addon-codes", "cms-addon-types"),
    says="{code} is an add-on that must stand beside one of {beside}; none of them is here.",
    otherwise="{code} stands beside one of its primaries, or is not an add-on.",
)
def add_on_needs_primary(code: Code, present: frozenset[str], claim: Claim | None) -> Verdict:
    """An add-on is payable only beside one of its primaries on the same claim and date."""
    primaries = code.primaries(professional=claim is Claim.PROFESSIONAL)
    lacking = primaries and not present & set(primaries)
    return (applies if lacking else does_not)(code=code.code, beside=", ".join(primaries))


@rule(
    "included-services",
    "edits",
    "Services included in a drug administration",
    sources=("ncci-manual-ch11", "noridian-initial-administration"),
    says="{code} ({short}) is included in the drug administration and not reported beside it.",
    otherwise="{code} is not a service included in drug administration.",
)
def included_services(service: OtherService, book: Rulebook) -> Verdict:
    """Starting the line, reaching or flushing the access, and drawing blood from it are part of giving the drug."""
    row = book.included.get(service.code)
    return applies(code=service.code, short=row.short) if row else does_not(code=service.code)


@rule(
    "em-minimal-visit",
    "edits",
    "A minimal visit is never reported beside a drug administration",
    sources=("noridian-chemo-nonchemo", "ncci-manual-ch11"),
    says="{code} is never reported on the day of a drug administration, with or without a modifier.",
    otherwise="{code} is not the minimal visit.",
)
def em_minimal_visit(service: OtherService, book: Rulebook) -> Verdict:
    """The minimal office visit is part of the drug administration, whatever the modifier."""
    return (applies if service.code in book.minimal_visits else does_not)(code=service.code)


@rule(
    "em-significant-separate",
    "edits",
    "A visit beside a drug administration must be separate and say so",
    sources=("ncci-manual-ch11", "noridian-chemo-nonchemo"),
    says="{code} needs modifier {modifier} beside a drug administration, and a visit that is significant and separate.",
    otherwise="{code} is not a visit, or carries its modifier.",
)
def em_significant_separate(service: OtherService, book: Rulebook) -> Verdict:
    """A visit on the day of a drug administration is reported when significant and separately identifiable, and
    carries the modifier that says so.
    """
    modifier = book.modifiers["separate_visit"]
    hit = book.is_visit(service.code) and modifier not in service.modifiers
    return (applies if hit else does_not)(code=service.code, modifier=modifier)


@rule(
    "operation-on-claim",
    "edits",
    "Drugs of an operation belong to it",
    sources=("ncci-manual-ch11", "vitalware-pacu", "umiami-obc"),
    confidence=Confidence.MEDIUM,
    says="{codes} is on the claim: drugs given for a procedure, before, during or while recovering from it, are part "
    "of it and not reported. Chart those with purpose procedure; what was given for another reason stands.",
    otherwise="No procedure is on the claim.",
)
def operation_on_claim(codes: Sequence[str]) -> Verdict:
    """Antibiotics, antiemetics, sedation and fluid given for an operation are part of it. Which of the drugs were is
    for the record to say, so the answer names the procedure and takes nothing off.
    """
    return applies(codes=listed(codes)) if codes else does_not()


@rule(
    "drug-code-mismatch",
    "edits",
    "The charted drug code should be the drug's",
    sources=("cms-hcpcs",),
    says="The charted code {code} belongs to {other}, not to {drug}: one of the two is wrong.",
    otherwise="The charted code and the drug agree.",
)
def drug_code_mismatch(drug: str, code: str, other: str | None) -> Verdict:
    """A HCPCS code that belongs to another drug than the one named is a contradiction to clear up."""
    return applies(drug=drug, code=code, other=other) if other else does_not(drug=drug, code=code)


@rule(
    "label-forbids-route",
    "edits",
    "A route the drug's labelling rules out",
    sources=("house",),
    nature="reading",
    says="{drug} is not given by {route} according to its labelling: {check}.",
    otherwise="Nothing is known against giving {drug} by {route}.",
)
def label_forbids_route(drug: str, route: Route, charted: Route, forbidden: bool) -> Verdict:
    """A route that a drug's labelling rules out points to a charting error, or to an infusion whose times are wrong or
    missing.
    """
    check = "check what was charted" if route is charted else f"charted as {charted.spoken}, so check its times"
    return (applies if forbidden else does_not)(drug=drug, route=route.spoken, check=check)


@rule(
    "other-use",
    "edits",
    "Some drugs are reported otherwise for some uses",
    sources=("cpt", "umiami-obc", "aapc-37195", "codingahead-92977"),
    nature="convention",
    confidence=Confidence.MEDIUM,
    says="{drug} is coded here as a drug given for its own sake. {use}",
    otherwise="{drug} is given for its own sake only.",
)
def other_use(name: str, drug: Drug) -> Verdict:
    """A drug that is part of a procedure or a test, or whose infusion has a code of its own for some uses, is not
    reported with this family then. The record's purpose decides.
    """
    return applies(drug=name, use=drug.other_use) if drug.other_use else does_not(drug=name)


@rule(
    "reason-set-aside",
    "edits",
    "On a facility claim the reason for the visit does not choose",
    sources=("iom-100-04-ch4-230.2", "ahima-107707"),
    says="On a facility claim the reason for the visit does not choose the initial service; the hierarchy does.",
    otherwise="No reason for the visit was given, or it counts.",
)
def reason_set_aside(visit: Visit) -> Verdict:
    """The reason for the visit names the initial service on professional claims only; a facility follows the
    hierarchy.
    """
    return (applies if visit.primary_reason and visit.claim is Claim.FACILITY else does_not)()


@rule(
    "unusual-length",
    "edits",
    "An infusion of unusual length",
    sources=("house",),
    nature="reading",
    says="{drug} is read as running {minutes} minutes, more than {limit}: check the stop. A stop before the start is "
    "read as the next day.",
    otherwise="The length of {drug} is not unusual.",
)
def unusual_length(service: Service, book: Rulebook) -> Verdict:
    """An infusion of more than {infusion_unusual} minutes is coded as charted, and the answer asks to check it."""
    minutes, limit = service.length, book.limits["infusion_unusual"]
    return (applies if minutes > limit else does_not)(drug=service.drug, minutes=minutes, limit=limit)


@rule(
    "clock-over-midnight",
    "edits",
    "Times that may lie on both sides of midnight",
    sources=("house",),
    nature="reading",
    says="Times lie more than {limit} minutes apart and are all read on the date of service. If it went over midnight, "
    "give the later ones as HH:MM+1.",
    otherwise="No times without a date lie far apart, or some are charted with their day.",
)
def clock_over_midnight(visit: Visit, book: Rulebook) -> Verdict:
    """A time without a date is on the date of service; when such times lie more than {infusion_unusual} minutes apart,
    and none is charted with its day, the answer asks to check them.
    """
    limit = book.limits["infusion_unusual"]
    apart = visit.clocks[-1] - visit.clocks[0] if visit.clocks else 0
    return (applies if apart > limit else does_not)(limit=limit)


@rule(
    "newest-rulebook",
    "edits",
    "Without a date of service the newest rulebook is used",
    sources=("house",),
    nature="reading",
    says="No date of service was given; the newest rulebook was used.",
    otherwise="The rulebook of the date of service was used.",
)
def newest_rulebook(visit: Visit) -> Verdict:
    """An answer is read for the date of service; without one, for the newest edition of the rulebook, and it
    says so.
    """
    return (applies if visit.day is None else does_not)()


@rule(
    "hierarchy-used",
    "edits",
    "The answer says when the hierarchy stood in for the reason for the visit",
    sources=("aapc-premed-infusion", "house"),
    nature="convention",
    says="The record names no reportable service as what the visit was for; the hierarchy chose the initial service in "
    "its place. Give primary_reason to settle it.",
    otherwise="The hierarchy did not stand in for a missing reason.",
)
def hierarchy_notice(ranked: Ranked) -> Verdict:
    """A professional claim whose initial service the hierarchy chose among services of several tiers says so; among
    equals the reason would change no code.
    """
    tiers = {row.tier for row in ranked.standings if row.service.kind in IN_CONTEST}
    return (applies if ranked.method == "hierarchy_as_fallback" and len(tiers) > 1 else does_not)()


@rule(
    "injections-on-lines",
    "edits",
    "Several injections on one claim",
    sources=("aapc-divided-dose", "codingahead-96372", "cahaba-modifier-59"),
    nature="convention",
    confidence=Confidence.MEDIUM,
    says="{code} stands on {lines} lines. Some payers want {other} on the later ones for another drug or site, or "
    "{again} where the same was given again; none was added, since which of them a payer wants is its own.",
    otherwise="{code} stands on one line at most.",
)
def injections_on_lines(code: str, lines: int, modifiers: tuple[str, str]) -> Verdict:
    """Each injection has a line of its own; payers differ on the modifier that keeps the later ones from being taken
    for duplicates.
    """
    found = applies if lines > 1 else does_not
    return found(code=code, lines=lines, other=modifiers[0], again=modifiers[1])


def barred_claim(visit: Visit, book: Rulebook) -> Finding | None:
    """Why the claim carries no drug administration at all, if it does not."""
    asked = (professional_claim_in_facility(visit, book), inpatient_claim(visit), within_payment(visit, book))
    return next((finding for finding in asked if finding is not None and finding.holds), None)


def edit(selected: Selected, *, remarks: bool = True) -> Edited:
    """Put code numbers to the roles and hold payers' edits against the lines; without ``remarks``, the lines alone.

    Returns the claim lines, administration lines first and drug lines last, with what an edit took off the
    claim among the refused, and remarks for what the claim still needs.
    """
    classified = selected.ranked.classified
    visit, book = classified.visit, classified.book
    questions = selected.questions
    barred = barred_claim(visit, book)
    if barred is not None:
        taken = tuple(label for line in selected.earned for label in line.administrations)
        off = Refused(tuple(dict.fromkeys(taken)), (barred,))
        refused = (*((off,) if taken else ()), *selected.refused)
        return Edited(selected, (), refused, (), ())
    if visit.claim is None and selected.earned and (whose := professional_claim_in_facility(visit, book)).open:
        options = tuple(Option(f"claim_{claim.value}", {}, {None: {"claim": claim}}) for claim in Claim)
        questions = (*questions, Question(None, "claim", whose, options))
    given = {row.id: row for row in visit.administrations}
    names = {row.service.administrations: row.service.drug for row in selected.ranked.standings}
    leading = next((line for line in selected.earned if is_initial(line)), None)
    lines = [line_of(row, names.get(row.administrations, ""), visit, book, given, leading) for row in selected.earned]
    drug_lines = [
        Line(row.code or "", row.units, row.modifiers, "drug", row.administrations, row.findings, ())
        for row in selected.drug_lines
    ]
    stay: Finding | None = None
    if visit.day is not None and any((row.stop or row.start or 0) >= DAY for row in visit.administrations):
        lines, drug_lines, stay = dated(lines, drug_lines, visit, visit.day, selected.ranked)
    said = (*selected.remarks, *_remarks(selected, lines, stay)) if remarks else ()
    return Edited(selected, (*lines, *drug_lines), selected.refused, said, questions)


def _remarks(selected: Selected, lines: Sequence[Line], stay: Finding | None) -> Iterator[Remark]:
    """What the claim still needs, and what else is to be known of it."""
    visit, book = selected.ranked.classified.visit, selected.ranked.classified.book
    present = frozenset(line.code for line in lines)
    for line in lines:
        lacking = add_on_needs_primary(book.numbers[line.code], present, visit.claim)
        if lacking.holds:
            yield Remark("error", (lacking,), line.administrations)
    if lines:
        injected = injections_on_lines(
            book.codes["injection"].code,
            sum(line.role == "injection" for line in selected.earned),
            (book.modifiers["separate_service"], book.modifiers["repeated"]),
        )
        if injected.holds:
            yield Remark("info", (injected,))
        if (told := place_note(visit.place.note)).holds:
            yield Remark("warning", (told,))
        yield from _beside(visit, book)
        yield from by_payer(selected.earned, visit, book)
    yield from of_drugs(selected.drug_lines, visit, book)
    if stay is not None and stay.holds:
        yield Remark("info", (stay,))
    if selected.ranked.blocked is not None:
        yield Remark("warning", (selected.ranked.blocked,))
    yield from _contradictions(selected)


def _beside(visit: Visit, book: Rulebook) -> Iterator[Remark]:
    operations = dict.fromkeys(row.code for row in visit.other_services if book.is_surgery(row.code))
    if (operated := operation_on_claim(tuple(operations))).holds:
        yield Remark("warning", (operated,))
    for service in visit.other_services:
        for decide in (included_services, em_minimal_visit):
            found = decide(service, book)
            if found.holds:
                yield Remark("error", (found,))
                break
        else:
            found = em_significant_separate(service, book)
            if found.holds:
                yield Remark("warning", (found,))


_GIVEN = BY_VEIN | {Route.IM, Route.SC}


def _contradictions(selected: Selected) -> Iterator[Remark]:
    classified = selected.ranked.classified
    pushed = {label for row in classified.services if row.kind is Kind.PUSH for label in row.administrations}
    for given in classified.visit.administrations:
        drug = classified.drugs[given.id]
        if drug is None:
            continue
        if given.hcpcs and all(row.code != given.hcpcs for row in drug.hcpcs):
            owners = classified.book.formulary.by_code.get(given.hcpcs, ())
            found = drug_code_mismatch(given.drug, given.hcpcs, owners[0].name if owners else None)
            if found.holds:
                yield Remark("warning", (found,), (given.id,))
        own = given.category is None and given.purpose is not Purpose.PROCEDURE
        if drug.other_use and given.route in _GIVEN and own:
            yield Remark("warning", (other_use(given.drug, drug),), (given.id,))
        if drug.not_by:
            route = Route.IV_PUSH if given.id in pushed else given.route
            found = label_forbids_route(given.drug, route, given.route, route.value in drug.not_by)
            if found.holds:
                yield Remark("warning", (found,), (given.id,))
    yield from (Remark("warning", (found,), row.administrations) for row, found in _lengths(classified) if found.holds)
    if classified.visit.primary_reason and (aside := reason_set_aside(classified.visit)).holds:
        yield Remark("info", (aside,))
    apart = clock_over_midnight(classified.visit, classified.book)
    if apart.holds:
        yield Remark("warning", (apart,))


def _lengths(classified: Classified) -> Iterator[tuple[Service, Finding]]:
    for row in classified.services:
        if row.kind in (Kind.INFUSION, Kind.HYDRATION):
            yield row, unusual_length(row, classified.book)

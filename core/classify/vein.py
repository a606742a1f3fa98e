"""Drugs given by vein: push, infusion or prolonged pump, by the charted route and time."""

from __future__ import annotations

from ivcoder.book import Category, Confidence, Rulebook
from ivcoder.classify.service import Bag, Kind, Option, Question, lacks, length_question, push_or_hours
from ivcoder.encounter import Claim, Given, PumpFrom, Route, Visit
from ivcoder.rule import Finding, Verdict, applies, cannot_tell, does_not, rule


@rule(
    "push-as-charted",
    "classify",
    "A charted push without a length is a push",
    sources=("carecost-iv-push", "noridian-chemo-nonchemo"),
    says="{drug} was charted as an IV push, and no length contradicts it: an IV push.",
    otherwise="{drug} has a charted length, or was not charted as a push.",
)
def push_as_charted(given: Given, minutes: int | None) -> Verdict:
    """A drug charted as an IV push needs only its time of giving; without a length it is taken as charted."""
    if given.route is Route.IV_PUSH and minutes is None:
        return applies(drug=given.drug)
    return does_not(drug=given.drug)


@rule(
    "push-by-time",
    "classify",
    "A short IV administration is a push",
    sources=("noridian-chemo-nonchemo", "carecost-iv-push"),
    says="{drug} took {minutes} minutes, and up to {limit} is an IV push.",
    otherwise="{drug} took {minutes} minutes, more than the {limit} of a push.",
    unsure="How long {drug} took is not documented.",
)
def push_by_time(drug: str, minutes: int | None, book: Rulebook) -> Verdict:
    """An IV drug given in {push_longest} minutes or less is a push, even when charted as an infusion."""
    limit = book.limits["push_longest"]
    if minutes is None:
        return cannot_tell("stop", drug=drug)
    found = applies if minutes <= limit else does_not
    return found(drug=drug, minutes=minutes, limit=limit)


@rule(
    "infusion-by-time",
    "classify",
    "Documented time past that of a push is an infusion",
    sources=("fcso-infusion-hydration", "cms-article-a53778", "rca-same-drug", "carecost-iv-push"),
    says="{drug} ran {minutes} documented minutes, more than {limit}: an infusion, not a push.",
    otherwise="{drug} did not run more than {limit} documented minutes.",
    unsure="How long {drug} ran is not documented.",
)
def infusion_by_time(drug: str, minutes: int | None, book: Rulebook) -> Verdict:
    """An IV drug that documented times show running more than {push_longest} minutes is an infusion."""
    limit = book.limits["push_longest"]
    if minutes is None:
        return cannot_tell("stop", drug=drug, limit=limit)
    if minutes > limit:
        return applies(drug=drug, minutes=minutes, limit=limit)
    return does_not(drug=drug, limit=limit)


@rule(
    "attended-push",
    "classify",
    "A slow manual push with someone present stays a push",
    sources=("aapc-push-definition", "aapc-push-20min-thread", "carecost-iv-push"),
    nature="disputed",
    confidence=Confidence.MEDIUM,
    says="{drug} took {minutes} minutes, but someone stayed to inject and watch throughout: still an IV push.",
    otherwise="{drug} was not injected by hand with someone present throughout.",
    unsure="{drug} was charted as a push but took {minutes} minutes; whether someone stayed to inject it by "
    "hand is not documented.",
)
def attended_push(given: Given, minutes: int, book: Rulebook) -> Verdict:
    """A push is also an injection given by a professional who stays to inject and watch, however long it
    takes. Past {push_longest} minutes sources put the length first unless the presence is documented.
    """
    if given.route is not Route.IV_PUSH or minutes <= book.limits["push_longest"]:
        return does_not(drug=given.drug)
    if given.attended is None:
        return cannot_tell("attended", drug=given.drug, minutes=minutes)
    return (applies if given.attended else does_not)(drug=given.drug, minutes=minutes)


@rule(
    "undocumented-stop",
    "classify",
    "An infusion without a documented length",
    sources=("umiami-obc", "wearemedicalcoders-16min", "centramed-bolus", "qhr-no-stop"),
    nature="disputed",
    confidence=Confidence.MEDIUM,
    says="{drug} has no documented {lacks}, so the time does not show an infusion: counted as an IV push.",
    otherwise="The length of {drug} is documented.",
    unsure="{drug} has no documented {lacks}, and nothing is assumed: left open.",
)
def undocumented_stop(given: Given, minutes: int | None, lacks: str, policy: str) -> Verdict:
    """An infusion whose length is not documented is counted as a push (the default), or left open under the
    policy `ask`. Either way the time is asked for. Never for plain fluid.
    """
    if minutes is not None:
        return does_not(drug=given.drug)
    if policy == "push":
        return applies(drug=given.drug, lacks=lacks)
    return cannot_tell("stop", drug=given.drug, lacks=lacks)


@rule(
    "prolonged-pump",
    "classify",
    "A prolonged chemotherapy infusion by pump",
    sources=("cpt", "asco-jop-pumps-2010"),
    says="{drug} ran {minutes} minutes by pump, at least {limit}: the start of a prolonged infusion.",
    otherwise="{drug} was not chemotherapy run {limit} minutes or more by pump.",
    unsure="How long the pump with {drug} ran is not documented.",
)
def prolonged_pump(given: Given, category: Category, minutes: int | None, book: Rulebook) -> Verdict:
    """Chemotherapy by portable or implanted pump into a vein or an artery for {pump_shortest} minutes or more is
    reported once, for its start, whatever the hours.
    """
    limit = book.limits["pump_shortest"]
    if given.route not in (Route.IV_PUMP, Route.INTRA_ARTERIAL_PUMP) or category is not Category.CHEMOTHERAPY:
        return does_not(drug=given.drug, limit=limit)
    if minutes is None:
        return cannot_tell("minutes", drug=given.drug)
    return (applies if minutes >= limit else does_not)(drug=given.drug, minutes=minutes, limit=limit)


@rule(
    "hospital-pump",
    "classify",
    "A hospital's prolonged infusion of another drug by pump",
    sources=("genhealth-c8957", "ucla-2009", "aoc-2026q3-rows"),
    confidence=Confidence.MEDIUM,
    says="{drug} ran {minutes} minutes by pump, at least {limit}: the start of a prolonged infusion, for which "
    "hospitals have a code of their own. It was made for Medicare; a payer that takes no such code wants the unlisted "
    "one.",
    otherwise="{drug} was not run {limit} minutes or more by pump on an outpatient hospital's claim.",
    unsure="How long the pump with {drug} ran is not documented; from {limit} minutes on hospitals have a code of "
    "their own for its start.",
)
def hospital_pump(given: Given, minutes: int | None, visit: Visit, book: Rulebook) -> Verdict:
    """A drug other than chemotherapy by portable or implanted pump into a vein for {pump_shortest} minutes or more is
    reported once, for its start, on an outpatient hospital's claim.
    """
    limit = book.limits["pump_shortest"]
    hospital = visit.place.outpatient_hospital and visit.claim is Claim.FACILITY
    if given.route is not Route.IV_PUMP or not hospital:
        return does_not(drug=given.drug, limit=limit)
    if minutes is None:
        return cannot_tell("minutes", drug=given.drug, limit=limit)
    return (applies if minutes >= limit else does_not)(drug=given.drug, minutes=minutes, limit=limit)


@rule(
    "pump-taken-home",
    "classify",
    "A pump taken home is no infusion that was watched",
    sources=("nahri-elastomeric", "codingahead-96416"),
    nature="convention",
    confidence=Confidence.MEDIUM,
    says="{drug} went home with the patient in a portable pump: nobody watched it to its end.",
    otherwise="{drug} was not given by portable pump.",
    unsure="{drug} is charted by portable or implanted pump, and nothing says that the patient went home with it. By a "
    "pump at the bedside it would be an infusion like any other.",
)
def pump_taken_home(given: Given) -> Verdict:
    """A drug that a pump at the bedside runs while staff watch is an infusion, whatever drives it; only what goes home
    with the patient, or is implanted, is a pump's. Where the chart says pump and no more, it is asked.
    """
    if given.route is not Route.IV_PUMP:
        return does_not(drug=given.drug)
    return applies(drug=given.drug) if given.pump_from else cannot_tell("route", drug=given.drug)


@rule(
    "fluid-never-pushed",
    "classify",
    "Plain fluid is never a push or an injection",
    sources=("noridian-hydration", "house"),
    nature="convention",
    confidence=Confidence.MEDIUM,
    says="{drug} is plain fluid, which is never a push or an injection: not reported.",
    otherwise="{drug} is not plain fluid given as a push or injection.",
)
def fluid_never_pushed(given: Given, category: Category | None) -> Verdict:
    """Plain fluid given by syringe is a flush; hydration codes are for infusions only."""
    pushed = given.route in (Route.IV_PUSH, Route.IM, Route.SC)
    if pushed and category is Category.HYDRATION:
        return applies(drug=given.drug)
    return does_not(drug=given.drug)


@rule(
    "unlisted",
    "classify",
    "Where no listed code fits",
    sources=("cpt", "nahri-elastomeric"),
    nature="convention",
    confidence=Confidence.MEDIUM,
    says="No listed code fits {drug} given by {route}{lasting}: the unlisted code, with a description on the claim.",
    otherwise="A listed code fits {drug}.",
)
def unlisted(given: Given, category: Category) -> Verdict:
    """A drug administration that no code describes is reported with the unlisted code and a description: a portable
    pump taken home that no code of a prolonged infusion is for, and a drug other than chemotherapy infused into an
    artery.
    """
    artery = given.route in (Route.INTRA_ARTERIAL_INFUSION, Route.INTRA_ARTERIAL_PUMP)
    arterial = artery and category is not Category.CHEMOTHERAPY
    hit = arterial or given.route is Route.IV_PUMP
    lasting = f" for {given.minutes} minutes" if given.minutes is not None else ""
    return (applies if hit else does_not)(drug=given.drug, route=given.route.spoken, lasting=lasting)


def pushed_as(
    bag: Bag, category: Category, book: Rulebook, questions: list[Question]
) -> tuple[Kind, tuple[Finding, ...]]:
    """Push or infusion, for a drug charted as a push."""
    given = bag.first
    if category is Category.HYDRATION:
        return Kind.NOT_REPORTABLE, (fluid_never_pushed(given, category),)
    if bag.minutes is None:
        return Kind.PUSH, (push_as_charted(given, bag.minutes),)
    short = push_by_time(bag.label, bag.minutes, book)
    if short.holds:
        return Kind.PUSH, (short,)
    attended = attended_push(given, bag.minutes, book)
    if attended.holds:
        return Kind.PUSH, (attended,)
    if attended.open:
        options = tuple(
            Option("attended" if value else "unattended", {}, {given.id: {"attended": value}})
            for value in (True, False)
        )
        questions.append(Question(given.id, "attended", attended, options))
    return Kind.INFUSION, (infusion_by_time(bag.label, bag.minutes, book), attended)


def pumped_as(
    bag: Bag, category: Category, visit: Visit, book: Rulebook, questions: list[Question]
) -> tuple[Kind, tuple[Finding, ...]]:
    """Push, infusion or prolonged infusion, for a drug given by pump."""
    given = bag.first
    found = prolonged_pump(given, category, bag.minutes, book)
    if found.open:
        questions.append(pump_question(bag, found, book))
        return Kind.UNDECIDED, (found,)
    if found.holds:
        return Kind.PUMP, (found,)
    if category is Category.HYDRATION:
        return infused_as(bag, visit, book, questions)
    home = pump_taken_home(given)
    if home.open:
        questions.append(_bedside_question(given, home))
    if category is Category.THERAPEUTIC:
        prolonged = hospital_pump(given, bag.minutes, visit, book)
        if prolonged.holds:
            return Kind.PUMP, (home, prolonged)
        if prolonged.open:
            questions.append(pump_question(bag, prolonged, book))
    return Kind.UNLISTED, (home, unlisted(given, category))


@rule(
    "stopped-early",
    "classify",
    "An infusion broken off within the minutes of a push",
    sources=("aapc-discontinued-infusion", "palmetto-discontinued-2014", "noridian-chemo-nonchemo"),
    nature="disputed",
    confidence=Confidence.MEDIUM,
    says="{drug} was meant to be infused and was broken off after {minutes} minutes: reported as the infusion it was "
    "meant to be. By time alone it would be a push, and some payers count it so.",
    otherwise="{drug} was not broken off within the minutes of a push.",
)
def stopped_early(given: Given, minutes: int | None, book: Rulebook) -> Verdict:
    """An infusion that had to be broken off within {push_longest} minutes is reported as the infusion that was ordered,
    say a contractor and the coding press; the definition by time would make it a push.
    """
    if minutes is None or minutes > book.limits["push_longest"]:
        return does_not(drug=given.drug)
    broken = given.discontinued and given.route is Route.IV_INFUSION
    return (applies if broken else does_not)(drug=given.drug, minutes=minutes)


def _bedside_question(given: Given, finding: Finding) -> Question:
    """Ask whether a pump went home with the patient, or ran at the bedside."""
    options = (
        Option("pump_at_bedside", {}, {given.id: {"route": Route.IV_INFUSION}}),
        Option("pump_taken_home", {}, {given.id: {"pump_from": PumpFrom.PROVIDER}}),
    )
    return Question(given.id, "route", finding, options)


def pump_question(bag: Bag, finding: Finding, book: Rulebook) -> Question:
    """Ask how long a pump ran: a prolonged infusion or less."""
    long = book.limits["pump_shortest"]
    return length_question(bag, finding, (long - 1, long), hours=None)


def infused_as(
    bag: Bag, visit: Visit, book: Rulebook, questions: list[Question], dose: int | None = None
) -> tuple[Kind, tuple[Finding, ...]]:
    """Push, infusion or undecided, for a drug charted as an infusion; ``dose`` are the minutes of the dose that this
    is, or is a part of.
    """
    if bag.minutes is None:
        lacking = lacks(bag)
        found = undocumented_stop(
            bag.first, bag.minutes, "length" if lacking == "minutes" else lacking, visit.undocumented_stop
        )
        questions.append(push_or_hours(bag, found, book))
        return (Kind.PUSH if found.holds else Kind.UNDECIDED), (found,)
    if dose is not None and (whole := infusion_by_time(bag.label, dose, book)).holds:
        return Kind.INFUSION, (whole,)
    if bag.first.discontinued and (broken := stopped_early(bag.first, bag.minutes, book)).holds:
        return Kind.INFUSION, (broken,)
    short = push_by_time(bag.label, bag.minutes, book)
    if short.holds:
        return Kind.PUSH, (short,)
    return Kind.INFUSION, (infusion_by_time(bag.label, bag.minutes, book),)

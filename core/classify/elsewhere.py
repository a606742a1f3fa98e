"""Drugs given otherwise than by vein: injections, arteries, and what other codes report or none."""

from __future__ import annotations

from collections.abc import Sequence

from ivcoder.book import Category, Confidence, Drug, Rulebook, outside_codes
from ivcoder.classify.cavity import into_a_cavity
from ivcoder.classify.service import Bag, Kind, Option, Question, is_hormonal, push_or_hours
from ivcoder.classify.vein import fluid_never_pushed, prolonged_pump, pump_question, unlisted
from ivcoder.encounter import Given, Purpose, Route
from ivcoder.rule import Finding, Verdict, applies, cannot_tell, does_not, rule

_WITHOUT_CODE = frozenset(
    {Route.ORAL, Route.SUBLINGUAL, Route.RECTAL, Route.NASAL, Route.INHALED, Route.TOPICAL, Route.ENDOTRACHEAL}
)


@rule(
    "injection",
    "classify",
    "An injection into muscle or under the skin",
    sources=("cpt", "codingahead-96372", "aapc-divided-dose"),
    says="{drug} was injected {where}: an injection.",
    otherwise="{drug} was not injected into muscle or under the skin.",
)
def injection(given: Given) -> Verdict:
    """Each injection of a drug into muscle or under the skin is a service of its own; the syringes of one
    dose are not counted.
    """
    where = {Route.IM: "into muscle", Route.SC: "under the skin"}.get(given.route)
    return applies(drug=given.drug, where=where) if where else does_not(drug=given.drug)


@rule(
    "chemo-injection",
    "classify",
    "Chemotherapy by injection, not hormonal",
    sources=("cpt", "noridian-chemo-nonchemo"),
    says="{drug} is chemotherapy and not hormonal: a chemotherapy injection.",
    otherwise="{drug} is not an injected chemotherapy drug other than a hormonal one.",
)
def chemo_injection(drug: str, category: Category, hormonal: bool) -> Verdict:
    """Chemotherapy injected into muscle or under the skin has its own code when the drug is not hormonal."""
    return (applies if category is Category.CHEMOTHERAPY and not hormonal else does_not)(drug=drug)


@rule(
    "hormonal-injection",
    "classify",
    "Hormonal chemotherapy by injection",
    sources=("cpt", "noridian-chemo-nonchemo"),
    says="{drug} is a hormonal antineoplastic: a hormonal chemotherapy injection.",
    otherwise="{drug} is not an injected hormonal antineoplastic.",
)
def hormonal_injection(drug: str, category: Category, hormonal: bool) -> Verdict:
    """A hormonal antineoplastic injected into muscle or under the skin has its own code."""
    return (applies if category is Category.CHEMOTHERAPY and hormonal else does_not)(drug=drug)


@rule(
    "vaccine",
    "classify",
    "Vaccines have administration codes of their own",
    sources=("cpt",),
    says="{drug} is a vaccine; immunization codes report it, not this family.",
    otherwise="{drug} is not a vaccine.",
)
def vaccine(given: Given, drug: Drug | None) -> Verdict:
    """Giving a vaccine is reported with the immunization codes, never as a drug injection."""
    return (applies if drug is not None and drug.elsewhere == "vaccine" else does_not)(drug=given.drug)


@rule(
    "contrast",
    "classify",
    "Contrast belongs to the imaging it was given for",
    sources=("cpt", "americanmedicalcoding-contrast"),
    says="{drug} is contrast: giving it is part of the imaging, and no drug-administration code is reported.",
    otherwise="{drug} is not contrast.",
)
def contrast(given: Given, drug: Drug | None) -> Verdict:
    """Giving contrast into a vessel is part of the imaging with contrast."""
    return (applies if drug is not None and drug.elsewhere == "contrast" else does_not)(drug=given.drug)


@rule(
    "blood-product",
    "classify",
    "A transfusion has a code of its own",
    sources=("cpt", "aapc-36430", "medlearn-2022-transfusion"),
    says="{drug} is a blood product: the transfusion is reported with its own code, once a day, and not as drug "
    "administration.",
    otherwise="{drug} is not a blood product.",
)
def blood_product(given: Given, drug: Drug | None) -> Verdict:
    """Blood and its components are transfused, which is not drug administration. Drugs and needed hydration beside a
    transfusion are reported as such.
    """
    return (applies if drug is not None and drug.elsewhere == "blood" else does_not)(drug=given.drug)


@rule(
    "line-flush",
    "classify",
    "Flushing the line is part of giving a drug",
    sources=("ncci-manual-ch11", "noridian-initial-administration"),
    says="{drug} flushes or locks the line, which is part of giving a drug and not reported.",
    otherwise="{drug} is not for flushing the line.",
)
def line_flush(given: Given, drug: Drug | None) -> Verdict:
    """What flushes or locks the access is part of the drug administration."""
    return (applies if drug is not None and drug.elsewhere == "flush" else does_not)(drug=given.drug)


@rule(
    "procedure-drug",
    "classify",
    "A drug whose giving is a procedure",
    sources=("cpt", "haugen-beyond-basics", "aapc-botulinum"),
    says="Giving {drug} is a procedure with a code of its own, and not drug administration. {note}",
    otherwise="Giving {drug} is no procedure of its own.",
)
def procedure_drug(given: Given, drug: Drug | None) -> Verdict:
    """Drugs that are given only in a procedure, such as botulinum toxin into muscles, injections into the eye or
    clearing a catheter, are reported with that procedure and not with this family.
    """
    if drug is None or drug.elsewhere != "procedure":
        return does_not(drug=given.drug)
    return applies(drug=given.drug, note=drug.note or "")


@rule(
    "procedure-reported",
    "classify",
    "A drug whose other use is on the claim",
    sources=("haugen-beyond-basics", "aapc-37195", "codingahead-92977", "umiami-obc"),
    nature="convention",
    confidence=Confidence.MEDIUM,
    says="{drug} belongs to {code}, which is on the claim and takes in giving it.",
    otherwise="The claim holds no code that takes in giving {drug}.",
)
def procedure_reported(given: Given, drug: Drug | None, others: Sequence[str]) -> Verdict:
    """Where the claim holds the code of the procedure a drug can be for, giving it is part of that code."""
    code = next((code for code in others if drug is not None and code in drug.other_codes), None)
    return applies(drug=given.drug, code=code) if code else does_not(drug=given.drug)


@rule(
    "local-anesthetic",
    "classify",
    "A local anaesthetic under the skin is part of what follows",
    sources=("noridian-initial-administration", "uwhc-2014", "ncci-manual-ch11"),
    says="{drug} is a local anaesthetic given by {route}: part of the service it was given for, and not reported.",
    otherwise="{drug} is no local anaesthetic, or was not given as one.",
)
def local_anesthetic(given: Given, drug: Drug | None) -> Verdict:
    """Numbing the skin or a muscle with a local anaesthetic is included in the service it is done for."""
    hit = drug is not None and drug.local_anesthetic and given.route in (Route.IM, Route.SC)
    return (applies if hit else does_not)(drug=given.drug, route=given.route.spoken)


def never_here(given: Given, drug: Drug | None) -> Finding | None:
    """Why what was given is never reported with this family, or None."""
    for decide in (vaccine, contrast, blood_product, line_flush, procedure_drug):
        found = decide(given, drug)
        if found.holds:
            return found
    return None


@rule(
    "no-administration-code",
    "classify",
    "Some routes have no administration code",
    sources=("cpt",),
    says="{drug} was given by {route}, which has no drug-administration code.",
    otherwise="The route of {drug} has administration codes.",
)
def no_administration_code(given: Given) -> Verdict:
    """Drugs swallowed, inhaled or put on skin or mucosa earn no code of this family."""
    return (applies if given.route in _WITHOUT_CODE else does_not)(drug=given.drug, route=given.route.spoken)


@rule(
    "outside-family",
    "classify",
    "Some injections belong to other code families",
    sources=("cpt",),
    says="{drug} was given by {route}, which is reported with codes outside drug administration{such}.",
    otherwise="The route of {drug} belongs to drug administration.",
)
def outside_family(given: Given, category: Category | None) -> Verdict:
    """Injections into the skin, a joint, the eye or around a nerve, epidurals and instillations into the bladder have
    codes elsewhere, whatever the drug; so have drugs other than chemotherapy put into the spinal fluid, a body cavity
    or a lesion.
    """
    outside = given.route in _ELSEWHERE or (
        given.route in _FOR_CHEMOTHERAPY and category not in (None, Category.CHEMOTHERAPY)
    )
    codes = outside_codes().get(given.route.value) if given.route in _ELSEWHERE else None
    such = f", such as {codes}" if codes else ""
    return (applies if outside else does_not)(drug=given.drug, route=given.route.spoken, such=such)


_ELSEWHERE = frozenset(
    {
        Route.INTRADERMAL,
        Route.EPIDURAL,
        Route.NERVE_BLOCK,
        Route.INTRA_ARTICULAR,
        Route.INTRAVESICAL,
        Route.INTRAVITREAL,
    }
)
_FOR_CHEMOTHERAPY = frozenset(
    {
        Route.INTRATHECAL,
        Route.CSF_RESERVOIR,
        Route.INTRAPLEURAL,
        Route.INTRAPERITONEAL,
        Route.INTRALESIONAL,
    }
)


@rule(
    "integral-to-procedure",
    "classify",
    "A drug that is part of a procedure",
    sources=("ncci-manual-ch11", "umiami-obc"),
    says="{drug} was given as part of a procedure: giving it is included in that procedure and not reported.",
    otherwise="The record does not say that {drug} was part of a procedure.",
)
def integral_to_procedure(given: Given) -> Verdict:
    """Sedation, anaesthesia, and drugs that a procedure always brings with it are part of that procedure; giving them
    is not drug administration.
    """
    return (applies if given.purpose is Purpose.PROCEDURE else does_not)(drug=given.drug)


@rule(
    "peritoneal-perfusion",
    "classify",
    "The abdomen perfused during an operation",
    sources=("facs-bulletin-2024-hipec", "openpayer-96547", "aoc-2026q3-rows"),
    nature="convention",
    confidence=Confidence.MEDIUM,
    says="{drug} was put into the peritoneal cavity during an operation. Perfusion with heated chemotherapy has add-on "
    "codes of the surgeon's time from 2024-01-01, {codes}, for the first hour and each further half hour, beside an "
    "operation of the abdomen. From which minute each counts is not settled in any source at hand, so they are not "
    "worked out here.",
    otherwise="{drug} was not chemotherapy put into the peritoneal cavity during an operation.",
)
def peritoneal_perfusion(given: Given, drug: Drug | None) -> Verdict:
    """Heated chemotherapy circulated in the abdomen during an operation is reported with add-on codes that go by time,
    the first hour and each further half hour, beside the operation. They are the surgeon's, and outside these rules.
    """
    category = given.category or (drug.category if drug else None)
    hit = given.route is Route.INTRAPERITONEAL and given.purpose is Purpose.PROCEDURE
    if not hit or category is not Category.CHEMOTHERAPY:
        return does_not(drug=given.drug)
    return applies(drug=given.drug, codes=outside_codes()[given.route.value])


@rule(
    "rsv-antibody",
    "classify",
    "An antibody against RSV has administration codes of its own",
    sources=("cpt", "aap-nirsevimab-coding", "sanofi-beyfortus", "aap-rsv-antibodies-2023"),
    says="{drug} is a seasonal antibody against RSV, given with counselling: a code of its own.",
    otherwise="{drug} is a seasonal antibody against RSV, given without counselling: a code of its own.",
    unsure="{drug} is a seasonal antibody against RSV; whether the family was counselled is not documented, and with "
    "counselling another code serves. Taken as without.",
)
def rsv_antibody(given: Given) -> Verdict:
    """Giving a seasonal antibody against RSV is reported with codes of its own from 2023-10-06, one with counselling
    and one without; palivizumab, given monthly, stays an injection.
    """
    if given.counselled is None:
        return cannot_tell("counselled", drug=given.drug)
    return (applies if given.counselled else does_not)(drug=given.drug)


@rule(
    "sc-infusion",
    "classify",
    "A subcutaneous infusion",
    sources=("cpt",),
    says="{drug} ran {minutes} minutes under the skin: a subcutaneous infusion.",
    otherwise="{drug} was infused under the skin for {limit} minutes or less: an injection.",
    unsure="How long {drug} was infused under the skin is not documented.",
)
def sc_infusion(given: Given, minutes: int | None, book: Rulebook) -> Verdict:
    """A drug infused under the skin for more than {push_longest} minutes has codes of its own; a shorter one is
    an injection.
    """
    limit = book.limits["push_longest"]
    if given.route is not Route.SC_INFUSION:
        return does_not(drug=given.drug, limit=limit)
    if minutes is None:
        return cannot_tell("stop", drug=given.drug)
    return (applies if minutes > limit else does_not)(drug=given.drug, minutes=minutes, limit=limit)


@rule(
    "arterial",
    "classify",
    "Drugs given into an artery",
    sources=("cpt", "aapc-intra-arterial"),
    says="{drug} was given into an artery, {manner}: codes of its own.",
    otherwise="{drug} was not given into an artery by push or chemotherapy infusion.",
    unsure="How long {drug} ran into the artery is not documented.",
)
def arterial(given: Given, category: Category, minutes: int | None, book: Rulebook) -> Verdict:
    """A push into an artery, of {push_longest} minutes or less, and a longer chemotherapy infusion into one have codes
    of their own.
    """
    if given.route is Route.INTRA_ARTERIAL_PUSH:
        return applies(drug=given.drug, manner="as a push")
    if given.route not in (Route.INTRA_ARTERIAL_INFUSION, Route.INTRA_ARTERIAL_PUMP):
        return does_not(drug=given.drug)
    if minutes is None:
        return cannot_tell("stop", drug=given.drug)
    if minutes <= book.limits["push_longest"]:
        return applies(drug=given.drug, manner="push")
    return (
        applies(drug=given.drug, manner="infusion") if category is Category.CHEMOTHERAPY else does_not(drug=given.drug)
    )


def injected_as(
    bag: Bag, category: Category, book: Rulebook, questions: list[Question]
) -> tuple[Kind, tuple[Finding, ...]]:
    """Injection, or nothing, for a drug given into muscle or under the skin."""
    given = bag.first
    if bag.drugs[0] is not None and bag.drugs[0].rsv and "rsv_injection" in book.codes:
        found = rsv_antibody(given)
        if found.open:
            options = tuple(
                Option("counselled" if value else "not_counselled", {}, {given.id: {"counselled": value}})
                for value in (True, False)
            )
            questions.append(Question(given.id, "counselled", found, options))
        return (Kind.RSV_COUNSELLED if found.holds else Kind.RSV), (found,)
    if category is Category.HYDRATION:
        return Kind.NOT_REPORTABLE, (fluid_never_pushed(given, category),)
    injected = injection(given)
    if category is Category.CHEMOTHERAPY:
        hormonal = is_hormonal(bag)
        chosen = hormonal_injection if hormonal else chemo_injection
        return Kind.INJECTION, (injected, chosen(given.drug, category, hormonal))
    return Kind.INJECTION, (injected,)


def given_elsewhere(
    bag: Bag, category: Category, book: Rulebook, questions: list[Question]
) -> tuple[Kind, tuple[Finding, ...]]:
    """What a drug given by any other route counts as."""
    given = bag.first
    refused = outside_family(given, category)
    if refused.holds:
        return Kind.NOT_REPORTABLE, (refused,)
    if given.route is Route.SC_INFUSION:
        found = sc_infusion(given, bag.minutes, book)
        if found.open:
            questions.append(push_or_hours(bag, found, book))
            return Kind.UNDECIDED, (found,)
        return (Kind.SC_INFUSION if found.holds else Kind.INJECTION), (found,)
    inside = into_a_cavity(given, category, book, questions)
    if inside is not None:
        return inside
    pumped = prolonged_pump(given, category, bag.minutes, book)
    if pumped.open:
        questions.append(pump_question(bag, pumped, book))
        return Kind.UNDECIDED, (pumped,)
    if pumped.holds:
        return Kind.ARTERIAL_PUMP, (pumped,)
    found = arterial(given, category, bag.minutes, book)
    if found.open:
        questions.append(push_or_hours(bag, found, book))
        return Kind.UNDECIDED, (found,)
    if found.holds:
        short = bag.minutes is None or bag.minutes <= book.limits["push_longest"]
        push = short or given.route is Route.INTRA_ARTERIAL_PUSH
        return (Kind.ARTERIAL_PUSH if push else Kind.ARTERIAL_INFUSION), (found,)
    return Kind.UNLISTED, (unlisted(given, category),)

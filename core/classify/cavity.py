"""Chemotherapy put into a body cavity, the spinal fluid or a lesion."""

from __future__ import annotations

from ivcoder.book import Category, Confidence, Rulebook
from ivcoder.classify.service import Kind, Option, Question
from ivcoder.encounter import AccessDevice, Given, Route
from ivcoder.rule import Finding, Verdict, applies, cannot_tell, does_not, rule


@rule(
    "intrathecal",
    "classify",
    "Chemotherapy into the spinal canal",
    sources=("cpt", "codingahead-96450", "codingahead-96542"),
    says="{drug} is chemotherapy given into the spinal canal, taken as by puncture: a code of its own. Through a "
    "reservoir another code serves.",
    otherwise="{drug} is not chemotherapy given into the spinal canal.",
)
def intrathecal(given: Given, category: Category) -> Verdict:
    """Chemotherapy injected into the central nervous system by spinal puncture has its own code."""
    hit = given.route is Route.INTRATHECAL and category is Category.CHEMOTHERAPY
    return (applies if hit else does_not)(drug=given.drug)


@rule(
    "csf-reservoir",
    "classify",
    "Chemotherapy through a reservoir into the spinal fluid",
    sources=("cpt", "codingahead-96542"),
    says="{drug} is chemotherapy given through a reservoir under the skin into the spinal fluid: a code of its own, "
    "without a puncture of the spine.",
    otherwise="{drug} is not chemotherapy given through such a reservoir.",
)
def csf_reservoir(given: Given, category: Category) -> Verdict:
    """Chemotherapy injected through a reservoir under the skin, such as Ommaya's, has its own code, for one drug or
    several.
    """
    hit = given.route is Route.CSF_RESERVOIR and category is Category.CHEMOTHERAPY
    return (applies if hit else does_not)(drug=given.drug)


@rule(
    "cavity-chemotherapy",
    "classify",
    "Chemotherapy into the pleural or the peritoneal cavity",
    sources=("cpt", "palmetto-cavity-2007", "codingahead-96440"),
    says="{drug} is chemotherapy given into the {cavity} cavity, {way}: a code of its own.",
    otherwise="{drug} is not chemotherapy given into a body cavity by puncture, port or a catheter left in place.",
)
def cavity_chemotherapy(given: Given, category: Category) -> Verdict:
    """Chemotherapy into the pleural cavity has a code that takes in the puncture of the chest; into the peritoneal
    cavity, one for the way through an implanted port or catheter. Perfusion during an operation is reported otherwise.
    """
    ways = {
        Route.INTRAPLEURAL: ("pleural", "with the puncture of the chest, which the code takes in"),
        Route.INTRAPERITONEAL: ("peritoneal", "taken as through an implanted port or catheter"),
    }
    if given.route not in ways or category is not Category.CHEMOTHERAPY:
        return does_not(drug=given.drug)
    cavity, way = ways[given.route]
    if given.route is Route.INTRAPERITONEAL and given.access_device is AccessDevice.TEMPORARY_CATHETER:
        return does_not(drug=given.drug)
    if given.route is Route.INTRAPLEURAL and given.access_device is not None:
        way = "through a catheter already there, without the puncture the code takes in"
    return applies(drug=given.drug, cavity=cavity, way=way)


@rule(
    "intralesional-chemotherapy",
    "classify",
    "Chemotherapy into lesions",
    sources=("cpt", "codingahead-96405"),
    confidence=Confidence.MEDIUM,
    says="{drug} is chemotherapy injected into {lesions}, more than {limit}: lesions count, not needles.",
    otherwise="{drug} is chemotherapy injected into {lesions}, up to {limit}: lesions count, not needles.",
    unsure="{drug} is chemotherapy injected into lesions; how many is not documented, and more than {limit} have "
    "another code.",
)
def intralesional_chemotherapy(given: Given, book: Rulebook) -> Verdict:
    """Chemotherapy injected into lesions is reported once, by the number of lesions: up to {lesions_few}, or more."""
    limit = book.limits["lesions_few"]
    if given.lesions is None:
        return cannot_tell("lesions", drug=given.drug, limit=limit)
    words = "1 lesion" if given.lesions == 1 else f"{given.lesions} lesions"
    return (applies if given.lesions > limit else does_not)(drug=given.drug, lesions=words, limit=limit)


def into_a_cavity(
    given: Given, category: Category, book: Rulebook, questions: list[Question]
) -> tuple[Kind, tuple[Finding, ...]] | None:
    """What chemotherapy into a cavity, the spinal fluid or a lesion counts as; None for any other route."""
    match given.route:
        case Route.INTRATHECAL:
            return Kind.INTRATHECAL, (intrathecal(given, category),)
        case Route.CSF_RESERVOIR:
            return Kind.CSF_RESERVOIR, (csf_reservoir(given, category),)
        case Route.INTRAPLEURAL:
            return Kind.INTRAPLEURAL, (cavity_chemotherapy(given, category),)
        case Route.INTRAPERITONEAL:
            found = cavity_chemotherapy(given, category)
            return (Kind.INTRAPERITONEAL if found.holds else Kind.UNLISTED), (found,)
        case Route.INTRALESIONAL:
            found = intralesional_chemotherapy(given, book)
            if found.open:
                few = book.limits["lesions_few"]
                options = tuple(
                    Option(key, {"lesions": few}, {given.id: {"lesions": lesions}})
                    for key, lesions in (("lesions_few", few), ("lesions_many", few + 1))
                )
                questions.append(Question(given.id, "lesions", found, options))
            return (Kind.MANY_LESIONS if found.holds else Kind.LESIONS), (found,)
        case _:
            return None

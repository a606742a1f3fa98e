"""Drug names as charts write them: with amounts, containers, carriers and ways of giving."""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST = 120
"""Characters of the longest name an encounter takes, and of the longest that is read."""

_REMEMBERED = 4096
"""Names whose plain form is kept."""

_NOISE = re.compile(r"[\W_]+")
BRACKETED = re.compile(r"[(\[]([^()\[\]]*)[)\]]")


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(patterns)})(?!\w)", re.IGNORECASE)


_UNITS = {
    "g": re.compile(r"(?<=\d)[\s-]*(?:grams?|gms?)\b", re.IGNORECASE),
    "mcg": re.compile(r"(?<=\d)[\s-]*(?:micrograms?|[u\N{MICRO SIGN}\N{GREEK SMALL LETTER MU}]g)\b", re.IGNORECASE),
    "mL": re.compile(r"(?<=[\d/])[\s-]*(?:cc|milliliters?)\b", re.IGNORECASE),
    "L": re.compile(r"(?<=[\d/])[\s-]*lit(?:er|re)s?\b", re.IGNORECASE),
    "units": re.compile(r"(?<=\d)[\s-]*(?:(?:million |international )?units?|i?u|mu)\b", re.IGNORECASE),
}
"""Units as charts write them, by the way they are written here."""

_SPECIES = _words("porcine|human")
_FACTOR = _words("factor", "antihemophilic")

_WITH = re.compile(r"\bw/\s*", re.IGNORECASE)

SAYS_ROUTE = {
    "iv_infusion": _words("iv|intravenous"),
    "sc": _words("sc|sq|subq|subcut|subcutaneous"),
}
"""Routes that a name may say, whatever the one charted."""

_NUMBER = r"(?<![\w./])(?:\d[\d,]*(?:\.\d+)?|\.\d+)"
_PER = r"(?:\s*/\s*(?:(?:[\d,.]+\s*)?m?L|kg|m2|min|hr?|hour|day|vial|dose))*(?:\s+of)?"
"""What each unit is counted by."""

VOLUME = _words(rf"(?:(?:at|over|x)\s+|@\s*)?{_NUMBER}[\s-]*(?:m?L|min|minutes|h|hrs?|hours?|months?){_PER}")
"""Volumes and times, which tell no products apart."""

DOSE = _words(rf"{_NUMBER}(?P<unit>[\s-]*(?:mg|mcg|g|mEq|mmol|units|mCi)(?:\s*PE)?{_PER})", r"AUC\s*\d+", r"1:[\d,]+")
"""Amounts of a drug, with their unit."""

CONTAINER = _words(
    r"(?:test|loading|maintenance)[- ]dose|q\s*\d+\s*h(?:rs?|ours?)?|daily|bid|tid|prn",
    rf"(?:{_NUMBER}\s*)?(?:vials?|amp(?:s|ul|uls|ule|ules|oule|oules)?|syringes?|syr|(?:mini-?)?bags?|bottles?|doses?)(?:\s+of)?",
    r"x\s*\d+|kit|pfs|[sm]dv|pre-?filled|(?:single|multi|multiple)[- ]dose|premix(?:ed)?|galaxy|carpuject|once|stat",
)
FORM = _words(
    r"(?:injection|iv) sol(?:utio)?n|sol(?:utio)?n for (?:injection|infusion)|(?:for )?inj(?:ection)?|injectable",
    r"hcl|hydrochloride|iso-?osm?|chemo|slow|bolus|iv|ivp|ivpb|push|piggyback|intravenous|infusion|drip|gtt",
    "im|intramuscular|sc|sq|subq|subcut|subcutaneous",
)
PURE = _words(r"m?pf|preservative[- ]free")
IN_CARRIER = re.compile(
    r"(?P<head>.+)(?:\bin\b|/(?=\s*(?:[\d.,]+\s*m?L\s+)?[a-z]))(?P<carrier>.*)", re.IGNORECASE | re.DOTALL
)
"""A drug and what it is in."""

DILUENTS = frozenset({"", "water", "sterilewater", "swfi", "waterforinjection", "dextrose"})
"""Carriers besides the fluids of the formulary, in plain form."""

WITH_POTASSIUM = re.compile(
    r"(?P<fluid>.+?)\s*(?:[-+&,/]|\b(?:with|plus|and)\b)?\s*"
    r"\d*\s*(?:kcl|potassium(?: chloride)?|(?<=\d)k|(?<=\d )k)\s*(?:\d+|/\s*L)?\s*",
    re.IGNORECASE,
)


@lru_cache(maxsize=_REMEMBERED)
def plain(name: str) -> str:
    """A drug name without case, blanks and punctuation, for comparing."""
    return _NOISE.sub("", name.casefold())


def words_of(text: str) -> frozenset[str]:
    """The words of a text, whatever their case and order."""
    return frozenset(_NOISE.sub(" ", text.casefold()).split())


def spelled(text: str) -> str:
    """A text with its units, and "w/", written in one way, and without the species, which tells clotting factors
    apart and nothing else.
    """
    text = _WITH.sub("with ", " ".join(text.split()))
    if not _FACTOR.search(text):
        text = _SPECIES.sub(" ", text)
    for unit, spellings in _UNITS.items():
        text = spellings.sub(f" {unit}", text)
    return text


def bare(text: str) -> str:
    """A text without what says only how much, in what container and how."""
    for pattern in (VOLUME, CONTAINER, DOSE, FORM, PURE):
        text = pattern.sub(" ", text)
    return " ".join(text.split())


def says_nothing(text: str) -> bool:
    """Whether a text names no drug: amounts, containers and ways of giving only."""
    return plain(bare(text)) == ""

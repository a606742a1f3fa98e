"""The words and values a chart may hold: routes, claims, purposes, times, amounts, names and codes."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StringConstraints, WithJsonSchema

from ivcoder.book import OPENING, Amount, places
from ivcoder.book.naming import LONGEST as LONGEST_NAME
from ivcoder.faults import FORMS, Fault, InvalidInput

HOUR = 60
DAY = 24 * HOUR
MOST_ADMINISTRATIONS = 100
MOST_LINES = 100
MOST_SERVICES = 50
MOST_MODIFIERS = 4
MOST_REASONS = 20
MOST_UNITS = 9999
MOST_LESIONS = 999
LONGEST = 14 * DAY


class Route(StrEnum):
    """How a drug was given, as the chart calls it."""

    IV_PUSH = "iv_push"
    IV_INFUSION = "iv_infusion"
    IV_PUMP = "iv_pump"
    IM = "im"
    SC = "sc"
    SC_INFUSION = "sc_infusion"
    INTRADERMAL = "intradermal"
    INTRA_ARTERIAL_PUSH = "intra_arterial_push"
    INTRA_ARTERIAL_INFUSION = "intra_arterial_infusion"
    INTRA_ARTERIAL_PUMP = "intra_arterial_pump"
    INTRATHECAL = "intrathecal"
    CSF_RESERVOIR = "csf_reservoir"
    INTRAPLEURAL = "intrapleural"
    INTRAPERITONEAL = "intraperitoneal"
    INTRALESIONAL = "intralesional"
    ON_BODY_INJECTOR = "on_body_injector"
    PORTABLE_PUMP_REFILL = "portable_pump_refill"
    IMPLANTED_PUMP_REFILL = "implanted_pump_refill"
    EPIDURAL = "epidural"
    NERVE_BLOCK = "nerve_block"
    INTRA_ARTICULAR = "intra_articular"
    INTRAVESICAL = "intravesical"
    INTRAVITREAL = "intravitreal"
    ENDOTRACHEAL = "endotracheal"
    ORAL = "oral"
    SUBLINGUAL = "sublingual"
    RECTAL = "rectal"
    NASAL = "nasal"
    INHALED = "inhaled"
    TOPICAL = "topical"

    @property
    def spoken(self) -> str:
        """The route as a sentence has it, behind "by"."""
        return _SPOKEN[self]


_SPOKEN = {
    Route.IV_PUSH: "IV push",
    Route.IV_INFUSION: "IV infusion",
    Route.IV_PUMP: "portable or implanted pump",
    Route.IM: "injection into muscle",
    Route.SC: "injection under the skin",
    Route.SC_INFUSION: "infusion under the skin",
    Route.INTRADERMAL: "injection into the skin",
    Route.INTRA_ARTERIAL_PUSH: "push into an artery",
    Route.INTRA_ARTERIAL_INFUSION: "infusion into an artery",
    Route.INTRA_ARTERIAL_PUMP: "pump into an artery",
    Route.INTRATHECAL: "injection into the spinal canal",
    Route.CSF_RESERVOIR: "reservoir into the spinal fluid",
    Route.INTRAPLEURAL: "instillation into the pleural cavity",
    Route.INTRAPERITONEAL: "instillation into the peritoneal cavity",
    Route.INTRALESIONAL: "injection into lesions",
    Route.ON_BODY_INJECTOR: "on-body injector",
    Route.PORTABLE_PUMP_REFILL: "refill of a portable pump",
    Route.IMPLANTED_PUMP_REFILL: "refill of an implanted pump or reservoir",
    Route.EPIDURAL: "epidural injection",
    Route.NERVE_BLOCK: "injection around a nerve",
    Route.INTRA_ARTICULAR: "injection into a joint",
    Route.INTRAVESICAL: "instillation into the bladder",
    Route.INTRAVITREAL: "injection into the eye",
    Route.ENDOTRACHEAL: "endotracheal tube",
    Route.ORAL: "mouth",
    Route.SUBLINGUAL: "mouth, under the tongue",
    Route.RECTAL: "rectum",
    Route.NASAL: "nose",
    Route.INHALED: "inhalation",
    Route.TOPICAL: "application to the skin",
}


_ALSO_CHARTED = {
    "ivp": Route.IV_PUSH,
    "iv_bolus": Route.IV_PUSH,
    "ivpb": Route.IV_INFUSION,
    "iv_piggyback": Route.IV_INFUSION,
    "iv_drip": Route.IV_INFUSION,
    "intramuscular": Route.IM,
    "subcutaneous": Route.SC,
    "subq": Route.SC,
    "subcut": Route.SC,
    "sq": Route.SC,
    "po": Route.ORAL,
}


def read_route(value: object) -> object:
    """A route as charts abbreviate it. Into a vein by no matter what way is no route: which way decides the code."""
    if not isinstance(value, str) or isinstance(value, Route):
        return value
    name = re.sub(r"[\s-]+", "_", value.strip().casefold())
    if name in ("iv", "intravenous"):
        raise _bad("does not say how it went into the vein", "iv_push or iv_infusion, as charted")
    return _ALSO_CHARTED.get(name, name)


class Claim(StrEnum):
    """Whose claim it is."""

    FACILITY = "facility"
    PROFESSIONAL = "professional"


class Purpose(StrEnum):
    """What a fluid was for, or that a drug was part of a procedure."""

    HYDRATION = "hydration"
    REPLACEMENT = "replacement"
    CARRIER = "carrier"
    KEEP_OPEN = "keep_open"
    FLUSH = "flush"
    PROCEDURE = "procedure"


class AccessDevice(StrEnum):
    """What the drug or the flush went through."""

    PERIPHERAL = "peripheral"
    CENTRAL_LINE = "central_line"
    PORT = "port"
    INDWELLING_CATHETER = "indwelling_catheter"
    TEMPORARY_CATHETER = "temporary_catheter"


class PumpFrom(StrEnum):
    """Whose portable pump a prolonged infusion went home with."""

    PROVIDER = "provider"
    SUPPLIER = "supplier"


class AccessReason(StrEnum):
    """Why a second vascular access was used."""

    INCOMPATIBLE_DRUGS = "incompatible_drugs"
    PROTOCOL = "protocol"
    CONVENIENCE = "convenience"
    SECOND_LUMEN = "second_lumen"


def _bad(problem: str, right: str, field: str = "") -> InvalidInput:
    return InvalidInput(Fault(field, problem, right))


_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(\+[1-9])?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:00)?")


def _clock_text(value: str) -> str:
    if _CLOCK.fullmatch(value):
        return value
    if _LOCAL.fullmatch(value):
        try:
            datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            return value
    raise _bad("is not a time", "HH:MM, HH:MM+1 for the next day, or YYYY-MM-DDTHH:MM in local time")


def _amount_text(value: str) -> str:
    Amount.parse(value)
    return value


def _place_code(value: str) -> str:
    if value not in places():
        known = ", ".join(f"{row.code} {row.name}" for row in places().values())
        raise _bad("is not a place of service we know", f"one of {known}")
    return value


def _unspaced_lower(value: object) -> object:
    return value.strip().casefold() if isinstance(value, str) else value


def _upper(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


def whole_date(value: object) -> object:
    """A date, or its text, not before the book opens; not a number, and not a moment."""
    day = _day(value) if isinstance(value, str) else value
    if day is not None and (not isinstance(day, date) or isinstance(day, datetime)):
        raise _bad("is not a date", "a date such as 2026-03-02")
    if day is not None and day < OPENING:
        raise _bad(f"is before {OPENING}, where the rulebook begins", f"a date from {OPENING} on")
    return day


def _day(text: str) -> date | None:
    if _DATE.fullmatch(text):
        with suppress(ValueError):
            return date.fromisoformat(text)
    raise _bad("is not a date", "a date such as 2026-03-02")


def at_most(count: int) -> BeforeValidator:
    """Refuse a list that is too long before its entries are looked at, each with faults of its own."""

    def check(value: object) -> object:
        if isinstance(value, list | tuple) and len(value) > count:
            raise _bad("is too long", f"at most {count} entries")
        return value

    return BeforeValidator(check)


def form(pattern: str, words: str) -> str:
    """A pattern, with the words a fault has for it."""
    FORMS[pattern] = words
    return pattern


_ID = form(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$", "up to 32 letters, digits, dots, hyphens or underscores")
_NAME = form(r"^[^\x00-\x1f\x7f-\x9f<>\[\]{}]+$", "a name in plain text, without brackets")
_CODE = form(r"^[0-9A-Z][0-9]{3}[0-9A-Z]$", "a code of five characters")
_DRUG_CODE = form(r"^[A-Z][0-9]{4}$", "a HCPCS code: a letter and four digits")
_MODIFIER = form(r"^[0-9A-Z]{2}$", "a modifier of two characters")
_PAYER = form(r"^[a-z0-9][a-z0-9_ -]{0,39}$", "a payer's short name, such as medicare")

PLACES = (
    "CMS place-of-service code: 11 office, 22 on-campus and 19 off-campus outpatient hospital, 23 emergency "
    "department, 24 surgical center, 20 urgent care, 12 home, 21 inpatient hospital."
)

Id = Annotated[str, StringConstraints(pattern=_ID)]
Clock = Annotated[str, AfterValidator(_clock_text)]
Dose = Annotated[str, StringConstraints(max_length=40), AfterValidator(_amount_text)]
DrugName = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME, pattern=_NAME)]
PlaceCode = Annotated[
    str,
    AfterValidator(_place_code),
    WithJsonSchema({"type": "string", "enum": list(places())}),
]
CodeNumber = Annotated[str, BeforeValidator(_upper), StringConstraints(pattern=_CODE)]
DrugCode = Annotated[str, BeforeValidator(_upper), StringConstraints(pattern=_DRUG_CODE)]
ModifierCode = Annotated[str, BeforeValidator(_upper), StringConstraints(pattern=_MODIFIER)]
PayerId = Annotated[str, BeforeValidator(_unspaced_lower), StringConstraints(pattern=_PAYER)]

"""What happened: the encounter as charted, validated once, here.

``Encounter`` and ``Administration`` are the border (pydantic, frozen, unknown fields refused). ``Visit`` and
``Given`` are the same facts as plain values with times in minutes, which the steps work on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from ivcoder.book import OPENING, Amount, Category, Place, Rulebook, places
from ivcoder.faults import FORMS, Fault, InvalidInput, faults_of

HOUR = 60
DAY = 24 * HOUR
MOST_ADMINISTRATIONS = 100
MOST_LINES = 100
MOST_SERVICES = 50
MOST_MODIFIERS = 4
MOST_UNITS = 9999
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
    INTRATHECAL = "intrathecal"
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
    Route.INTRATHECAL: "injection into the spinal canal",
    Route.ENDOTRACHEAL: "endotracheal tube",
    Route.ORAL: "mouth",
    Route.SUBLINGUAL: "mouth, under the tongue",
    Route.RECTAL: "rectum",
    Route.NASAL: "nose",
    Route.INHALED: "inhalation",
    Route.TOPICAL: "application to the skin",
}


class Claim(StrEnum):
    """Whose claim it is."""

    FACILITY = "facility"
    PROFESSIONAL = "professional"


class Purpose(StrEnum):
    """What a fluid was for."""

    HYDRATION = "hydration"
    REPLACEMENT = "replacement"
    CARRIER = "carrier"
    KEEP_OPEN = "keep_open"
    FLUSH = "flush"


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
DrugName = Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=_NAME)]
PlaceCode = Annotated[
    str,
    AfterValidator(_place_code),
    WithJsonSchema({"type": "string", "enum": list(places())}),
]
CodeNumber = Annotated[str, StringConstraints(pattern=_CODE, to_upper=True)]
DrugCode = Annotated[str, StringConstraints(pattern=_DRUG_CODE, to_upper=True)]
ModifierCode = Annotated[str, StringConstraints(pattern=_MODIFIER, to_upper=True)]
PayerId = Annotated[str, BeforeValidator(_unspaced_lower), StringConstraints(pattern=_PAYER)]

_BORDER = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Administration(BaseModel):
    """One drug given once, as the chart has it."""

    model_config = _BORDER

    id: Id = Field(description="A label of your own for this administration, unique in the encounter.")
    drug: DrugName = Field(description="The drug's brand or generic name, as charted.")
    route: Route = Field(
        description="How it was given, as the chart calls it: iv_infusion for a drip or piggyback, iv_pump for a "
        "portable or implanted pump, sc_infusion for an infusion under the skin."
    )
    start: Clock | None = Field(
        None,
        description="When it started to flow: HH:MM on the date of service, HH:MM+1 on the next day, or a local "
        "date-time.",
    )
    stop: Clock | None = Field(None, description="When it ended. HH:MM earlier than the start is read as the next day.")
    minutes: int | None = Field(
        None,
        ge=0,
        le=LONGEST,
        strict=True,
        description="The length in minutes, when only a length was charted.",
    )
    dose: Dose | None = Field(None, description="Amount given, with its unit, such as 125 mg.")
    hcpcs: DrugCode | None = Field(None, description="The drug's own HCPCS code, if charted.")
    category: Category | None = Field(
        None,
        description="What it counts as. chemotherapy includes highly complex biologics; therapeutic includes "
        "prophylactic and diagnostic. Leave out to have it looked up.",
    )
    access_site: Id = Field("1", description="One label for each separate IV access.")
    access_reason: AccessReason | None = Field(
        None, description="Why a second access was used, when this drug went through one."
    )
    mixed_with: Id | None = Field(None, description="The id of the administration whose bag it shared.")
    purpose: Purpose | None = Field(None, description="What a fluid or electrolyte was for.")
    attended: bool | None = Field(
        None, strict=True, description="Whether someone stayed to inject and watch for the whole push."
    )
    resumed: bool | None = Field(
        None,
        strict=True,
        description="For a drug infused more than once: true when this goes on with the same dose after an "
        "interruption, false when it is a dose of its own.",
    )
    discarded: Dose | None = Field(
        None, description="Amount thrown away from a single-dose container; 0 mg when none was."
    )


class OtherService(BaseModel):
    """Another service on the claim, such as a visit."""

    model_config = _BORDER

    code: CodeNumber = Field(description="The service's code.")
    modifiers: Annotated[tuple[ModifierCode, ...], at_most(MOST_MODIFIERS)] = Field(
        (), max_length=MOST_MODIFIERS, description="Modifiers already on it."
    )


class Given(NamedTuple):
    """One administration as plain values.

    ``start`` and ``stop`` are minutes from midnight at the beginning of the date of service; ``minutes`` is
    the length however it was charted.
    """

    id: str
    drug: str
    hcpcs: str | None
    category: Category | None
    route: Route
    start: int | None
    stop: int | None
    minutes: int | None
    access_site: str
    access_reason: AccessReason | None
    mixed_with: str | None
    purpose: Purpose | None
    attended: bool | None
    resumed: bool | None
    dose: str | None
    discarded: str | None


class Encounter(BaseModel):
    """What was given to one patient in one encounter, and where.

    Only ``place_of_service`` and, in each administration, ``id``, ``drug`` and ``route`` are required. There
    is no field for anything that names a patient, and unknown fields are refused.
    """

    model_config = _BORDER

    place_of_service: PlaceCode = Field(description=PLACES)
    administrations: Annotated[tuple[Administration, ...], at_most(MOST_ADMINISTRATIONS)] = Field(
        min_length=1, max_length=MOST_ADMINISTRATIONS, description="Everything that was given."
    )
    date_of_service: Annotated[date, BeforeValidator(whole_date)] | None = Field(
        None, description="YYYY-MM-DD; without it the newest rulebook is used, and the answer says so."
    )
    claim: Claim | None = Field(
        None,
        description="Whose claim; when left out it follows from the place (11 professional; 19, 22, 23 facility).",
    )
    payer: PayerId | None = Field(None, description="The payer, such as medicare.")
    primary_reason: Id | None = Field(
        None, description="Professional claims: the id of the administration the visit was for."
    )
    other_services: Annotated[tuple[OtherService, ...], at_most(MOST_SERVICES)] = Field(
        (), max_length=MOST_SERVICES, description="Other services on the same claim, such as a visit."
    )
    undocumented_stop: Literal["push", "ask"] = Field(
        "push", description="An infusion without a documented length: count it as a push, or leave it open."
    )
    lines: Literal["separate", "stacked"] = Field(
        "separate", description="Additional pushes a line each, or joined on one line with units."
    )

    _read: tuple[tuple[Administration, ...], date | None, tuple[Given, ...]] = PrivateAttr(((), None, ()))

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        rows = _given_rows(self)
        faults = _contradictions(self, rows)
        if faults:
            raise InvalidInput(*faults)
        self._read = (self.administrations, self.date_of_service, rows)
        return self

    @classmethod
    def read(cls, given: Encounter | Mapping[str, object] | str | bytes) -> Encounter:
        """An encounter from a mapping or from JSON text.

        Raises:
            InvalidInput: with one fault for each thing wrong.

        """
        if isinstance(given, Encounter):
            return given
        try:
            if isinstance(given, str | bytes):
                return cls.model_validate_json(given)
            return cls.model_validate(given)
        except ValidationError as error:
            raise InvalidInput(*faults_of(error, known=FIELDS)) from None


FIELDS: Mapping[str, tuple[str, ...]] = {
    "": tuple(Encounter.model_fields),
    "administrations": tuple(Administration.model_fields),
    "other_services": tuple(OtherService.model_fields),
}


class Visit(NamedTuple):
    """An encounter as plain values; ``clocks`` are the starts charted without a day, in order."""

    day: date | None
    place: Place
    claim: Claim | None
    payer: str | None
    primary_reason: str | None
    administrations: tuple[Given, ...]
    other_services: tuple[OtherService, ...]
    undocumented_stop: Literal["push", "ask"]
    stacked: bool
    clocks: tuple[int, ...]


def visit_of(encounter: Encounter, book: Rulebook) -> Visit:
    """The encounter as plain values, with the claim that follows from the place."""
    place = book.places[encounter.place_of_service]
    claim = encounter.claim or (Claim(place.claim) if place.claim else None)
    charted, day, rows = encounter._read
    if charted is not encounter.administrations or day is not encounter.date_of_service:
        rows = _given_rows(encounter)
    return Visit(
        day=encounter.date_of_service,
        place=place,
        claim=claim,
        payer=encounter.payer,
        primary_reason=encounter.primary_reason,
        administrations=rows,
        other_services=encounter.other_services,
        undocumented_stop=encounter.undocumented_stop,
        stacked=encounter.lines == "stacked",
        clocks=_clocks(encounter, rows),
    )


def _clocks(encounter: Encounter, rows: tuple[Given, ...]) -> tuple[int, ...]:
    charted = zip(encounter.administrations, rows, strict=True)
    return tuple(sorted([row.start for given, row in charted if _is_bare(given.start) and row.start is not None]))


def _given_rows(encounter: Encounter) -> tuple[Given, ...]:
    origin = _origin(encounter)
    return tuple(
        [
            Given(
                row.id,
                row.drug,
                row.hcpcs,
                row.category,
                row.route,
                *_times(row, origin),
                row.access_site,
                row.access_reason,
                row.mixed_with,
                row.purpose,
                row.attended,
                row.resumed,
                row.dose,
                row.discarded,
            )
            for row in encounter.administrations
        ]
    )


def _origin(encounter: Encounter) -> date | None:
    """The day minutes are counted from: the date of service, else the earliest day charted."""
    if encounter.date_of_service:
        return encounter.date_of_service
    days = [
        date.fromisoformat(moment[:10])
        for row in encounter.administrations
        for moment in (row.start, row.stop)
        if moment and not _is_clock(moment)
    ]
    return min(days) if days else None


def _is_clock(text: str) -> bool:
    """Whether a time has no date; ``HH:MM+1`` counts days from the date of service."""
    return len(text) <= len("HH:MM+1")


def _is_bare(text: str | None) -> bool:
    """Whether a time is HH:MM alone, without a day."""
    return text is not None and len(text) == len("HH:MM")


def _moment(text: str, origin: date | None) -> int:
    """Minutes from midnight of ``origin``; HH:MM is on that day."""
    if _is_clock(text):
        return int(text[6:] or 0) * DAY + int(text[:2]) * HOUR + int(text[3:5])
    moment = datetime.fromisoformat(text)
    days = (moment.date() - origin).days if origin else 0
    return days * DAY + moment.hour * HOUR + moment.minute


def _times(row: Administration, origin: date | None) -> tuple[int | None, int | None, int | None]:
    start = None if row.start is None else _moment(row.start, origin)
    stop = None if row.stop is None else _moment(row.stop, origin)
    if start is not None and stop is not None:
        if stop < start and _is_bare(row.stop):
            stop += -(-(start - stop) // DAY) * DAY
        return start, stop, stop - start
    if row.minutes is not None:
        if start is not None:
            stop = start + row.minutes
        elif stop is not None:
            start = stop - row.minutes
    return start, stop, row.minutes


def _contradictions(encounter: Encounter, rows: tuple[Given, ...]) -> list[Fault]:
    faults: list[Fault] = []
    by_id = {row.id: row for row in rows}
    seen: set[str] = set()
    for number, (row, charted) in enumerate(zip(rows, encounter.administrations, strict=True)):
        if row.id in seen:
            faults.append(_fault(number, "id", "is used twice", "a different id for each administration"))
        seen.add(row.id)
        faults += _bad_times(number, row, charted, encounter.date_of_service)
        if row.mixed_with is not None:
            problem, right = _bad_bag(row, by_id)
            if problem:
                faults.append(_fault(number, "mixed_with", problem, right))
    if encounter.primary_reason is not None and encounter.primary_reason not in by_id:
        faults.append(Fault("primary_reason", "is not the id of an administration", "one of the ids above"))
    if not faults and any(row.mixed_with is not None for row in rows):
        faults += _at_odds(rows)
    return faults


def _fault(number: int, field: str, problem: str, right: str) -> Fault:
    return Fault(f"administrations[{number}].{field}", problem, right)


def _bad_times(number: int, row: Given, charted: Administration, day: date | None) -> Iterator[Fault]:
    backwards = row.minutes is not None and row.minutes < 0
    if backwards:
        yield _fault(number, "stop", "is before the start", "a stop at or after the start")
    elif row.minutes is not None and charted.minutes is not None and row.minutes != charted.minutes:
        right = "the length from start to stop, or no minutes"
        yield _fault(number, "minutes", "contradicts the start and stop", right)
    elif row.minutes is not None and row.minutes > LONGEST:
        right = "the end of this administration"
        yield _fault(number, "stop", "is more than 14 days after the start", right)
    if day and charted.start is not None and (row.start or 0) < 0:
        yield _fault(number, "start", "is before the date of service", "a time on or after it")
    if day and charted.stop is not None and (row.stop or 0) < 0 and not backwards:
        yield _fault(number, "stop", "is before the date of service", "a time on or after it")


def _bad_bag(row: Given, by_id: Mapping[str, Given]) -> tuple[str, str]:
    other = by_id.get(row.mixed_with or "")
    if other is None or other.id == row.id:
        return "is not the id of another administration", "the id of one sharing the bag"
    if other.route != row.route or other.access_site != row.access_site:
        return "names a bag on another route or access", "drugs of one bag share both"
    return "", ""


def mixed(rows: Iterable[Given]) -> list[list[Given]]:
    """The rows that hung together, directly or by way of others, in the order charted."""
    given = list(rows)
    parent = {row.id: row.id for row in given}

    def root(label: str) -> str:
        while parent[label] != label:
            label = parent[label]
        return label

    for row in given:
        if row.mixed_with is not None:
            parent[root(row.mixed_with)] = root(row.id)
    groups: dict[str, list[Given]] = {}
    for row in given:
        groups.setdefault(root(row.id), []).append(row)
    return list(groups.values())


def shared(members: Sequence[Given]) -> Given:
    """A bag as one administration: its first drug's row, with every fact that stands beside any of its drugs."""
    facts: dict[str, object] = {"drug": " + ".join(row.drug for row in members)}
    for name in _OF_BAG:
        facts[name] = next((value for row in members if (value := getattr(row, name)) is not None), None)
    whole = members[0]._replace(**facts)  # type: ignore[arg-type]
    start, stop, minutes = whole.start, whole.stop, whole.minutes
    if start is not None and stop is not None:
        return whole._replace(minutes=stop - start) if minutes is None and start <= stop else whole
    if minutes is not None and stop is not None:
        return whole._replace(start=stop - minutes)
    if minutes is not None and start is not None:
        return whole._replace(stop=start + minutes)
    return whole


_SPAN = ("start", "stop", "minutes")
_SAID = ("attended", "resumed")
_OF_BAG = (*_SPAN, *_SAID, "access_reason")


def _at_odds(rows: Sequence[Given]) -> Iterator[Fault]:
    """What the drugs of one bag contradict one another in."""
    numbers = {row.id: number for number, row in enumerate(rows)}
    for members in mixed(rows):
        if len(members) == 1:
            continue
        whole = shared(members)
        naming = [row for row in members if row.mixed_with is not None]
        apart = [row for row in members if _differs(row, whole, _SPAN)] or (naming[:1] if _is_torn(whole) else [])
        for number in sorted({numbers[(row if row in naming else naming[0]).id] for row in apart}):
            yield _fault(number, "mixed_with", "names a bag with other times", "drugs of one bag share their times")
        for row in members:
            for name in _SAID:
                if _differs(row, whole, (name,)):
                    yield _fault(numbers[row.id], name, "contradicts the rest of its bag", "one answer for a bag")


def _differs(row: Given, whole: Given, names: Iterable[str]) -> bool:
    return any(getattr(row, name) not in (None, getattr(whole, name)) for name in names)


def _is_torn(whole: Given) -> bool:
    """Whether the start of one drug and the stop or length of another do not fit together."""
    if whole.start is None or whole.stop is None:
        return False
    return whole.minutes is None or whole.start + whole.minutes != whole.stop

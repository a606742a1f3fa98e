"""One administration: at the border as charted, and as plain values with times in minutes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ivcoder.book import Category
from ivcoder.encounter.fields import (
    DAY,
    HOUR,
    LONGEST,
    MOST_LESIONS,
    MOST_MODIFIERS,
    AccessDevice,
    AccessReason,
    Clock,
    CodeNumber,
    Dose,
    DrugCode,
    DrugName,
    Id,
    ModifierCode,
    PumpFrom,
    Purpose,
    Route,
    at_most,
    read_route,
)

BORDER = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Administration(BaseModel):
    """One drug given once, as the chart has it."""

    model_config = BORDER

    id: Id = Field(description="A label of your own for this administration, unique in the encounter.")
    drug: DrugName = Field(description="The drug's brand or generic name, as charted.")
    route: Annotated[Route, BeforeValidator(read_route)] = Field(
        description="How it was given, as the chart calls it: iv_infusion for a drip or piggyback, by a pump at the "
        "bedside too, iv_pump for a portable or implanted pump that was started, sc_infusion for an infusion under the "
        "skin, csf_reservoir for an Ommaya reservoir."
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
    encounter: Id = Field(
        "1", description="One label for each separate encounter, when the patient came back on the same day."
    )
    access_site: Id = Field(
        "1", description="One label for each separate IV access; under the skin, for each pump set-up with new sites."
    )
    access_reason: AccessReason | None = Field(
        None, description="Why a second access was used, when this drug went through one."
    )
    mixed_with: Id | None = Field(None, description="The id of the administration whose bag it shared.")
    access_device: AccessDevice | None = Field(
        None,
        description="What a flush went through, if nothing else was given; for a body cavity, the port or catheter "
        "already there.",
    )
    purpose: Purpose | None = Field(
        None,
        description="What a fluid or electrolyte was for; procedure for any drug given as part of a procedure, such as "
        "sedation or a local anaesthetic.",
    )
    attended: bool | None = Field(
        None, strict=True, description="Whether someone stayed to inject and watch for the whole push."
    )
    resumed: bool | None = Field(
        None,
        strict=True,
        description="For a drug infused more than once: true when this goes on with the same dose after an "
        "interruption, false when it is a dose of its own.",
    )
    discontinued: bool | None = Field(
        None, strict=True, description="True when an infusion was broken off early, such as for a reaction."
    )
    lesions: int | None = Field(None, ge=1, le=MOST_LESIONS, strict=True, description="How many lesions were injected.")
    counselled: bool | None = Field(
        None, strict=True, description="For an RSV antibody: whether patient or family were counselled about it."
    )
    pump_from: PumpFrom | None = Field(None, description="Whose portable pump the patient went home with.")
    discarded: Dose | None = Field(
        None, description="Amount thrown away from a single-dose container; 0 mg when none was."
    )


class OtherService(BaseModel):
    """Another service on the claim, such as a visit."""

    model_config = BORDER

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
    encounter: str
    access_site: str
    access_reason: AccessReason | None
    access_device: AccessDevice | None
    mixed_with: str | None
    purpose: Purpose | None
    attended: bool | None
    resumed: bool | None
    discontinued: bool | None
    lesions: int | None
    counselled: bool | None
    pump_from: PumpFrom | None
    dose: str | None
    discarded: str | None


def given_rows(charted: tuple[Administration, ...], day: date | None) -> tuple[Given, ...]:
    """Administrations as plain values, their minutes counted from ``day``, or from the earliest day charted."""
    origin = day or _earliest(charted)
    return tuple(
        [
            Given(
                row.id,
                row.drug,
                row.hcpcs,
                row.category,
                row.route,
                *_times(row, origin),
                row.encounter,
                row.access_site,
                row.access_reason,
                row.access_device,
                row.mixed_with,
                row.purpose,
                row.attended,
                row.resumed,
                row.discontinued,
                row.lesions,
                row.counselled,
                row.pump_from,
                row.dose,
                row.discarded,
            )
            for row in charted
        ]
    )


def _earliest(charted: tuple[Administration, ...]) -> date | None:
    days = [
        date.fromisoformat(moment[:10])
        for row in charted
        for moment in (row.start, row.stop)
        if moment and not _is_clock(moment)
    ]
    return min(days) if days else None


def _is_clock(text: str) -> bool:
    """Whether a time has no date; ``HH:MM+1`` counts days from the date of service."""
    return len(text) <= len("HH:MM+1")


def is_bare(text: str | None) -> bool:
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
        if stop < start and is_bare(row.stop):
            stop += -(-(start - stop) // DAY) * DAY
        return start, stop, stop - start
    if row.minutes is not None:
        if start is not None:
            stop = start + row.minutes
        elif stop is not None:
            start = stop - row.minutes
    return start, stop, row.minutes

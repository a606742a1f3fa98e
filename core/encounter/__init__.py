"""What happened: the encounter as charted, validated once, here.

``Encounter`` and ``Administration`` are the border (pydantic, frozen, unknown fields refused). ``Visit`` and
``Given`` are the same facts as plain values with times in minutes, which the steps work on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, BeforeValidator, Field, PrivateAttr, ValidationError, model_validator

from ivcoder.book import Place, Rulebook, payer_named
from ivcoder.encounter.administration import BORDER, Administration, Given, OtherService, given_rows, is_bare
from ivcoder.encounter.bag import mixed, shared
from ivcoder.encounter.contradictions import contradictions
from ivcoder.encounter.fields import (
    DAY,
    HOUR,
    LONGEST,
    MOST_ADMINISTRATIONS,
    MOST_LINES,
    MOST_MODIFIERS,
    MOST_REASONS,
    MOST_SERVICES,
    MOST_UNITS,
    PLACES,
    AccessDevice,
    AccessReason,
    Claim,
    CodeNumber,
    DrugName,
    Id,
    ModifierCode,
    PayerId,
    PlaceCode,
    PumpFrom,
    Purpose,
    Route,
    at_most,
    form,
    whole_date,
)
from ivcoder.faults import InvalidInput, faults_of

__all__ = [
    "DAY",
    "FIELDS",
    "HOUR",
    "LONGEST",
    "MOST_ADMINISTRATIONS",
    "MOST_LINES",
    "MOST_MODIFIERS",
    "MOST_REASONS",
    "MOST_SERVICES",
    "MOST_UNITS",
    "PLACES",
    "AccessDevice",
    "AccessReason",
    "Administration",
    "Claim",
    "CodeNumber",
    "DrugName",
    "Encounter",
    "Given",
    "Id",
    "ModifierCode",
    "OtherService",
    "PayerId",
    "PlaceCode",
    "PumpFrom",
    "Purpose",
    "Route",
    "Visit",
    "at_most",
    "form",
    "mixed",
    "shared",
    "visit_of",
    "whole_date",
]


class Encounter(BaseModel):
    """What was given to one patient in one encounter, and where.

    Only ``place_of_service`` and, in each administration, ``id``, ``drug`` and ``route`` are required. There
    is no field for anything that names a patient, and unknown fields are refused.
    """

    model_config = BORDER

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
        rows = given_rows(self.administrations, self.date_of_service)
        faults = contradictions(self.administrations, rows, self.date_of_service, self.primary_reason)
        if faults:
            raise InvalidInput(*faults)
        self._read = (self.administrations, self.date_of_service, rows)
        return self

    @classmethod
    def read(cls, given: Encounter | Mapping[str, object]) -> Encounter:
        """An encounter from a mapping.

        Raises:
            InvalidInput: with one fault for each thing wrong.

        """
        if isinstance(given, Encounter):
            return given
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise InvalidInput(*faults_of(error, known=FIELDS)) from None


FIELDS: Mapping[str, tuple[str, ...]] = {
    "": tuple(Encounter.model_fields),
    "administrations": tuple(Administration.model_fields),
    "other_services": tuple(OtherService.model_fields),
}


class Visit(NamedTuple):
    """An encounter as plain values; ``clocks`` are the starts in order, where no time is charted with its day.

    ``payer`` is the id of a payer the book knows, or the name as given.
    """

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
    payer = payer_named(encounter.payer) if encounter.payer else None
    claim = encounter.claim or (Claim(place.claim) if place.claim else None)
    charted, day, rows = encounter._read
    if charted is not encounter.administrations or day is not encounter.date_of_service:
        rows = given_rows(encounter.administrations, encounter.date_of_service)
    return Visit(
        day=encounter.date_of_service,
        place=place,
        claim=claim,
        payer=payer.id if payer else encounter.payer,
        primary_reason=encounter.primary_reason,
        administrations=rows,
        other_services=encounter.other_services,
        undocumented_stop=encounter.undocumented_stop,
        stacked=encounter.lines == "stacked",
        clocks=_clocks(encounter, rows),
    )


def _clocks(encounter: Encounter, rows: tuple[Given, ...]) -> tuple[int, ...]:
    times = [time for given in encounter.administrations for time in (given.start, given.stop) if time is not None]
    if not all(map(is_bare, times)):
        return ()
    return tuple(sorted([row.start for row in rows if row.start is not None]))

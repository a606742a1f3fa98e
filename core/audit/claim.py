"""What was billed, beside the encounter it was billed for: the border model of an audit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ivcoder.denials import BilledLine, known_administrations
from ivcoder.encounter import FIELDS, MOST_LINES, Encounter, at_most
from ivcoder.faults import InvalidInput, faults_of


class BilledClaim(BaseModel):
    """An encounter, and the lines that were billed for it. What payers said of the lines is set aside."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    encounter: Encounter = Field(description="What was given, and where.")
    billed_lines: Annotated[tuple[BilledLine, ...], at_most(MOST_LINES)] = Field(
        min_length=1, max_length=MOST_LINES, description="The lines as billed."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        known_administrations(self.billed_lines, self.encounter.administrations)
        return self

    @classmethod
    def read(cls, given: BilledClaim | Mapping[str, object]) -> BilledClaim:
        """A billed claim from a mapping.

        Raises:
            InvalidInput: with one fault for each thing wrong.

        """
        if isinstance(given, BilledClaim):
            return given
        known = {
            **FIELDS,
            "": tuple(cls.model_fields),
            "encounter": tuple(Encounter.model_fields),
            "billed_lines": tuple(BilledLine.model_fields),
        }
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise InvalidInput(*faults_of(error, known=known)) from None

"""What was billed and denied: the border model, and the case the rules look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationError,
    model_validator,
)

from ivcoder.book import Category, Drug, DrugTable, Payer, Place, Rulebook, hints, payer_named, plain
from ivcoder.classify import Service
from ivcoder.classify.category import payers_list
from ivcoder.edits import Edited, Line
from ivcoder.encounter import (
    FIELDS,
    MOST_ADMINISTRATIONS,
    MOST_LINES,
    MOST_MODIFIERS,
    MOST_REASONS,
    MOST_SERVICES,
    MOST_UNITS,
    PLACES,
    Administration,
    Claim,
    CodeNumber,
    DrugName,
    Encounter,
    Id,
    ModifierCode,
    OtherService,
    PayerId,
    PlaceCode,
    at_most,
    form,
    visit_of,
    whole_date,
)
from ivcoder.faults import Fault, InvalidInput, faults_of
from ivcoder.what_if import Explored, answer, explore

_GROUPS = ("CO", "PR", "OA", "PI", "CR")
_PROCEDURES = frozenset("CG")
"""First letters of HCPCS codes that can stand for a procedure; the others are drugs, supplies and transport."""


def _without_group(value: object) -> object:
    """``CO-97`` and ``co97`` as ``97``."""
    if not isinstance(value, str):
        return value
    text = value.strip().upper().replace(" ", "").replace("-", "")
    return text[2:] if text[:2] in _GROUPS else text


_REASON = form(r"^[A-Z]{0,2}[0-9]{1,3}$", "a reason or remark code, such as CO-97 or N362")
Reason = Annotated[str, BeforeValidator(_without_group), StringConstraints(pattern=_REASON)]
Reasons = Annotated[tuple[Reason, ...], Field(max_length=MOST_REASONS), at_most(MOST_REASONS)]
_BORDER = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, defer_build=True)


class BilledLine(BaseModel):
    """A line as it was billed."""

    model_config = _BORDER

    code: CodeNumber = Field(description="The billed code.")
    units: int = Field(1, ge=1, le=MOST_UNITS, strict=True, description="The billed units.")
    modifiers: Annotated[tuple[ModifierCode, ...], at_most(MOST_MODIFIERS)] = Field(
        (), max_length=MOST_MODIFIERS, description="The billed modifiers."
    )
    denied: bool = Field(False, strict=True, description="Whether this line was denied.")
    administrations: Annotated[tuple[Id, ...], at_most(MOST_ADMINISTRATIONS)] = Field(
        (), max_length=MOST_ADMINISTRATIONS, description="The administrations it was billed for, by id."
    )
    drug: DrugName | None = Field(None, description="The drug it was billed for, when no encounter is given.")
    carc: Reasons = Field((), description="Claim adjustment reason codes on the line, such as 97 or CO-97.")
    rarc: Reasons = Field((), description="Remark codes on the line, such as N362.")


def known_administrations(lines: Iterable[BilledLine], administrations: Iterable[Administration]) -> None:
    """Refuse a billed line that names an administration nobody gave.

    Raises:
        InvalidInput: for the first such line.

    """
    known = {row.id for row in administrations}
    for number, line in enumerate(lines):
        if not set(line.administrations) <= known:
            field = f"billed_lines[{number}].administrations"
            raise InvalidInput(Fault(field, "names an administration that is not given", "ids of administrations"))


class Denial(BaseModel):
    """A denied claim: its billed lines, and the encounter behind it if there is one.

    The encounter's fields stand at the top level, as in ``Encounter``; all are optional here.
    """

    model_config = _BORDER

    billed_lines: Annotated[tuple[BilledLine, ...], at_most(MOST_LINES)] = Field(
        min_length=1, max_length=MOST_LINES, description="The lines as billed."
    )
    carc: Reasons = Field((), description="Claim adjustment reason codes of the whole claim.")
    rarc: Reasons = Field((), description="Remark codes of the whole claim.")
    place_of_service: PlaceCode | None = Field(None, description=PLACES)
    date_of_service: Annotated[date, BeforeValidator(whole_date)] | None = Field(None, description="YYYY-MM-DD.")
    claim: Claim | None = Field(None, description="Whose claim; when left out it follows from the place.")
    payer: PayerId | None = Field(None, description="The payer, such as medicare.")
    primary_reason: Id | None = Field(None, description="The id of the administration the visit was for.")
    administrations: Annotated[tuple[Administration, ...], at_most(MOST_ADMINISTRATIONS)] = Field(
        (), max_length=MOST_ADMINISTRATIONS, description="What was given, if the chart is at hand."
    )
    other_services: Annotated[tuple[OtherService, ...], at_most(MOST_SERVICES)] = Field(
        (), max_length=MOST_SERVICES, description="Other services on the claim."
    )
    undocumented_stop: Literal["push", "ask"] = Field("push", description="Policy for a missing stop.")

    _encounter: Encounter | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        known_administrations(self.billed_lines, self.administrations)
        if self.administrations:
            if self.place_of_service is None:
                raise InvalidInput(Fault("place_of_service", "is missing", "the place, when administrations are given"))
            shared = {name: getattr(self, name) for name in Encounter.model_fields if name in Denial.model_fields}
            self._encounter = Encounter.model_validate(shared)
        return self

    @property
    def encounter(self) -> Encounter | None:
        """The encounter behind the claim, when administrations are given."""
        return self._encounter

    @classmethod
    def against(cls, encounter: Encounter, lines: tuple[BilledLine, ...]) -> Denial:
        """Billed lines with the encounter behind them, and no denial: what an audit asks the same questions of."""
        shared = {name: getattr(encounter, name) for name in Encounter.model_fields if name in cls.model_fields}
        return cls.model_validate({**shared, "billed_lines": lines})

    @classmethod
    def read(cls, given: Denial | Mapping[str, object]) -> Denial:
        """A denial from a mapping.

        Raises:
            InvalidInput: with one fault for each thing wrong.

        """
        if isinstance(given, Denial):
            return given
        known = {**FIELDS, "": tuple(cls.model_fields), "billed_lines": tuple(BilledLine.model_fields)}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise InvalidInput(*faults_of(error, known=known)) from None


class Fixed(NamedTuple):
    """A line of the corrected claim; ``was`` is the billed code, None when it was not billed."""

    code: str
    units: int
    modifiers: tuple[str, ...]
    was: str | None
    change: Literal["kept", "changed", "added"]


@dataclass(frozen=True, slots=True)
class Case:
    """A denial with what the rulebook and the encounter say about it."""

    denial: Denial
    book: Rulebook
    place: Place | None
    claim: Claim | None
    explored: Explored | None

    @classmethod
    def of(cls, denial: Denial, drugs: DrugTable | None) -> Case:
        """Read the rulebook of the date, and walk the encounter if there is one."""
        book = Rulebook.on(denial.date_of_service, drugs)
        place = book.places.get(denial.place_of_service or "")
        implied = Claim(place.claim) if place and place.claim else None
        edited = answer(visit_of(denial.encounter, book), book) if denial.encounter else None
        explored = explore(edited, tipping=False) if edited else None
        return cls(denial, book, place, denial.claim or implied, explored)

    @property
    def payer(self) -> Payer | None:
        """The payer, if the book knows it."""
        return payer_named(self.denial.payer) if self.denial.payer else None

    @property
    def edited(self) -> Edited | None:
        """What the encounter supports, if there is one."""
        return self.explored.edited if self.explored else None

    def primaries(self, code: str) -> tuple[str, ...]:
        """The codes one of which must stand beside an add-on on this kind of claim; none for another code."""
        row = self.book.numbers.get(code)
        return row.primaries(professional=self.claim is Claim.PROFESSIONAL) if row else ()

    @property
    def unsettled(self) -> bool:
        """Whether the encounter leaves a question open that can change a code."""
        return self.explored is not None and any(row.changes_codes for row in self.explored.questions)

    @property
    def family(self) -> tuple[BilledLine, ...]:
        """The drug-administration lines."""
        return tuple(line for line in self.denial.billed_lines if self.role(line))

    @property
    def procedures(self) -> tuple[str, ...]:
        """Codes on the claim that are no drug, visit or drug administration: what a drug may have been part of."""
        codes = [*(line.code for line in self.denial.billed_lines), *(row.code for row in self.denial.other_services)]
        known = {*self.book.numbers, *self.book.included, *self.book.minimal_visits, *self.book.formulary.by_code}
        return tuple(
            code
            for code in codes
            if code not in known and not self.book.is_visit(code) and (code[0].isdigit() or code[0] in _PROCEDURES)
        )

    def role(self, line: BilledLine | Fixed) -> str:
        """The role the code of a billed or a corrected line stands for; empty when it is not of this family."""
        row = self.book.numbers.get(line.code)
        return row.role if row else ""

    def services(self, line: BilledLine) -> tuple[Service, ...]:
        """The services of the administrations a line was billed for."""
        if self.edited is None:
            return ()
        rows = self.edited.selected.ranked.classified.services
        return tuple(row for row in rows if set(row.administrations) & set(line.administrations))

    def supported(self, line: BilledLine) -> list[Line]:
        """Lines the encounter supports with the same code, for the same administrations if the line names any."""
        if self.edited is None:
            return []
        about = set(line.administrations)
        rows = (row for row in self.edited.lines if row.code == line.code)
        return [row for row in rows if not about or about & set(row.administrations)]

    def charted(self, labels: Iterable[str]) -> list[tuple[str, Drug | None]]:
        """The names and formulary rows of administrations, in the order charted."""
        if self.edited is None:
            return []
        classified, wanted = self.edited.selected.ranked.classified, set(labels)
        return [(row.drug, classified.drugs[row.id]) for row in classified.visit.administrations if row.id in wanted]

    def charted_drugs(self, labels: Iterable[str]) -> list[Drug | None]:
        """The formulary's rows of administrations, in the order charted."""
        return [drug for _, drug in self.charted(labels)]

    def drug(self, line: BilledLine) -> Drug | None:
        """The formulary's row for the drug a line was billed for; None when it is not known, or contradicted."""
        named = self.book.formulary.find(line.drug) if line.drug else None
        about = line.administrations or self._only(line)
        if self.edited is None or not about:
            return named
        charted = self.edited.selected.ranked.classified.drugs[about[0]]
        alike = (named, *(self.book.formulary.kin(named) if named else ()))
        return charted if line.drug is None or charted in alike else None

    def _only(self, line: BilledLine) -> tuple[str, ...]:
        """The administration, where there was one alone and one denied line alone for it."""
        given = self.denial.administrations
        return (given[0].id,) if len(given) == 1 and self.family == (line,) and line.denied else ()

    def meant_by(self, line: BilledLine) -> tuple[Drug, ...]:
        """The drugs a drug's code stands for on a line: the one named or charted, else all that share the code."""
        drugs = self.book.formulary.by_code.get(line.code, ())
        named = self.drug(line)
        if named in drugs:
            return (named,)
        charted = self.charted_drugs(row.id for row in self.denial.administrations)
        return tuple(drug for drug in drugs if drug in charted) or drugs

    def substance(self, line: BilledLine) -> str | None:
        """What the line gave, as far as the administrations or the named drug tell."""
        drug = self.drug(line)
        if drug is not None:
            return drug.name
        services = self.services(line)
        if services and line.drug is None:
            return services[0].substance
        return plain(line.drug) if line.drug and not services else None

    def is_chemo(self, line: BilledLine) -> bool | None:
        """Whether the line's drug counts as chemotherapy; None when nothing tells, or payers differ."""
        services = self.services(line)
        if services and services[0].category:
            return services[0].category is Category.CHEMOTHERAPY
        drug = self.drug(line)
        listed = payers_list(drug, None, self.payer.id if self.payer else None, self.book)
        if listed is not None:
            return listed.category is Category.CHEMOTHERAPY
        if drug is None or drug.category is None or drug.disputed:
            return None
        return drug.category is Category.CHEMOTHERAPY

    def named(self, line: BilledLine) -> str:
        """What to call the drug of a line."""
        services = self.services(line)
        return services[0].drug if services else line.drug or "the drug"

    def said(self, line: BilledLine) -> set[str]:
        """The reason and remark codes on a line and on the whole claim."""
        return {*line.carc, *line.rarc, *self.denial.carc, *self.denial.rarc}

    def hinted(self, line: BilledLine, kind: str) -> bool:
        """Whether the line's or the claim's reason codes point at a kind of denial."""
        return bool(self.said(line) & hints()[kind])

    def beside_coding(self, line: BilledLine) -> tuple[str, ...]:
        """The reasons of a line and of the claim that other codes would not settle."""
        kinds = hints()
        others = kinds["necessity"] | (kinds["not_coding"] - kinds["adjusted"])
        reasons = (*line.carc, *line.rarc, *self.denial.carc, *self.denial.rarc)
        return tuple(dict.fromkeys(code for code in reasons if code in others))

    @property
    def arguable(self) -> frozenset[str]:
        """The adjustment reasons of a denial that the codes alone can answer."""
        kinds = hints()
        return frozenset[str]().union(
            *(kinds[kind] for kind in ("bundled", "alone", "duplicate", "documents", "adjusted"))
        )

    def number(self, line: BilledLine) -> int:
        """Where a line stands on the claim; lines may be alike."""
        return next(place for place, row in enumerate(self.denial.billed_lines) if row is line)

    def is_separate(self, line: BilledLine) -> bool:
        """Whether a line claims to be a separate service by its modifiers."""
        return bool(set(line.modifiers) & self.separate)

    @property
    def misplaced(self) -> tuple[str, ...]:
        """The modifiers of visits and of discarded drug, which no drug administration carries."""
        names = ("separate_visit", "none_discarded", "discarded")
        return tuple(self.book.modifiers[name] for name in names if name in self.book.modifiers)

    @property
    def separate(self) -> frozenset[str]:
        """The modifiers that say a service is separate."""
        return frozenset(code for name, code in self.book.modifiers.items() if name.startswith("separate_service"))

    @property
    def reasons(self) -> tuple[str, ...]:
        """All reason and remark codes, the claim's first."""
        rows = [*self.denial.carc, *self.denial.rarc]
        for line in self.denial.billed_lines:
            rows += [*line.carc, *line.rarc]
        return tuple(dict.fromkeys(rows))

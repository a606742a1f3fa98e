"""The rulebook's facts: dated tables, each row with its source.

``Rulebook.on(date)`` gives the facts in force on a date of service. The tables are TOML files beside this
module; nothing here decides anything.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from functools import cache, lru_cache
from importlib import resources
from typing import ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from ivcoder.faults import Fault, InvalidInput, faults_of

EDITION = "2026.4"
"""The edition of the tables, raised whenever a row changes."""

WHOLE = 100
"""Percent of the whole; shares in the book are percentages."""

_TABLES = ("codes", "denials", "drugs", "edits", "payers", "places", "sources", "thresholds")


class Row:
    """A row of a table: unknown fields are refused when it is read."""

    __slots__ = ()
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


class Category(StrEnum):
    """What a drug counts as when it is administered."""

    CHEMOTHERAPY = "chemotherapy"
    THERAPEUTIC = "therapeutic"
    HYDRATION = "hydration"


class Confidence(StrEnum):
    """How firmly a fact or a rule stands in its sources."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Source(Row):
    """Where a fact or a rule stands."""

    id: str
    title: str
    publisher: str
    kind: Literal["policy", "contractor", "payer", "codeset", "remittance", "convention", "page"]
    says: str
    seen: date | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Code(Row):
    """The code number of one role, and the codes it must stand beside."""

    role: str
    code: str
    answer: Literal["initial", "add_on", "stand_alone"]
    short: str
    sources: tuple[str, ...]
    beside: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Threshold(Row):
    """A number a rule compares with."""

    name: str
    value: int
    means: str
    sources: tuple[str, ...]
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Tier(Row):
    """One step of the facility hierarchy; rank 1 is the highest."""

    rank: int
    kind: str
    category: Category
    says: str


@dataclass(frozen=True, slots=True)
class Place(Row):
    """A place of service and what it means for drug administration."""

    code: str
    name: str
    sources: tuple[str, ...]
    claim: Literal["facility", "professional"] | None = None
    outpatient_hospital: bool = False
    facility_reports: bool = False
    inpatient: bool = False

    @property
    def spoken(self) -> str:
        """The place with its number."""
        return f"place of service {self.code} ({self.name})"


@dataclass(frozen=True, slots=True)
class Payer(Row):
    """What is known to differ with one payer."""

    id: str
    name: str
    sources: tuple[str, ...]
    wastage_modifiers: bool = False
    takes_s_codes: bool = True
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Billing(Row):
    """A drug's own HCPCS code, the amount one unit stands for, and its dates of service."""

    code: str
    per: str
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Drug(Row):
    """A row of the formulary."""

    name: str
    group: str
    sources: tuple[str, ...]
    confidence: Confidence
    brands: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    category: Category | None = None
    depends_on: Literal["purpose"] | None = None
    agent: (
        Literal[
            "cytotoxic",
            "hormonal",
            "antineoplastic_antibody",
            "antibody_conjugate",
            "other_antineoplastic",
            "complex_biologic",
        ]
        | None
    ) = None
    disputed: str | None = None
    disputed_sources: tuple[str, ...] = ()
    elsewhere: Literal["vaccine", "contrast", "blood"] | None = None
    other_use: str | None = None
    other_use_sources: tuple[str, ...] = ()
    not_by: tuple[str, ...] = ()
    container: Literal["single_dose", "multi_dose", "either"] | None = None
    hcpcs: tuple[Billing, ...] = ()
    note: str | None = None

    @property
    def spoken(self) -> str:
        """The name a reader knows it by: the first brand with the generic, or the generic alone."""
        return f"{self.brands[0]} ({self.name})" if self.brands else self.name

    def billing_on(self, day: date | None) -> tuple[Billing, ...]:
        """The HCPCS codes in force on ``day``; the newest when no date is given."""
        return tuple(row for row in self.hcpcs if in_force(row, day))


@dataclass(frozen=True, slots=True)
class Included(Row):
    """A service that is part of a drug administration and not reported beside it."""

    code: str
    short: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VisitRange(Row):
    """A range of evaluation and management codes."""

    first: str
    last: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MinimalVisit(Row):
    """A minimal visit that is never reported beside a drug administration."""

    code: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Modifier(Row):
    """A modifier by the name of what it says."""

    name: str
    code: str
    sources: tuple[str, ...]
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Adjustment(Row):
    """A claim adjustment reason (CARC) or remark (RARC) code in our words."""

    code: str
    kind: Literal["carc", "rarc"]
    says: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hint(Row):
    """Reason and remark codes that point at a kind of denial."""

    pattern: str
    codes: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Tables(Row):
    source: tuple[Source, ...]
    code: tuple[Code, ...]
    threshold: tuple[Threshold, ...]
    tier: tuple[Tier, ...]
    place: tuple[Place, ...]
    payer: tuple[Payer, ...]
    included: tuple[Included, ...]
    visit: tuple[VisitRange, ...]
    minimal_visit: tuple[MinimalVisit, ...]
    modifier: tuple[Modifier, ...]
    adjustment: tuple[Adjustment, ...]
    hint: tuple[Hint, ...]
    drug: tuple[Drug, ...]


def in_force(row: Code | Threshold | Modifier | Billing, day: date | None) -> bool:
    """Whether a dated row holds on ``day``; without a date, whether it still holds in the newest edition."""
    if day is None:
        return row.until is None
    return (row.since is None or row.since <= day) and (row.until is None or day <= row.until)


def _bytes(name: str) -> bytes:
    return resources.files(__name__).joinpath(f"{name}.toml").read_bytes()


@cache
def _tables() -> tuple[_Tables, str]:
    digest = hashlib.sha256()
    rows: dict[str, object] = {}
    for name in _TABLES:
        # A checkout with other line ends is the same rulebook.
        text = _bytes(name).replace(b"\r\n", b"\n")
        digest.update(name.encode() + b"\0" + text + b"\0")
        rows |= tomllib.loads(text.decode())
    return TypeAdapter(_Tables).validate_python(rows), digest.hexdigest()


@cache
def places() -> Mapping[str, Place]:
    """Every place of service we know, by code."""
    return {row.code: row for row in _tables()[0].place}


@cache
def sources() -> Mapping[str, Source]:
    """Every source cited anywhere, by id."""
    return {row.id: row for row in _tables()[0].source}


@cache
def adjustments() -> Mapping[str, Adjustment]:
    """Claim adjustment reason and remark codes, by number."""
    return {row.code: row for row in _tables()[0].adjustment}


@cache
def hints() -> Mapping[str, frozenset[str]]:
    """For each kind of denial, the reason and remark codes that point at it."""
    return {row.pattern: frozenset(row.codes) for row in _tables()[0].hint}


_NOISE = re.compile(r"[\W_]+")
_BRACKETS = re.compile(r"[()]")
_FORM = re.compile(r"(?<!\w)(?:hcl|hydrochloride|bolus|iv|inj|injection|intravenous|premix)(?!\w)", re.IGNORECASE)


@lru_cache(maxsize=4096)
def plain(name: str) -> str:
    """A drug name without case, blanks and punctuation, for comparing."""
    return _NOISE.sub("", name.casefold())


@dataclass(frozen=True, slots=True)
class Formulary:
    """Drugs by every name they go by and by HCPCS code."""

    drugs: tuple[Drug, ...]
    by_name: Mapping[str, Drug] = field(repr=False)
    by_code: Mapping[str, tuple[Drug, ...]] = field(repr=False)

    @classmethod
    def of(cls, drugs: Iterable[Drug]) -> Formulary:
        """Index ``drugs``; the first row wins where two share a name."""
        rows = tuple(drugs)
        by_name: dict[str, Drug] = {}
        by_code: dict[str, tuple[Drug, ...]] = {}
        for drug in rows:
            for name in (drug.name, *drug.brands, *drug.aliases):
                by_name.setdefault(plain(name), drug)
            for billing in drug.hcpcs:
                by_code[billing.code] = (*by_code.get(billing.code, ()), drug)
        return cls(rows, by_name, by_code)

    def find(self, name: str) -> Drug | None:
        """The drug that goes by this name, whatever its case, blanks and hyphens.

        A second name in brackets must be the same drug's; words for the form (HCl, IV, bolus) tell nothing.
        """
        found = self.by_name.get(plain(name))
        if found is not None:
            return found
        parts = [part for part in _BRACKETS.split(name) if part.strip()]
        named = {id(drug): drug for part in parts if (drug := self.by_name.get(plain(_FORM.sub(" ", part))))}
        return next(iter(named.values())) if len(named) == 1 else None

    def like(self, name: str) -> tuple[str, ...]:
        """Up to three names close to ``name``, to suggest and never to assume."""
        near = get_close_matches(plain(name), self.by_name, n=3, cutoff=0.75)
        return tuple(dict.fromkeys(self.by_name[hit].spoken for hit in near))


@dataclass(frozen=True, slots=True)
class DrugTable:
    """A user's own rows over the formulary, such as what one payer calls chemotherapy."""

    rows: tuple[Mapping[str, object], ...]
    sha256: str

    @classmethod
    def parse(cls, text: str) -> DrugTable:
        """Read a table of ``[[drug]]`` rows.

        A row whose ``name`` the formulary knows replaces the fields it gives and settles a dispute over the
        category; any other row is a new drug and needs at least ``name`` and ``category``.

        Raises:
            InvalidInput: the text is not TOML, or a row has an unknown field or a wrong value.

        """
        try:
            rows = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise InvalidInput(Fault("drugs", f"is not TOML ({error})", "a file of [[drug]] tables")) from None
        given = rows.pop("drug", None)
        if rows or not isinstance(given, list) or not all(isinstance(row, dict) for row in given):
            raise InvalidInput(Fault("drugs", "holds something else than [[drug]] tables", "[[drug]] tables only"))
        table = cls(tuple(given), hashlib.sha256(text.encode()).hexdigest())
        table.over(_formulary())
        return table

    def over(self, book: Formulary) -> Formulary:
        """The formulary with these rows laid over it."""
        rows = {drug.name: drug for drug in book.drugs}
        for number, given in enumerate(self.rows):
            known = book.find(str(given.get("name", "")))
            row: dict[str, object]
            if known:
                row = {name: getattr(known, name) for name in known.__dataclass_fields__} | {
                    **given,
                    "name": known.name,
                }
                if "category" in given:
                    row |= {"disputed": given.get("disputed"), "depends_on": given.get("depends_on")}
            else:
                row = {"group": "own table", "sources": ("own-table",), "confidence": "medium", **given}
            try:
                drug = _DRUG.validate_python(row)
            except ValidationError as error:
                raise InvalidInput(*faults_of(error, root=f"drug[{number}]")) from None
            rows[drug.name] = drug
        return Formulary.of(rows.values())


_DRUG = TypeAdapter(Drug)


@cache
def _formulary() -> Formulary:
    return Formulary.of(_tables()[0].drug)


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The facts in force on one date of service."""

    day: date | None
    version: str
    sha256: str
    codes: Mapping[str, Code]
    numbers: Mapping[str, Code]
    limits: Mapping[str, int]
    tiers: Mapping[tuple[str, str], Tier]
    places: Mapping[str, Place]
    payers: Mapping[str, Payer]
    included: Mapping[str, Included]
    visits: tuple[VisitRange, ...]
    minimal_visits: Mapping[str, MinimalVisit]
    modifiers: Mapping[str, str]
    formulary: Formulary

    @classmethod
    def on(cls, day: date | None, drugs: DrugTable | None = None) -> Rulebook:
        """The facts in force on ``day`` (the newest edition without one), under a user's own drug table."""
        book = _on(day)
        if drugs is None:
            return book
        sha256 = hashlib.sha256(f"{book.sha256}{drugs.sha256}".encode()).hexdigest()
        return replace(book, formulary=_laid_over(drugs.sha256, drugs), sha256=sha256)

    def is_visit(self, code: str) -> bool:
        """Whether a code is an evaluation and management visit."""
        return any(row.first <= code <= row.last for row in self.visits)


_overlays: dict[str, Formulary] = {}


def _laid_over(key: str, drugs: DrugTable) -> Formulary:
    if key not in _overlays:
        _overlays.clear()
        _overlays[key] = drugs.over(_formulary())
    return _overlays[key]


@lru_cache(maxsize=256)
def _on(day: date | None) -> Rulebook:
    tables, sha256 = _tables()
    codes = [row for row in tables.code if in_force(row, day)]
    return Rulebook(
        day=day,
        version=EDITION,
        sha256=sha256,
        codes={row.role: row for row in codes},
        numbers={row.code: row for row in codes},
        limits={row.name: row.value for row in tables.threshold if in_force(row, day)},
        tiers={(row.kind, row.category): row for row in tables.tier},
        places=places(),
        payers={row.id: row for row in tables.payer},
        included={row.code: row for row in tables.included},
        visits=tables.visit,
        minimal_visits={row.code: row for row in tables.minimal_visit},
        modifiers={row.name: row.code for row in tables.modifier if in_force(row, day)},
        formulary=_formulary(),
    )

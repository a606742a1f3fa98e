"""The rulebook's facts: dated tables, each row with its source.

``Rulebook.on(date)`` gives the facts in force on a date of service. The tables are TOML files beside this
module; nothing here decides anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from ivcoder.book.amount import Amount
from ivcoder.book.edit_tables import (
    CONTRACTOR,
    FOR,
    FOR_ALL,
    OPEN_END,
    OPEN_START,
    Audience,
    EditKind,
    EditTable,
    EditTables,
    Limit,
    Primaries,
    quarter_of,
)
from ivcoder.book.formulary import Formulary
from ivcoder.book.naming import plain
from ivcoder.book.own import DrugTable
from ivcoder.book.rows import (
    Billing,
    Category,
    Code,
    CodeRange,
    Confidence,
    Difference,
    DifferenceKind,
    Drug,
    Element,
    Included,
    MinimalVisit,
    Pair,
    Payer,
    Place,
    Reported,
    Source,
    Tier,
    UnitLimit,
    When,
    in_force,
)
from ivcoder.book.tables import (
    adjustments,
    differences,
    elements,
    formulary,
    hints,
    in_family,
    outside_codes,
    payer_named,
    payers,
    places,
    sources,
    tables,
)

__all__ = [
    "CONTRACTOR",
    "EDITION",
    "FOR",
    "FOR_ALL",
    "OPENING",
    "OPEN_END",
    "OPEN_START",
    "WHOLE",
    "Amount",
    "Audience",
    "Billing",
    "Category",
    "Code",
    "Confidence",
    "Difference",
    "DifferenceKind",
    "Drug",
    "DrugTable",
    "EditKind",
    "EditTable",
    "EditTables",
    "Element",
    "Formulary",
    "Limit",
    "Pair",
    "Payer",
    "Place",
    "Primaries",
    "Reported",
    "Rulebook",
    "Source",
    "Tier",
    "UnitLimit",
    "When",
    "adjustments",
    "differences",
    "elements",
    "hints",
    "in_family",
    "in_force",
    "outside_codes",
    "payer_named",
    "payers",
    "places",
    "plain",
    "quarter_of",
    "sources",
]

EDITION = "2026.7"
"""The edition of the tables, raised whenever a row changes."""

OPENING = date(2016, 1, 1)
"""The first date of service the rulebook speaks for."""

WHOLE = 100
"""Percent of the whole; shares in the book are percentages."""


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
    differences: Mapping[tuple[str, DifferenceKind], tuple[Difference, ...]]
    included: Mapping[str, Included]
    visits: tuple[CodeRange, ...]
    surgery: tuple[CodeRange, ...]
    minimal_visits: Mapping[str, MinimalVisit]
    modifiers: Mapping[str, str]
    services: Mapping[str, Reported]
    pairs: tuple[Pair, ...]
    unit_limits: tuple[UnitLimit, ...]
    formulary: Formulary

    @classmethod
    def on(cls, day: date | None, drugs: DrugTable | None = None) -> Rulebook:
        """The facts in force on ``day`` (the newest edition without one), under a user's own drug table."""
        book = _on(day)
        if drugs is None:
            return book
        sha256 = hashlib.sha256(f"{book.sha256}{drugs.sha256}".encode()).hexdigest()
        return replace(book, formulary=_laid_over(drugs.sha256, drugs), sha256=sha256)

    def differs(self, payer: str | None, kind: DifferenceKind) -> tuple[Difference, ...]:
        """In what a payer, by its id, differs in one kind of thing; nothing for a payer not known."""
        return self.differences.get((payer or "", kind), ())

    def marks_discarded(self, payer: str | None, place: str) -> bool:
        """Whether a payer, by its id, wants discarded drug marked at a place of service."""
        return any(place not in row.not_at for row in self.differs(payer, "wastage"))

    def is_visit(self, code: str) -> bool:
        """Whether a code is an evaluation and management visit."""
        return any(row.holds(code) for row in self.visits)

    def is_surgery(self, code: str) -> bool:
        """Whether a code is one of an operation, access to veins left aside."""
        return any(row.holds(code) for row in self.surgery)

    def pair(self, one: str, two: str, audience: Audience) -> Pair | None:
        """The rulebook's own row of the edit with ``one`` in column one and ``two`` in column two."""
        return next(
            (
                row
                for row in self.pairs
                if row.audience in {audience, "both"} and one in row.column_one and two in row.column_two
            ),
            None,
        )

    def unit_limit(self, code: str, audience: Audience) -> UnitLimit | None:
        """The rulebook's own row of the most units of ``code``."""
        return next((row for row in self.unit_limits if code in row.codes and row.audience in {audience, "both"}), None)


_overlays: dict[str, Formulary] = {}


def _laid_over(key: str, drugs: DrugTable) -> Formulary:
    if key not in _overlays:
        _overlays.clear()
        _overlays[key] = drugs.over(formulary())
    return _overlays[key]


def _differences(
    rows: Iterable[Difference], day: date | None
) -> Mapping[tuple[str, DifferenceKind], tuple[Difference, ...]]:
    found: dict[tuple[str, DifferenceKind], tuple[Difference, ...]] = {}
    for row in rows:
        if in_force(row, day):
            found[row.payer, row.kind] = (*found.get((row.payer, row.kind), ()), row)
    return found


@lru_cache(maxsize=256)
def _on(day: date | None) -> Rulebook:
    read, sha256 = tables()
    codes = [row for row in read.code if in_force(row, day)]
    return Rulebook(
        day=day,
        version=EDITION,
        sha256=sha256,
        codes={row.role: row for row in codes},
        numbers={row.code: row for row in codes},
        limits={row.name: row.value for row in read.threshold if in_force(row, day)},
        tiers={(row.kind, row.category): row for row in read.tier},
        places=places(),
        payers=payers(),
        differences=_differences(read.difference, day),
        included={row.code: row for row in read.included},
        visits=read.visit,
        surgery=read.surgery,
        minimal_visits={row.code: row for row in read.minimal_visit},
        modifiers={row.name: row.code for row in read.modifier if in_force(row, day)},
        services={row.role: row for row in read.service},
        pairs=tuple(row for row in read.pair if in_force(row, day)),
        unit_limits=tuple(row for row in read.mue if in_force(row, day)),
        formulary=formulary(),
    )

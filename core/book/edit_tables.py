"""CMS's quarterly edit files, cut down to drug administration, as a user loaded them."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple, TypeAlias

from pydantic import TypeAdapter, ValidationError

from ivcoder.faults import Fault, InvalidInput

EditKind: TypeAlias = Literal["ptp", "mue", "add-on"]
Audience: TypeAlias = Literal["practitioner", "outpatient_hospital"]

OPEN_START, OPEN_END = "00000000", "99999999"
CONTRACTOR = "CCCCC"
"""CMS's word for primaries that the contractor names."""

FOR_ALL = "A"
FOR: dict[Audience, str] = {"practitioner": "P", "outpatient_hospital": "H"}
"""Whose claims an add-on's row is for."""

_FORM: dict[str, re.Pattern[str]] = {
    "ptp": re.compile(r"(?:[0-9A-Z]{5} [0-9A-Z]{5} [019] \d{8} \d{8}\n)*"),
    "mue": re.compile(r"(?:[0-9A-Z]{5} \d{6} [0-3]\n)*"),
    "add-on": re.compile(r"(?:[0-9A-Z]{5} [0-9A-Z]{5} [123] [AHP] \d{8} \d{8}\n)*"),
}
_WIDTH: dict[str, int] = {"ptp": 32, "mue": 15, "add-on": 34}


class _Head(NamedTuple):
    format: Literal[2]
    kind: EditKind
    audience: Audience | None
    quarter: str
    part: str | None
    sha256: str
    first: str
    last: str
    rows_sha256: str


@dataclass(frozen=True, slots=True)
class EditTable:
    """One of CMS's files.

    ``rows`` are lines of one width in order, so that a code is found without reading them all: ``CODE1 CODE2 INDICATOR
    SINCE UNTIL`` for pairs, ``CODE UNITS INDICATOR`` for unit limits (0 where CMS gives none), ``ADDON PRIMARY TYPE
    WHOSE SINCE UNTIL`` for add-ons; dates as YYYYMMDD. ``first`` and ``last`` are the outermost codes of the whole
    file, ``sha256`` is the hash of the file as CMS publishes it.
    """

    kind: EditKind
    audience: Audience | None
    quarter: str
    part: str | None
    sha256: str
    first: str
    last: str
    rows: str

    @property
    def name(self) -> str:
        """What the table is called, such as ptp-practitioner-2026Q1-f4."""
        return "-".join(word for word in (self.kind, self.audience, self.quarter, self.part) if word)

    @property
    def spoken(self) -> str:
        """The table in words."""
        whose = f" for {self.audience.replace('_', ' ')}s" if self.audience else ""
        return f"CMS's {self.kind.upper() if self.audience else self.kind} file{whose} of {self.quarter}"

    @property
    def count(self) -> int:
        """How many rows it holds."""
        return len(self.rows) // _WIDTH[self.kind]

    def text(self) -> str:
        """The table as text, for ``parse``."""
        head = _Head(
            2,
            self.kind,
            self.audience,
            self.quarter,
            self.part,
            self.sha256,
            self.first,
            self.last,
            hashlib.sha256(self.rows.encode()).hexdigest(),
        )
        return f"{_HEAD.dump_json(head).decode()}\n{self.rows}"

    @classmethod
    def parse(cls, text: str) -> EditTable:
        """Read a table back.

        Raises:
            InvalidInput: the text is not what ``text`` wrote, whole and unchanged.

        """
        top, _, rows = text.partition("\n")
        try:
            head = _HEAD.validate_json(top)
        except ValidationError:
            raise _unreadable() from None
        if hashlib.sha256(rows.encode()).hexdigest() != head.rows_sha256:
            raise _unreadable()
        return cls(head.kind, head.audience, head.quarter, head.part, head.sha256, head.first, head.last, rows)

    @classmethod
    def of(
        cls,
        kind: EditKind,
        audience: Audience | None,
        quarter: str,
        part: str | None,
        sha256: str,
        bounds: tuple[str, str],
        rows: Iterable[str],
    ) -> EditTable:
        """A table of rows in any order, each without its line end."""
        lines = "".join(f"{row}\n" for row in sorted(set(rows)))
        if not _FORM[kind].fullmatch(lines):
            raise ValueError(f"a row is not one of a {kind} table")
        return cls(kind, audience, quarter, part, sha256, *bounds, lines)

    def find(self, *codes: str) -> Iterator[tuple[str, ...]]:
        """The rows that begin with these codes."""
        key, width = "".join(f"{code} " for code in codes), _WIDTH[self.kind]
        count = self.count
        at = bisect_left(range(count), key, key=lambda row: self.rows[row * width : row * width + len(key)])
        while at < count and self.rows.startswith(key, at * width):
            yield tuple(self.rows[at * width : (at + 1) * width].split())
            at += 1

    def runs_over(self, code: str) -> bool:
        """Whether the file holds all there is for ``code``.

        The last code's rows may go on in the next file, or have been cut off in a download.
        """
        return self.first <= code < self.last


def _unreadable() -> InvalidInput:
    return InvalidInput(Fault("table", "is not a table that ivcoder wrote, or was changed", "one loaded again"))


_HEAD = TypeAdapter(_Head)


class Limit(NamedTuple):
    """The most units of a code, how the edit is held (MAI), and the table it stands in."""

    units: int
    indicator: int | None
    table: EditTable


class Primaries(NamedTuple):
    """What an add-on must stand beside, its type (1 to 3), and the table it stands in."""

    type: int
    codes: tuple[str, ...]
    table: EditTable


@dataclass(frozen=True, slots=True)
class EditTables:
    """The tables a user loaded; they go before the rulebook's own rows."""

    tables: tuple[EditTable, ...]

    @classmethod
    def parse(cls, texts: Iterable[str]) -> EditTables:
        """Read tables that ``EditTable.text`` wrote.

        Raises:
            InvalidInput: one of them is not whole and unchanged.

        """
        read = [EditTable.parse(text) for text in texts]
        return cls(tuple(sorted(read, key=lambda table: table.name)))

    def asked(self, audience: Audience | None) -> tuple[EditTable, ...]:
        """The tables that speak of claims of this audience."""
        return tuple(table for table in self.tables if audience and table.audience in {audience, None})

    def pair(self, one: str, two: str, audience: Audience, day: date | None) -> tuple[int, EditTable] | None:
        """The edit in force on ``day`` with ``one`` in column one and ``two`` in column two.

        A later quarter's file keeps the dates of older edits; the file of the quarter itself goes first.
        """
        for table in (*self._current("ptp", audience, day), *self._later("ptp", audience, day)):
            for _, _, indicator, since, until in table.find(one, two):
                if _holds(since, until, day):
                    return int(indicator), table
        return None

    def complete(self, one: str, two: str, audience: Audience, day: date | None) -> tuple[EditTable, ...]:
        """The files of the quarter of ``day`` that hold every edit of the two codes, or none."""
        current = self._current("ptp", audience, day)
        found = [next((table for table in current if table.runs_over(code)), None) for code in (one, two)]
        return tuple({table.name: table for table in found if table}.values()) if all(found) else ()

    def limit(self, code: str, audience: Audience, day: date | None) -> Limit | None:
        """The most units of ``code`` in the table of the quarter of ``day``."""
        for table in self._current("mue", audience, day):
            for _, units, indicator in table.find(code):
                return Limit(int(units), int(indicator) or None, table)
        return None

    def limits_known(self, audience: Audience, day: date | None) -> bool:
        """Whether the table of unit limits of the quarter of ``day`` is here: what it lacks is not published."""
        return bool(self._current("mue", audience, day))

    def primaries(self, code: str, audience: Audience, day: date | None) -> Primaries | None:
        """What the add-on ``code`` must stand beside on ``day``.

        CMS publishes the list once a year, and again in a quarter that changes it: without that of the quarter itself,
        a later one with its dates speaks, or one of before in the same year.
        """
        for table in (*self._current("add-on", None, day), *self._later("add-on", None, day), *self._earlier(day)):
            mine = [row for row in table.find(code) if row[3] in {FOR_ALL, FOR[audience]}]
            rows = [row for row in mine if _holds(row[-2], row[-1], day)]
            if rows:
                codes = tuple(primary for _, primary, *_ in rows if primary != CONTRACTOR)
                return Primaries(max(int(row[2]) for row in rows), codes, table)
        return None

    def _current(self, kind: EditKind, audience: Audience | None, day: date | None) -> list[EditTable]:
        """The files of the quarter of ``day``; without a date, of the newest quarter at hand."""
        if not self.tables:
            return []
        fit = self._by_quarter(kind, audience)
        newest = fit[-1].quarter if fit else ""
        quarter = quarter_of(day) if day else newest
        return [table for table in fit if table.quarter == quarter]

    def _later(self, kind: EditKind, audience: Audience | None, day: date | None) -> list[EditTable]:
        """The files of later quarters than that of ``day``, the next one first."""
        if day is None:
            return []
        return [table for table in self._by_quarter(kind, audience) if table.quarter > quarter_of(day)]

    def _earlier(self, day: date | None) -> list[EditTable]:
        """The add-on files of earlier quarters of the year of ``day``, the newest first."""
        if day is None:
            return []
        year = f"{day.year:04}"
        return [row for row in reversed(self._by_quarter("add-on", None)) if year <= row.quarter < quarter_of(day)]

    def _by_quarter(self, kind: EditKind, audience: Audience | None) -> list[EditTable]:
        """The files of a kind for one audience's claims, the oldest quarter first."""
        fit = (table for table in self.tables if (table.kind, table.audience) == (kind, audience))
        return sorted(fit, key=lambda table: table.quarter)


def quarter_of(day: date) -> str:
    """The quarter of a day, such as 2026Q1."""
    return f"{day.year:04}Q{(day.month + 2) // 3}"


def _holds(since: str, until: str, day: date | None) -> bool:
    return until == OPEN_END if day is None else since <= f"{day:%Y%m%d}" <= until

"""The tables read from the TOML files beside this module, once; the two long ones only when a row is looked up."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

from pydantic import TypeAdapter

from ivcoder.book.formulary import Formulary
from ivcoder.book.naming import plain
from ivcoder.book.rows import Adjustment, Difference, Drugs, Element, Payer, Place, Source, Sources, Tables

_FILES = (
    "codes",
    "denials",
    "documentation",
    "drugs",
    "edits",
    "pairs",
    "payers",
    "places",
    "services",
    "sources",
    "thresholds",
    "units",
)

_LONG = frozenset({"drugs", "sources"})
"""The tables that take nine tenths of the reading; what looks up no drug and no source does without them."""


def _text(name: str) -> str:
    # A checkout with other line ends is the same rulebook.
    return resources.files("ivcoder.book").joinpath(f"{name}.toml").read_bytes().replace(b"\r\n", b"\n").decode()


@cache
def tables() -> tuple[Tables, str]:
    """Every table but the long ones, and the hash of the text of all."""
    digest = hashlib.sha256()
    rows: dict[str, object] = {}
    for name in _FILES:
        text = _text(name)
        digest.update(f"{name}\0{text}\0".encode())
        if name not in _LONG:
            rows |= tomllib.loads(text)
    return TypeAdapter(Tables).validate_python(rows), digest.hexdigest()


@cache
def places() -> Mapping[str, Place]:
    """Every place of service we know, by code."""
    return {row.code: row for row in tables()[0].place}


@cache
def sources() -> Mapping[str, Source]:
    """Every source cited anywhere, by id."""
    rows = TypeAdapter(Sources).validate_python(tomllib.loads(_text("sources")))
    return {row.id: row for row in rows.source}


@cache
def payers() -> Mapping[str, Payer]:
    """Every payer we know something about, by id."""
    return {row.id: row for row in tables()[0].payer}


@cache
def differences() -> Mapping[str, tuple[Difference, ...]]:
    """In what each payer differs, on whatever date, by its id."""
    rows = tables()[0].difference
    return {payer: tuple(row for row in rows if row.payer == payer) for payer in payers()}


def payer_named(name: str) -> Payer | None:
    """The payer that goes by this name, whatever its case, blanks and hyphens."""
    return _payer_names().get(plain(name))


@cache
def _payer_names() -> Mapping[str, Payer]:
    rows = payers().values()
    return {plain(name): row for row in rows for name in (row.id, row.name, *row.aliases)}


@cache
def adjustments() -> Mapping[str, Adjustment]:
    """Claim adjustment reason and remark codes, by number."""
    return {row.code: row for row in tables()[0].adjustment}


@cache
def hints() -> Mapping[str, frozenset[str]]:
    """For each kind of denial, the reason and remark codes that point at it."""
    return {row.pattern: frozenset(row.codes) for row in tables()[0].hint}


@cache
def elements() -> tuple[Element, ...]:
    """What a record must show, in the order it is listed."""
    return tables()[0].element


@cache
def outside_codes() -> Mapping[str, str]:
    """The codes of routes that are reported outside drug administration, in words, by route."""
    return {row.route: row.spoken for row in tables()[0].outside}


@cache
def formulary() -> Formulary:
    """The formulary as shipped."""
    return Formulary.of(TypeAdapter(Drugs).validate_python(tomllib.loads(_text("drugs"))).drug)


def in_family(code: str) -> bool:
    """Whether a code is one of drug administration."""
    return any(row.holds(code) for row in tables()[0].family)

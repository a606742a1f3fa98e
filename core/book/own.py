"""A user's own drug table over the formulary."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from ivcoder.book.amount import Amount
from ivcoder.book.formulary import Formulary
from ivcoder.book.naming import plain
from ivcoder.book.rows import Billing, Category, Drug
from ivcoder.book.tables import formulary, sources
from ivcoder.faults import Fault, InvalidInput, faults_of


@dataclass(frozen=True, slots=True)
class DrugTable:
    """A user's own rows over the formulary, such as what one payer calls chemotherapy."""

    rows: tuple[Mapping[str, object], ...]
    sha256: str

    @classmethod
    def parse(cls, text: str) -> DrugTable:
        """Read a table of ``[[drug]]`` rows.

        A row whose ``name`` the formulary knows replaces the fields it gives and settles a dispute over the
        category; any other row is a new drug and needs at least ``name`` and ``category``. No row may take a name
        that is another drug's.

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
        table.over(formulary())
        return table

    def over(self, book: Formulary) -> Formulary:
        """The formulary with these rows laid over it.

        Raises:
            InvalidInput: a row is wrong in itself, or takes what is another drug's.

        """
        rows = {drug.name: drug for drug in book.drugs}
        own: list[Drug] = []
        faults: list[Fault] = []
        for number, given in enumerate(self.rows):
            known = book.find(str(given.get("name", "")))
            drug = _read(given, known, f"drug[{number}]")
            faults += _faults(given, drug, f"drug[{number}]")
            if any(drug.name == other.name for other in own):
                faults.append(Fault(f"drug[{number}].name", "has a row above", "one row for each drug"))
            own.append(drug)
            rows[drug.name] = drug
        faults += _taken(self.rows, own, rows.values())
        if faults:
            raise InvalidInput(*faults)
        return Formulary.of(rows.values())


def _read(given: Mapping[str, object], known: Drug | None, root: str) -> Drug:
    """A row as a drug: over the one it names, or a new one."""
    row: dict[str, object] = {"group": "own table", "sources": ("own-table",), "confidence": "medium", **given}
    if known:
        row = known._asdict() | {**given, "name": known.name}
        if "category" in given:
            row |= {"disputed": given.get("disputed"), "depends_on": given.get("depends_on")}
    # A user's own category stands before a payer's list.
    row["own_category"] = "category" in given
    try:
        return _DRUG.validate_python(row)
    except ValidationError as error:
        raise InvalidInput(*faults_of(error, root=root)) from None


def _faults(given: Mapping[str, object], drug: Drug, root: str) -> Iterator[Fault]:
    """What a row of the right form says that cannot be."""
    if drug.category is None and drug.depends_on is None:
        yield Fault(f"{root}.category", "is missing", " or ".join(Category))
    for name in ("sources", "disputed_sources", "other_use_sources"):
        if name in given:
            for number, source in enumerate(getattr(drug, name)):
                if source not in sources():
                    yield Fault(f"{root}.{name}[{number}]", "is not a source of the book", "own-table, or its id there")
    for number, billing in enumerate(drug.hcpcs):
        yield from _billing_faults(billing, f"{root}.hcpcs[{number}]")


def _billing_faults(billing: Billing, root: str) -> Iterator[Fault]:
    if not _CODE.fullmatch(billing.code):
        yield Fault(f"{root}.code", "is not of the right form", "a HCPCS code: a letter and four digits")
    try:
        if not Amount.parse(billing.per).value:
            yield Fault(f"{root}.per", "is nothing", "the amount one unit stands for, above zero")
    except InvalidInput as error:
        yield from (Fault(f"{root}.per", fault.problem, fault.right) for fault in error.faults)
    if billing.since and billing.until and billing.until < billing.since:
        yield Fault(f"{root}.until", "is before the first day", "a day on or after it")


def _taken(given: Sequence[Mapping[str, object]], own: Sequence[Drug], drugs: Iterable[Drug]) -> Iterator[Fault]:
    """Names in the rows that are none, or another drug's."""
    new = {drug.name: row for row, drug in zip(given, own, strict=True)}
    owners: dict[str, str] = {}
    for drug in drugs:
        replaced = new.get(drug.name, {})
        for field, name in _names(drug):
            if field.partition("[")[0] not in replaced:
                owners.setdefault(plain(name), drug.name)
    for number, (row, drug) in enumerate(zip(given, own, strict=True)):
        for field, name in _names(drug):
            if field.partition("[")[0] not in row:
                continue
            if not plain(name):
                yield Fault(f"drug[{number}].{field}", "is empty", "a name")
            elif owners.setdefault(plain(name), drug.name) != drug.name:
                yield Fault(f"drug[{number}].{field}", "is a name of another drug", "a name no other drug goes by")


def _names(drug: Drug) -> Iterator[tuple[str, str]]:
    """Every name a drug goes by, and the field it stands in."""
    yield "name", drug.name
    for field in ("brands", "aliases"):
        yield from ((f"{field}[{number}]", name) for number, name in enumerate(getattr(drug, field)))


_CODE = re.compile(r"[A-Z][0-9]{4}")
_DRUG = TypeAdapter(Drug)

"""A user's own drug table over the formulary."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from ivcoder.book.formulary import Formulary
from ivcoder.book.rows import Drug
from ivcoder.book.tables import formulary
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
        table.over(formulary())
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

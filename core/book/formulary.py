"""Drugs by the names charts give them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache

from ivcoder.book.rows import Drug

_REMEMBERED = 4096
"""Names whose neighbours are kept: looking for them is slow, and what-if asks for the same ones on every walk."""

_NOISE = re.compile(r"[\W_]+")
_BRACKETS = re.compile(r"[()]")
_BY_VEIN = re.compile(r"(?<!\w)(?:iv|intravenous)(?!\w)", re.IGNORECASE)
_FORM = re.compile(r"(?<!\w)(?:hcl|hydrochloride|bolus|iv|inj|injection|intravenous|premix)(?!\w)", re.IGNORECASE)


@lru_cache(maxsize=_REMEMBERED)
def plain(name: str) -> str:
    """A drug name without case, blanks and punctuation, for comparing."""
    return _NOISE.sub("", name.casefold())


@dataclass(frozen=True, slots=True)
class Formulary:
    """Drugs by every name they go by and by HCPCS code."""

    drugs: tuple[Drug, ...]
    by_name: Mapping[str, Drug] = field(repr=False)
    by_code: Mapping[str, tuple[Drug, ...]] = field(repr=False)
    forms: Mapping[str, tuple[Drug, ...]] = field(repr=False)
    _likes: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, drugs: Iterable[Drug]) -> Formulary:
        """Index ``drugs``; the first row wins where two share a name."""
        rows = tuple(drugs)
        by_name: dict[str, Drug] = {}
        by_code: dict[str, tuple[Drug, ...]] = {}
        forms: dict[str, tuple[Drug, ...]] = {}
        for drug in rows:
            for name in (drug.name, *drug.brands, *drug.aliases):
                by_name.setdefault(plain(name), drug)
            for billing in drug.hcpcs:
                by_code[billing.code] = (*by_code.get(billing.code, ()), drug)
            if drug.form_of:
                forms[drug.form_of] = (*forms.get(drug.form_of, ()), drug)
        return cls(rows, by_name, by_code, forms)

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

    def product(self, name: str, route: str) -> Drug | None:
        """The drug that goes by this name, in the product made for ``route`` where its products differ by route.

        A name that says IV stands for the intravenous product, whatever the route.
        """
        found = self.find(name)
        if found is None or _BY_VEIN.search(name):
            return found
        made = [drug for drug in self.forms.get(found.name, ()) if route in drug.by]
        return made[0] if len(made) == 1 else found

    def kin(self, drug: Drug) -> tuple[Drug, ...]:
        """The other products of a drug, the one its bare name stands for first."""
        head = drug.form_of or drug.name
        rows = (*(row for row in self.drugs if row.name == head), *self.forms.get(head, ()))
        return tuple(row for row in rows if row is not drug)

    def like(self, name: str) -> tuple[str, ...]:
        """Up to three names close to ``name``, to suggest and never to assume."""
        asked = plain(name)
        if asked not in self._likes:
            if len(self._likes) >= _REMEMBERED:
                self._likes.clear()
            near = get_close_matches(asked, self.by_name, n=3, cutoff=0.75)
            self._likes[asked] = tuple(dict.fromkeys(self.by_name[hit].spoken for hit in near))
        return self._likes[asked]

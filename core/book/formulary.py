"""Drugs by the names charts give them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from ivcoder.book.naming import (
    BRACKETED,
    CONTAINER,
    DILUENTS,
    DOSE,
    FORM,
    IN_CARRIER,
    LONGEST,
    PURE,
    SAYS_ROUTE,
    VOLUME,
    WITH_POTASSIUM,
    bare,
    plain,
    says_nothing,
    spelled,
    words_of,
)
from ivcoder.book.rows import Category, Drug

_REMEMBERED = 4096
"""Names whose neighbours are kept: looking for them is slow, and what-if asks for the same ones on every walk."""


def _names(drug: Drug) -> tuple[str, ...]:
    return (drug.name, *drug.brands, *drug.aliases)


def _is_said_of(drug: Drug, heard: str, other: Drug | None) -> bool:
    """Whether what stands beside a drug's name tells no other product: the name of what it is a kind of, or words of
    its own name.
    """
    if other:
        return any(plain(name).startswith(plain(heard)) for name in _names(drug))
    return words_of(heard) <= words_of(drug.name)


@dataclass(frozen=True, slots=True)
class Formulary:
    """Drugs by every name they go by and by HCPCS code."""

    drugs: tuple[Drug, ...]
    by_name: Mapping[str, Drug] = field(repr=False)
    by_code: Mapping[str, tuple[Drug, ...]] = field(repr=False)
    forms: Mapping[str, tuple[Drug, ...]] = field(repr=False)
    _strengths: frozenset[str] = field(repr=False)
    _likes: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _read: dict[str, Drug | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, drugs: Iterable[Drug]) -> Formulary:
        """Index ``drugs``; the first row wins where two share a name."""
        rows = tuple(drugs)
        by_name: dict[str, Drug] = {}
        by_code: dict[str, tuple[Drug, ...]] = {}
        forms: dict[str, tuple[Drug, ...]] = {}
        for drug in rows:
            for name in _names(drug):
                by_name.setdefault(plain(name), drug)
            for billing in drug.hcpcs:
                by_code[billing.code] = (*by_code.get(billing.code, ()), drug)
            for head in drug.form_of:
                forms[head] = (*forms.get(head, ()), drug)
        strengths = set[str]()
        for drug in rows:
            for name in _names(drug):
                amount = DOSE.search(name)
                if amount and by_name.get(base := plain(DOSE.sub(" ", name)), drug) is not drug:
                    strengths.add(base + plain(amount["unit"] or ""))
        return cls(rows, by_name, by_code, forms, frozenset(strengths))

    def find(self, name: str) -> Drug | None:
        """The drug that goes by this name, whatever its case, blanks and hyphens.

        A name the table does not have is read without what says only how much, in what and how it is given. A second
        name in brackets must be the same drug's, or words of its own name. What may tell products apart stands:
        percents, salts, oral and other forms, and strengths where another row's name begins alike. Products by route
        are told by the route.
        """
        found = self.by_name.get(plain(name))
        if found is not None or len(name) > LONGEST:
            return found
        if name not in self._read:
            if len(self._read) >= _REMEMBERED:
                self._read.clear()
            text = spelled(name)
            self._read[name] = self._named(text) or (self._bracketed(text) if BRACKETED.search(text) else None)
        return self._read[name]

    def _bracketed(self, text: str) -> Drug | None:
        """The drug of a text with brackets: one, or the narrower where one is a kind of the other."""
        outside = BRACKETED.sub(lambda found: f" {found[1]} " if says_nothing(found[1]) else " ", text)
        parts = [part for part in (outside, *BRACKETED.findall(text)) if not says_nothing(part)]
        several = len(parts) > 1
        named = [(bare(part), self._named(part) or (self._loosely(part) if several else None)) for part in parts]
        for _, drug in named:
            if drug and all(other is drug or _is_said_of(drug, heard, other) for heard, other in named):
                return drug
        return None

    def _loosely(self, text: str) -> Drug | None:
        """The drug of a text whatever its amount and carrier: what else the name holds says which product it is."""
        head = into["head"] if (into := IN_CARRIER.fullmatch(text)) else text
        return self.by_name.get(plain(bare(head)))

    def _named(self, text: str) -> Drug | None:
        """The drug named by a text in which amounts, containers and carriers stand."""
        if (into := IN_CARRIER.fullmatch(text)) and (drug := self._carried(into["head"], into["carrier"])):
            return drug[0]
        text = VOLUME.sub(" ", text)
        kept = CONTAINER.sub(" ", text)
        plainer = FORM.sub(" ", kept)
        for reading in (text, kept, plainer, PURE.sub(" ", plainer)):
            if found := self.by_name.get(plain(reading)):
                return found
            if found := self.by_name.get(plain(DOSE.sub(" ", reading))):
                return None if self._told(found, reading) else found
        return self._with_potassium(bare(text))

    def _told(self, drug: Drug, text: str) -> bool:
        """Whether the amount in a text may tell another product: a fluid's salt, or a strength other rows name."""
        amounts = list(DOSE.finditer(text))
        if amounts and drug.category is Category.HYDRATION:
            return True
        name = plain(DOSE.sub(" ", text))
        return any(name + plain(amount["unit"] or "") in self._strengths for amount in amounts)

    def _carried(self, head: str, carrier: str) -> tuple[Drug | None] | None:
        """The drug in a carrier; none when the two may be a product of their own."""
        what = bare(carrier)
        fluid = self.by_name.get(plain(what))
        drug = self._named(head)
        if drug is None or drug.category is Category.HYDRATION:
            return None
        if fluid is None or fluid.category is not Category.HYDRATION:
            return (drug,) if plain(what) in DILUENTS else None
        made = {self.by_name.get(plain(f"{bare(head)} in {name}"), drug).name for name in _names(fluid)}
        return (drug if made == {drug.name} else None,)

    def _with_potassium(self, text: str) -> Drug | None:
        """A fluid with any amount of potassium chloride."""
        parts = WITH_POTASSIUM.fullmatch(text)
        fluid = self.by_name.get(plain(parts["fluid"])) if parts else None
        if fluid is None or fluid.category is not Category.HYDRATION:
            return None
        return next(filter(None, (self.by_name.get(plain(f"{name} with KCl")) for name in _names(fluid))), None)

    def product(self, name: str, route: str) -> Drug | None:
        """The drug that goes by this name, in the product made for ``route`` where its products differ by route.

        A name that says IV or SC stands for the product made for that, whatever the route, and a brand for no product
        of another brand.
        """
        found = self.find(name)
        if found is None or not (found.by or found.name in self.forms):
            return found
        route = next((said for said, words in SAYS_ROUTE.items() if words.search(name)), route)
        made = self.made_for(found, route)
        asked = plain(name)
        if asked in map(plain, found.brands):
            made = tuple(
                row for row in made if not row.brands or any(plain(brand).startswith(asked) for brand in row.brands)
            )
        return made[0] if len(made) == 1 else found

    def made_for(self, drug: Drug, route: str) -> tuple[Drug, ...]:
        """The products that a drug's name can stand for by ``route``; none where none is made for it.

        The drug itself stands before its forms; without a code of its own, it only stands for them.
        """
        if drug.is_for(route) and (drug.hcpcs or drug.by):
            return (drug,)
        forms = tuple(row for row in self.forms.get(drug.name, ()) if row.is_for(route))
        return forms or ((drug,) if drug.is_for(route) else ())

    def kin(self, drug: Drug) -> tuple[Drug, ...]:
        """The other products of a drug, the one its bare name stands for first."""
        heads = drug.form_of or (drug.name,)
        rows = (
            *(self.by_name[plain(head)] for head in heads),
            *(row for head in heads for row in self.forms.get(head, ())),
        )
        return tuple(row for row in dict.fromkeys(rows) if row is not drug)

    def like(self, name: str) -> tuple[str, ...]:
        """Up to three names close to ``name``, to suggest and never to assume."""
        asked = plain(bare(spelled(name))) or plain(name)
        if asked not in self._likes:
            if len(self._likes) >= _REMEMBERED:
                self._likes.clear()
            near = get_close_matches(asked, self.by_name, n=3, cutoff=0.75)
            self._likes[asked] = tuple(dict.fromkeys(self.by_name[hit].spoken for hit in near))
        return self._likes[asked]

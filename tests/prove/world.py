"""The small world: every encounter of up to three administrations over a reduced alphabet, in blocks.

A letter is a drug, a way of giving it and a length: ``a drip 60``. A word of letters in the order of time and a pattern
of starts make an encounter. A block is all words over an alphabet, in one place, under one pattern.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement, product
from typing import NamedTuple

DRUGS = {
    "a": "ceftriaxone",
    "b": "ondansetron",
    "c": "carboplatin",
    "d": "gemcitabine",
    "h": "leuprolide",
    "f": "normal saline",
}
WAYS = {
    "push": "iv_push",
    "drip": "iv_infusion",
    "pump": "iv_pump",
    "im": "im",
    "sc": "sc",
    "under": "sc_infusion",
    "artery-push": "intra_arterial_push",
    "artery": "intra_arterial_infusion",
    "spine": "intrathecal",
    "oral": "oral",
}
VEIN = ("push", "drip", "pump")
EIGHT = 8 * 60


class Letter(NamedTuple):
    """One administration without its place in time."""

    drug: str
    way: str
    minutes: int | None

    def __str__(self) -> str:
        return " ".join(str(part) for part in self if part is not None)


def alphabet(text: str) -> tuple[Letter, ...]:
    """Letters written ``drug way minutes``, with bars between them."""
    words = [letter.split() for letter in text.split("|")]
    return tuple(Letter(drug, way, int(*rest) if rest else None) for drug, way, *rest in words)


# Every category, same and other drug, and the lengths on both sides of every threshold.
MAIN = alphabet(
    "a push | a push 16 | a drip | a drip 15 | a drip 16 | a drip 30 | a drip 31 | a drip 60 | a drip 90 | a drip 91 |"
    "b push | b drip 16 | b drip 60 | b drip 91 |"
    "c push | c drip | c drip 15 | c drip 60 | c drip 91 |"
    "d push | d drip 60 |"
    "f push | f drip | f drip 30 | f drip 31 | f drip 90 | f drip 91 |"
    "a im | c sc | a oral"
)
ROUTES = alphabet(
    "a push | c drip 60 | f drip 31 | a im | f im | c im | h im | h sc |"
    "a under | a under 15 | a under 16 | a under 91 |"
    "a artery-push | c artery-push | a artery 15 | a artery 16 | c artery 15 | c artery 16 | c artery 91 |"
    "c pump 480 | c pump 481 | a pump 60 | c spine | a spine"
)

Starts = tuple[int | None, ...]


def _every(gap: int) -> Callable[[tuple[Letter, ...]], Starts]:
    return lambda word: tuple(gap * number for number in range(len(word)))


def _after(gap: int) -> Callable[[tuple[Letter, ...]], Starts]:
    def starts(word: tuple[Letter, ...]) -> Starts:
        found = [0]
        for letter in word[:-1]:
            found.append(found[-1] + (letter.minutes or 0) + gap)
        return tuple(found)

    return starts


# When each administration starts, in minutes after the first; the order is that of `_fresh`.
PATTERNS: dict[str, Callable[[tuple[Letter, ...]], Starts]] = {
    "untimed": lambda word: (None,) * len(word),
    "together": _every(0),
    "30 from start to start": _every(30),
    "31 from start to start": _every(31),
    "touching": _after(0),
    "31 apart": _after(31),
}
UNORDERED = ("untimed", "together")


class Row(NamedTuple):
    """An administration of an encounter: its id, letter, start in minutes after the first, and access."""

    id: str
    letter: Letter
    start: int | None
    site: str


@dataclass(frozen=True)
class Case:
    """An encounter of the world."""

    place: str
    rows: tuple[Row, ...]
    reason: str | None = None

    def __str__(self) -> str:
        rows = (f"{row.letter} @{'-' if row.start is None else row.start}/{row.site}" for row in self.rows)
        return ", ".join(rows) + (f" for {self.reason}" if self.reason else "")


@dataclass(frozen=True)
class Block:
    """A named part of the world."""

    name: str
    place: str
    pattern: str
    letters: tuple[Letter, ...] = MAIN
    apart: bool = False
    """Whether the last administration has a second, needed access."""
    reason: bool = False
    """Whether the last administration is what the visit was for."""

    def cases(self, first: int) -> Iterator[Case]:
        """Every encounter whose word begins with one letter, those of earlier blocks left out."""
        for word in self._words(first):
            if self.apart and word[-1].way not in VEIN:
                continue
            starts = PATTERNS[self.pattern](word)
            if not self._fresh(word, starts):
                continue
            last = len(word)
            rows = tuple(
                Row(str(number), letter, start, "2" if self.apart and number == last else "1")
                for number, (letter, start) in enumerate(zip(word, starts, strict=True), 1)
            )
            yield Case(self.place, rows, str(last) if self.reason else None)

    def _words(self, first: int) -> Iterator[tuple[Letter, ...]]:
        lead, rest = self.letters[first], self.letters[first:]
        alone = not (self.apart or self.reason)
        if alone:
            yield (lead,)
        free = self.pattern in UNORDERED
        if free and alone:
            for size in (1, 2):
                yield from ((lead, *tail) for tail in combinations_with_replacement(rest, size))
            return
        # The last one is told apart, so only those before it may change places.
        yield from ((lead, letter) for letter in self.letters)
        middle = rest if free else self.letters
        yield from ((lead, *tail) for tail in product(middle, self.letters))

    def _fresh(self, word: tuple[Letter, ...], starts: Starts) -> bool:
        """Whether no block under an earlier pattern has this encounter."""
        for block in BLOCKS:
            if block.name == self.name:
                return True
            same = (block.place, block.letters, block.apart, block.reason) == (
                self.place,
                self.letters,
                self.apart,
                self.reason,
            )
            if same and PATTERNS[block.pattern](word) == starts:
                return False
        return True


BLOCKS = (
    *(Block(f"hospital, {pattern}", "22", pattern) for pattern in PATTERNS),
    *(Block(f"office, {name}", "11", name) for name in ("together", "31 from start to start", "31 apart")),
    Block("office, 31 apart, for the last", "11", "31 apart", reason=True),
    Block("hospital, together, the last on a second access", "22", "together", apart=True),
    Block("hospital, 31 apart, the last on a second access", "22", "31 apart", apart=True),
    Block("office, 31 apart, the last on a second access", "11", "31 apart", apart=True),
    Block("hospital, other routes, 31 apart", "22", "31 apart", ROUTES),
)


def encounter(case: Case, *, shift: int = 0, names: str = "", turned: bool = False) -> dict[str, object]:
    """A case as an encounter; ``shift`` moves the clock, ``names`` gives other ids, ``turned`` reverses the rows."""
    new = dict(zip("123", names or "123", strict=True))
    rows = []
    for row in case.rows:
        drug, way, minutes = row.letter
        charted: dict[str, object] = {"id": new[row.id], "drug": DRUGS[drug], "route": WAYS[way]}
        if row.start is not None:
            charted["start"] = _clock(EIGHT + shift + row.start)
        if minutes is not None:
            charted["minutes"] = minutes
        if way == "pump":
            charted["pump_from"] = "supplier"
        if drug == "f":
            charted["purpose"] = "hydration"
        if row.site != "1":
            charted |= {"access_site": row.site, "access_reason": "incompatible_drugs"}
        rows.append(charted)
    return {
        "date_of_service": "2026-03-02",
        "place_of_service": case.place,
        "primary_reason": new[case.reason] if case.reason else None,
        "administrations": rows[::-1] if turned else rows,
    }


def _clock(minutes: int) -> str:
    return f"2026-03-{2 + minutes // 1440:02}T{minutes % 1440 // 60:02}:{minutes % 60:02}"

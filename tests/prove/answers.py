"""A chunk of the small world answered: what each encounter gives, in text, and which invariants it breaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from ivcoder import select_push_codes
from ivcoder.answer import Coding
from prove.invariants import complaints
from prove.world import BLOCKS, PATTERNS, Case, Row, encounter

EVERY = 31
"""Of so many encounters one is also asked in another order, under other ids and at another time of day."""
LADDER = (15, 16, 30, 31, 60, 90, 91, 150, 151)


class Answered(NamedTuple):
    """An encounter, all that is frozen of its answer, and the same without roles and ids."""

    asked: str
    whole: str
    short: str


def answered(block: int, first: int, *, step: int = 1) -> tuple[list[Answered], list[str]]:
    """Answer the encounters of a block that begin with one letter, or one of ``step`` of them.

    Returns the answers in the order of the block, and a line for each broken invariant.
    """
    found, broken = [], []
    for number, case in enumerate(BLOCKS[block].cases(first)):
        if number % step != first % step:
            continue
        answer = ask(case)
        found.append(Answered(str(case), whole(answer), short(answer)))
        problems = [*complaints(case, answer), *against_others(case, answer)]
        if number % EVERY == first % EVERY:
            problems += [*turned(case, answer), *longer(BLOCKS[block].pattern, case, answer)]
        broken += [f"{BLOCKS[block].name}: {case}: {problem}: {whole(answer)}" for problem in problems]
    return found, broken


def ask(case: Case, **how: object) -> Coding:
    """The answer to a case, without what would change it."""
    return select_push_codes(encounter(case, **how), what_if=False)  # type: ignore[arg-type]


def whole(answer: Coding) -> str:
    """Code, units, modifiers, role and administrations of each line, what is not reported, and the status."""
    lines = [
        f"{'-'.join((line.code, *line.modifiers))}x{line.units} {line.role} [{' '.join(line.administrations)}]"
        for line in answer.lines
    ]
    refused = sorted(label for row in answer.not_reported for label in row.administrations)
    return ", ".join((*lines, *(f"none [{label}]" for label in refused), answer.status))


def short(answer: Coding) -> str:
    """Codes with units and modifiers, and a question mark where the answer asks."""
    lines = [
        "-".join((line.code, *line.modifiers)) + (f"x{line.units}" if line.units > 1 else "") for line in answer.lines
    ]
    return " ".join((*lines, *("?" * (answer.status == "needs_information")))) or "-"


def against_others(case: Case, answer: Coding) -> Iterator[str]:
    """Injections neither compete nor displace: without them the other lines are the same."""
    rows = tuple(row for row in case.rows if row.letter.way not in ("im", "sc"))
    if len(rows) == len(case.rows) or not rows or case.reason not in (None, *(row.id for row in rows)):
        return
    left = {row.id for row in rows}
    lines = [_line(line) for line in answer.lines if set(line.administrations) <= left]
    if lines != [_line(line) for line in ask(replace(case, rows=rows)).lines]:
        yield "an injection changes another line"


def _line(line: object) -> tuple[object, ...]:
    return line.code, line.units, line.modifiers, line.administrations  # type: ignore[attr-defined]


def turned(case: Case, answer: Coding) -> Iterator[str]:
    """The order of the input, the ids and the time of day change no code."""
    codes = sorted(short(answer).split())
    for name, how in (("order", {"turned": True}), ("ids", {"names": "zxy"}), ("clock", {"shift": 1023})):
        if sorted(short(ask(case, **how)).split()) != codes:
            yield f"another {name} changes the codes"


def longer(pattern: str, case: Case, answer: Coding) -> Iterator[str]:
    """Units never fall as the last of other drugs runs longer, apart from what went before."""
    *before, last = case.rows
    drug, way, minutes = last.letter
    apart = PATTERNS[pattern]((last.letter, last.letter)) != (0, 0) and pattern == "31 apart"
    if not apart or minutes not in LADDER or way == "push" or drug in {row.letter.drug for row in before}:
        return
    units = sum(line.units for line in answer.lines)
    for length in LADDER[LADDER.index(minutes) + 1 :]:
        row = Row(last.id, last.letter._replace(minutes=length), last.start, last.site)
        more = sum(line.units for line in ask(replace(case, rows=(*before, row))).lines)
        if more < units:
            yield f"fewer units for {length} minutes"
        units = more

"""Step 8: does the record support what was billed?

Every billed line is held against the lines the encounter supports, and what an open question would make right is
asked, not called an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import get_args

from ivcoder.audit.claim import BilledClaim
from ivcoder.audit.compare import Compared, Direction, Found, Kind, Noted, compare
from ivcoder.audit.matching import Pair
from ivcoder.audit.rules import audit_depends
from ivcoder.book import DrugTable, Rulebook
from ivcoder.classify import Question
from ivcoder.denials import Case, Denial
from ivcoder.edits import Edited, barred_claim
from ivcoder.encounter import visit_of
from ivcoder.rule import Finding
from ivcoder.what_if import Explored, Mattering, Outcome, answer, explore, walked

__all__ = ["Audited", "BilledClaim", "Compared", "Direction", "Found", "Kind", "Noted", "Pair", "audit"]


@dataclass(frozen=True, slots=True)
class Audited:
    """The outcome of the step.

    ``found`` are errors whatever the open questions' answers; ``open`` are those that an answer would take
    away, each with the questions it hangs on;
    ``questions`` are those whose answers change either.
    """

    case: Case
    explored: Explored
    compared: Compared
    found: tuple[Found, ...]
    open: tuple[tuple[Found, Finding], ...]
    questions: tuple[Mattering, ...]


def audit(claim: BilledClaim, drugs: DrugTable | None = None) -> Audited:
    """Hold the billed lines against what the encounter supports."""
    book = Rulebook.on(claim.encounter.date_of_service, drugs)
    denial = Denial.against(claim.encounter, claim.billed_lines)
    visit = visit_of(claim.encounter, book)._replace(stacked=False)
    edited = answer(visit, book)
    explored = explore(edited, tipping=False)
    case = Case(denial, book, visit.place, visit.claim, explored)
    compared = compare(case, edited.lines, _barred(edited))
    found, undecided = [], []
    alone = list(_tried_alone(case, explored))
    together = list(_tried_together(case, compared, explored))
    for row in sorted(compared.found, key=_worst):
        # Answers tried together tell on what an error hangs only where no single one does.
        asked = next(filter(None, (_hangs_on(row, compared, tried) for tried in (alone, together))), {})
        depends = audit_depends(asked)
        if depends.holds:
            undecided.append((row, depends))
        else:
            found.append(row)
    bearing = {_about(question) for question, other in (*alone, *together) if _signature(other) != _signature(compared)}
    questions = tuple(row for row in explored.questions if _about(row.question) in bearing)
    return Audited(case, explored, compared, tuple(found), tuple(undecided), questions)


def _worst(row: Found) -> tuple[int, int, int, str]:
    """Over-coded lines first, then under-coded ones; the heavier kinds first."""
    ways, kinds = get_args(Direction), get_args(Kind)
    return ways.index(row.direction), kinds.index(row.kind), row.billed or 0, row.code


def _barred(edited: Edited) -> Finding | None:
    """Why the claim carries no drug administration at all, if it does not."""
    classified = edited.selected.ranked.classified
    return barred_claim(classified.visit, classified.book)


def _about(question: Question) -> str:
    return f"{question.administration or 'encounter'}.{question.field}"


def _signature(compared: Compared) -> tuple[tuple[str, ...], ...]:
    """What is wrong, as far as two outcomes can be told apart by it."""
    return tuple(sorted((str(row.billed), row.code, row.kind, row.direction) for row in compared.found))


def _hangs_on(row: Found, compared: Compared, tried: Iterable[tuple[Question, Compared]]) -> dict[str, None]:
    """The questions under whose answers an error is none."""
    return {_about(question): None for question, other in tried if not _holds(row, compared, other)}


def _tried_alone(case: Case, explored: Explored) -> Iterator[tuple[Question, Compared]]:
    """The comparison under each answer to each open question."""
    for row in explored.questions:
        for outcome in row.outcomes:
            barred = None if outcome.lines else _barred(walked(explored.edited, outcome.option))
            yield row.question, compare(case, outcome.lines, barred)


def _tried_together(case: Case, compared: Compared, explored: Explored) -> Iterator[tuple[Question, Compared]]:
    """The comparison under the answers that together suit the claim best.

    Question by question, the answer that leaves fewest errors is kept.
    """
    if len(explored.questions) < 2 or not compared.found:
        return
    edited, best = explored.edited, compared
    for row in explored.questions:
        better = min(_answered(case, edited, row.outcomes), key=lambda each: len(each[1].found))
        yield row.question, better[1]
        if len(better[1].found) < len(best.found):
            edited, best = better


def _answered(case: Case, edited: Edited, outcomes: tuple[Outcome, ...]) -> Iterator[tuple[Edited, Compared]]:
    for outcome in outcomes:
        other = walked(edited, outcome.option)
        yield other, compare(case, other.lines, _barred(other))


def _holds(row: Found, compared: Compared, other: Compared) -> bool:
    """Whether an error is one under another answer too."""
    if row.billed is not None:
        return any(each.billed == row.billed for each in other.found)
    [mine] = row.supported
    labels = set(compared.lines[mine].administrations)
    return any(
        each.billed is None and each.code == row.code and labels & {*other.lines[each.supported[0]].administrations}
        for each in other.found
    )

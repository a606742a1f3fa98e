"""What a record lacks, in words, and the query that asks for it without leading."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ivcoder.documentation import Gap, Record, Stake
from ivcoder.edits import Line
from ivcoder.encounter import DAY, HOUR, Given, Visit
from ivcoder.what_if import Explored

_AT_STAKE = {
    Stake.LINE: ("line", "a line is at stake"),
    Stake.CODE: ("code", "another code is possible"),
    Stake.UNITS: ("units", "units are at stake"),
    Stake.MODIFIER: ("modifier", "a modifier is at stake"),
    Stake.DRUG_LINE: ("drug_line", "the drug has no line of its own"),
    Stake.NOTHING: ("nothing", "no code depends on it here, and a reviewer looks for it"),
}

_ASKED = {
    "start": "At what time did it begin?",
    "stop": "At what time did it end?",
    "dose": "What amount was given?",
    "attended": "How was it given, and who was present during that time?",
    "access_reason": "What was the reason for the line it was given through?",
    "access_device": "What was flushed?",
    "purpose": "What was it ordered and given for?",
    "discarded": "What became of anything left in the container?",
    "resumed": "How does it relate to the same drug given before?",
    "lesions": "How many places were injected?",
    "counselled": "What was discussed with the patient or family?",
    "pump_from": "Who supplied the pump?",
    "route": "What product was given, by what route and device, and where was the patient meanwhile?",
    "drug": "What product was given?",
}
"""Open questions, by the field they fill; none names a code or what it would change."""

_HEAD = """\
Please complete from the record, or from what you did and saw, as a late entry with its own date, time and signature.
Where something cannot be determined, please say so."""


def gap_parts(gap: Gap, visit: Visit) -> dict[str, object]:
    """A gap as the answer's model takes it."""
    word, says = _AT_STAKE[gap.stake]
    drug = next(row.drug for row in visit.administrations if row.id == gap.administration)
    return {
        "administration": gap.administration,
        "element": gap.element.short,
        "field": gap.element.field,
        "at_stake": word,
        "why": f"{drug} [{gap.administration}]: the record does not show {gap.element.short}; {says}.",
        "then": tuple({"code": line.code, "units": line.units, "modifiers": line.modifiers} for line in _at_stake(gap)),
        "sources": gap.element.sources,
    }


def _at_stake(gap: Gap) -> Iterator[Line]:
    if gap.stake < Stake.DRUG_LINE:
        yield from (line for line in gap.lines if gap.stake is Stake.MODIFIER or line.answer != "drug")


def record_parts(record: Record) -> dict[str, object]:
    """A line's record as the answer's model takes it."""
    shown, lacking, elsewhere = (tuple(each.short for each in part) for part in record)
    return {"shown": shown, "lacking": lacking, "not_in_input": elsewhere}


def nurse_query(gaps: Iterable[Gap], explored: Explored) -> str | None:
    """Open questions for each administration, in the order charted; None when there is nothing to ask who gave it."""
    visit = explored.edited.selected.ranked.classified.visit
    wanted: dict[str, dict[str, None]] = {}
    asked = [(gap.administration, gap.element.field or "") for gap in gaps]
    open_questions = (row.question for row in explored.questions)
    asked += [(row.administration, row.field) for row in open_questions if row.administration is not None]
    for label, field in asked:
        for name in ("start", "stop") if field == "minutes" else (field,):
            if name in _ASKED:
                wanted.setdefault(label, {})[_ASKED[name]] = None
    parts = [_about(row, wanted[row.id]) for row in visit.administrations if row.id in wanted]
    return "\n\n".join([_HEAD, *parts]) if parts else None


def _about(given: Given, questions: Iterable[str]) -> str:
    at = "" if given.start is None else f", charted at {given.start % DAY // HOUR:02d}:{given.start % HOUR:02d}"
    return "\n".join([f"[{given.id}] {given.drug}{at}", *[f"- {question} ____" for question in questions]])

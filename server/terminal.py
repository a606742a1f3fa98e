"""Answers for a person at a terminal: rich tables and a timeline. Picks from the answer, decides nothing."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ivcoder.answer import (
    Audit,
    AuditFinding,
    Classification,
    CodeUnits,
    Coding,
    DenialExplanation,
    Edit,
    Line,
    Notice,
    NotReported,
    Question,
    Ranking,
    Receipt,
)
from ivcoder.audit import BilledClaim
from ivcoder.book import places
from ivcoder.encounter import Encounter
from ivcoder.server.timeline import timeline
from ivcoder.server.tools import PASSED, decided, unasked

TIMES = "\N{MULTIPLICATION SIGN}"
NARROWEST, PLAIN, WIDEST = 60, 80, 1000
HEIGHT = 25
NOTHING = "not reported"
FOOT = "CPT is the American Medical Association's; holding a licence is the user's part."
STATUS = {
    "coded": ("Coded", "green"),
    "needs_information": ("Needs information: coded as the record stands, until the questions are answered", "yellow"),
    "nothing_to_report": ("Nothing to report", "yellow"),
}
LEVEL = {"info": ("note", "cyan"), "warning": ("warning", "yellow"), "error": ("error", "red")}
METHOD = {
    "hierarchy": "the facility hierarchy",
    "reason": "the reason for the visit",
    "hierarchy_as_fallback": "the hierarchy, since the record names no reason for the visit that can lead",
    "only_candidate": "being the only candidate",
}
AUDIT = {
    "clean": ("Clean: the record supports every line that was audited, and none is missing", "green"),
    "findings": ("Findings", "red"),
    "needs_information": ("Needs information: some lines depend on what the record leaves open", "yellow"),
}
WAY = {
    "over_coded": ("over-coded", "red"),
    "under_coded": ("under-coded", "yellow"),
    "neutral": ("", "cyan"),
}
VERDICT = {
    "payer_right": ("the payer is right", "red"),
    "payer_wrong": ("the payer is wrong", "green"),
    "record_decides": ("the record decides", "yellow"),
    "cannot_tell": ("cannot be told from this", "yellow"),
}


def show(page: Callable[[Console], RenderableType]) -> None:
    """Print a page: at the terminal's width and colours, or plain when piped, at COLUMNS or 80 columns."""
    piped = not sys.stdout.isatty()
    console = Console(
        width=_width(piped=piped),
        height=HEIGHT,  # no page is cut to it; without it rich reads COLUMNS and LINES for itself
        highlight=False,
        emoji=False,
        color_system=None if piped else "standard",
    )
    with console.capture() as held:
        console.print(page(console))
    text = held.get()
    if piped:
        text = "".join(f"{line.rstrip()}\n" for line in text.splitlines())
    sys.stdout.write(plain(text, console.encoding))


def _width(*, piped: bool) -> int | None:
    """The width COLUMNS asks for, within reason; else 80 when piped, or what the terminal has."""
    asked = os.environ.get("COLUMNS", "")
    if not asked:
        return PLAIN if piped else None
    width = int(asked) if re.fullmatch("[0-9]{1,6}", asked) else WIDEST if re.fullmatch("[0-9]+", asked) else PLAIN
    return min(max(width, NARROWEST if piped else 1), WIDEST)


def plain(text: str, encoding: str) -> str:
    """The text in the terminal's own characters."""
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return text.replace(TIMES, "x").encode("ascii", "replace").decode("ascii")
    return text


def label(code: str, units: int, modifiers: Sequence[str] = ()) -> str:
    """A code with its modifiers and units, as a claim has it."""
    return f"{'-'.join((code, *modifiers))} {TIMES} {units}"


def _heading(title: str) -> Text:
    return Text(title, style="bold")


def _header(encounter: Encounter, status: tuple[str, str]) -> Text:
    place = places()[encounter.place_of_service]
    parts = [f"{place.name} ({place.code})"]
    claim = encounter.claim or place.claim
    if claim:
        parts.append(f"{claim} claim")
    parts.append(str(encounter.date_of_service or "no date of service"))
    if encounter.payer:
        parts.append(encounter.payer)
    word, colour = status
    return Text.assemble((", ".join(parts), "bold"), "\n", (word, colour))


def _outcome(then: Sequence[CodeUnits]) -> str:
    return ", ".join(label(row.code, row.units, row.modifiers) for row in then) or "nothing to report"


def _grid(rows: Iterable[Sequence[RenderableType]], first: int = 12) -> Table:
    grid = Table.grid(padding=(0, 1), expand=False)
    grid.add_column(width=first, no_wrap=True, overflow="fold")
    grid.add_column(overflow="fold")
    for row in rows:
        grid.add_row(*row)
    return grid


def _ruled(body: Text, rules: Sequence[str]) -> Text:
    """A sentence with the rules behind it under it."""
    return body.append(f"\nrules: {', '.join(rules)}", style="dim")


def _lines(lines: Sequence[Line], names: Mapping[str, str]) -> RenderableType:
    rows: list[tuple[RenderableType, RenderableType]] = []
    for line in lines:
        about = ", ".join(f"[{label}] {names[label]}" for label in line.administrations)
        body = Text.assemble((f"{_role(line)}  {about}", "cyan"), "\n", line.why)
        if line.dates:
            days = ", ".join(f"{row.date} {TIMES} {row.units}" for row in line.dates)
            body.append(f"\ndated {days}")
        for rival in line.not_instead:
            known = set(rival.rules) <= set(line.rules)
            why = f"see {', '.join(rival.rules)}" if known else rival.why
            body.append(f"\nnot {rival.code}: {why}", style="dim")
        rows.append((Text(label(line.code, line.units, line.modifiers), style="bold"), _ruled(body, line.rules)))
    return _grid(rows, max(len(row.plain) for row, _ in rows if isinstance(row, Text)))


def _role(line: Line) -> str:
    return line.role.replace("_", "-")


def _about(administrations: Sequence[str]) -> str:
    return f"[{' '.join(administrations)}]"


def _not_reported(rows: Sequence[NotReported]) -> list[RenderableType]:
    if not rows:
        return []
    return [
        _heading("Not reported"),
        _grid((Text(_about(row.administrations)), _ruled(Text(row.why), row.rules)) for row in rows),
        Text(),
    ]


def _questions(rows: Sequence[Question]) -> list[RenderableType]:
    if not rows:
        return []
    out: list[RenderableType] = [_heading("Questions that would change the codes")]
    for row in rows:
        about = f"[{row.administration}]" if row.administration else "encounter"
        body = Text.assemble((row.ask, "yellow"), f"\nfield: {row.field}")
        for each in row.outcomes:
            body.append(f"\n- if {each.if_}: {_outcome(each.then)}")
        out.append(_grid([(Text(about, style="yellow"), _ruled(body, row.rules))]))
    return [*out, Text()]


def _notices(notices: Sequence[Notice]) -> list[RenderableType]:
    if not notices:
        return []
    rows = []
    for row in notices:
        word, colour = LEVEL[row.level]
        where = f" {row.line}" if row.line else ""
        rows.append((Text(f"{word}{where}", style=colour), _ruled(Text(row.why), row.rules)))
    return [_heading("Notices"), _grid(rows), Text()]


EDIT_COLOURS = {"modifier_needed": "yellow", "modifier_present": "cyan", "contractor_decides": "cyan"}


def _edits(edits: Sequence[Edit]) -> list[RenderableType]:
    """What payers' edits object to, and one line for what no table covers."""
    hits = [row for row in edits if row.result not in {*PASSED, "no_data"}]
    rows: list[tuple[RenderableType, RenderableType]] = []
    for row in hits:
        body = Text.assemble((row.result.replace("_", " "), EDIT_COLOURS.get(row.result, "red")), "\n", row.why)
        rows.append((Text("/".join(row.codes)), _ruled(body, row.rules)))
    unknown = [row for row in edits if row.result == "no_data"]
    if unknown:
        why = " ".join(dict.fromkeys(row.why for row in unknown))
        rules = tuple(dict.fromkeys(rule for row in unknown for rule in row.rules))
        rows.append((Text("no data", style="dim"), _ruled(Text(why), rules)))
    return [_heading("Payer edits"), _grid(rows), Text()] if rows else []


def _lacks(coding: Coding) -> list[RenderableType]:
    """What the record lacks and a code depends on beyond the questions, the dearest first."""
    rows = unasked(coding)
    if not rows:
        return []
    out: list[RenderableType] = [_heading("What the record lacks (ivcoder query asks for it)")]
    for row in rows:
        then = f" What stands if it is refused for that: {_outcome(row.then)}" if row.then else ""
        out.append(Padding(Text(f"{row.why}{then}"), (0, 0, 0, 2)))
    return [*out, Text()]


def document_page(encounter: Encounter, coding: Coding) -> RenderableType:
    """For each administration line, what its record must show, and whether this one does."""
    parts: list[RenderableType] = [_header(encounter, STATUS[coding.status]), Text()]
    rows: list[tuple[RenderableType, RenderableType]] = []
    for line in coding.lines:
        if line.record is None:
            continue
        body = Text(f"shown: {', '.join(line.record.shown) or 'nothing'}")
        if line.record.lacking:
            body.append(f"\nlacking: {', '.join(line.record.lacking)}", style="yellow")
        body.append(f"\nin the chart, not in this input: {', '.join(line.record.not_in_input)}", style="dim")
        rows.append((Text(f"{label(line.code, line.units, line.modifiers)}\n{_about(line.administrations)}"), body))
    parts += [_grid(rows), Text(), *_lacks(coding)]
    return Group(*parts, _foot(coding.receipt))


def _tipping(coding: Coding) -> list[RenderableType]:
    if not coding.tipping_points:
        return []
    now = Counter({(row.code, row.modifiers): 0 for row in coding.lines})
    for row in coding.lines:
        if row.role != "drug":
            now[row.code, row.modifiers] += row.units
    points = [Text(f"{row.change}: {_difference(now, row.then)}") for row in coding.tipping_points]
    return [_heading("What would change it"), *[Padding(point, (0, 0, 0, 2)) for point in points], Text()]


def _difference(now: Counter[tuple[str, tuple[str, ...]]], then: Sequence[CodeUnits]) -> str:
    """What would come, and what would go."""
    new: Counter[tuple[str, tuple[str, ...]]] = Counter()
    for row in then:
        new[row.code, row.modifiers] += row.units
    come = [label(code, units, modifiers) for (code, modifiers), units in (new - now).items()]
    go = [label(code, units, modifiers) for (code, modifiers), units in (now - new).items()]
    parts = [f"+ {', '.join(come)}" if come else "", f"- {', '.join(go)}" if go else ""]
    return "  ".join(part for part in parts if part)


def _foot(receipt: Receipt) -> Text:
    made = f"ivcoder {receipt.ivcoder}, rulebook {receipt.rulebook} ({receipt.rulebook_sha256[:12]})"
    made = f"{made}, input {receipt.input_sha256[:12]}"
    for table in receipt.tables:
        words = (table.kind, table.audience, table.quarter, table.part)
        made += f"\n{'-'.join(word for word in words if word)} ({(table.sha256 or '')[:12]})"
    return Text(f"{made}\n{FOOT}", style="dim")


def coding_page(encounter: Encounter, coding: Coding, console: Console) -> RenderableType:
    """A coding: timeline, lines with reasons, what is not reported, questions, notices."""
    unicode = console.encoding.lower().startswith("utf")
    ends = {row.id: _end(row.id, coding, TIMES if unicode else "x") for row in encounter.administrations}
    reported = [line for line in coding.lines if line.role != "drug"]
    drugs = [line for line in coding.lines if line.role == "drug"]
    parts: list[RenderableType] = [
        _header(encounter, STATUS[coding.status]),
        Text(),
        timeline(encounter, ends, console.width, unicode=unicode),
        Text(),
    ]
    names = {row.id: row.drug for row in encounter.administrations}
    if reported:
        parts += [_heading("Administration"), _lines(reported, names), Text()]
    if drugs:
        parts += [_heading("Drugs"), _lines(drugs, names), Text()]
    parts += [*_not_reported(coding.not_reported), *_questions(coding.questions)]
    parts += [*_notices(coding.notices), *_lacks(coding), *_edits(coding.edits), *_tipping(coding)]
    return Group(*parts, _foot(coding.receipt))


def _end(administration: str, coding: Coding, times: str) -> str:
    """The codes of one administration, for the end of its row."""
    lines = [line for line in coding.lines if administration in line.administrations and line.role != "drug"]
    return " + ".join(f"{line.code}{times}{line.units}" if line.units > 1 else line.code for line in lines) or NOTHING


def classification_page(encounter: Encounter, answer: Classification) -> RenderableType:
    """What each administration counts as."""
    rows = []
    for row in answer.services:
        kind = row.kind.replace("_", " ") if row.category in (None, "hydration") else f"{row.category} {row.kind}"
        about = (
            f"{_about(row.administrations)} {row.minutes} min"
            if row.minutes is not None
            else _about(row.administrations)
        )
        rows.append((Text(about), _ruled(Text.assemble((kind, "bold"), f"\n{row.why}"), row.rules)))
    parts: list[RenderableType] = [_header(encounter, STATUS[answer.status]), Text(), _grid(rows), Text()]
    parts += [*_questions(answer.questions)]
    return Group(*parts, _foot(answer.receipt))


def ranking_page(encounter: Encounter, answer: Ranking) -> RenderableType:
    """Which service is initial, and how the others follow."""
    rows = []
    for row in answer.services:
        mark = "initial" if row.initial else row.tier
        style = "bold" if row.initial else ""
        body = _ruled(Text.assemble((mark, style), f"\n{row.why}"), row.rules)
        rows.append((Text(f"{row.rank}. {_about(row.administrations)}"), body))
    method = f"Chosen by: {METHOD[answer.method]}"
    parts: list[RenderableType] = [_header(encounter, STATUS[answer.status]), Text(), _grid(rows), Text(method), Text()]
    parts += [*_not_reported(answer.not_reported), *_questions(answer.questions)]
    return Group(*parts, _foot(answer.receipt))


def denial_page(answer: DenialExplanation) -> RenderableType:
    """Why a claim was denied, whether the payer is right, and what to do."""
    word, colour = VERDICT[answer.verdict]
    parts: list[RenderableType] = [Text.assemble(("Verdict: ", "bold"), (word, colour)), Text()]
    if answer.payer_says:
        parts += [
            _heading("What the payer says"),
            *[Padding(Text(row), (0, 0, 0, 2)) for row in answer.payer_says],
            Text(),
        ]
    if answer.reasons:
        rows = [
            (
                Text(f"line {row.line}" if row.line else "claim"),
                _ruled(Text(f"{VERDICT[row.verdict][0]}: {row.why}"), row.rules),
            )
            for row in answer.reasons
        ]
        parts += [_heading("Why"), _grid(rows), Text()]
    if answer.corrected_lines or answer.removed_lines:
        fixed = [
            (
                Text(label(row.code, row.units, row.modifiers), style="bold"),
                Text(row.change + (f", was {row.was}" if row.was and row.was != row.code else "")),
            )
            for row in answer.corrected_lines
        ]
        fixed += [(Text(code, style="dim"), Text("removed")) for code in answer.removed_lines]
        parts += [_heading("Corrected claim"), _grid(fixed), Text()]
    for title, texts in (("What is missing", answer.missing), ("Document next time", answer.document_next_time)):
        if texts:
            parts += [_heading(title), _grid([(Text(" -"), Text(row)) for row in texts], first=2), Text()]
    parts += [*_questions(answer.questions), *_edits(decided(answer.edits))]
    if answer.letter:
        parts += [
            _heading(f"Letter ({answer.letter_kind.replace('_', ' ')})"),
            Padding(Text(answer.letter), (0, 2)),
            Text(),
        ]
    return Group(*parts, _foot(answer.receipt))


def audit_page(claim: BilledClaim, answer: Audit) -> RenderableType:
    """Billed lines held against the record, the worst first."""
    word, colour = AUDIT[answer.status]
    counted = f"{word}: {len(answer.findings)}" if answer.status == "findings" else word
    parts: list[RenderableType] = [_header(claim.encounter, (counted, colour)), Text()]
    groups = (("Findings", answer.findings), ("Undecided until the questions are answered", answer.undecided))
    for title, found in groups:
        if found:
            rows = [(_where(row.line), _found(row, claim)) for row in found]
            parts += [_heading(title), _grid(rows), Text()]
    wrong = {row.line for row in (*answer.findings, *answer.undecided)}
    right = sorted({row.line for row in answer.matched} - wrong)
    if right:
        said = ", ".join(f"{number} {_billed(claim, number)}" for number in right)
        parts += [_grid([(Text("supported", style="green"), Text(said))])]
    for row in answer.not_audited:
        body = _ruled(Text(f"{row.line} {_billed(claim, row.line)}: {row.why}"), row.rules)
        parts += [_grid([(Text("not audited", style="dim"), body)])]
    lines = ", ".join(label(row.code, row.units, row.modifiers) for row in answer.supported_lines)
    parts += [_grid([(Text("the record", style="dim"), Text(lines or "nothing to report"))]), Text()]
    parts += [*_questions(answer.questions), *_notices(answer.notices), *_edits(decided(answer.edits))]
    return Group(*parts, _foot(answer.receipt))


def _where(line: int | None) -> Text:
    return Text(f"line {line}" if line else "not billed")


def _billed(claim: BilledClaim, number: int) -> str:
    row = claim.billed_lines[number - 1]
    return label(row.code, row.units, row.modifiers)


def _found(row: AuditFinding, claim: BilledClaim) -> Text:
    way, colour = WAY[row.direction]
    said = " ".join(part for part in (row.kind.replace("_", " "), f"({way})" if way else "") if part)
    code = _billed(claim, row.line) if row.line else row.code
    return _ruled(Text.assemble((f"{code}  ", "bold"), (said, colour), "\n", row.why), row.rules)

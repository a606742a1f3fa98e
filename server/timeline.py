"""The encounter over the clock: a bar for each administration, its code at the end of the row."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text

from ivcoder.book import Rulebook
from ivcoder.encounter import Encounter, Given, Route, visit_of

HOUR = 60
NAME = 22
SHORTEST = 20
STEPS = (15, 30, 60, 120, 180, 240, 360, 720, 1440)


def timeline(encounter: Encounter, ends: Mapping[str, str], width: int, *, unicode: bool) -> Text:
    """Draw the encounter in ``width`` columns; ``ends`` is what stands behind each row."""
    rows = visit_of(encounter, Rulebook.on(encounter.date_of_service)).administrations
    behind = max((len(text) for text in ends.values()), default=0)
    room = width - NAME - behind - 4
    timed = [row for row in rows if row.start is not None]
    if not timed or room < SHORTEST:
        return _list(rows, ends, width, behind)
    first = min(row.start or 0 for row in timed)
    last = max(_end(row) for row in timed)
    step = next((size for size in STEPS if (last - first) / size <= room / 7), STEPS[-1])
    first = first // step * step
    last = max(-(-last // step) * step, first + step)
    scale = room / (last - first)
    drawing = Text()
    drawing.append(" " * (NAME + 1) + _ruler(first, last, step, scale, room) + "\n", style="dim")
    for row in rows:
        drawing.append(_name(row).ljust(NAME + 1))
        drawing.append_text(_bar(row, first, scale, room, unicode=unicode))
        drawing.append(f"  {ends[row.id]}\n", style="bold" if ends[row.id] != "not reported" else "dim")
    drawing.right_crop(1)
    return drawing


def _end(row: Given) -> int:
    return row.stop if row.stop is not None else row.start or 0


def _name(row: Given) -> str:
    text = f"[{row.id}] {row.drug}"
    return text if len(text) <= NAME else text[: NAME - 1] + "."


def _clock(minutes: int) -> str:
    day, rest = divmod(minutes, 24 * HOUR)
    return f"{rest // HOUR:02d}:{rest % HOUR:02d}" + (f"+{day}" if day > 0 else "")


def _ruler(first: int, last: int, step: int, scale: float, room: int) -> str:
    ruler = [" "] * room
    for minute in range(first, last, step):
        text = _clock(minute)
        at = round((minute - first) * scale)
        if at + len(text) <= room and not "".join(ruler[max(0, at - 1) : at + len(text)]).strip():
            ruler[at : at + len(text)] = text
    return "".join(ruler)


def _bar(row: Given, first: int, scale: float, room: int, *, unicode: bool) -> Text:
    if row.start is None:
        words = f"no time charted, {row.minutes} min" if row.minutes is not None else "no time charted"
        return Text(words[:room].ljust(room), style="dim")
    begins = min(room - 1, round((row.start - first) * scale))
    if row.stop is None:
        mark = ("▌" if unicode else "|") + ("" if row.route is Route.IV_PUSH else "?")
        return Text(("·" if unicode else ".") * begins + mark + " " * (room - begins - len(mark)))
    length = max(1, round((row.stop - row.start) * scale))
    length = min(length, room - begins)
    long = row.stop - row.start > HOUR // 4
    mark = ("█" if unicode else "=") if long else ("▌" if unicode else "|")
    bar = mark * length if long else mark
    left = Text(("·" if unicode else ".") * begins, style="dim")
    return Text.assemble(left, (bar, "cyan" if long else "magenta"), " " * (room - begins - len(bar)))


def _list(rows: tuple[Given, ...], ends: Mapping[str, str], width: int, behind: int) -> Text:
    drawing = Text()
    for row in rows:
        times = f"{_clock(row.start)}" if row.start is not None else "no time"
        if row.start is not None and row.stop is not None:
            times += f"-{_clock(row.stop)}"
        elif row.minutes is not None:
            times += f", {row.minutes} min"
        name = _name(row).ljust(NAME + 1)
        drawing.append(f"{name}{times.ljust(max(14, width - NAME - behind - 4))} ")
        drawing.append(f"{ends[row.id]}\n", style="bold")
    drawing.right_crop(1)
    return drawing

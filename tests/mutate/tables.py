"""Change each fact of the rulebook's tables, one at a time, and see whether a test notices: ``make mutate``.

Works on the copy it is started in. Numbers go one up and one down, dates a day, code numbers to the next, choices to
another; flags turn, entries of lists and whole rows go. Words are left alone.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

BOOK = Path("ivcoder/book")
TABLES = ("codes", "thresholds", "places", "edits", "payers")
TESTS = (
    "cases",
    "rules",
    "questions",
    "limits",
    "notices",
    "primaries",
    "places",
    "denials",
    "ranges",
    "book",
    "snapshots",
    "minutes",
    "bad_input",
)
COMMAND = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *(f"tests/test_{t}.py" for t in TESTS)]
CHOICES = {
    "answer": ("initial", "add_on", "stand_alone"),
    "claim": ("facility", "professional"),
    "kind": ("infusion", "push", "hydration"),
    "category": ("chemotherapy", "therapeutic", "hydration"),
}
LISTS = ("beside", "packages")


def changes(text: str) -> Iterator[tuple[str, str]]:
    """Each changed table, and what was changed in it."""
    lines = text.split("\n")
    row = ""
    for number, line in enumerate(lines):
        if line.startswith("[["):
            end = next((n for n in range(number + 1, len(lines)) if lines[n].startswith("[[")), len(lines))
            row = f"{number + 1} {line} {lines[number + 1]}"
            yield "\n".join(lines[:number] + lines[end:]), f"{row}: gone"
            continue
        field, _, value = line.partition(" = ")
        for other in others(field, value):
            new = [] if other is None else [f"{field} = {other}"]
            what = f"{row}: {line} is now {'gone' if other is None else other}"
            yield "\n".join(lines[:number] + new + lines[number + 1 :]), what


def others(field: str, value: str) -> Iterator[str | None]:
    """What a value could be instead; None is the field left out."""
    if re.fullmatch(r"\d+", value):
        yield from (str(int(value) + 1), str(int(value) - 1))
    elif re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        day = date.fromisoformat(value)
        yield from (str(day + timedelta(1)), str(day - timedelta(1)), None)
    elif value in ("true", "false"):
        yield "false" if value == "true" else "true"
    elif field in CHOICES:
        yield from (f'"{other}"' for other in CHOICES[field] if other != value.strip('"'))
    elif field in ("code", "first", "last"):
        yield f'"{following(value.strip(chr(34)))}"'
    elif field in LISTS:
        entries = re.findall(r'"[^"]*"', value)
        yield from (f"[{', '.join(entries[:place] + entries[place + 1 :])}]" for place in range(len(entries)))


def following(code: str) -> str:
    """The next code: its last digit or letter one up."""
    return code[:-1] + {"9": "0", "Z": "A"}.get(code[-1], chr(ord(code[-1]) + 1))


def noticed() -> bool:
    """Whether a test fails."""
    return subprocess.run(COMMAND, check=False, capture_output=True).returncode != 0


def main() -> int:
    """Try every change; print what no test noticed, and the counts."""
    if noticed():
        print("the tests fail before anything is changed")
        return 1
    for name in TABLES:
        path = BOOK / f"{name}.toml"
        text = path.read_text(encoding="utf-8")
        tried, survived = 0, []
        try:
            for changed, what in changes(text):
                tried += 1
                path.write_text(changed, encoding="utf-8")
                if not noticed():
                    survived.append(what)
                    print(f"  survived: {name}.toml:{what}", flush=True)
        finally:
            path.write_text(text, encoding="utf-8")
        print(f"{name}.toml: {tried} changes, {tried - len(survived)} killed, {len(survived)} survived", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Every minute from 0 to 1440, for every role that counts minutes, against a table worked out by hand."""

import tomllib
from pathlib import Path

import pytest

from ivcoder import select_push_codes
from ivcoder.book import sources

TABLE = tomllib.loads((Path(__file__).parent / "cases" / "minutes.toml").read_text(encoding="utf-8"))
LAST = 1440


def span(rows):
    """What each minute has in a table of ranges that leaves out none and names none twice."""
    found = {minute: what for first, last, what in rows for minute in range(first, last + 1)}
    assert sum(last - first + 1 for first, last, _ in rows) == len(found) == LAST + 1
    return found


HOURS = span(TABLE["hours"])


def written(text, minutes):
    """The lines of a row, with the further hours of these minutes put in."""
    hours = HOURS[minutes]
    lines = [line.replace("xH+1", f"x{hours + 1}").replace("xH", f"x{hours}") for line in text.split(", ") if line]
    return [line for line in lines if not line.endswith(" x0")]


@pytest.mark.parametrize("role", TABLE["role"], ids=lambda role: role["id"])
def test_every_minute(role):
    assert role["source"] in sources()
    assert role["reasoning"]
    *before, timed = role["administrations"]
    for minutes, text in span(role["rows"]).items():
        rows = [*before, {**timed, "minutes": minutes}]
        encounter = {"date_of_service": "2026-03-02", "place_of_service": "22", "administrations": rows}
        answer = select_push_codes(encounter, what_if=False)
        assert [f"{line.code} x{line.units}" for line in answer.lines] == written(text, minutes), minutes
        answered = {label for row in (*answer.lines, *answer.not_reported) for label in row.administrations}
        assert answered == {row["id"] for row in rows}

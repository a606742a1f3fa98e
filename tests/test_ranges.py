"""Every length inside a range of a question's answer gives the codes that stand beside it."""

import re

import pytest

from ivcoder import select_push_codes

DRIP = {"route": "iv_infusion"}
ENCOUNTERS = {
    "alone": [{"id": "1", "drug": "ceftriaxone", "start": "08:00", **DRIP}],
    "goes on from the row before": [
        {"id": "1", "drug": "ceftriaxone", "start": "07:00", "stop": "08:00", **DRIP},
        {"id": "2", "drug": "ceftriaxone", "start": "08:00", **DRIP},
    ],
    "beside another drug": [
        {"id": "1", "drug": "rituximab", "start": "08:30", "stop": "09:40", **DRIP},
        {"id": "2", "drug": "ondansetron", "start": "08:00", **DRIP},
    ],
    "a fluid beside a drug": [
        {"id": "1", "drug": "carboplatin", "start": "08:45", "stop": "09:30", **DRIP},
        {"id": "2", "drug": "normal saline", "start": "08:00", "purpose": "hydration", **DRIP},
    ],
}
WORDS = {
    r"it ran (\d+) minutes or less": lambda last: range(1, int(last) + 1),
    r"it ran (\d+) to (\d+) minutes": lambda first, last: range(int(first), int(last) + 1),
    r"it ran (\d+) minutes": lambda only: [int(only)],
}


def lengths(words):
    return next(spread(*found.groups()) for pattern, spread in WORDS.items() if (found := re.fullmatch(pattern, words)))


@pytest.mark.parametrize("name", ENCOUNTERS)
def test_a_range_says_what_its_lengths_give(name):
    rows = ENCOUNTERS[name]
    given = {"place_of_service": "22", "date_of_service": "2026-03-02", "administrations": rows}
    (question,) = select_push_codes(given).questions
    told = {
        minutes: sorted((row.code, row.units) for row in outcome.then)
        for outcome in question.outcomes
        for minutes in lengths(outcome.model_dump(by_alias=True)["if"])
    }
    assert sorted(told) == list(range(1, 151))
    for minutes, codes in told.items():
        *before, last = rows
        stop = f"{8 + minutes // 60:02}:{minutes % 60:02}"
        answer = select_push_codes({**given, "administrations": [*before, {**last, "stop": stop}]}, what_if=False)
        assert sorted((row.code, row.units) for row in answer.lines if row.role != "drug") == codes, minutes

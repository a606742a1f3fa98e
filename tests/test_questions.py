"""What each answer to a question would give is what the rules give it."""

import tomllib
from pathlib import Path

import pytest

from ivcoder import select_push_codes

ASKED = tomllib.loads((Path(__file__).parent / "cases" / "questions.toml").read_text(encoding="utf-8"))["question"]


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked["id"])
def test_outcomes(asked):
    assert asked["reasoning"]
    encounter = {"date_of_service": "2026-03-02", "place_of_service": "22"}
    (question,) = select_push_codes({**encounter, "administrations": asked["administrations"]}).questions
    assert f"{question.administration}.{question.field}" == asked["asks"]
    assert [[outcome.if_, codes(outcome)] for outcome in question.outcomes] == asked["outcomes"]


def codes(outcome):
    return ", ".join(f"{'-'.join((row.code, *row.modifiers))} x{row.units}" for row in outcome.then)

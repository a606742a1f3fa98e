"""What each answer to a question would give is what the rules give it."""

import tomllib
from pathlib import Path

import pytest

from ivcoder import Encounter, Rulebook, select_push_codes
from ivcoder.classify import classify
from ivcoder.encounter import visit_of
from ivcoder.rank import rank
from ivcoder.select import select

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


CEFTRIAXONE = {"id": "1", "drug": "ceftriaxone", "route": "iv_infusion"}
ONDANSETRON = {"id": "2", "drug": "ondansetron", "route": "iv_infusion"}
FLUID = {"id": "2", "drug": "normal saline", "route": "iv_infusion", "purpose": "hydration"}
EIGHT, NINE = 8 * 60, 9 * 60


def at(start, stop):
    return {"start": start, "stop": stop}


# What each answer is taken to be while the way is walked again: its words, the lengths in them, and the facts it sets.
# Clock times are minutes from midnight. Up to 15 minutes are a push, the second hour counts from 91 and the third from
# 151; hydration counts from 31, a prolonged pump from 481, a repeat push from 31.
TRIED = {
    "only a start": (
        [{**CEFTRIAXONE, "start": "08:00"}],
        [
            ("ran_at_most", {"minutes": 15}, {"1": {"minutes": 15, "stop": EIGHT + 15}}),
            ("ran_between", {"minutes": 16, "most": 90}, {"1": {"minutes": 16, "stop": EIGHT + 16}}),
            ("ran_between", {"minutes": 91, "most": 150}, {"1": {"minutes": 91, "stop": EIGHT + 91}}),
        ],
    ),
    "only a stop": (
        [{**CEFTRIAXONE, "stop": "09:00"}],
        [
            ("ran_at_most", {"minutes": 15}, {"1": {"minutes": 15, "start": NINE - 15}}),
            ("ran_between", {"minutes": 16, "most": 90}, {"1": {"minutes": 16, "start": NINE - 16}}),
            ("ran_between", {"minutes": 91, "most": 150}, {"1": {"minutes": 91, "start": NINE - 91}}),
        ],
    ),
    "a fluid": (
        [{**FLUID, "start": "08:00"}],
        [
            ("ran_at_most", {"minutes": 30}, {"2": {"minutes": 30, "stop": EIGHT + 30}}),
            ("ran_between", {"minutes": 31, "most": 90}, {"2": {"minutes": 31, "stop": EIGHT + 31}}),
            ("ran_between", {"minutes": 91, "most": 150}, {"2": {"minutes": 91, "stop": EIGHT + 91}}),
        ],
    ),
    "a pump": (
        [{"id": "1", "drug": "fluorouracil", "route": "iv_pump"}],
        [
            ("ran_at_most", {"minutes": 480}, {"1": {"minutes": 480}}),
            ("ran_at_least", {"minutes": 481}, {"1": {"minutes": 481}}),
        ],
    ),
    "a fluid without times beside a drug": (
        [{**CEFTRIAXONE, "start": "08:00", "stop": "09:00"}, {**FLUID, "minutes": 50}],
        [
            ("overlapping", {}, {"2": at(EIGHT, EIGHT + 50)}),
            ("apart", {}, {"2": at(NINE, NINE + 50)}),
        ],
    ),
    "a drug without times beside a fluid": (
        [{**CEFTRIAXONE, "minutes": 50}, {**FLUID, "start": "08:00", "stop": "09:00"}],
        [
            ("overlapping", {}, {"1": at(EIGHT, EIGHT + 50)}),
            ("apart", {}, {"1": at(NINE, NINE + 50)}),
        ],
    ),
    "a fluid and a drug without times": (
        [{**CEFTRIAXONE, "minutes": 50}, {**FLUID, "minutes": 40}],
        [
            ("overlapping", {}, {"1": at(0, 50), "2": at(0, 40)}),
            ("apart", {}, {"1": at(0, 50), "2": at(50, 90)}),
        ],
    ),
    "lesions": (
        [{"id": "1", "drug": "vinblastine", "route": "intralesional"}],
        [
            ("lesions_few", {"lesions": 7}, {"1": {"lesions": 7}}),
            ("lesions_many", {"lesions": 7}, {"1": {"lesions": 8}}),
        ],
    ),
    "an infusion without times beside another": (
        [{**CEFTRIAXONE, "start": "08:00", "stop": "09:00"}, {**ONDANSETRON, "minutes": 30}],
        [
            ("overlapping", {}, {"2": at(EIGHT, EIGHT + 30)}),
            ("apart", {}, {"2": at(NINE, NINE + 30)}),
        ],
    ),
    "two infusions without times": (
        [{**CEFTRIAXONE, "minutes": 60}, {**ONDANSETRON, "minutes": 30}],
        [
            ("overlapping", {}, {"1": at(0, 60), "2": at(0, 30)}),
            ("apart", {}, {"1": at(0, 60), "2": at(60, 90)}),
        ],
    ),
    "a push without a time after one with": (
        [{**ONDANSETRON, "route": "iv_push", "id": "1", "start": "08:00"}, {**ONDANSETRON, "route": "iv_push"}],
        [
            ("interval_enough", {"gap": 31}, {"1": at(EIGHT, None), "2": at(EIGHT + 31, None)}),
            ("interval_short", {"gap": 30}, {"1": at(EIGHT, None), "2": at(EIGHT + 30, None)}),
        ],
    ),
    "two pushes without times": (
        [{**ONDANSETRON, "route": "iv_push", "id": "1"}, {**ONDANSETRON, "route": "iv_push"}],
        [
            ("interval_enough", {"gap": 31}, {"1": at(0, None), "2": at(31, None)}),
            ("interval_short", {"gap": 30}, {"1": at(0, None), "2": at(30, None)}),
        ],
    ),
    "three pushes of a drug without times": (
        [{**ONDANSETRON, "route": "iv_push", "id": label} for label in ("1", "2", "3")],
        [
            (
                "intervals_enough",
                {"gap": 31, "count": 2, "total": 2},
                {"1": at(0, None), "2": at(31, None), "3": at(62, None)},
            ),
            (
                "intervals_mixed",
                {"gap": 31, "count": 1, "total": 2},
                {"1": at(0, None), "2": at(31, None), "3": at(30, None)},
            ),
            (
                "intervals_short",
                {"gap": 30, "count": 0, "total": 2},
                {"1": at(0, None), "2": at(30, None), "3": at(30, None)},
            ),
        ],
    ),
    "three pushes of a drug and two of another without times": (
        [
            {**ONDANSETRON, "route": "iv_push", "id": "1"},
            {**ONDANSETRON, "route": "iv_push", "id": "2"},
            {**ONDANSETRON, "route": "iv_push", "id": "3"},
            {**CEFTRIAXONE, "route": "iv_push", "id": "4", "start": "08:00"},
            {**CEFTRIAXONE, "route": "iv_push", "id": "5"},
        ],
        [
            (
                "intervals_enough",
                {"gap": 31, "count": 3, "total": 3},
                {"1": at(0, None), "2": at(31, None), "3": at(62, None), "5": at(EIGHT + 31, None)},
            ),
            (
                "intervals_mixed",
                {"gap": 31, "count": 2, "total": 3},
                {"1": at(0, None), "2": at(31, None), "3": at(62, None), "5": at(EIGHT + 30, None)},
            ),
            (
                "intervals_mixed",
                {"gap": 31, "count": 1, "total": 3},
                {"1": at(0, None), "2": at(31, None), "3": at(30, None), "5": at(EIGHT + 30, None)},
            ),
            (
                "intervals_short",
                {"gap": 30, "count": 0, "total": 3},
                {"1": at(0, None), "2": at(30, None), "3": at(30, None), "5": at(EIGHT + 30, None)},
            ),
        ],
    ),
    "a push after an infusion of its drug without times": (
        [{**CEFTRIAXONE, "minutes": 60}, {**CEFTRIAXONE, "route": "iv_push", "id": "2", "start": "08:00"}],
        [
            ("interval_enough", {"gap": 31}, {"1": at(EIGHT - 31, EIGHT + 29)}),
            ("interval_short", {"gap": 30}, {"1": at(EIGHT - 30, EIGHT + 30)}),
        ],
    ),
}


@pytest.mark.parametrize("name", TRIED)
def test_what_an_answer_is_taken_to_be(name):
    rows, options = TRIED[name]
    encounter = Encounter.model_validate({"place_of_service": "22", "administrations": rows})
    book = Rulebook.on(None)
    (question,) = select(rank(classify(visit_of(encounter, book), book))).questions
    assert [tuple(option) for option in question.options] == options

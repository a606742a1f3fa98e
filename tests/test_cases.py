"""Every encounter case gives the answer worked out by hand."""

import pytest

from casebook import DENIALS, ENCOUNTERS, dates_text, line_text
from ivcoder import select_push_codes
from ivcoder.book import sources
from ivcoder.rule import RULES


def rules_behind(coding):
    parts = (*coding.lines, *coding.not_reported, *coding.notices, *coding.questions)
    return {rule for part in parts for rule in part.rules} | {
        rule for line in coding.lines for rival in line.not_instead for rule in rival.rules
    }


@pytest.mark.parametrize("case", ENCOUNTERS, ids=lambda case: case.id)
def test_case(case):
    coding = select_push_codes(case.encounter)
    expect = case.expect
    got = {
        "status": coding.status,
        "lines": [line_text(line) for line in coding.lines],
        "not_reported": sorted(label for row in coding.not_reported for label in row.administrations),
        "questions": sorted(f"{row.administration or 'encounter'}.{row.field}" for row in coding.questions),
    }
    assert got == {
        "status": expect["status"],
        "lines": expect["lines"],
        "not_reported": sorted(expect["not_reported"]),
        "questions": sorted(expect["questions"]),
    }
    assert set(expect["rules"]) <= rules_behind(coding)


@pytest.mark.parametrize("case", [case for case in ENCOUNTERS if "dates" in case.expect], ids=lambda case: case.id)
def test_a_stay_carries_its_dates(case):
    assert [dates_text(line) for line in select_push_codes(case.encounter).lines] == case.expect["dates"]


@pytest.mark.parametrize("case", ENCOUNTERS, ids=lambda case: case.id)
def test_case_is_sourced(case):
    assert case.source in sources()
    assert case.where
    assert case.reasoning
    assert set(case.expect["rules"]) <= set(RULES)
    assert case.expect["rules"], "a case names the rules that decide it"


def test_enough_cases_with_unique_ids():
    ids = [case.id for case in ENCOUNTERS]
    assert len(ids) >= 80
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    "place",
    [
        *[f"worked example {number}" for number in (1, 2, 3)],
        *[f"denial table, row {number}" for number in (1, 2, 3, 4, 5)],
        *[f"question {number}" for number in range(1, 9)],
        *[f"decision tree, step {number}" for number in range(1, 6)],
    ],
)
def test_the_source_page_is_a_case_from_end_to_end(place):
    cases = [case for case in (*ENCOUNTERS, *DENIALS) if case.source == "carecost-iv-push"]
    assert any(case.where == place for case in cases)

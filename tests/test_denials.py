"""Every denial case gives the verdict worked out by hand; letters rest on the input alone."""

import re

import pytest

from casebook import DENIALS
from ivcoder import Denial, InvalidInput, explain_denial
from ivcoder.book import adjustments, sources
from ivcoder.rule import RULES
from noting import noting


def corrected_text(answer):
    out = []
    for row in answer.corrected_lines:
        label = f"{'-'.join((row.code, *row.modifiers))} x{row.units} {row.change}"
        out.append(f"{label} from {row.was}" if row.change == "changed" else label)
    return out + [f"{code} removed" for code in answer.removed_lines]


@pytest.mark.parametrize("case", DENIALS, ids=lambda case: case.id)
def test_denial(case):
    answer = explain_denial(case.denial)
    expect = case.expect
    assert (answer.status, answer.verdict) == (expect["status"], expect["verdict"])
    assert [row.pattern for row in answer.reasons] == expect["patterns"]
    assert corrected_text(answer) == expect["corrected"]
    assert answer.letter_kind == expect["letter_kind"]
    assert set(expect["missing"]) <= set(answer.missing)


@pytest.mark.parametrize("case", DENIALS, ids=lambda case: case.id)
def test_denial_is_sourced(case):
    assert case.source in sources()
    assert case.reasoning
    assert case.where


@pytest.mark.parametrize("case", DENIALS, ids=lambda case: case.id)
def test_letters_rest_on_the_input(case):
    answer = explain_denial(case.denial)
    assert (answer.letter is None) == (answer.letter_kind == "none")
    changes = [row for row in answer.corrected_lines if row.change != "kept"] or answer.removed_lines
    if answer.letter_kind == "appeal":
        assert answer.verdict == "payer_wrong"
        assert not changes
    if answer.letter_kind == "corrected_claim":
        assert changes
        assert answer.corrected_lines
    letter = answer.letter or ""
    given = Denial.model_validate(case.denial).model_dump_json()
    for time in re.findall(r"\b\d{1,2}:\d{2}\b", letter):
        assert time in given
    assert "guarantee" not in letter.lower()
    assert "HH:MM" not in letter


@pytest.mark.parametrize("case", DENIALS, ids=lambda case: case.id)
def test_the_order_of_the_lines_does_not_change_the_verdict(case):
    turned = {**case.denial, "billed_lines": [*reversed(case.denial["billed_lines"])]}
    assert explain_denial(turned).verdict == case.expect["verdict"]


def test_enough_denials_with_unique_ids():
    assert len(DENIALS) >= 25
    assert len({case.id for case in DENIALS}) == len(DENIALS)
    assert {case.expect["verdict"] for case in DENIALS} == {
        "payer_right",
        "payer_wrong",
        "record_decides",
        "cannot_tell",
    }


def test_reason_codes_are_put_in_plain_words():
    line = {"code": "96376", "denied": True, "carc": ["CO-97"], "rarc": ["n362"]}
    answer = explain_denial({"place_of_service": "11", "billed_lines": [line], "carc": ["PR 999"]})
    assert [text.split(":")[0] for text in answer.payer_says] == ["999", "97", "N362"]
    assert adjustments()["97"].says in answer.payer_says[1]
    assert "not a code we know" in answer.payer_says[0]


@pytest.mark.parametrize(
    ("denial", "field"),
    [
        ({}, "billed_lines"),
        ({"billed_lines": []}, "billed_lines"),
        ({"billed_lines": [{"code": "canary"}]}, "billed_lines[0].code"),
        ({"billed_lines": [{"code": "96374", "units": 0}]}, "billed_lines[0].units"),
        ({"billed_lines": [{"code": "96374", "units": "1"}]}, "billed_lines[0].units"),
        ({"billed_lines": [{"code": "96374", "denied": "no"}]}, "billed_lines[0].denied"),
        ({"billed_lines": [{"code": "96374", "carc": ["canary"]}]}, "billed_lines[0].carc[0]"),
        ({"billed_lines": [{"code": "96374", "canary": 1}]}, "billed_lines[0].canary"),
        ({"billed_lines": [{"code": "96374", "administrations": ["9"]}]}, "billed_lines[0].administrations"),
        (
            {"billed_lines": [{"code": "96374"}], "administrations": [{"id": "1", "drug": "x", "route": "im"}]},
            "place_of_service",
        ),
        ({"billed_lines": [{"code": "96374"}], "place_of_service": "98"}, "place_of_service"),
    ],
)
def test_a_wrong_denial_names_the_field(denial, field):
    with pytest.raises(InvalidInput) as caught:
        explain_denial(denial)
    assert caught.value.faults[0].field == field
    assert "canary" not in str(caught.value).replace(".canary", "")


def test_blanks_around_what_was_billed_are_cut_off():
    bare = {"place_of_service": "22", "billed_lines": [{"code": "96375", "denied": True, "drug": "ketorolac"}]}
    line = {"code": " 96375", "units": 1, "denied": True, "drug": "ketorolac "}
    padded = {"place_of_service": " 22 ", "billed_lines": [line]}
    assert explain_denial(padded) == explain_denial(bare)


@pytest.fixture(scope="module")
def seen():
    with noting() as found:
        for case in DENIALS:
            explain_denial(case.denial)
    return found


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.step == "denials"], ids=lambda rule: rule.id)
def test_denial_rule_is_seen_in_every_answer_it_can_give(rule, seen):
    for outcome in rule.sentences:
        assert (rule.id, outcome) in seen


MARKS = ["59", "XE", "XS", "XP", "XU"]
ONE_ACCESS = [
    {"id": "1", "drug": "ceftriaxone", "route": "iv_infusion", "start": "08:00", "stop": "09:00"},
    {"id": "2", "drug": "ondansetron", "route": "iv_infusion", "start": "09:00", "stop": "09:30"},
]


def second_initial(mark, rows=()):
    marked = {"code": "96365", "modifiers": [mark] if mark else [], "denied": True, "carc": ["236"]}
    lines = [{"code": "96365", "administrations": ["1"] if rows else []}, marked]
    if rows:
        marked["administrations"] = ["2"]
    given = {"place_of_service": "22", "date_of_service": "2026-03-02", "billed_lines": lines}
    answer = explain_denial({**given, "administrations": list(rows)})
    return [row.pattern for row in answer.reasons if row.line == 2]


@pytest.mark.parametrize("mark", MARKS)
def test_every_mark_of_a_separate_service_claims_a_second_access(mark):
    # Without the record nothing settles whether the second initial service stands.
    assert second_initial(mark) == ["denied-second-access-claimed"]
    assert "denied-second-access-claimed" not in second_initial("RT")


@pytest.mark.parametrize("mark", MARKS)
def test_only_another_encounter_stands_beside_a_record_of_one_access(mark):
    # The record shows one access, so a mark does not help, unless it says that this was another encounter.
    claimed = "denied-second-access-claimed" in second_initial(mark, ONE_ACCESS)
    assert claimed == (mark == "XE")

"""What a record must show and what it lacks: decided by hand, and what must hold of every query."""

import re

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from test_properties import encounters

from ivcoder import select_push_codes
from ivcoder.book import elements, sources
from ivcoder.documentation import Stake


def coding(*rows, place="22", **fields):
    numbered = [{"id": str(number), **row} for number, row in enumerate(rows, 1)]
    given = {"place_of_service": place, "date_of_service": "2026-03-02", "administrations": numbered, **fields}
    return select_push_codes(given)


def row(drug, route, **fields):
    return {"drug": drug, "route": route, **fields}


TIMED = {"start": "09:00", "stop": "09:40", "dose": "1 g"}

# The gaps of each encounter as (administration, field, what is at stake), the dearest first.
CASES = [
    # All that this input can hold is there.
    ([row("ceftriaxone", "iv_infusion", **TIMED)], {}, []),
    # Refuse a length without times, and the infusion is a push: another code, by either time.
    (
        [row("ceftriaxone", "iv_infusion", minutes=40, dose="1 g")],
        {},
        [("1", "start", "code"), ("1", "stop", "code")],
    ),
    # Without a stop it is counted as a push already; longer, it would be an infusion.
    ([row("ceftriaxone", "iv_infusion", start="09:00", dose="1 g")], {}, [("1", "stop", "code")]),
    # The dose is all that is lacking: the drug has no line of its own.
    ([row("ceftriaxone", "iv_infusion", start="09:00", stop="09:40")], {}, [("1", "dose", "drug_line")]),
    # Fluid without a purpose beside a drug: as a carrier its line would go.
    (
        [row("ceftriaxone", "iv_push", start="08:00", dose="1 g"), row("normal saline", "iv_infusion", **TIMED)],
        {},
        [("2", "purpose", "line")],
    ),
    # A push's time puts no code at stake here.
    ([row("ondansetron", "iv_push", dose="4 mg")], {}, [("1", "start", "nothing")]),
    # A slow push: with someone present it is one, otherwise an infusion.
    (
        [row("furosemide", "iv_push", start="09:00", stop="09:20", dose="40 mg")],
        {},
        [("1", "attended", "code")],
    ),
    # Up to 15 minutes a push is a push, whoever stayed.
    ([row("furosemide", "iv_push", start="09:00", stop="09:15", dose="40 mg")], {}, []),
    # Neither start nor stop: how long it ran decides, and that is asked for once, with its end.
    (
        [row("ceftriaxone", "iv_infusion", dose="1 g")],
        {},
        [("1", "stop", "code"), ("1", "start", "nothing")],
    ),
    # A push without its time: when it was given is lacking, and no length is at stake.
    (
        [row("furosemide", "iv_push", minutes=10, dose="40 mg")],
        {},
        [("1", "start", "nothing")],
    ),
    # Medicare wants to know what was discarded: a modifier of the drug's line.
    (
        [row("pembrolizumab", "iv_infusion", start="09:00", stop="09:30", dose="200 mg")],
        {"payer": "medicare"},
        [("1", "discarded", "modifier")],
    ),
    # Why a second access was used: a second initial service or an add-on.
    (
        [
            row("ceftriaxone", "iv_infusion", **TIMED),
            row("vancomycin", "iv_infusion", start="10:00", stop="11:00", dose="1 g", access_site="2"),
        ],
        {},
        [("2", "access_reason", "code")],
    ),
]


@pytest.mark.parametrize(("rows", "fields", "expected"), CASES)
def test_what_the_record_lacks(rows, fields, expected):
    answer = coding(*rows, **fields)
    assert [(gap.administration, gap.field, gap.at_stake) for gap in answer.documentation] == expected
    assert all(set(gap.sources) <= set(sources()) for gap in answer.documentation)
    assert (answer.nurse_query is None) == (not expected)


def test_every_element_has_a_source_and_a_field_of_an_encounter_or_none():
    from ivcoder import Administration

    for element in elements():
        assert set(element.sources) <= set(sources())
        assert element.field is None or element.field in Administration.model_fields


def test_a_professional_claim_also_needs_supervision():
    [office] = coding(row("ondansetron", "iv_push", start="09:00"), place="11").lines
    [hospital] = coding(row("ondansetron", "iv_push", start="09:00")).lines
    assert "supervision by the billing practitioner" in office.record.not_in_input
    assert "supervision by the billing practitioner" not in hospital.record.not_in_input


def test_a_repeat_push_needs_its_reason():
    pushes = [row("ondansetron", "iv_push", start=start, dose="4 mg") for start in ("09:00", "10:00")]
    first, second, *_ = coding(*pushes).lines
    assert second.code == "96376"
    assert "why it was given again" in second.record.not_in_input
    assert "why it was given again" not in first.record.not_in_input


TO_SAY_OF_ANY = ("the drug", "the amount given", "the route")


def test_a_record_is_parted_into_shown_lacking_and_not_asked_here():
    [infused, _] = coding(row("ceftriaxone", "iv_infusion", start="09:00", stop="09:40", dose="1 g")).lines
    assert infused.record.shown == (*TO_SAY_OF_ANY, "when it began", "when it ended")
    assert infused.record.lacking == ()
    assert "rate and volume" in infused.record.not_in_input
    [infused] = coding(row("ceftriaxone", "iv_infusion", minutes=40)).lines
    assert infused.record.shown == ("the drug", "the route")
    assert infused.record.lacking == ("the amount given", "when it began", "when it ended")
    [pushed, _] = coding(row("ceftriaxone", "iv_push", start="09:00", dose="1 g")).lines
    assert pushed.record.shown == (*TO_SAY_OF_ANY, "when it was given")
    assert "rate and volume" not in pushed.record.not_in_input


PUSH = row("furosemide", "iv_push", start="09:00", dose="40 mg")
SLOW = row("furosemide", "iv_push", start="09:00", stop="09:16", dose="40 mg")
INFUSION = row("ceftriaxone", "iv_infusion", **TIMED)
FLUID = row("normal saline", "iv_infusion", start="09:00", stop="10:00", purpose="hydration")
SECOND = row("furosemide", "iv_push", start="09:10", dose="40 mg", access_site="2", access_reason="incompatible_drugs")
AGAIN = row("ceftriaxone", "iv_infusion", start="15:00", stop="15:40", dose="1 g")
WHOLE_VIAL = row("pembrolizumab", "iv_infusion", start="09:00", stop="09:30", dose="200 mg", discarded="0 mg")
MANY_DOSES = row("Bendeka", "iv_infusion", start="09:00", stop="09:30", dose="100 mg", discarded="0 mg")
DISPUTED = row("abatacept", "iv_infusion", start="09:00", stop="09:30", dose="750 mg", category="chemotherapy")
MIX = row("housemix", "iv_push", start="09:00", category="therapeutic")
MEDICARE = {"payer": "medicare"}

# What the record of the last administration's line shows beside what every line's does, or None if it is not asked.
SHOWN = [
    ([{**SLOW, "attended": True}], {}, "who stayed while it was given", True),
    ([{**SLOW, "stop": "09:15", "attended": True}], {}, "who stayed while it was given", False),
    ([{**INFUSION, "attended": True}], {}, "who stayed while it was given", False),
    ([PUSH, {**PUSH, "start": "11:00"}], {}, "the time since the same drug was last given", True),
    ([PUSH], {}, "the time since the same drug was last given", False),
    ([INFUSION, SECOND], {}, "why a second access was used", True),
    ([PUSH], {}, "why a second access was used", False),
    ([FLUID], {}, "what the fluid was for", True),
    ([{**INFUSION, "purpose": "carrier"}], {}, "what the fluid was for", False),
    ([WHOLE_VIAL], MEDICARE, "how much was discarded", True),
    ([WHOLE_VIAL], {}, "how much was discarded", False),
    ([MANY_DOSES], MEDICARE, "how much was discarded", False),
    ([{**MIX, "discarded": "0 mg"}], MEDICARE, "how much was discarded", False),
    ([INFUSION, {**AGAIN, "resumed": False}], {}, "whether a further infusion was the same dose", True),
    ([{**INFUSION, "resumed": False}], {}, "whether a further infusion was the same dose", False),
    ([DISPUTED], {}, "what made giving it complex", True),
    ([{**INFUSION, "category": "therapeutic"}], {}, "what made giving it complex", False),
    ([MIX], {}, "what made giving it complex", False),
    ([MIX], {}, "what kind of product it is", True),
    ([{**INFUSION, "category": "therapeutic"}], {}, "what kind of product it is", False),
]


@pytest.mark.parametrize(("rows", "fields", "words", "asked"), SHOWN)
def test_an_element_is_asked_only_of_the_lines_that_need_it(rows, fields, words, asked):
    label = str(len(rows))
    lines = [line for line in coding(*rows, **fields).lines if line.record and label in line.administrations]
    assert lines
    assert any(words in line.record.shown for line in lines) == asked
    assert not any(words in line.record.lacking for line in lines)


def test_the_stakes_stand_in_order():
    assert [each.name for each in Stake] == ["LINE", "CODE", "UNITS", "MODIFIER", "DRUG_LINE", "NOTHING"]


LEADING = re.compile(
    r"infus|push|hydrat|carrier|chemo|paid|pay|bill|code|claim|\b9[69]\d{3}\b|\bwas it not\b|didn't", re.I
)


@settings(max_examples=150)
@drawn(encounters())
def test_a_query_leads_nobody_and_names_no_code(encounter):
    query = select_push_codes(encounter).nurse_query
    for line in (query or "").splitlines():
        if line.startswith("- "):
            assert not LEADING.search(line)
            assert line.endswith("? ____")
            assert re.match(r"- (What|Who|How|At what|Why)", line)


@settings(max_examples=60)
@drawn(encounters())
def test_each_gap_names_a_field_that_is_empty(encounter):
    rows = {each["id"]: each for each in encounter["administrations"]}
    for gap in select_push_codes(encounter).documentation:
        assert rows[gap.administration].get(gap.field) is None


def test_the_fast_answer_leaves_documentation_out():
    given = {"place_of_service": "22", "administrations": [{"id": "1", "drug": "ondansetron", "route": "iv_push"}]}
    answer = select_push_codes(given, what_if=False)
    assert answer.documentation == ()
    assert answer.nurse_query is None
    assert answer.lines[0].record is None

"""Every audit case gives the findings worked out by hand; what must hold for every claim."""

from collections import Counter

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from test_properties import DRUGS, FACILITY, OFFICE, encounters

from casebook import AUDITS
from ivcoder import BilledClaim, InvalidInput, Rulebook, audit_claim, select_push_codes
from ivcoder.book import sources
from ivcoder.rule import RULES
from noting import noting

BOOK = Rulebook.on(None)
DOSES = {"Solu-Medrol": "125 mg", "Benadryl": "50 mg", "Zofran": "4 mg", "ceftriaxone": "1 g", "rituximab": "700 mg"}


def finding_text(row):
    return f"{row.line or '-'} {row.code} {row.kind} {row.direction}"


def rules_behind(answer):
    parts = (*answer.findings, *answer.undecided, *answer.not_audited, *answer.notices, *answer.questions)
    return {rule for part in parts for rule in part.rules}


@pytest.mark.parametrize("case", AUDITS, ids=lambda case: case.id)
def test_audit(case):
    answer = audit_claim(case.claim)
    got = {
        "status": answer.status,
        "findings": [finding_text(row) for row in answer.findings],
        "undecided": [finding_text(row) for row in answer.undecided],
        "not_audited": [f"{row.line} {row.code}" for row in answer.not_audited],
        "questions": sorted(f"{row.administration or 'encounter'}.{row.field}" for row in answer.questions),
    }
    assert got == {name: case.expect[name] for name in got}
    assert set(case.expect["rules"]) <= rules_behind(answer)


@pytest.mark.parametrize("case", AUDITS, ids=lambda case: case.id)
def test_audit_is_sourced(case):
    assert case.source in sources()
    assert case.where
    assert case.reasoning
    assert set(case.expect["rules"]) <= set(RULES)


def test_enough_audits_with_unique_ids():
    assert len(AUDITS) >= 40
    assert len({case.id for case in AUDITS}) == len(AUDITS)
    assert {case.expect["status"] for case in AUDITS} == {"clean", "findings", "needs_information"}
    kinds = {row.split()[2] for case in AUDITS for row in case.expect["findings"]}
    assert kinds == {"unsupported", "wrong_code", "wrong_units", "missed", "wrong_modifier"}


@pytest.mark.parametrize("case", AUDITS, ids=lambda case: case.id)
def test_the_units_add_up(case):
    """Every supported unit is matched with a billed one, or a finding or a line left aside speaks for it."""
    answer = audit_claim(case.claim)
    billed = Counter()
    for row in answer.matched:
        billed[row.supported] += row.units
    spoken = {number for row in (*answer.findings, *answer.undecided) for number in row.supported}
    added_up = any("audit-units-of-the-day" in row.rules for row in answer.notices)
    unjudged = {row.line for row in answer.not_audited}
    left = {row.supported for row in answer.matched if row.line in unjudged}
    for number, line in enumerate(answer.supported_lines, 1):
        aside = number in left
        same = [row for row in answer.supported_lines if row.code == line.code]
        heard = number in spoken or aside or (line.role == "drug" and (added_up or len(same) > 1))
        assert billed[number] == line.units or heard


@pytest.mark.parametrize("case", AUDITS, ids=lambda case: case.id)
def test_the_order_of_the_billed_lines_changes_nothing(case):
    lines = list(case.claim["billed_lines"])
    before = said(audit_claim(case.claim))
    for turned in (lines[::-1], lines[1:] + lines[:1], sorted(lines, key=str)):
        assert said(audit_claim({**case.claim, "billed_lines": turned})) == before


def said(answer):
    """The answer without the places of the lines."""
    rows = [
        (name, row.code, row.kind, row.direction) for name in ("findings", "undecided") for row in getattr(answer, name)
    ]
    aside = [("aside", row.code) for row in answer.not_audited]
    return answer.status, sorted(map(str, [*rows, *aside]))


def test_a_drugs_line_stands_for_the_dose_of_as_many_units():
    """Under an expired code too, whichever of the two was billed first: 40 mg are 8 units of 5 mg, 125 mg are 25."""
    push = {"drug": "Solu-Medrol", "route": "iv_push"}
    given = [
        {"id": "1", **push, "start": "09:00", "dose": "125 mg"},
        {"id": "2", **push, "start": "11:00", "dose": "40 mg"},
    ]
    encounter = {"place_of_service": "22", "date_of_service": "2026-03-02", "administrations": given}
    pushes = [{"code": "96374"}, {"code": "96376"}]
    for code in ("J2930", "J2919"):
        for units in ((8, 25), (25, 8)):
            billed = [*pushes, *({"code": code, "units": each} for each in units)]
            answer = audit_claim({"encounter": encounter, "billed_lines": billed})
            drugs = [row for row in answer.matched if answer.supported_lines[row.supported - 1].role == "drug"]
            doses = {answer.supported_lines[row.supported - 1].administrations: row.line for row in drugs}
            assert doses == {("1",): 3 + units.index(25), ("2",): 3 + units.index(8)}


@st.composite
def dosed(draw):
    encounter = draw(encounters())
    if draw(st.booleans()):
        encounter["payer"] = draw(st.sampled_from(["medicare", "aetna"]))
    for row in encounter["administrations"]:
        if row["drug"] in DOSES and draw(st.booleans()):
            row["dose"] = DOSES[row["drug"]]
            row["discarded"] = draw(st.sampled_from([None, "0 mg", "100 mg"]))
    return encounter


def billed_as(lines):
    return [{"code": line.code, "units": line.units, "modifiers": line.modifiers} for line in lines]


def own(encounter, **fields):
    return select_push_codes({**encounter, **fields}, what_if=False).lines


def all_found(encounter, billed):
    answer = audit_claim({"encounter": encounter, "billed_lines": billed})
    return [(row.kind, row.code) for row in (*answer.findings, *answer.undecided)]


def test_the_strategy_of_doses_names_drugs_that_come_up():
    assert set(DOSES) <= set(DRUGS)
    assert FACILITY
    assert OFFICE


@settings(max_examples=300)
@given(dosed(), st.sampled_from(["separate", "stacked"]))
def test_an_encounters_own_coding_is_clean(encounter, style):
    lines = own(encounter, lines=style)
    assume(lines)
    answer = audit_claim({"encounter": encounter, "billed_lines": billed_as(lines)})
    assert (answer.findings, answer.undecided, answer.not_audited) == ((), (), ())
    assert answer.status == ("needs_information" if answer.questions else "clean")


@settings(max_examples=200)
@given(dosed(), st.data())
def test_a_line_taken_away_is_missed(encounter, data):
    lines = own(encounter)
    assume(len(lines) > 1)
    gone = data.draw(st.integers(0, len(lines) - 1))
    rest = [line for place, line in enumerate(lines) if place != gone]
    assert all_found(encounter, billed_as(rest)) == [("missed", lines[gone].code)]


@settings(max_examples=200)
@given(dosed(), st.data())
def test_a_line_put_on_is_unsupported(encounter, data):
    lines = own(encounter)
    extra = data.draw(st.sampled_from(sorted(BOOK.numbers)))
    billed = [*billed_as(lines), {"code": extra}]
    assert all_found(encounter, billed) == [("unsupported", extra)]


CODES = [*sorted(BOOK.numbers), "J2919", "99213", "99211", "36000", "00000"]


@settings(max_examples=200)
@given(dosed(), st.lists(st.sampled_from(CODES), min_size=1, max_size=6), st.data())
def test_any_lines_are_answered_and_their_order_does_not_matter(encounter, codes, data):
    marks = st.lists(st.sampled_from(["59", "XE", "25", "JW", "JZ", "RT"]), max_size=2)
    lines = [{"code": code, "units": data.draw(st.integers(1, 4)), "modifiers": data.draw(marks)} for code in codes]
    answer = audit_claim({"encounter": encounter, "billed_lines": lines})
    turned = audit_claim({"encounter": encounter, "billed_lines": lines[::-1]})
    assert said(answer) == said(turned)
    parts = (answer.findings, answer.undecided, answer.not_audited, answer.matched)
    assert set(range(1, len(lines) + 1)) <= {row.line for part in parts for row in part}
    assert all(row.why and row.rules for row in (*answer.findings, *answer.undecided))


ENCOUNTER = {"place_of_service": "22", "administrations": [{"id": "1", "drug": "Zofran", "route": "iv_push"}]}
LINE = {"code": "96374"}
STRANGE = {**LINE, "administrations": ["9"]}


@pytest.mark.parametrize(
    ("claim", "field"),
    [
        ({}, "encounter"),
        ({"encounter": ENCOUNTER}, "billed_lines"),
        ({"encounter": ENCOUNTER, "billed_lines": []}, "billed_lines"),
        ({"encounter": ENCOUNTER, "billed_lines": [{"code": "canary"}]}, "billed_lines[0].code"),
        ({"encounter": ENCOUNTER, "billed_lines": [{**LINE, "units": 0}]}, "billed_lines[0].units"),
        (
            {"encounter": ENCOUNTER, "billed_lines": [STRANGE]},
            "billed_lines[0].administrations",
        ),
        ({"encounter": {**ENCOUNTER, "place_of_service": "98"}, "billed_lines": [LINE]}, "encounter.place_of_service"),
        ({"encounter": {**ENCOUNTER, "canary": 1}, "billed_lines": [LINE]}, "encounter.canary"),
        ({"encounter": {**ENCOUNTER, "primary_reason": "7"}, "billed_lines": [LINE]}, "encounter.primary_reason"),
        ({"encounter": ENCOUNTER, "billed_lines": [LINE], "canary": 1}, "canary"),
        ({"encounter": "canary", "billed_lines": [LINE]}, "encounter"),
        ({"encounter": ENCOUNTER, "billed_lines": [LINE] * 101}, "billed_lines"),
    ],
)
def test_a_wrong_claim_names_the_field(claim, field):
    with pytest.raises(InvalidInput) as caught:
        audit_claim(claim)
    assert [fault.field for fault in caught.value.faults] in ([field], [field, "billed_lines"])
    assert "canary" not in str(caught.value).replace(field, "")


def test_a_read_claim_is_taken_as_it_is():
    claim = BilledClaim.read({"encounter": ENCOUNTER, "billed_lines": [LINE]})
    assert audit_claim(claim).status == "clean"


@pytest.fixture(scope="module")
def seen():
    with noting() as found:
        for case in AUDITS:
            audit_claim(case.claim)
    return found


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.step == "audit"], ids=lambda rule: rule.id)
def test_audit_rule_is_seen_in_every_answer_it_can_give(rule, seen):
    for outcome in rule.sentences:
        assert (rule.id, outcome) in seen

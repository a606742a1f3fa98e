"""Payers: complete and dated rows, names that resolve, and what each face says of them."""

import json
import re
from datetime import date
from typing import get_args

import pytest
from commands import run

from ivcoder import DrugTable, InvalidInput, Rulebook, explain_denial, select_push_codes
from ivcoder.book import DifferenceKind, differences, payer_named, payers, places, plain, sources
from ivcoder.edits.payers import department_modifier
from ivcoder.encounter import Encounter, visit_of
from ivcoder.rule import RULES
from ivcoder.server import pages

BOOK = Rulebook.on(None)
ROWS = [row for rows in differences().values() for row in rows]
NEEDS = {
    "category": {"codes", "category"},
    "wastage": set(),
    "no_s_codes": set(),
    "packaged": {"roles"},
    "most_units": {"roles", "most"},
    "separate_modifier": {"modifier"},
    "facility": {"places"},
    "place_payment": {"places", "form"},
    "provider_pump": set(),
    "department_marks": {"places", "form"},
    "drug_marks": {"codes"},
}


def coded(payer, place="11", day="2026-03-02", drugs=None, **fields):
    row = {"id": "1", "drug": "omalizumab", "route": "sc", **fields}
    given = {"place_of_service": place, "date_of_service": day, "payer": payer, "administrations": [row]}
    return select_push_codes(given, drugs=drugs)


def why(coding, rule):
    parts = (*coding.lines, *coding.not_reported, *coding.notices)
    return " ".join(part.why for part in parts if rule in part.rules)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.payer}-{row.kind}")
def test_a_difference_holds_what_its_kind_needs(row):
    given = {
        name for name in ("codes", "category", "roles", "most", "places", "modifier", "form") if getattr(row, name)
    }
    assert given == NEEDS[row.kind]
    assert set(row.sources) <= set(sources())
    assert row.sources
    assert set(row.roles) <= set(BOOK.codes)
    assert set(row.places) <= set(places())
    assert set(row.not_at) <= set(places())
    assert row.modifier is None or row.modifier in BOOK.modifiers
    assert all(re.fullmatch(r"[A-Z]\d{4}", code) for code in row.codes)
    assert not (row.since and row.until) or row.since < row.until
    if row.nature == "policy":
        kinds = {sources()[name].kind for name in row.sources}
        assert kinds - {"page"} or row.confidence != "high" or len(row.sources) > 1


def test_every_kind_has_a_row_and_a_rule():
    assert {row.kind for row in ROWS} == set(get_args(DifferenceKind)) == set(pages.PAYER_RULES)
    assert {rule for rules in pages.PAYER_RULES.values() for rule in rules} <= set(RULES)


def test_every_difference_is_of_a_payer_in_the_book():
    assert {payer for payer, _ in BOOK.differences} <= set(payers())
    assert all(set(row.sources) <= set(sources()) and row.sources for row in payers().values())


def test_no_name_is_two_payers():
    names = {}
    for row in payers().values():
        for name in {plain(each) for each in (row.id, row.name, *row.aliases)}:
            assert names.setdefault(name, row.id) == row.id


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("UHC", "unitedhealthcare"),
        ("United Healthcare", "unitedhealthcare"),
        ("united-health_care", "unitedhealthcare"),
        ("Medicare Part B", "medicare"),
        ("AmeriHealth", "independence"),
        ("bcbs nc", "bcbs-nc"),
        ("Blue Cross Blue Shield of North Carolina", "bcbs-nc"),
        ("medi cal", "medi-cal"),
    ],
)
def test_a_payer_by_any_of_its_names(name, known):
    assert payer_named(name).id == known
    assert not why(coded(name), "payer-unknown")


@pytest.mark.parametrize("name", ["bcbs", "acme", "medicaid"])
def test_a_name_that_is_nobodys_or_many_payers_is_unknown(name):
    assert payer_named(name) is None
    said = why(coded(name), "payer-unknown")
    assert said == f"Nothing is known here of how {name} differs; the rulebook as it stands was used."


def test_the_answer_says_whose_list_it_followed():
    said = why(coded("ibx"), "payer-category")
    assert "Independence / AmeriHealth counts omalizumab as therapeutic from 2022-04-26." in said


def test_an_own_table_goes_before_the_payers_list():
    own = DrugTable.parse('[[drug]]\nname = "omalizumab"\ncategory = "chemotherapy"\nagent = "complex_biologic"\n')
    assert [line.code for line in coded("ibx", drugs=own).lines] == ["96401"]
    names = DrugTable.parse('[[drug]]\nname = "omalizumab"\nnote = "house brand"\n')
    assert [line.code for line in coded("ibx", drugs=names).lines] == ["96372"]


@pytest.mark.parametrize(
    ("day", "marks"),
    [("2016-12-31", "marked: PO. "), ("2017-01-01", "PO if the department is excepted, PN if it is not")],
)
def test_the_marks_of_a_department_by_date(day, marks):
    coding = coded("medicare", place="19", day=day, drug="ketorolac", route="im")
    said = why(coding, "department-modifier")
    assert marks in said
    assert "UB-04 (837I)" in said
    assert all(not line.modifiers for line in coding.lines)


@pytest.mark.parametrize(("claim", "wanted"), [("facility", True), ("professional", False)])
def test_the_marks_of_a_department_are_the_hospitals(claim, wanted):
    """Whether a department is excepted says how the hospital is paid there; a physician's claim does not tell it."""
    given = {"place_of_service": "19", "claim": claim, "payer": "medicare", "date_of_service": "2026-03-02"}
    row = {"id": "1", "drug": "ketorolac", "route": "im"}
    book = Rulebook.on(date(2026, 3, 2))
    visit = visit_of(Encounter.read({**given, "administrations": [row]}), book)
    assert department_modifier(visit, book).holds is wanted


@pytest.mark.parametrize(
    ("place", "form"),
    [("72", "UB-04"), ("50", "UB-04"), ("24", "CMS-1500"), ("65", "UB-04"), ("31", "UB-04"), ("12", "CMS-1500")],
)
def test_a_place_paid_another_way_names_its_claim_form(place, form):
    given = {"place_of_service": place, "claim": "facility", "payer": "medicare"}
    row = {"id": "1", "drug": "ketorolac", "route": "im"}
    said = why(select_push_codes({**given, "administrations": [row]}), "payer-place-payment")
    assert f"The claim form there is {form}" in said


@pytest.mark.parametrize(("place", "asked"), [("72", False), ("50", False), ("22", True)])
def test_clinics_paid_by_the_visit_owe_medicare_no_word_on_discarded_drug(place, asked):
    given = {"place_of_service": place, "claim": "facility", "payer": "medicare", "date_of_service": "2026-03-02"}
    row = {"id": "1", "drug": "pembrolizumab", "route": "iv_infusion", "start": "09:00", "stop": "09:30"}
    coding = select_push_codes({**given, "administrations": [{**row, "dose": "200 mg"}]})
    assert ("discarded" in {question.field for question in coding.questions}) is asked


def test_a_denial_knows_the_payer_by_its_other_names():
    given = {
        "place_of_service": "22",
        "payer": "Original Medicare",
        "billed_lines": [{"code": "96365"}, {"code": "96368", "denied": True, "carc": ["97"]}],
    }
    assert "denied-packaged" in {rule for reason in explain_denial(given).reasons for rule in reason.rules}


def test_what_differs_on_the_command_line(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    done = run("rules", "--payer", "IBX", "--diff")
    assert (done.status, done.err) == (0, "")
    assert "2022-04-26" in done.out
    assert "ibx-chemo-drug-list" in done.out
    assert "J2357" in done.out


def test_a_payer_without_differences_says_what_is_known(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    done = run("rules", "--payer", "humana", "--diff")
    assert done.status == 0
    assert "its own policy was not seen" in done.out


def test_the_rules_with_a_payer_mark_what_it_changes(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    lines = run("rules", "--payer", "medicare").out.splitlines()
    marked = {line.split()[0] for line in lines if "[Medicare Part B differs]" in line}
    assert marked == {
        "discarded-drug", "denied-wastage-unmarked", "drug-code-payer", "denied-packaged", "payer-place-payment",
        "department-modifier", "provider-pump", "payer-drug-marks",
    }  # fmt: skip


def test_an_unknown_payer_on_the_command_line():
    done = run("rules", "--payer", "canary", "--diff")
    assert (done.status, done.err) == (1, "")
    assert done.out.startswith("No data on this payer.")
    assert "canary" not in done.out
    assert set(re.findall(r"[a-z][a-z-]+", done.out.split("Known:")[1])) == set(payers())


@pytest.mark.parametrize(
    ("arguments", "field"), [(("--diff",), "--diff"), (("injection", "--payer", "medicare"), "rule")]
)
def test_options_that_do_not_fit(arguments, field):
    done = run("rules", *arguments)
    assert done.status == 2
    assert done.err.startswith(f"{field}: ")


def test_every_payer_has_a_page():
    document = pages.payers_document()
    for payer in payers().values():
        page = pages.payer_page(payer)
        assert page.startswith(f"# {payer.name}\n")
        assert f"#{page}".replace("\n## ", "\n### ") in document
        for row in differences()[payer.id]:
            assert row.says in page
            assert row.since is None or str(row.since) in page


def test_a_bad_payer_is_refused_without_repeating_it():
    with pytest.raises(InvalidInput) as caught:
        coded("canary!")
    assert "canary" not in str(caught.value)
    assert "payer" in json.dumps([fault.field for fault in caught.value.faults])

"""Payers' dated edits against the claim: by date, claim, modifier and units, and never a pass without a table."""

from datetime import date

import pytest

from ivcoder import EditTable, EditTables, audit_claim, explain_denial, select_push_codes
from ivcoder.book import Pair, Rulebook, in_family, in_force
from ivcoder.book.tables import tables as every_table
from ivcoder.edits.data import add_on_primary_listed, unlikely_units_absolute, unlikely_units_by_line
from ivcoder.rule import Rule

DAY = "2026-02-03"
SHA = "a" * 64
# A made-up quarter: an edit that changed its indicator, one whose column two is a visit, one that no modifier passes.
PAIRS = (
    "96365 96374 0 20090101 20190331",
    "96365 96374 1 20190401 99999999",
    "96372 99213 1 20090101 99999999",
    "96374 36000 0 20090101 99999999",
)
LIMITS = ("96365 000001 2", "96372 000002 1", "96375 000003 3", "96374 000001 0")
ADD_ONS = (
    "96375 96365 1 A 20130401 20251231",
    "96375 96374 1 A 20130401 99999999",
    "96366 CCCCC 2 A 20130401 99999999",
    "96367 96413 1 A 20130401 99999999",
)


def ptp(audience="outpatient_hospital", quarter="2026Q1", bounds=("30000", "99999"), rows=PAIRS):
    return EditTable.of("ptp", audience, quarter, None, SHA, bounds, rows)


def mue(audience="outpatient_hospital", quarter="2026Q1", rows=LIMITS):
    return EditTable.of("mue", audience, quarter, None, SHA, ("30000", "99999"), rows)


def aoc(rows=ADD_ONS, quarter="2026Q1"):
    return EditTable.of("add-on", None, quarter, None, SHA, ("11001", "99999"), rows)


def rows_of(*given):
    return [{"id": str(number), **row} for number, row in enumerate(given, 1)]


def push(drug="Zofran", start="09:00", **fields):
    return {"drug": drug, "route": "iv_push", "start": start, **fields}


def infusion(drug="Rocephin", start="10:00", stop="10:30", **fields):
    return {"drug": drug, "route": "iv_infusion", "start": start, "stop": stop, **fields}


INJECTION = {"drug": "Toradol", "route": "im"}
FIVE = ("Toradol", "Rocephin", "Benadryl", "Zofran", "Decadron")
TWO_SITES = (
    infusion(),
    push(access_site="2", access_reason="incompatible_drugs"),
)


def asked(*administrations, tables=(), place="22", day=DAY, **fields):
    given = {"place_of_service": place, "administrations": rows_of(*administrations), **fields}
    if day:
        given["date_of_service"] = day
    return select_push_codes(given, tables=EditTables(tuple(tables)))


def results(coding, kind="pair"):
    return [(row.codes, row.result) for row in coding.edits if row.kind == kind]


@pytest.mark.parametrize(
    ("day", "quarter", "expected"),
    [
        ("2019-03-31", "2019Q1", "bundled"),
        ("2019-04-01", "2019Q2", "modifier_present"),
        (DAY, "2026Q1", "modifier_present"),
        (None, "2026Q1", "modifier_present"),
        ("2019-03-31", "2026Q1", "bundled"),
    ],
)
def test_a_pair_is_read_for_its_date(day, quarter, expected):
    """Two initial services of two accesses: the lower carries 59, which passes the edit once its indicator is 1. A
    later file keeps the dates of older edits.
    """
    coding = asked(*TWO_SITES, tables=[ptp(quarter=quarter)], day=day)
    assert [line.code for line in coding.lines if line.role == "initial"] == ["96365", "96374"]
    assert (("96365", "96374"), expected) in results(coding)


@pytest.mark.parametrize(
    ("modifiers", "expected"), [((), "modifier_needed"), (("59",), "modifier_needed"), (("25",), "modifier_present")]
)
def test_a_visit_passes_with_its_own_modifier_only(modifiers, expected):
    services = [{"code": "99213", "modifiers": list(modifiers)}]
    coding = asked(INJECTION, tables=[ptp()], other_services=services)
    [edit] = [row for row in coding.edits if row.codes == ("96372", "99213")]
    assert edit.result == expected
    said = "takes modifier 25, if the record" if expected == "modifier_needed" else "carries modifier 25: the record"
    assert f"99213 {said}" in edit.why
    assert coding.lines[0].modifiers == (), "never added to get past an edit"


@pytest.mark.parametrize(
    ("day", "quarter", "where", "expected"),
    [
        ("2019-06-30", "2019Q2", "one", "modifier_needed"),
        ("2019-07-01", "2019Q3", "one", "modifier_present"),
        ("2019-06-30", "2019Q2", "two", "modifier_present"),
    ],
)
def test_the_column_that_bears_the_modifier_is_dated(day, quarter, where, expected):
    """Until 2019-06-30 on column two only (change request 11168)."""
    one, two = ("36000", "96374") if where == "one" else ("96374", "36000")
    table = ptp(quarter=quarter, rows=(f"{one} {two} 1 20090101 99999999",))
    services = [{"code": "36000", "modifiers": ["XU"]}]
    coding = asked(push(), tables=[table], day=day, other_services=services)
    assert results(coding) == [((one, two), expected)]
    [edit] = [row for row in coding.edits if row.kind == "pair"]
    wanted = f"{two} takes one of 59, XE, XS, XP, XU only if the record shows"
    assert (wanted if expected == "modifier_needed" else "36000 carries modifier XU: the record") in edit.why


def test_no_modifier_passes_an_edit_of_indicator_zero():
    services = [{"code": "36000", "modifiers": ["59"]}]
    [edit] = [row for row in asked(push(), tables=[ptp()], other_services=services).edits if row.kind == "pair"]
    assert (edit.codes, edit.result) == (("96374", "36000"), "bundled")
    assert edit.rules == ("ncci-pair", "ncci-modifier-never")
    assert [(table.quarter, table.sha256) for table in edit.tables] == [("2026Q1", SHA)]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (ptp(), "not_bundled"),
        (ptp(quarter="2025Q4"), "no_data"),
        (ptp(quarter="2026Q2"), "no_data"),
        (ptp("practitioner"), "no_data"),
        (ptp(bounds=("96372", "99999")), "not_bundled"),
        (ptp(bounds=("30000", "96374")), "no_data"),
        (ptp(bounds=("96373", "99999")), "no_data"),
        (mue(), "no_data"),
        (None, "no_data"),
    ],
)
def test_only_a_whole_file_of_the_quarter_shows_that_there_is_no_edit(table, expected):
    """96372 beside 96374: the file must be of the claim's kind and quarter and run over both codes."""
    coding = asked(push(), INJECTION, tables=[table] if table else [])
    assert results(coding) == [(("96374", "96372"), expected)]


def test_the_parts_of_a_quarter_are_read_together():
    parts = [
        EditTable.of("ptp", "outpatient_hospital", "2026Q1", part, SHA, bounds, ())
        for part, bounds in (("f1", ("30000", "40000")), ("f2", ("40001", "99999")))
    ]
    services = [{"code": "36415"}]
    for tables in (parts, parts[::-1]):
        [edit] = [row for row in asked(push(), tables=tables, other_services=services).edits if row.kind == "pair"]
        assert edit.result == "not_bundled"
        assert {table.part for table in edit.tables} == {"f1", "f2"}
    assert results(asked(push(), tables=parts[:1], other_services=services))[0][1] == "no_data"


@pytest.mark.parametrize(("place", "claim", "expected"), [("11", None, "over"), ("22", None, "within")])
def test_each_claim_meets_its_own_table(place, claim, expected):
    tables = [mue("practitioner", rows=("96374 000000 3",)), mue(rows=("96374 000001 3",))]
    coding = asked(push(), tables=tables, place=place, claim=claim)
    assert results(coding, "units") == [(("96374",), expected)]
    assert len(coding.receipt.tables) == 1


def test_a_surgical_centre_meets_the_edits_for_practitioners():
    tables = [mue("practitioner", rows=("96374 000000 3",)), mue(rows=("96374 000001 3",))]
    coding = asked(push(), tables=tables, place="24", claim="facility")
    assert results(coding, "units") == [(("96374",), "over")]


def test_a_claim_nobody_owns_yet_meets_no_table():
    coding = asked(push(), tables=[mue(), ptp()], place="31")
    assert {row.result for row in coding.edits} == {"no_data"}
    assert {row.rules for row in coding.edits} == {("edits-by-claim",)}
    assert coding.receipt.tables == ()


PUSHES = [push(drug, f"09:{minute}") for drug, minute in (("Zofran", "00"), ("Toradol", "05"), ("Pepcid", "10"))]
MORE = [push(drug, f"09:{minute}") for drug, minute in (("Benadryl", "15"), ("Reglan", "20"))]


@pytest.mark.parametrize(
    ("administrations", "code", "expected", "rules"),
    [
        (PUSHES, "96375", "within", ("medically-unlikely-units",)),
        (
            PUSHES + MORE,
            "96375",
            "over",
            ("medically-unlikely-units", "unlikely-units-by-line", "unlikely-units-absolute"),
        ),
        ([INJECTION] * 3, "96372", "within", ("medically-unlikely-units",)),
        (
            (*TWO_SITES[:1], infusion(access_site="2", access_reason="incompatible_drugs", drug="vancomycin")),
            "96365",
            "over",
            ("medically-unlikely-units", "unlikely-units-absolute"),
        ),
    ],
)
def test_units_are_held_by_line_or_by_date(administrations, code, expected, rules):
    """Four further pushes over a limit of three for the date; three injections on lines of one each under a limit of
    two a line; two initial infusions over an absolute limit of one.
    """
    coding = asked(*administrations, tables=[mue()])
    [edit] = [row for row in coding.edits if row.kind == "units" and row.codes == (code,)]
    assert (edit.result, edit.rules) == (expected, rules)


@pytest.mark.parametrize(("indicator", "absolute", "by_line"), [(1, False, True), (2, True, False), (3, False, False)])
def test_what_the_indicator_of_a_limit_says(indicator, absolute, by_line):
    """1 is held against a line, 2 is absolute for the date, 3 is for the date and can be lifted by the record."""
    assert unlikely_units_absolute(indicator).holds == absolute
    assert unlikely_units_by_line(indicator).holds == by_line
    assert unlikely_units_absolute(None).open


@pytest.mark.parametrize(
    ("kind", "present", "expected"),
    [
        (1, [], "holds"),
        (2, [], "open"),
        (3, [], "open"),
        (1, ["96365"], "stands"),
        (3, ["96365"], "stands"),
    ],
)
def test_what_the_type_of_an_add_on_says(kind, present, expected):
    """Only an add-on of type 1 needs one of the listed primaries; of types 2 and 3 the contractor names others."""
    found = add_on_primary_listed("96366", kind, ("96365", "96367"), present, "the list")
    assert (found.holds, found.open) == (expected == "holds", expected == "open")


def test_what_a_whole_table_of_limits_lacks_is_not_published():
    """The rulebook's own practitioner row of 96372 is not asked beside a table of the quarter that lacks the code."""
    own = asked(INJECTION, place="11", day="2026-05-04")
    assert results(own, "units") == [(("96372",), "within")]
    table = mue("practitioner", "2026Q2", rows=("96374 000001 3",))
    assert results(asked(INJECTION, tables=[table], place="11", day="2026-05-04"), "units") == [(("96372",), "no_data")]
    earlier = mue("practitioner", "2026Q1", rows=())
    assert results(asked(INJECTION, tables=[earlier], place="11", day="2026-05-04"), "units") == [
        (("96372",), "within")
    ]


@pytest.mark.parametrize(
    ("administrations", "code", "expected"),
    [
        ((push(), push("Toradol", "09:05")), "96375", "primary_present"),
        ((infusion(), push()), "96375", "primary_missing"),
        ((infusion(stop="12:00"),), "96366", "contractor_decides"),
    ],
)
def test_an_add_on_is_held_against_the_list_of_its_date(administrations, code, expected):
    """The list took 96365 as a primary of 96375 to 2025-12-31; the primaries of 96366 are the contractor's."""
    assert (((code,), expected)) in results(asked(*administrations, tables=[aoc()]), "add_on")
    assert results(asked(*administrations), "add_on") == []


@pytest.mark.parametrize(("day", "expected"), [("2026-02-03", "primary_missing"), ("2026-02-04", "primary_present")])
def test_a_primary_counts_from_its_first_day(day, expected):
    """Two infusions in sequence; the list takes 96365 as a primary of 96367 from 2026-02-04."""
    rows = ("96367 96365 1 A 20260204 99999999", "96367 96413 1 A 20130401 99999999")
    coding = asked(infusion(stop="10:40"), infusion("vancomycin", "11:00", "11:40"), tables=[aoc(rows)], day=day)
    assert results(coding, "add_on") == [(("96367",), expected)]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (ptp(), "CMS's PTP file for outpatient hospitals of 2026Q1"),
        (mue("practitioner"), "CMS's MUE file for practitioners of 2026Q1"),
        (aoc(), "CMS's add-on file of 2026Q1"),
    ],
)
def test_what_a_table_is_called(table, said):
    """By CMS's short name where it has one, and by whose claims it speaks of where it speaks of some."""
    assert table.spoken == said


def test_the_rulebooks_own_rows_are_always_there():
    """An office visit beside an injection: the practitioner's edit since 2009 (AAPC), 99211 without a way past it."""
    services = [{"code": "99213"}, {"code": "99211"}]
    coding = asked(INJECTION, place="11", other_services=services)
    assert results(coding) == [(("96372", "99213"), "modifier_needed"), (("96372", "99211"), "bundled")]
    assert all(row.tables[0].sources and row.tables[0].confidence for row in coding.edits if row.kind == "pair")
    assert results(asked(INJECTION, place="22", other_services=services))[0][1] == "no_data"


def test_a_withdrawn_edit_is_none(monkeypatch):
    row = Pair(("96374",), ("96372",), 9, "both", ("cms-ptp",))
    monkeypatch.setattr(Rulebook, "pair", lambda _, one, two, __: row if (one, two) == ("96374", "96372") else None)
    assert results(asked(push(), INJECTION)) == [(("96374", "96372"), "not_bundled")]


def test_loaded_tables_go_before_the_rulebooks_rows():
    services = [{"code": "99211"}]
    table = ptp("practitioner", rows=("96372 99211 1 20090101 99999999",))
    assert results(asked(INJECTION, place="11", other_services=services)) == [(("96372", "99211"), "bundled")]
    [edit] = [
        row for row in asked(INJECTION, place="11", tables=[table], other_services=services).edits if row.kind == "pair"
    ]
    assert (edit.result, edit.tables[0].sha256) == ("modifier_needed", SHA)


def test_the_order_of_the_tables_changes_nothing():
    tables = [ptp(), mue(), aoc(), ptp("practitioner")]
    texts = [table.text() for table in tables]
    given = {"place_of_service": "22", "date_of_service": DAY, "administrations": rows_of(*TWO_SITES)}
    answers = {
        select_push_codes(given, tables=EditTables.parse(order)).model_dump_json() for order in (texts, texts[::-1])
    }
    assert len(answers) == 1


def test_nothing_reported_meets_no_edit():
    coding = asked(infusion("sodium chloride 0.9%", stop="10:10", purpose="hydration"), tables=[ptp(), mue()])
    assert coding.status == "nothing_to_report"
    assert coding.edits == ()
    assert coding.receipt.tables == ()


def test_edits_are_held_once_and_not_on_every_walk(monkeypatch):
    counted = []
    ask = Rule.__call__

    def noted(rule, *args, **kwargs):
        counted.append(rule.id)
        return ask(rule, *args, **kwargs)

    monkeypatch.setattr(Rule, "__call__", noted)
    asked(*PUSHES, infusion(stop=None), INJECTION)
    assert counted.count("initial-by-hierarchy") > 5, "the encounter is walked many times"
    assert counted.count("edits-by-claim") == 2
    assert counted.count("ncci-pair") == 1


def test_the_rows_of_the_book_touch_the_family_and_have_dates():
    tables, _ = every_table()
    assert tables.pair
    assert tables.mue
    for pair in tables.pair:
        assert any(map(in_family, (*pair.column_one, *pair.column_two)))
        assert pair.since
    for limit in tables.mue:
        assert all(map(in_family, limit.codes))
        assert limit.since
        assert not in_force(limit, limit.since.replace(year=2009))


@pytest.mark.parametrize("row", ["96365 96374 2 20090101 99999999", "96365 96374 1 2009 99999999", "x"])
def test_a_row_of_another_form_is_no_table(row):
    with pytest.raises(ValueError, match="is not one of a ptp table"):
        ptp(rows=(row,))


def test_denials_and_audits_consult_the_loaded_tables():
    encounter = {"date_of_service": DAY, "place_of_service": "22", "administrations": rows_of(*TWO_SITES)}
    billed = [{"code": "96365"}, {"code": "96374"}]
    tables = EditTables((ptp(),))
    for answer in (
        explain_denial({**encounter, "billed_lines": billed}, tables=tables),
        audit_claim({"encounter": encounter, "billed_lines": billed}, tables=tables),
    ):
        assert (("96365", "96374"), "modifier_present") in results(answer)
        assert [table.sha256 for table in answer.receipt.tables] == [SHA]


def test_a_denial_without_an_encounter_has_no_edits():
    assert explain_denial({"billed_lines": [{"code": "96365"}]}, tables=EditTables((ptp(),))).edits == ()


@pytest.mark.parametrize(
    ("place", "expected"),
    [("22", [(("96375",), "primary_missing")]), ("11", [(("96375",), "primary_present")])],
)
def test_a_primary_for_practitioners_only_is_none_for_a_hospital(place, expected):
    """CMS's list takes 96360 as a primary of 96375 on a practitioner's claim alone."""
    rows = ("96375 96360 1 P 20130401 99999999", "96375 96365 1 A 20130401 99999999")
    services = [{"code": "96360"}]
    coding = asked(push(), push("Toradol", "09:05"), tables=[aoc(rows)], place=place, other_services=services)
    assert results(coding, "add_on") == expected


@pytest.mark.parametrize(
    ("day", "speaks"),
    [("2026-02-03", True), ("2026-11-03", True), ("2025-11-03", True), ("2027-01-03", False)],
)
def test_the_add_on_list_speaks_until_the_next_one_of_its_year(day, speaks):
    """CMS publishes it once a year, with dates, and again only in a quarter that changes it."""
    rows = ("96375 96374 1 A 20130401 99999999",)
    found = results(asked(push(), push("Toradol", "09:05"), tables=[aoc(rows)], day=day), "add_on")
    assert found == ([(("96375",), "primary_present")] if speaks else [])


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-02-03", "primary_missing"),
        ("2026-05-03", "primary_present"),
        ("2026-11-03", "primary_present"),
        ("2025-11-03", "primary_missing"),
    ],
)
def test_of_two_add_on_lists_that_of_the_quarter_or_the_nearest_speaks(day, expected):
    """The list of the second quarter takes 96374 as a primary, that of the first did not: before both the first
    speaks, after both the second.
    """
    first = aoc(("96375 96365 1 A 20130401 99999999",), "2026Q1")
    second = aoc(("96375 96374 1 A 20130401 99999999",), "2026Q2")
    for tables in ([first, second], [second, first]):
        coding = asked(push(), push("Toradol", "09:05"), tables=tables, day=day)
        assert results(coding, "add_on") == [(("96375",), expected)]


@pytest.mark.parametrize(
    ("day", "place", "expected"),
    [
        ("2026-10-01", "22", [(("96365", "96372"), "modifier_needed"), (("96413", "96365"), "modifier_needed")]),
        ("2026-09-30", "22", []),
        ("2026-10-01", "11", []),
    ],
)
def test_the_books_own_pairs_speak_for_hospitals_from_their_day(day, place, expected):
    """Version 32.3 of the hospitals' edits, as a copy has it: 96365 with 96372, and 96413 with 96365, both passable."""
    services = [{"code": "96413"}, {"code": "96523"}]
    found = results(asked(infusion(), INJECTION, day=day, place=place, other_services=services))
    assert [row for row in found if row[0] in {("96365", "96372"), ("96413", "96365")}] == expected
    assert ((("96365", "96523"), "bundled") in found) is bool(expected)


@pytest.mark.parametrize(
    ("day", "place", "expected"),
    [("2026-10-01", "22", "within"), ("2026-10-01", "11", "over"), ("2026-09-30", "22", "no_data")],
)
def test_the_books_own_limits_differ_by_claim_from_their_day(day, place, expected):
    """Five injections: hospitals may bill five units of 96372 on a date, practitioners four."""
    coding = asked(*[INJECTION | {"drug": drug} for drug in FIVE], day=day, place=place)
    assert [result for codes, result in results(coding, "units") if "96372" in codes] == [expected]


def test_no_two_rows_of_the_book_in_force_speak_of_one_thing():
    tables, _ = every_table()
    for day in (date(2026, 4, 1), date(2026, 9, 30), date(2026, 10, 1), None):
        seen = [
            (one, two, row.audience)
            for row in tables.pair
            if in_force(row, day)
            for one in row.column_one
            for two in row.column_two
        ]
        seen += [(code, "", row.audience) for row in tables.mue if in_force(row, day) for code in row.codes]
        assert len(seen) == len(set(seen))

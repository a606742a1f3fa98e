"""The book's facts: complete, sourced, dated, and found by the names charts use."""

import re
import sys
import tomllib
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from ivcoder import DrugTable, InvalidInput, Rulebook, select_push_codes
from ivcoder.book import Amount, adjustments, in_force, places, plain, sources
from ivcoder.book.naming import LONGEST
from ivcoder.rule import RULES

BOOK = Rulebook.on(None)
DRUGS = BOOK.formulary.drugs
NAMES = tomllib.loads((Path(__file__).parent / "cases" / "names.toml").read_text("utf-8"))


def push(drug, **fields):
    row = {"id": "1", "drug": drug, "route": "iv_push", "start": "09:00", **fields}
    return {"place_of_service": "22", "date_of_service": "2026-03-02", "administrations": [row]}


def test_every_source_named_exists():
    cited = {source for rule in RULES.values() for source in rule.sources}
    cited |= {source for drug in DRUGS for source in (*drug.sources, *drug.disputed_sources, *drug.other_use_sources)}
    cited |= {
        source for row in (*BOOK.codes.values(), *places().values(), *adjustments().values()) for source in row.sources
    }
    cited |= {
        source for row in (*BOOK.included.values(), *BOOK.payers.values(), *BOOK.visits) for source in row.sources
    }
    cited |= {source for row in (*BOOK.pairs, *BOOK.unit_limits) for source in row.sources}
    assert cited <= set(sources())


def test_add_ons_name_primaries_that_exist():
    for code in BOOK.codes.values():
        assert (code.answer == "add_on") == bool(code.beside)
        assert set(code.primaries(professional=True)) <= set(BOOK.numbers)


def test_the_formulary_is_broad_enough():
    assert len(DRUGS) >= 120
    count = Counter(drug.category for drug in DRUGS)
    assert count["chemotherapy"] >= 30
    assert count["therapeutic"] >= 50
    assert count["hydration"] >= 3


@pytest.mark.parametrize("drug", DRUGS, ids=lambda drug: drug.name)
def test_drug_row(drug):
    assert drug.sources
    assert drug.category or drug.depends_on
    assert (drug.agent is not None) == (drug.category == "chemotherapy")
    assert bool(drug.disputed) == bool(drug.disputed_sources)
    assert bool(drug.other_use) == bool(drug.other_use_sources)
    for name in (drug.name, *drug.brands, *drug.aliases):
        assert BOOK.formulary.find(name.upper()) is drug, f"{name} belongs to two drugs"
    for billing in drug.hcpcs:
        assert re.fullmatch(r"[A-Z]\d{4}|9037[89]|9038\d", billing.code)
        assert Amount.parse(billing.per).value > 0
        assert not (billing.since and billing.until) or billing.since < billing.until


def test_names_match_whatever_their_case_and_hyphens():
    names = ["Solu-Medrol", "SOLU MEDROL", "solumedrol", "methylprednisolone sodium succinate"]
    assert len({BOOK.formulary.find(name).name for name in names}) == 1


@pytest.mark.parametrize(
    ("charted", "name"),
    [
        ("ceftriaxone (ROCEPHIN)", "ceftriaxone"),
        ("Zofran (ondansetron HCl)", "ondansetron"),
        ("vancomycin HCl", "vancomycin"),
        ("IV Tylenol", "acetaminophen"),
        ("Rocephin IV", "ceftriaxone"),
        ("sodium chloride 0.9% bolus", "sodium chloride 0.9%"),
        ("NS bolus", "sodium chloride 0.9%"),
        ("Zofran (Rocephin)", None),
        ("methylprednisolone acetate", "methylprednisolone acetate"),
        ("IV", None),
        ("bolus", None),
        ("IV fluids", None),
    ],
)
def test_names_as_charts_write_them(charted, name):
    found = BOOK.formulary.find(charted)
    assert (found.name if found else None) == name


@pytest.mark.parametrize("name", NAMES["found"])
def test_names_from_records_find_their_drug(name):
    found = {charted: BOOK.formulary.find(charted) for charted in NAMES["found"][name]}
    assert {charted: drug and drug.name for charted, drug in found.items()} == dict.fromkeys(found, name)


def test_a_name_is_read_up_to_the_longest_a_field_takes():
    formulary = BOOK.formulary
    longest = f"{'ondansetron 4 mg':>{LONGEST}}"
    assert formulary.find(longest).name == "ondansetron"
    assert formulary.find(f" {longest}") is None


def test_names_that_may_be_several_products_find_none():
    found = {charted: BOOK.formulary.find(charted) for charted in NAMES["nothing"]}
    assert {charted: drug.name for charted, drug in found.items() if drug} == {}


def test_a_name_with_an_amount_suggests_what_it_names():
    assert "Zofran (ondansetron)" in BOOK.formulary.like("Zofran ODT 8 mg")
    assert "leuprolide" in " ".join(BOOK.formulary.like("leuprolide 7.5 mg"))


@pytest.mark.parametrize("drug", [row for row in DRUGS if row.form_of], ids=lambda drug: drug.name)
def test_a_form_is_of_a_drug_and_for_routes(drug):
    assert drug.by
    for head in drug.form_of:
        assert BOOK.formulary.by_name[plain(head)].name == head
        assert not BOOK.formulary.by_name[plain(head)].form_of, "a form of a form"


@pytest.mark.parametrize(
    ("charted", "route", "name"),
    [
        ("Stelara", "iv_infusion", "ustekinumab"),
        ("Stelara", "iv_push", "ustekinumab"),
        ("ustekinumab", "sc", "ustekinumab subcutaneous"),
        ("Stelara IV", "sc", "ustekinumab"),
        ("Skyrizi", "on_body_injector", "risankizumab subcutaneous"),
        ("rituximab", "sc", "rituximab and hyaluronidase"),
        ("Rituxan", "sc", "rituximab and hyaluronidase"),
        ("rituximab", "intrathecal", "rituximab"),
        ("Remicade", "sc", "infliximab"),
        ("infliximab", "sc", "infliximab-dyyb subcutaneous"),
        ("Simponi Aria", "sc", "golimumab"),
        ("octreotide", "im", "octreotide depot"),
        ("methylprednisolone", "im", "methylprednisolone sodium succinate"),
        ("methylprednisolone", "intra_articular", "methylprednisolone acetate"),
        ("penicillin G", "iv_infusion", "penicillin G potassium"),
        ("penicillin G", "im", "penicillin G"),
        ("RhIG", "im", "Rho(D) immune globulin"),
        ("RhIG", "iv_push", "Rho(D) immune globulin"),
        ("IVIG", "sc_infusion", "immune globulin subcutaneous"),
    ],
)
def test_the_charted_route_chooses_the_product(charted, route, name):
    assert BOOK.formulary.product(charted, route).name == name


def test_a_drug_with_a_code_of_its_own_stands_before_its_forms():
    """J1720 is hydrocortisone succinate into a muscle too: the acetate is for another name."""
    assert BOOK.formulary.product("hydrocortisone sodium succinate", "im").name == "hydrocortisone sodium succinate"


@pytest.mark.parametrize(("name", "route", "made"), [("albumin", "iv_infusion", True), ("Furoscix", "im", False)])
def test_a_drug_without_forms_stands_for_itself_by_its_routes(name, route, made):
    drug = BOOK.formulary.find(name)
    assert BOOK.formulary.made_for(drug, route) == ((drug,) if made else ())


def test_the_kin_of_a_product_are_the_others():
    succinate, acetate = (BOOK.formulary.find(f"hydrocortisone {salt}") for salt in ("sodium succinate", "acetate"))
    assert BOOK.formulary.kin(succinate) == (acetate,)
    assert BOOK.formulary.kin(acetate) == (succinate,)


def test_of_many_names_alike_three_are_suggested():
    """Adalimumab has more biosimilars than that; the suffix is nobody's."""
    assert len(set(BOOK.formulary.like("adalimumab-aaxx"))) == 3


def test_a_near_miss_suggests_and_never_assumes():
    coding = select_push_codes(push("Solu-Medrul"))
    assert coding.status == "needs_information"
    assert coding.lines == ()
    assert "Did you mean Solu-Medrol" in coding.questions[0].ask


def test_neighbours_are_looked_for_once_a_name(monkeypatch):
    asked = []

    def counted(name, *_, **__):
        asked.append(name)
        return []

    monkeypatch.setattr(sys.modules["ivcoder.book.formulary"], "get_close_matches", counted)
    names = [f"unheard of {number}" for number in range(20)]
    rows = [{"id": str(number), "drug": name, "route": "iv_push"} for number, name in enumerate(names)]
    select_push_codes({"place_of_service": "22", "administrations": rows})
    assert sorted(asked) == sorted(map(plain, names))


@pytest.mark.parametrize(
    ("day", "dose", "expected"),
    [
        ("2024-03-31", "125 mg", ("J2930", 1)),
        ("2024-03-31", "40 mg", ("J2920", 1)),
        ("2024-04-01", "125 mg", ("J2919", 25)),
        ("2024-04-01", "1 g", ("J2919", 200)),
        ("2024-04-01", "126 mg", ("J2919", 26)),
    ],
)
def test_the_drug_code_follows_the_date_of_service(day, dose, expected):
    coding = select_push_codes({**push("Solu-Medrol", dose=dose), "date_of_service": day})
    assert [(line.code, line.units) for line in coding.lines if line.role == "drug"] == [expected]


@pytest.mark.parametrize(
    ("drug", "day", "charted", "expected"),
    [
        ("pemetrexed", "2026-03-02", None, ("J9305", 50)),
        ("pemetrexed", "2026-03-02", "J9296", ("J9296", 50)),
        ("fluorouracil", "2026-09-30", None, ("J9190", 1)),
        ("fluorouracil", "2026-10-01", None, ("J9192", 50)),
        ("fluorouracil", "2026-10-01", "J9191", ("J9191", 50)),
        ("Mircera", "2026-03-02", None, ("J0888", 500000)),
    ],
)
def test_a_single_makers_code_is_used_only_when_charted(drug, day, charted, expected):
    encounter = push(drug, route="iv_infusion", stop="09:30", dose="500 mg", hcpcs=charted)
    coding = select_push_codes({**encounter, "date_of_service": day})
    assert [(line.code, line.units) for line in coding.lines if line.role == "drug"] == [expected]
    assert not [notice for notice in coding.notices if "drug-code-mismatch" in notice.rules]


def test_rows_hold_from_their_first_to_their_last_day():
    drug = BOOK.formulary.find("Solu-Medrol")
    new = next(row for row in drug.hcpcs if row.since)
    assert not in_force(new, date(2024, 3, 31))
    assert in_force(new, date(2024, 4, 1))
    assert in_force(new, None)


def test_an_own_table_changes_what_a_drug_counts_as():
    own = DrugTable.parse('[[drug]]\nname = "Solu-Medrol"\ncategory = "chemotherapy"\nagent = "complex_biologic"\n')
    coding = select_push_codes(push("methylprednisolone sodium succinate"), drugs=own)
    assert coding.lines[0].code == "96409"
    assert coding.receipt.rulebook_sha256 != select_push_codes(push("Solu-Medrol")).receipt.rulebook_sha256


def test_an_own_table_settles_a_dispute():
    disputed = next(drug for drug in DRUGS if drug.disputed and drug.category == "chemotherapy")
    encounter = push(disputed.name, route="iv_infusion", stop="10:00")
    assert select_push_codes(encounter).status == "needs_information"
    own = DrugTable.parse(
        f'[[drug]]\nname = "{disputed.name}"\ncategory = "chemotherapy"\nagent = "complex_biologic"\n'
    )
    assert select_push_codes(encounter, drugs=own).status == "coded"


def test_an_own_table_adds_a_drug():
    own = DrugTable.parse('[[drug]]\nname = "housemix"\ncategory = "therapeutic"\n')
    assert select_push_codes(push("HouseMix"), drugs=own).lines[0].code == "96374"


def test_an_own_code_may_hold_for_one_day():
    """A code's last day may be its first: both are days on which it holds."""
    billing = "{ code = 'J9999', per = '1 mg', since = 2026-03-02, until = 2026-03-02 }"
    own = DrugTable.parse(f"[[drug]]\nname = 'housemix'\ncategory = 'therapeutic'\nhcpcs = [{billing}]\n")
    for day, codes in (("2026-03-02", ["96374", "J9999"]), ("2026-03-03", ["96374"])):
        coding = select_push_codes({**push("HouseMix", dose="4 mg"), "date_of_service": day}, drugs=own)
        assert [line.code for line in coding.lines] == codes


NEW = "[[drug]]\nname = 'x'\ncategory = 'therapeutic'\n"
OWN = "[[drug]]\nname = 'Rocephin'\nhcpcs = [{ code = 'J0696', per = '250 mg' }"


def test_an_own_table_may_move_a_drug_between_names_of_its_own():
    own = DrugTable.parse("[[drug]]\nname = 'Rocephin'\nbrands = ['Rocephin', 'Rocephin ADV']\nnot_by = ['im']\n")
    assert select_push_codes(push("rocephin adv"), drugs=own).lines[0].code == "96374"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("not toml at all [", "drugs"),
        ("[other]\nname = 'x'\n", "drugs"),
        ("drug = 3\n", "drugs"),
        ("[[drug]]\nname = 'x'\ncategory = 'canary'\n", "drug[0].category"),
        ("[[drug]]\nname = 'x'\ncategory = 'therapeutic'\ncanary = 1\n", "drug[0].canary"),
        ("[[drug]]\ncategory = 'therapeutic'\n", "drug[0].name"),
        ("[[drug]]\nname = 'x'\n", "drug[0].category"),
        ("[[drug]]\nname = '-'\ncategory = 'therapeutic'\n", "drug[0].name"),
        ("[[drug]]\nname = 'Rocephin'\nnot_by = ['canary']\n", "drug[0].not_by[0]"),
        ("[[drug]]\nname = 'Rocephin'\nsources = ['own-table', 'canary']\n", "drug[0].sources[1]"),
        (
            "[[drug]]\nname = 'Rocephin'\ndisputed = 'yes'\ndisputed_sources = ['canary']\n",
            "drug[0].disputed_sources[0]",
        ),
        (f"{OWN}, {{ code = 'ZZ', per = '1 mg' }}]", "drug[0].hcpcs[1].code"),
        (f"{OWN}, {{ code = 'J9999', per = '0 mg' }}]", "drug[0].hcpcs[1].per"),
        (f"{OWN}, {{ code = 'J9999', per = 'canary' }}]", "drug[0].hcpcs[1].per"),
        (
            f"{OWN}, {{ code = 'J9999', per = '1 mg', since = 2026-02-01, until = 2026-01-01 }}]",
            "drug[0].hcpcs[1].until",
        ),
        ("[[drug]]\nname = 'x'\ncategory = 'therapeutic'\nbrands = ['y', 'Zofran']\n", "drug[0].brands[1]"),
        ("[[drug]]\nname = 'Rocephin'\naliases = ['ondansetron']\n", "drug[0].aliases[0]"),
        (f"{NEW}aliases = ['y']\n{NEW.replace('x', 'y')}", "drug[1].name"),
        (f"{NEW}{NEW}", "drug[1].name"),
        ("[[drug]]\nname = 'Rocephin'\n[[drug]]\nname = 'ceftriaxone'\n", "drug[1].name"),
    ],
)
def test_a_wrong_own_table_says_which_field(text, field):
    with pytest.raises(InvalidInput) as caught:
        DrugTable.parse(text)
    assert caught.value.faults[0].field == field


@pytest.mark.parametrize("sign", ["\N{MICRO SIGN}g", "\N{GREEK SMALL LETTER MU}g", "mcg", "MCG", "ug"])
def test_micrograms_by_every_sign(sign):
    assert Amount.parse(f"1,500 {sign}") == Amount.parse("1.5 mg")


@pytest.mark.parametrize("written", ["2.4 MU", "2.4 million units", "2.4 million U", "2,400,000 units"])
def test_millions_of_units(written):
    assert Amount.parse(written) == Amount.parse("2400000 units")


def test_a_thousandth_of_a_unit_is_not_a_million():
    with pytest.raises(InvalidInput):
        Amount.parse("2 mU")


def test_plain_names_ignore_case_blanks_and_punctuation():
    assert plain(" 5-FU ") == plain("5 fu") == "5fu"


def test_every_role_says_what_it_reports():
    assert set(BOOK.services) == set(BOOK.codes)
    for row in BOOK.services.values():
        assert set(row.sources) <= set(sources())
        assert row.hour == ("hour" in row.role)

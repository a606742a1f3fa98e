"""The most of everything an input may hold, one below and one above; and plain values that nothing can change."""

import importlib
import pkgutil
from dataclasses import is_dataclass
from datetime import date
from decimal import Decimal

import pytest
from pydantic import BaseModel

import ivcoder
from ivcoder import Encounter, InvalidInput, Rulebook, explain_denial, select_push_codes
from ivcoder.book import Amount
from ivcoder.encounter import visit_of

PUSH = {"id": "1", "drug": "Solu-Medrol", "route": "iv_push"}


def encounter(**fields):
    return {"place_of_service": "22", "administrations": [PUSH], **fields}


def pushes(count):
    return encounter(administrations=[{**PUSH, "id": str(number)} for number in range(count)])


def push(**fields):
    return encounter(administrations=[{**PUSH, **fields}])


def denial(lines=1, **fields):
    return {"place_of_service": "22", "billed_lines": [{"code": "96374", "denied": True, **fields}] * lines}


def services(count, modifiers=0):
    return encounter(other_services=[{"code": "99213", "modifiers": ["25"] * modifiers}] * count)


ENCOUNTERS = {
    "administrations": (pushes, 100),
    "other services": (services, 50),
    "modifiers of a service": (lambda count: services(1, count), 4),
    "letters of a drug": (lambda count: push(drug="x" * count, category="therapeutic"), 120),
    "letters of an id": (lambda count: push(id="x" * count), 32),
    "letters of a dose": (lambda count: push(dose="5" + " " * (count - 3) + "mg"), 40),
    "letters of a payer": (lambda count: encounter(payer="x" * count), 40),
    "minutes in 14 days": (lambda count: push(route="iv_infusion", minutes=count), 14 * 24 * 60),
    "minutes from start to stop": (
        lambda count: push(start="2026-03-02T00:00", stop=f"2026-03-16T00:{count - 20160:02}"),
        20160,
    ),
}
DENIALS = {
    "billed lines": (denial, 100),
    "reasons of a line": (lambda count: denial(carc=["97"] * count), 20),
    "units of a line": (lambda count: denial(units=count), 9999),
    "modifiers of a line": (lambda count: denial(modifiers=["59"] * count), 4),
}
LIMITS = {name: (select_push_codes, *row) for name, row in ENCOUNTERS.items()} | {
    name: (explain_denial, *row) for name, row in DENIALS.items()
}


@pytest.mark.parametrize("name", LIMITS)
def test_as_much_as_is_allowed_and_no_more(name):
    ask, given, most = LIMITS[name]
    ask(given(most))
    with pytest.raises(InvalidInput):
        ask(given(most + 1))


def test_times_on_the_edge_of_the_date_of_service():
    def given(day, **times):
        return {**push(route="iv_infusion", **times), "date_of_service": day}

    select_push_codes(given("2026-03-02", start="2026-03-02T00:00", stop="2026-03-02T01:00"))
    select_push_codes(given("2026-03-02", stop="00:00"))
    select_push_codes(given("2026-03-02", start="00:00", stop="00:00"))
    for times in ({"start": "2026-03-01T23:59"}, {"stop": "2026-03-01T23:59"}):
        with pytest.raises(InvalidInput):
            select_push_codes(given("2026-03-02", **times))
    select_push_codes(given("2016-01-01", start="08:00", stop="09:00"))
    with pytest.raises(InvalidInput):
        select_push_codes(given("2015-12-31", start="08:00", stop="09:00"))


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("1 kg", "1000000", "mg"),
        ("1 g", "1000", "mg"),
        ("1 gm", "1000", "mg"),
        ("1 gram", "1000", "mg"),
        ("2 grams", "2000", "mg"),
        ("1 mg", "1", "mg"),
        ("1 mcg", "0.001", "mg"),
        ("1 ug", "0.001", "mg"),
        ("1 ng", "0.000001", "mg"),
        ("1 L", "1000", "mL"),
        ("1 liter", "1000", "mL"),
        ("2 liters", "2000", "mL"),
        ("1 mL", "1", "mL"),
        ("1 cc", "1", "mL"),
        ("1 unit", "1", "units"),
        ("2 units", "2", "units"),
        ("2 IU", "2", "units"),
        ("2 U", "2", "units"),
        ("1 mEq", "1", "mEq"),
        ("1 mmol", "1", "mmol"),
        ("1 mCi", "1", "mCi"),
        ("1,000.5 mg", "1000.5", "mg"),
        ("1000 kg", "1000000000", "mg"),
        ("1,000,000,000,000,000 ng", "1000000000", "mg"),
    ],
)
def test_amounts_in_their_base_unit(text, value, unit):
    assert Amount.parse(text) == Amount(Decimal(value), unit)


@pytest.mark.parametrize("text", ["1000.000001 kg", "1,000,000,000,000,000.000001 ng"])
def test_the_most_an_amount_can_be_is_said_in_its_base_unit(text):
    with pytest.raises(InvalidInput, match="at most 1,000,000,000 mg"):
        Amount.parse(text)


@pytest.mark.parametrize("text", ["1000.000001 kg", "1 stone", "mg", "1,00 mg", "-1 mg"])
def test_what_is_no_amount_of_a_drug(text):
    with pytest.raises(InvalidInput):
        Amount.parse(text)


MODULES = [
    importlib.import_module(found.name)
    for found in pkgutil.walk_packages(ivcoder.__path__, "ivcoder.")
    if not found.name.startswith(("ivcoder.server", "ivcoder.prompts"))
]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_plain_values_cannot_be_changed(module):
    for made in vars(module).values():
        if is_dataclass(made) and isinstance(made, type) and made.__module__ == module.__name__:
            assert made.__dataclass_params__.frozen, made
            assert "__slots__" in vars(made), made


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_models_cannot_be_changed(module):
    for made in vars(module).values():
        if isinstance(made, type) and issubclass(made, BaseModel) and made.__module__ == module.__name__:
            assert made.model_config["frozen"], made
            assert made.model_config["extra"] == "forbid", made


def test_a_stop_a_minute_before_the_start():
    with pytest.raises(InvalidInput):
        select_push_codes(push(start="2026-03-02T09:01", stop="2026-03-02T09:00"))


def test_a_bag_at_odds_behind_a_row_of_its_own():
    bag = [
        {**PUSH, "id": "2", "start": "09:00", "stop": "09:03"},
        {**PUSH, "id": "3", "drug": "Benadryl", "start": "09:00", "stop": "09:04", "mixed_with": "2"},
    ]
    with pytest.raises(InvalidInput) as caught:
        select_push_codes(encounter(administrations=[PUSH, *bag]))
    assert [fault.field for fault in caught.value.faults] == ["administrations[2].mixed_with"]


def test_a_payer_in_capitals_is_the_payer():
    cimetidine = {"drug": "cimetidine", "dose": "300 mg"}
    taken = select_push_codes(push(**cimetidine))
    refused = select_push_codes({**push(**cimetidine), "payer": " MEDICARE "})
    assert [line.code for line in taken.lines] == ["96374", "S0023"]
    assert [line.code for line in refused.lines] == ["96374"]


def test_a_ring_of_rows_at_odds():
    ring = [
        {**PUSH, "id": "1", "minutes": 3, "mixed_with": "2"},
        {**PUSH, "id": "2", "drug": "Benadryl", "minutes": 4, "mixed_with": "1"},
    ]
    with pytest.raises(InvalidInput):
        select_push_codes(encounter(administrations=ring))


def test_a_changed_copy_of_an_encounter_is_read_anew():
    given = Encounter.model_validate({**push(start="2026-03-02T09:00"), "date_of_service": "2026-03-02"})
    later = tuple(row.model_copy(update={"start": "10:00"}) for row in given.administrations)

    def start(**changed):
        [row] = visit_of(given.model_copy(update=changed), Rulebook.on(None)).administrations
        return row.start

    assert start() == 9 * 60
    assert start(date_of_service=date(2026, 3, 1)) == 33 * 60
    assert start(administrations=later) == 10 * 60

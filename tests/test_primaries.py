"""Each add-on beside each primary it may stand beside, as an encounter brings them together; no error is raised.

Written out from CMS's add-on code list, not from the tables. Pairs that no encounter brings about by themselves (a
further hour is never without the first) are not here.
"""

from dataclasses import replace

import pytest

from ivcoder import Encounter, Rulebook, select_push_codes
from ivcoder.classify import classify
from ivcoder.edits import edit
from ivcoder.encounter import visit_of
from ivcoder.rank import rank
from ivcoder.select import select


def given(drug, route, start, stop=None, **fields):
    return {"drug": drug, "route": f"iv_{route}", "start": start, **({"stop": stop} if stop else {}), **fields}


DRIP = given("ceftriaxone", "infusion", "08:00", "09:00")
LONG = given("ceftriaxone", "infusion", "08:00", "09:31")
PUSH = given("ondansetron", "push", "08:00")
CHEMO = given("carboplatin", "infusion", "08:00", "09:00")
LONG_CHEMO = given("carboplatin", "infusion", "08:00", "09:31")
CHEMO_PUSH = given("vincristine", "push", "08:00")
FLUID = given("normal saline", "infusion", "10:00", "11:00", purpose="hydration")
LONG_FLUID = given("normal saline", "infusion", "10:00", "11:31", purpose="hydration")
LATER_DRIP = given("ceftriaxone", "infusion", "10:00", "11:00")
LONG_LATER_DRIP = given("ceftriaxone", "infusion", "10:00", "11:31")
SAME_TIME = given("vancomycin", "infusion", "08:00", "09:00")
OTHER_PUSH = given("Solu-Medrol", "push", "09:10")
OTHER_CHEMO = given("gemcitabine", "infusion", "10:00", "10:30")
AGAIN = given("ondansetron", "push", "09:00")

PAIRS = [
    ("96361", "96360", [LONG_FLUID]),
    ("96361", "96365", [DRIP, FLUID]),
    ("96361", "96374", [PUSH, FLUID]),
    ("96361", "96409", [CHEMO_PUSH, FLUID]),
    ("96361", "96413", [CHEMO, FLUID]),
    ("96366", "96365", [LONG]),
    ("96366", "96367", [CHEMO, LONG_LATER_DRIP]),
    ("96367", "96365", [DRIP, given("vancomycin", "infusion", "10:00", "10:30")]),
    ("96367", "96374", [PUSH, LATER_DRIP]),
    ("96367", "96409", [CHEMO_PUSH, LATER_DRIP]),
    ("96367", "96413", [CHEMO, LATER_DRIP]),
    ("96368", "96365", [DRIP, SAME_TIME]),
    ("96368", "96413", [CHEMO, SAME_TIME]),
    ("96375", "96365", [DRIP, PUSH]),
    ("96375", "96374", [PUSH, OTHER_PUSH]),
    ("96375", "96409", [CHEMO_PUSH, PUSH]),
    ("96375", "96413", [CHEMO, PUSH]),
    ("96376", "96365", [DRIP, given("ceftriaxone", "push", "09:31")]),
    ("96376", "96374", [PUSH, AGAIN]),
    ("96376", "96409", [CHEMO_PUSH, PUSH, AGAIN]),
    ("96376", "96413", [CHEMO, PUSH, AGAIN]),
    # For practitioners only, where the visit was for hydration.
    ("96366", "96360", [FLUID, given("ceftriaxone", "infusion", "11:00", "12:31")]),
    ("96367", "96360", [FLUID, DRIP]),
    ("96368", "96360", [FLUID, DRIP, SAME_TIME]),
    ("96375", "96360", [FLUID, PUSH]),
    ("96411", "96409", [CHEMO_PUSH, given("gemcitabine", "push", "09:00")]),
    ("96411", "96413", [CHEMO, CHEMO_PUSH]),
    ("96415", "96413", [LONG_CHEMO]),
    ("96417", "96413", [CHEMO, OTHER_CHEMO]),
    ("96370", "96369", [{"drug": "ondansetron", "route": "sc_infusion", "minutes": 91}]),
    ("96423", "96422", [{"drug": "carboplatin", "route": "intra_arterial_infusion", "minutes": 91}]),
]


@pytest.mark.parametrize(
    ("add_on", "primary", "rows"), PAIRS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_an_add_on_beside_its_primary(add_on, primary, rows):
    # Where a push or a fluid leads other drugs' infusions it is what an office visit was for.
    office = (primary == "96374" and add_on == "96367") or (primary == "96360" and add_on != "96361")
    named = [{"id": str(number), **row} for number, row in enumerate(rows, 1)]
    encounter = {
        "date_of_service": "2026-03-02",
        "place_of_service": "11" if office else "22",
        "primary_reason": "1" if office else None,
        "administrations": named,
    }
    answer = select_push_codes(encounter, what_if=False)
    assert {add_on, primary} <= {line.code for line in answer.lines}
    assert {line.role for line in answer.lines if line.code == add_on} == {"add_on"}
    assert not [row for row in answer.notices if row.level == "error"]


def test_an_add_on_without_its_primary_is_an_error():
    # No encounter brings this about, so the step is handed what selecting gave, without its initial line.
    rows = [{"id": "1", **DRIP}, {"id": "2", **PUSH}, {"id": "3", "drug": "ketorolac", "route": "im"}]
    encounter = Encounter.model_validate({"place_of_service": "22", "administrations": rows})
    book = Rulebook.on(None)
    selected = select(rank(classify(visit_of(encounter, book), book)))
    whole = edit(selected)
    headless = edit(replace(selected, earned=selected.earned[1:]))
    assert [line.code for line in headless.lines] == ["96375", "96372"]
    assert [(row.level, row.administrations) for row in headless.remarks] == [("error", ("2",))]
    assert whole.remarks == ()

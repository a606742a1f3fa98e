"""Every rule seen applying, not applying and, where it can, undecided: in the cases, or asked directly here."""

from datetime import date

import pytest

from casebook import ENCOUNTERS
from ivcoder import Rulebook, rank_services, select_push_codes
from ivcoder.book import Category, sources
from ivcoder.classify import Kind, Service, access, bag, category, cavity, device, elsewhere, hydration, vein
from ivcoder.classify.service import Bag
from ivcoder.edits import (
    add_on_needs_primary,
    claim,
    data,
    drug_code_mismatch,
    line,
    other_use,
    separate_access_modifier,
    separate_encounter_modifier,
)
from ivcoder.encounter import Claim, Encounter, visit_of
from ivcoder.explain import statement
from ivcoder.rank import (
    hierarchy_as_fallback,
    infusion_resumed,
    initial_by_hierarchy,
    initial_by_reason,
    injections_stand_alone,
    one_initial_per_access,
    sc_infusion_once,
)
from ivcoder.rule import RULES, Outcome
from ivcoder.select import drug as drug_lines
from ivcoder.select import infusion, push, separate_push_lines
from noting import noting

BOOK = Rulebook.on(None)


def visit(**fields):
    row = {"id": "1", "drug": "Solu-Medrol", "route": "iv_push", **fields}
    return visit_of(Encounter.model_validate({"place_of_service": "22", "administrations": [row]}), BOOK)


def given(**fields):
    return visit(**fields).administrations[0]


def drug(name):
    return BOOK.formulary.find(name)


def a_bag(row):
    return Bag((row,), (drug(row.drug),), row, row.start, row.minutes, row.drug, (row.id,))


def service(start=None, minutes=None, kind=Kind.INFUSION, substance="x"):
    spans = () if start is None else ((start, start + (minutes or 0)),)
    return Service(("1",), substance, substance, Category.THERAPEUTIC, kind, minutes, spans, "", ())


ONE = service(start=540, minutes=60)
CHEMO, OTHER = Category.CHEMOTHERAPY, Category.THERAPEUTIC

# What the cases need not show, because the step asks the rule only when its answer is known: (rule, arguments, answer).
ASKED = [
    (category.category_charted, (given(),), "does_not_apply"),
    (category.category_disputed, (given(), drug("Solu-Medrol")), "does_not_apply"),
    (category.fluid_purpose, (given(), drug("Solu-Medrol")), "does_not_apply"),
    (category.category_by_drug, (given(), drug("D5 1/2 NS with potassium chloride"), BOOK), "does_not_apply"),
    (category.carrier_fluid, (given(purpose="hydration"),), "does_not_apply"),
    (bag.mixed_bag, ([given()],), "does_not_apply"),
    (bag.infusion_continued, ("x", 1, 60), "does_not_apply"),
    (vein.fluid_never_pushed, (given(), OTHER), "does_not_apply"),
    (vein.push_as_charted, (given(minutes=3), 3), "does_not_apply"),
    (vein.stopped_early, (given(route="iv_infusion", minutes=10), 10, BOOK), "does_not_apply"),
    (vein.stopped_early, (given(minutes=10, discontinued=True), 10, BOOK), "does_not_apply"),
    (vein.push_by_time, ("x", None, BOOK), "cannot_tell"),
    (vein.infusion_by_time, ("x", 15, BOOK), "does_not_apply"),
    (vein.infusion_by_time, ("x", None, BOOK), "cannot_tell"),
    (vein.undocumented_stop, (given(minutes=3), 3, "stop", "push"), "does_not_apply"),
    (hydration.hydration_times, ("x", 60, "stop"), "does_not_apply"),
    (access.second_access, ("2", [given(access_reason="convenience")]), "does_not_apply"),
    (elsewhere.injection, (given(),), "does_not_apply"),
    (elsewhere.injection, (given(route="sc"),), "applies"),
    (elsewhere.chemo_injection, ("x", CHEMO, True), "does_not_apply"),
    (elsewhere.hormonal_injection, ("x", CHEMO, False), "does_not_apply"),
    (elsewhere.hormonal_injection, ("x", OTHER, True), "does_not_apply"),
    (elsewhere.vaccine, (given(), drug("Solu-Medrol")), "does_not_apply"),
    (elsewhere.contrast, (given(), drug("Solu-Medrol")), "does_not_apply"),
    (elsewhere.blood_product, (given(), None), "does_not_apply"),
    (elsewhere.line_flush, (given(), None), "does_not_apply"),
    (separate_access_modifier, ("x", None), "does_not_apply"),
    (line.reduced_modifier, ("x", None), "does_not_apply"),
    (claim.place_note, (None,), "does_not_apply"),
    (separate_encounter_modifier, ("x", None, None, "XE"), "does_not_apply"),
    (other_use, ("x", drug("Solu-Medrol")), "does_not_apply"),
    (elsewhere.no_administration_code, (given(),), "does_not_apply"),
    (elsewhere.no_administration_code, (given(route="rectal"),), "applies"),
    (elsewhere.outside_family, (given(route="intrathecal"), OTHER), "applies"),
    (elsewhere.outside_family, (given(route="intrathecal"), CHEMO), "does_not_apply"),
    (elsewhere.procedure_drug, (given(), None), "does_not_apply"),
    (elsewhere.procedure_reported, (given(), drug("alteplase"), ["99213"]), "does_not_apply"),
    (elsewhere.local_anesthetic, (given(), drug("lidocaine")), "does_not_apply"),
    (category.category_by_route, (given(), drug("Spinraza")), "does_not_apply"),
    (elsewhere.integral_to_procedure, (given(),), "does_not_apply"),
    (cavity.csf_reservoir, (given(), CHEMO), "does_not_apply"),
    (cavity.cavity_chemotherapy, (given(route="intrapleural"), OTHER), "does_not_apply"),
    (device.on_body_injector, (given(route="sc"),), "does_not_apply"),
    (device.pump_refill, (given(route="iv_pump"),), "does_not_apply"),
    (vein.stopped_early, (given(route="iv_infusion", minutes=16, discontinued=True), 16, BOOK), "does_not_apply"),
    (elsewhere.sc_infusion, (given(), 60, BOOK), "does_not_apply"),
    (elsewhere.sc_infusion, (given(route="sc_infusion"), 16, BOOK), "applies"),
    (elsewhere.sc_infusion, (given(route="sc_infusion"), None, BOOK), "cannot_tell"),
    (elsewhere.arterial, (given(), OTHER, 60, BOOK), "does_not_apply"),
    (elsewhere.arterial, (given(route="intra_arterial_push"), OTHER, None, BOOK), "applies"),
    (elsewhere.arterial, (given(route="intra_arterial_infusion"), CHEMO, None, BOOK), "cannot_tell"),
    (cavity.intrathecal, (given(route="intrathecal"), CHEMO), "applies"),
    (cavity.intrathecal, (given(), CHEMO), "does_not_apply"),
    (vein.unlisted, (given(), OTHER), "does_not_apply"),
    (vein.pump_taken_home, (given(),), "does_not_apply"),
    (vein.hospital_pump, (given(), 481, visit(), BOOK), "does_not_apply"),
    (vein.hospital_pump, (given(route="iv_pump"), None, visit(), BOOK), "cannot_tell"),
    (vein.unlisted, (given(route="intra_arterial_infusion"), OTHER), "applies"),
    (one_initial_per_access, (ONE, ONE), "does_not_apply"),
    (initial_by_hierarchy, (ONE, None), "does_not_apply"),
    (initial_by_reason, (ONE, "2"), "does_not_apply"),
    (initial_by_reason, (ONE, None), "does_not_apply"),
    (hierarchy_as_fallback, (ONE, None, False), "does_not_apply"),
    (injections_stand_alone, (ONE,), "does_not_apply"),
    (infusion_resumed, ([ONE],), "does_not_apply"),
    (sc_infusion_once, ([ONE], 60), "does_not_apply"),
    (drug_lines.drug_code_by_date, (given(), drug("Solu-Medrol"), None, None), "does_not_apply"),
    (infusion.additional_hour, (service(), BOOK), "cannot_tell"),
    (infusion.same_drug_infused_again, (service(minutes=15), BOOK), "does_not_apply"),
    (infusion.concurrent_chemo, (ONE, True, "y", "96549"), "does_not_apply"),
    (infusion.sequential_infusion, (ONE, ONE, (ONE,)), "does_not_apply"),
    (infusion.hydration_secondary, (ONE, None, BOOK), "does_not_apply"),
    (infusion.hydration_purpose, ("x", True), "does_not_apply"),
    (push.push_of_infused_drug, (ONE, False), "does_not_apply"),
    (push.repeat_chemo_push, (ONE, True), "does_not_apply"),
    (separate_push_lines, (False,), "does_not_apply"),
    (add_on_needs_primary, (BOOK.codes["push_new_drug"], frozenset(), Claim.FACILITY), "applies"),
    (drug_code_mismatch, ("x", "J0000", None), "does_not_apply"),
    (vein.attended_push, (given(minutes=3), 3, BOOK), "does_not_apply"),
    (vein.attended_push, (given(minutes=15), 15, BOOK), "does_not_apply"),
    (vein.attended_push, (given(route="iv_infusion", minutes=20), 20, BOOK), "does_not_apply"),
    (bag.infusion_continued, ("x", 2, 60), "applies"),
    (data.ncci_pair, ("1", "2", 0, "x"), "applies"),
    (data.ncci_pair, ("1", "2", None, "x"), "does_not_apply"),
    (data.ncci_modifier_never, (0,), "applies"),
    (data.ncci_modifier_never, (1,), "does_not_apply"),
    (data.ncci_modifier_visit, ("1", "25", False), "applies"),
    (data.ncci_modifier_visit, ("1", "25", True), "does_not_apply"),
    (data.ncci_modifier_separate, ("1", "59", False), "applies"),
    (data.ncci_modifier_separate, ("1", "59", True), "does_not_apply"),
    (data.medically_unlikely_units, ("1", 2, 1, "x"), "applies"),
    (data.medically_unlikely_units, ("1", 1, 1, "x"), "does_not_apply"),
    (data.unlikely_units_absolute, (2,), "applies"),
    (data.unlikely_units_absolute, (3,), "does_not_apply"),
    (data.unlikely_units_absolute, (None,), "cannot_tell"),
    (data.unlikely_units_by_line, (1,), "applies"),
    (data.unlikely_units_by_line, (3,), "does_not_apply"),
    (data.add_on_primary_listed, ("1", 1, ("2",), {"1"}, "x"), "applies"),
    (data.add_on_primary_listed, ("1", 1, ("2",), {"1", "2"}, "x"), "does_not_apply"),
    (data.add_on_primary_listed, ("1", 3, ("2",), {"1"}, "x"), "cannot_tell"),
]


@pytest.mark.parametrize(("rule", "arguments", "answer"), ASKED)
def test_asked_directly(rule, arguments, answer):
    assert rule(*arguments).outcome == answer


@pytest.fixture(scope="module")
def seen():
    """Every (rule, outcome) that comes up while all the cases are answered, and in the direct questions."""
    with noting() as found:
        for case in ENCOUNTERS:
            select_push_codes(case.encounter)
    return found | {(rule.id, Outcome(answer)) for rule, _, answer in ASKED}


ANSWERING = [rule for rule in RULES.values() if rule.step not in ("denials", "audit")]


@pytest.mark.parametrize("rule", ANSWERING, ids=lambda rule: rule.id)
def test_rule_is_seen_in_every_answer_it_can_give(rule, seen):
    for outcome in rule.sentences:
        assert (rule.id, outcome) in seen, f"no case in which {rule.id} answers {outcome}"
    assert Outcome.APPLIES in rule.sentences
    assert Outcome.DOES_NOT_APPLY in rule.sentences


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_rule_can_be_read(rule):
    text = statement(rule, BOOK.limits)
    assert "{" not in text
    assert text.endswith(".")
    assert rule.since <= date(2026, 1, 1)
    assert rule.title == rule.title.strip().rstrip(".")


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_written_policy_is_cited_as_such(rule):
    kinds = {sources()[name].kind for name in rule.sources}
    if rule.nature == "policy":
        assert kinds & {"policy", "contractor", "codeset"}
    if rule.nature == "disputed":
        assert len(rule.sources) > 1, "a dispute has two sides"
        assert rule.confidence != "high"


@pytest.mark.parametrize(
    ("place", "reason", "drugs", "method"),
    [
        ("22", None, ("Zofran",), "hierarchy"),
        ("11", None, ("Zofran",), "only_candidate"),
        ("11", None, ("Zofran", "Benadryl"), "hierarchy_as_fallback"),
        ("11", "2", ("Zofran", "Benadryl"), "reason"),
    ],
)
def test_a_ranking_says_what_chose(place, reason, drugs, method):
    rows = [{"id": str(number), "drug": drug, "route": "iv_push"} for number, drug in enumerate(drugs, 1)]
    given = {"place_of_service": place, "primary_reason": reason, "administrations": rows}
    assert rank_services(given).method == method

"""What must hold for every encounter, whatever was charted."""

import string
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivcoder import Encounter, Rulebook, select_push_codes

BOOK = Rulebook.on(None)
INITIAL = {row.code for row in BOOK.codes.values() if row.answer == "initial"}
REPEAT = BOOK.codes["push_same_drug"].code
FACILITY = ["19", "22", "23"]
OFFICE = ["11"]
DRUGS = [
    "Solu-Medrol",
    "Benadryl",
    "Zofran",
    "ceftriaxone",
    "rituximab",
    "vincristine",
    "normal saline",
    "leuprolide",
    "Omnipaque",
]
FLUIDS = ["normal saline", "lactated ringer"]
ROUTES = ["iv_push", "iv_infusion", "iv_infusion", "im", "sc", "oral", "iv_pump"]
LENGTHS = [0, 1, 5, 15, 16, 30, 31, 45, 60, 90, 91, 150, 151, 300, 480, 481]

settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")


def clock(minutes):
    return f"2026-03-{2 + minutes // 1440:02d}T{minutes % 1440 // 60:02d}:{minutes % 60:02d}"


@st.composite
def administrations(draw, label, drugs=DRUGS):
    row = {"id": label, "drug": draw(st.sampled_from(drugs)), "route": draw(st.sampled_from(ROUTES))}
    how = draw(st.sampled_from(["times", "times", "times", "start", "length", "none"]))
    start, length = draw(st.integers(480, 1200)), draw(st.sampled_from(LENGTHS))
    if how in ("times", "start"):
        row["start"] = clock(start)
    if how == "times":
        row["stop"] = clock(start + length)
    if how == "length":
        row["minutes"] = length
    if draw(st.booleans()):
        row["access_site"] = "2"
        row["access_reason"] = draw(st.sampled_from([None, "protocol", "incompatible_drugs", "second_lumen"]))
    if row["route"] == "iv_push":
        row["attended"] = draw(st.sampled_from([None, True, False]))
    if row["drug"] in FLUIDS:
        row["purpose"] = draw(st.sampled_from([None, "hydration", "carrier", "keep_open"]))
    return row


@st.composite
def bagged(draw, rows):
    """The rows with more in the bag of one of them: facts stand beside all or some; names form a tree or ring."""
    host = draw(st.sampled_from(rows))
    bag = [host]
    for _ in range(draw(st.integers(1, 2))):
        drug = draw(st.sampled_from([*DRUGS, *FLUIDS]))
        row = {**host, "id": str(len(rows) + len(bag)), "drug": drug, "purpose": None}
        if drug in FLUIDS:
            row["purpose"] = draw(st.sampled_from([None, "hydration", "carrier", "keep_open"]))
        for name in ("start", "stop", "minutes", "attended"):
            if name in host and draw(st.booleans()):
                del draw(st.sampled_from([host, row]))[name]
        bag.append(row)
    chain = draw(st.permutations(bag))
    for number, row in enumerate(chain[1:]):
        row["mixed_with"] = chain[draw(st.integers(0, number))]["id"]
    if draw(st.booleans()):
        chain[0]["mixed_with"] = draw(st.sampled_from(chain[1:]))["id"]
    return [*rows, *bag[1:]]


@st.composite
def encounters(draw, places=(*FACILITY, *OFFICE), *, mixing=True):
    drugs = draw(st.sampled_from([DRUGS, DRUGS, ["ceftriaxone"], ["ceftriaxone", "normal saline"]]))
    rows = [draw(administrations(str(number), drugs)) for number in range(1, draw(st.integers(1, 4)) + 1)]
    if mixing and draw(st.booleans()):
        rows = draw(bagged(rows))
    return {
        "date_of_service": "2026-03-02",
        "place_of_service": draw(st.sampled_from(list(places))),
        "administrations": rows,
    }


def lines(encounter):
    coding = select_push_codes(encounter, what_if=False)
    return Counter((line.code, line.units, line.modifiers) for line in coding.lines)


def with_rows(encounter, rows):
    return {**encounter, "administrations": rows}


@settings(max_examples=400)
@given(encounters(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing(encounter, random):
    rows = list(encounter["administrations"])
    random.shuffle(rows)
    assert lines(with_rows(encounter, rows)) == lines(encounter)


@given(encounters(), st.integers(-480, 1440))
def test_shifting_the_clock_changes_nothing(encounter, shift):
    def moved(row):
        times = {}
        for name in ("start", "stop"):
            if name in row:
                day, rest = int(row[name][8:10]), row[name][11:]
                minutes = (day - 2) * 1440 + int(rest[:2]) * 60 + int(rest[3:])
                times[name] = clock(minutes + shift)
        return {**row, **times}

    assert lines(with_rows(encounter, [moved(row) for row in encounter["administrations"]])) == lines(encounter)


@settings(max_examples=400)
@given(encounters(), st.permutations(string.ascii_lowercase[:6]))
def test_relabelling_ids_changes_nothing(encounter, names):
    new = dict(zip("123456", names, strict=True))
    rows = [
        {**row, "id": new[row["id"]], "mixed_with": new.get(row.get("mixed_with"))}
        for row in encounter["administrations"]
    ]
    assert lines(with_rows(encounter, rows)) == lines(encounter)


@given(encounters(mixing=False))
def test_splitting_a_site_without_a_reason_changes_nothing(encounter):
    plain = [{**row, "access_site": "1", "access_reason": None} for row in encounter["administrations"]]
    split = [{**row, "access_site": f"arm-{number}"} for number, row in enumerate(plain)]
    assert lines(with_rows(encounter, split)) == lines(with_rows(encounter, plain))


@given(encounters())
def test_at_most_one_initial_for_each_access(encounter):
    coding = select_push_codes(encounter, what_if=False)
    initial = [line for line in coding.lines if line.code in INITIAL and line.role == "initial"]
    sites = {row.get("access_site", "1") for row in encounter["administrations"]}
    assert len(initial) <= len(sites)
    assert sum(not line.modifiers for line in initial) <= 1


@given(encounters())
def test_an_add_on_has_a_primary_or_says_so(encounter):
    coding = select_push_codes(encounter, what_if=False)
    present = {line.code for line in coding.lines}
    for number, line in enumerate(coding.lines, 1):
        # No visit here is for hydration, so what only a practitioner's claim allows does not come up.
        if line.role == "add_on" and not present & set(BOOK.numbers[line.code].beside):
            assert any(row.line == number and "add-on-needs-primary" in row.rules for row in coding.notices)


@given(encounters(OFFICE))
def test_no_repeat_push_outside_a_facility(encounter):
    coding = select_push_codes(encounter, what_if=False)
    assert all(line.code != REPEAT for line in coding.lines)


@given(st.sampled_from(["ceftriaxone", "rituximab", "normal saline"]), st.integers(0, 1439))
def test_units_never_fall_as_minutes_rise(drug, minutes):
    def units(length):
        row = {"id": "1", "drug": drug, "route": "iv_infusion", "minutes": length}
        coding = select_push_codes({"place_of_service": "22", "administrations": [row]}, what_if=False)
        return sum(line.units for line in coding.lines)

    assert units(minutes) <= units(minutes + 1)


@given(encounters(mixing=False), st.data())
def test_removing_a_fact_never_turns_a_question_into_an_answer(encounter, data):
    before = select_push_codes(encounter)
    number = data.draw(st.integers(0, len(encounter["administrations"]) - 1))
    row = dict(encounter["administrations"][number])
    gone = data.draw(
        st.sampled_from([name for name in row if name not in ("id", "drug", "route", "access_site")] or [None])
    )
    # A charted push is a push until a length over that of a push raises the question whether it was attended.
    raised = gone in ("start", "stop", "minutes") and row["route"] == "iv_push"
    if before.status != "needs_information" or gone is None or raised:
        return
    del row[gone]
    rows = [*encounter["administrations"]]
    rows[number] = row
    assert select_push_codes(with_rows(encounter, rows)).status != "coded"


@given(encounters())
def test_every_administration_is_answered(encounter):
    coding = select_push_codes(encounter, what_if=False)
    answered = {label for row in (*coding.lines, *coding.not_reported) for label in row.administrations}
    assert answered == {row["id"] for row in encounter["administrations"]}


@given(encounters())
def test_the_answer_is_the_same_from_json_and_from_a_mapping(encounter):
    read = Encounter.model_validate(encounter)
    assert select_push_codes(read).model_dump_json() == select_push_codes(encounter).model_dump_json()

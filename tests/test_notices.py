"""What is said beside the lines, and when it is not: each notice on both sides of what calls for it."""

import pytest

from ivcoder import select_push_codes

DRIP = {"route": "iv_infusion"}
PUSH = {"route": "iv_push"}
SALINE = {"drug": "normal saline", **DRIP}
CARBOPLATIN = {"drug": "carboplatin", **DRIP, "start": "08:00", "stop": "09:00"}


def ondansetron(**fields):
    return {"drug": "ondansetron", **DRIP, **fields}


def beside(*rows, place="22", **fields):
    named = [{"id": str(number), **row} for number, row in enumerate(rows, 1)]
    given = {"date_of_service": "2026-03-02", "place_of_service": place, "administrations": named, **fields}
    return [(row.line, rule) for row in select_push_codes(given, what_if=False).notices for rule in row.rules]


# Each with and without: the notice's rule, the line it is about, the encounter that calls for it and one that does not.
BOTH = {
    # More than 720 minutes are worth a second look.
    "infusion of 721 minutes": (
        "unusual-length",
        1,
        [ondansetron(start="08:00", minutes=721)],
        [ondansetron(start="08:00", minutes=720)],
    ),
    # Times without a date more than 720 minutes apart may lie on both sides of midnight.
    "clocks 721 minutes apart": (
        "clock-over-midnight",
        None,
        [ondansetron(**PUSH, start="08:00"), {"drug": "Benadryl", **PUSH, "start": "20:01"}],
        [ondansetron(**PUSH, start="08:00"), {"drug": "Benadryl", **PUSH, "start": "20:00"}],
    ),
    # Fluid beside a drug by vein wants its purpose; alone it is hydration, and so it is once its purpose is charted.
    "fluid without a purpose beside a drug": (
        "hydration-purpose",
        2,
        [CARBOPLATIN, {**SALINE, "start": "10:00", "stop": "11:00"}],
        [CARBOPLATIN, {**SALINE, "start": "10:00", "stop": "11:00", "purpose": "hydration"}],
    ),
    "fluid alone": (
        "hydration-purpose",
        2,
        [CARBOPLATIN, {**SALINE, "start": "10:00", "stop": "11:00"}],
        [{**SALINE, "start": "10:00", "stop": "11:00"}],
    ),
    # One minute beside the other infusion is a part of it; none is not.
    "overlap of a minute": (
        "partial-overlap",
        2,
        [CARBOPLATIN, ondansetron(start="08:59", stop="09:30")],
        [CARBOPLATIN, ondansetron(start="09:00", stop="09:30")],
    ),
    # All of it beside the other is no part.
    "overlap of all but a minute": (
        "partial-overlap",
        2,
        [CARBOPLATIN, ondansetron(start="08:30", stop="09:01")],
        [CARBOPLATIN, ondansetron(start="08:30", stop="09:00")],
    ),
    # A charted code of another drug, behind a drug nothing is known of.
    "another drug's code": (
        "drug-code-mismatch",
        None,
        [{"drug": "mix 7", "category": "therapeutic", "route": "im"}, ondansetron(route="im", hcpcs="J0696")],
        [{"drug": "mix 7", "category": "therapeutic", "route": "im"}, ondansetron(route="im", hcpcs="J2405")],
    ),
    # Ceftriaxone counts 250 mg: twice 375 mg are 2 and 2 units apart and 3 together; 375 and 500 mg 2 and 2 either way.
    "doses that round apart": (
        "drug-units-of-the-day",
        None,
        [{"drug": "ceftriaxone", "route": "im", "dose": dose} for dose in ("375 mg", "375 mg")],
        [{"drug": "ceftriaxone", "route": "im", "dose": dose} for dose in ("375 mg", "500 mg")],
    ),
    # Twice 300 mg are 2 and 2 apart, and 600 mg are 3.
    "doses that round apart and together": (
        "drug-units-of-the-day",
        None,
        [{"drug": "ceftriaxone", "route": "im", "dose": "300 mg"}] * 2,
        [{"drug": "ceftriaxone", "route": "im", "dose": "300 mg"}],
    ),
    # Without its time a dose is taken for one of the same day.
    "doses that round apart, one without its time": (
        "drug-units-of-the-day",
        None,
        [{"drug": "ceftriaxone", "route": "im", "dose": "375 mg", **time} for time in ({}, {"start": "09:00"})],
        [{"drug": "ceftriaxone", "route": "im", "dose": "500 mg", **time} for time in ({}, {"start": "09:00"})],
    ),
    # Of two doses one is charted, or both.
    "a dose missing": (
        "undosed-drugs",
        None,
        [{"drug": "ceftriaxone", "route": "im", "dose": "1 g"}, ondansetron(route="im")],
        [{"drug": "ceftriaxone", "route": "im", "dose": "1 g"}, ondansetron(route="im", dose="4 mg")],
    ),
    "no dose at all": (
        "undosed-drugs",
        None,
        [{"drug": "ceftriaxone", "route": "im", "dose": "1 g"}, ondansetron(route="im")],
        [{"drug": "ceftriaxone", "route": "im"}, ondansetron(route="im")],
    ),
    # One drug injected twice at one time may be one dose divided.
    "injections at one time": (
        "divided-dose",
        None,
        [{"drug": "ceftriaxone", "route": "im", "start": "09:00"}] * 2,
        [{"drug": "ceftriaxone", "route": "im", "start": start} for start in ("09:00", "10:00")],
    ),
    # So may two up to 10 minutes apart.
    "injections ten minutes apart": (
        "divided-dose",
        None,
        [{"drug": "ceftriaxone", "route": "im", "start": start} for start in ("09:00", "09:10")],
        [{"drug": "ceftriaxone", "route": "im", "start": start} for start in ("09:00", "09:11")],
    ),
    "injections ten minutes apart, from midnight": (
        "divided-dose",
        None,
        [{"drug": "ceftriaxone", "route": "im", "start": start} for start in ("00:00", "00:10")],
        [{"drug": "ceftriaxone", "route": "im", "start": start} for start in ("00:00", "00:11")],
    ),
    # Without times nothing parts them; of one time alone nothing is known.
    "injections without times": (
        "divided-dose",
        None,
        [{"drug": "ceftriaxone", "route": "im"}] * 2,
        [{"drug": "ceftriaxone", "route": "im", **time} for time in ({}, {"start": "00:05"})],
    ),
}


@pytest.mark.parametrize("name", BOTH)
def test_a_notice_is_given_when_called_for_and_only_then(name):
    rule, line, called_for, not_called_for = BOTH[name]
    given = beside(*called_for)
    assert (line, rule) in given or line is None
    assert rule in {found for _, found in given}
    assert rule not in {found for _, found in beside(*not_called_for)}


def test_a_hierarchy_in_place_of_a_reason_is_named_only_where_it_could_matter():
    tiers = [CARBOPLATIN, ondansetron(**PUSH, start="10:00")]
    equals = [ondansetron(**PUSH, start="10:00"), {"drug": "Benadryl", **PUSH, "start": "10:05"}]
    assert "hierarchy-used" in dict(map(reversed, beside(*tiers, place="11")))
    assert "hierarchy-used" not in dict(map(reversed, beside(*equals, place="11")))


def test_an_exact_interval_of_30_minutes_is_named_as_disputed():
    def pushed(stop):
        return beside(ondansetron(**PUSH, start="10:00"), ondansetron(**PUSH, start=stop))

    assert "repeat-push-interval" in dict(map(reversed, pushed("10:30")))
    assert "repeat-push-interval" not in dict(map(reversed, pushed("10:29")))
    assert "repeat-push-interval" not in dict(map(reversed, pushed("10:31")))


def test_fluid_names_only_the_drug_it_ran_beside():
    rows = [
        {"id": "1", **SALINE, "start": "08:00", "stop": "10:00", "purpose": "hydration"},
        {"id": "2", "drug": "ceftriaxone", **DRIP, "start": "08:00", "stop": "08:30"},
        {"id": "3", "drug": "vancomycin", **DRIP, "start": "10:00", "stop": "11:00"},
    ]
    answer = select_push_codes({"place_of_service": "22", "administrations": rows}, what_if=False)
    (fluid,) = [line for line in answer.lines if line.administrations == ("1",)]
    assert "30 of its 120 minutes beside ceftriaxone;" in fluid.why


# Visits beside a drug administration need modifier 25: office, emergency, critical care, preventive, hospital clinic.
VISITS = ["99202", "99215", "99281", "99285", "99291", "99292", "99381", "99397", "G0463"]
# One outside each range, on either side.
NO_VISITS = ["99201", "99216", "99280", "99286", "99290", "99293", "99380", "99398", "G0462", "G0464"]
INCLUDED = ["36000", "36410", "36591", "36592", "96523"]
NOT_INCLUDED = ["36001", "36411", "36590", "36593", "96522"]


def with_service(code, *modifiers):
    services = [{"code": code, "modifiers": list(modifiers)}]
    return {rule for _, rule in beside(ondansetron(**PUSH, start="08:00"), other_services=services)}


@pytest.mark.parametrize("code", VISITS)
def test_a_visit_needs_its_modifier(code):
    assert "em-significant-separate" in with_service(code)
    assert "em-significant-separate" in with_service(code, "59")
    assert "em-significant-separate" not in with_service(code, "25")


@pytest.mark.parametrize("code", NO_VISITS)
def test_what_is_no_visit_needs_none(code):
    assert "em-significant-separate" not in with_service(code)


def test_the_minimal_visit_is_never_reported():
    assert "em-minimal-visit" in with_service("99211")
    assert "em-minimal-visit" in with_service("99211", "25")
    assert "em-minimal-visit" not in with_service("99212")
    assert "em-minimal-visit" not in with_service("99210")


@pytest.mark.parametrize("code", INCLUDED)
def test_what_is_part_of_giving_a_drug_is_not_reported(code):
    assert "included-services" in with_service(code)


@pytest.mark.parametrize("code", NOT_INCLUDED)
def test_what_is_next_to_it_is_reported(code):
    assert "included-services" not in with_service(code)


# JW since 2017-01-01, JZ since 2023-07-01. 700 mg of rituximab are 70 units of 10 mg, or 7 of 100 mg until 2018.
@pytest.mark.parametrize(
    ("day", "discarded", "lines"),
    [
        ("2016-12-31", "100 mg", ["7"]),
        ("2017-01-01", "100 mg", ["7", "1 JW"]),
        ("2017-01-01", "99 mg", ["7"]),
        ("2023-06-30", "20 mg", ["70", "2 JW"]),
        ("2023-06-30", "0 mg", ["70"]),
        ("2023-07-01", "0 mg", ["70 JZ"]),
        ("2023-07-01", "9 mg", ["70 JZ"]),
        ("2023-07-01", "10 mg", ["70", "1 JW"]),
        ("2026-03-02", "20 mg", ["70", "2 JW"]),
    ],
)
def test_modifiers_for_discarded_drug_have_their_dates(day, discarded, lines):
    row = {"id": "1", "drug": "rituximab", "category": "chemotherapy", **DRIP, "start": "08:00", "stop": "09:00"}
    row |= {"dose": "700 mg", "discarded": discarded}
    given = {"date_of_service": day, "place_of_service": "22", "payer": "medicare", "administrations": [row]}
    answer = select_push_codes(given, what_if=False)
    drug = [" ".join((str(line.units), *line.modifiers)) for line in answer.lines if line.role == "drug"]
    assert drug == lines


@pytest.mark.parametrize(("route", "said"), [("iv_push", True), ("iv_infusion", False)])
def test_only_what_was_charted_as_pushes_is_said_to_be_pushed_at_once(route, said):
    rows = [
        {"id": "1", "drug": "vancomycin", "route": route, "start": "09:00"},
        {"id": "2", "drug": "Zofran", "route": "iv_push", "start": "09:00"},
    ]
    coding = select_push_codes({"date_of_service": "2026-03-02", "place_of_service": "23", "administrations": rows})
    assert any("pushes-at-once" in row.rules for row in coding.notices) is said

"""Every place of service: whose claim it implies, who reports there, and where a push is reported again.

The table is written out by hand: the CMS place-of-service codes, NCCI Policy Manual chapter XI (a physician does not
report drug administration in a facility), and for places it does not name, Regence policy 109.
"""

import pytest

from ivcoder import select_push_codes
from ivcoder.book import places

# place: the claim it implies (- where either is usual); what a professional and a facility claim carry for two pushes
# of one drug an hour apart. The office and its like report the first; a hospital outpatient department both; nobody
# reports an inpatient stay by code.
TABLE = """
05 -             first  first
06 -             first  first
07 -             first  first
08 -             first  first
09 professional  first  first
11 professional  first  first
12 professional  first  first
13 professional  first  first
14 professional  first  first
15 -             first  first
17 professional  first  first
18 professional  first  first
19 facility      none   both
20 professional  first  first
21 -             none   none
22 facility      none   both
23 facility      none   both
24 -             none   first
25 -             first  first
26 -             first  first
27 professional  first  first
31 -             none   first
32 -             first  first
33 professional  first  first
34 -             first  first
49 professional  first  first
50 -             first  first
51 -             none   none
52 -             first  first
53 -             first  first
54 -             first  first
57 professional  first  first
58 professional  first  first
61 -             none   none
62 -             none   first
65 -             none   first
71 -             first  first
72 -             first  first
99 -             first  first
"""
ROWS = [line.split() for line in TABLE.split("\n") if line]
LINES = {"none": [], "first": ["96374"], "both": ["96374", "96376"]}
PUSHES = [
    {"id": "1", "drug": "ondansetron", "route": "iv_push", "start": "08:00"},
    {"id": "2", "drug": "ondansetron", "route": "iv_push", "start": "09:00"},
]
MIXED = [
    {"id": "1", "drug": "ondansetron", "route": "iv_push", "start": "08:00"},
    {"id": "2", "drug": "ceftriaxone", "route": "iv_infusion", "start": "09:00", "stop": "10:00"},
]


def answer(place, rows, **fields):
    given = {"date_of_service": "2026-03-02", "place_of_service": place, "administrations": rows, **fields}
    return select_push_codes(given, what_if=False)


def test_every_place_is_in_the_table():
    assert [row[0] for row in ROWS] == sorted(places())


@pytest.mark.parametrize(("place", "implied", "professional", "facility"), ROWS, ids=lambda value: value)
def test_what_each_claim_carries(place, implied, professional, facility):
    for claim, carries in (("professional", professional), ("facility", facility)):
        assert [line.code for line in answer(place, PUSHES, claim=claim).lines] == LINES[carries]


@pytest.mark.parametrize(("place", "implied", "professional", "facility"), ROWS, ids=lambda value: value)
def test_whose_claim_a_place_implies(place, implied, professional, facility):
    # The reason for the visit leads on a professional claim; on a facility's it is set aside, and the answer says so.
    found = answer(place, MIXED, primary_reason="1")
    aside = any("reason-set-aside" in notice.rules for notice in found.notices)
    asked = [question.field for question in found.questions]
    assert asked == (["claim"] if implied == "-" and professional == "none" and facility != "none" else [])
    assert aside == (implied == "facility")
    if implied == "professional":
        assert [line.code for line in found.lines] == ["96374", "96367"]

"""Thirty-odd kinds of bad input: one clear line a fault, the field named, nothing of the chart repeated."""

import json
from datetime import date

import pytest
from commands import run

from benchmarks.wire import Server
from ivcoder import InvalidInput, explain_denial, select_push_codes

CANARY = "canary"
GOOD = {"id": "1", "drug": "Solu-Medrol", "route": "iv_push", "start": "09:00"}


def encounter(**fields):
    return {"place_of_service": "22", "administrations": [GOOD], **fields}


def row(**fields):
    return encounter(administrations=[{**GOOD, **fields}])


def two(**fields):
    return encounter(administrations=[GOOD, {**GOOD, "id": "2", **fields}])


UNTIMED = {"id": "1", "drug": "Solu-Medrol", "route": "iv_push"}


def bag(*facts):
    """Three drugs in one bag, each naming the next."""
    names = ["2", "3", None]
    rows = [
        {**UNTIMED, "id": str(number), "mixed_with": name, **fact}
        for number, (name, fact) in enumerate(zip(names, facts, strict=True), 1)
    ]
    return encounter(administrations=rows)


# what is wrong: the document, and the fields that must be named
DOCUMENTS = {
    "unknown place": (encounter(place_of_service="98"), ["place_of_service"]),
    "place as a number": (encounter(place_of_service=22), ["place_of_service"]),
    "place missing": ({"administrations": [GOOD]}, ["place_of_service"]),
    "no administrations": ({"place_of_service": "22"}, ["administrations"]),
    "empty list": (encounter(administrations=[]), ["administrations"]),
    "administrations null": (encounter(administrations=None), ["administrations"]),
    "administrations an object": (encounter(administrations=GOOD), ["administrations"]),
    "nested null": (encounter(administrations=[None]), ["administrations[0]"]),
    "drug null": (row(drug=None), ["administrations[0].drug"]),
    "drug empty": (row(drug=" "), ["administrations[0].drug"]),
    "drug with control characters": (row(drug=f"{CANARY}\x1b[31m"), ["administrations[0].drug"]),
    "drug too long": (row(drug=CANARY * 50), ["administrations[0].drug"]),
    "unknown route": (row(route=CANARY), ["administrations[0].route"]),
    "no lesions": (row(lesions=0), ["administrations[0].lesions"]),
    "by vein, no matter how": (row(route="IV"), ["administrations[0].route"]),
    "route missing": (encounter(administrations=[{"id": "1", "drug": "x"}]), ["administrations[0].route"]),
    "unknown field": (encounter(patient_name=CANARY), ["patient_name"]),
    "unknown field inside": (row(mrn=CANARY), ["administrations[0].mrn"]),
    "field with a strange name": (encounter(**{f"{CANARY} {CANARY}": 1}), ["input"]),
    "negative minutes": (row(minutes=-5), ["administrations[0].minutes"]),
    "minutes as text": (row(minutes=CANARY), ["administrations[0].minutes"]),
    "minutes a fraction": (row(minutes=2.5), ["administrations[0].minutes"]),
    "minutes true": (row(minutes=True), ["administrations[0].minutes"]),
    "minutes beyond two weeks": (row(minutes=10**9), ["administrations[0].minutes"]),
    "duplicate ids": (two(id="1"), ["administrations[1].id"]),
    "id with a slash": (row(id=f"{CANARY}/1"), ["administrations[0].id"]),
    "stop before start": (row(start="2026-03-02T10:00", stop="2026-03-02T09:00"), ["administrations[0].stop"]),
    "stop on an earlier day": (row(start="10:00+2", stop="09:00+1"), ["administrations[0].stop"]),
    "length against the times": (row(stop="09:10", minutes=20), ["administrations[0].minutes"]),
    "start before the date of service": (
        {**row(start="2026-03-01T09:00"), "date_of_service": "2026-03-02"},
        ["administrations[0].start"],
    ),
    "stop before the date of service": (
        {**encounter(administrations=[{**UNTIMED, "stop": "2026-03-01T09:00"}]), "date_of_service": "2026-03-02"},
        ["administrations[0].stop"],
    ),
    "time that is none": (row(start="25:00"), ["administrations[0].start"]),
    "time in words": (row(start=CANARY), ["administrations[0].start"]),
    "day that is none": (row(start="2026-02-30T09:00"), ["administrations[0].start"]),
    "date that is none": (encounter(date_of_service="2026-02-30"), ["date_of_service"]),
    "date before the book opens": (encounter(date_of_service="2015-12-31"), ["date_of_service"]),
    "date as seconds": (encounter(date_of_service="1772409600"), ["date_of_service"]),
    "date in other digits": (encounter(date_of_service="2026-03-0\N{ARABIC-INDIC DIGIT TWO}"), ["date_of_service"]),
    "date as a number": (encounter(date_of_service=20260302), ["date_of_service"]),
    "dose without a unit": (row(dose="125"), ["administrations[0].dose"]),
    "dose beyond measure": (row(dose="999999999,999,999,999,999,999,999 kg"), ["administrations[0].dose"]),
    "dose of a million kilograms": (row(dose="1,000,000 kg"), ["administrations[0].dose"]),
    "dose with a comma astray": (row(dose="1,00 mg"), ["administrations[0].dose"]),
    "dose in other digits": (row(dose="\N{ARABIC-INDIC DIGIT TWO} mg"), ["administrations[0].dose"]),
    "time in other digits": (row(start="09:0\N{ARABIC-INDIC DIGIT TWO}"), ["administrations[0].start"]),
    "dose in words": (row(dose=f"one {CANARY}"), ["administrations[0].dose"]),
    "category unknown": (row(category=CANARY), ["administrations[0].category"]),
    "hcpcs of the wrong form": (row(hcpcs="J29190"), ["administrations[0].hcpcs"]),
    "mixed with nobody": (row(mixed_with="9"), ["administrations[0].mixed_with"]),
    "mixed with itself": (row(mixed_with="1"), ["administrations[0].mixed_with"]),
    "mixed over two routes": (two(route="im", mixed_with="1"), ["administrations[1].mixed_with"]),
    "mixed with other times": (two(start="10:00", mixed_with="1"), ["administrations[1].mixed_with"]),
    "mixed with other times by way of another": (
        bag({"start": "12:00", "stop": "14:00"}, {}, {"start": "09:00", "stop": "10:00"}),
        ["administrations[0].mixed_with"],
    ),
    "mixed, a stop before another's start": (
        bag({"start": "12:00"}, {}, {"stop": "10:00"}),
        ["administrations[0].mixed_with"],
    ),
    "mixed, attended and not": (
        bag({"attended": True}, {}, {"attended": False}),
        ["administrations[2].attended"],
    ),
    "mixed, resumed and not": (
        bag({"resumed": False}, {"resumed": True}, {}),
        ["administrations[1].resumed"],
    ),
    "reason that is nobody": (encounter(primary_reason="9"), ["primary_reason"]),
    "claim unknown": (encounter(claim=CANARY), ["claim"]),
    "modifier of three letters": (
        encounter(other_services=[{"code": "99213", "modifiers": ["XYZ"]}]),
        ["other_services[0].modifiers[0]"],
    ),
    "attended as text": (row(attended="yes"), ["administrations[0].attended"]),
    "policy unknown": (encounter(undocumented_stop=CANARY), ["undocumented_stop"]),
    "too many": (
        encounter(administrations=[{**GOOD, "id": str(number)} for number in range(101)]),
        ["administrations"],
    ),
    "too many, and each of them wrong": (encounter(administrations=[{"id": CANARY}] * 101), ["administrations"]),
    "too many services, and each of them wrong": (encounter(other_services=[{}] * 51), ["other_services"]),
    "more faults than are shown": (
        encounter(administrations=[{**GOOD, "id": str(number), "route": CANARY} for number in range(50)]),
        [*[f"administrations[{number}].route" for number in range(20)], "input"],
    ),
    "more contradictions than are shown": (
        encounter(administrations=[{**GOOD, "id": str(number), "mixed_with": "99"} for number in range(50)]),
        [*[f"administrations[{number}].mixed_with" for number in range(20)], "input"],
    ),
    "several faults at once": (
        {"place_of_service": "98", "administrations": [{**GOOD, "route": CANARY, "minutes": -1}]},
        ["place_of_service", "administrations[0].route", "administrations[0].minutes"],
    ),
}

# what is wrong: the bytes on standard input, and what must be said
BYTES = {
    "not JSON": (b"canary, not JSON", "is not valid JSON"),
    "JSON cut off": (b'{"place_of_service": "22", "administrations": [{"id', "is not valid JSON"),
    "empty": (b"", "is not valid JSON"),
    "a list": (b"[]", "is not a JSON object"),
    "a number": (b"5", "is not a JSON object"),
    "NaN": (b'{"place_of_service": NaN}', "holds NaN"),
    "a field twice": (b'{"place_of_service": "22", "place_of_service": "canary"}', "gives a field twice"),
    "nested too deeply": (b"[" * 100_000, "is nested too deeply"),
    "not UTF-8": (b'\xff\xfe{"canary": 1}', "is not UTF-8"),
    "10 MB": (b'{"canary": "' + b"x" * 10_000_000 + b'"}', "is larger than 1 MB"),
    "a huge number": (b'{"place_of_service": ' + b"9" * 10_000 + b"}", "holds a number too long"),
}


def check(said, fields):
    lines = said.strip().splitlines()
    assert [line.split(": ")[0] for line in lines] == fields
    assert all("; expected " in line for line in lines)
    assert CANARY not in said
    assert "Traceback" not in said
    assert "pydantic" not in said


def test_there_are_enough_kinds():
    assert len(DOCUMENTS) + len(BYTES) >= 30


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_on_the_command_line(kind):
    document, fields = DOCUMENTS[kind]
    done = run("select", "-", stdin=json.dumps(document).encode())
    assert (done.status, done.out) == (2, "")
    check(done.err, fields)
    as_json = run("select", "--json", "-", stdin=json.dumps(document).encode())
    assert (as_json.status, as_json.out) == (2, "")
    assert [fault["field"] for fault in json.loads(as_json.err)["errors"]] == fields


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_in_the_library(kind):
    document, fields = DOCUMENTS[kind]
    with pytest.raises(InvalidInput) as caught:
        select_push_codes(document)
    assert [fault.field for fault in caught.value.faults] == fields


@pytest.fixture(scope="module")
def server():
    with Server() as running:
        yield running
        assert running.close() == b"", "nothing is logged"


@pytest.mark.parametrize("tool", ["classify_administration", "rank_services", "select_push_codes"])
@pytest.mark.parametrize("kind", DOCUMENTS)
def test_over_mcp(kind, tool, server):
    document, fields = DOCUMENTS[kind]
    result = json.loads(server.call(tool, document))["result"]
    assert result["isError"] is True
    assert "structuredContent" not in result
    check(result["content"][0]["text"], fields)


@pytest.mark.parametrize("kind", BYTES)
def test_bytes_that_are_no_encounter(kind):
    given, says = BYTES[kind]
    for command in ("select", "explain", "audit"):
        done = run(command, "-", stdin=given)
        assert (done.status, done.out) == (2, "")
        check(done.err, ["input"])
        assert says in done.err


@pytest.mark.parametrize("path", ["no/such/file.json", ".", "with\0nul"])
def test_a_file_that_cannot_be_read(path):
    done = run("select", path)
    assert done.status == 2
    check(done.err, ["input"])


def test_faults_beyond_those_shown_are_counted():
    rows = [{**GOOD, "id": str(number), "mixed_with": "99"} for number in range(50)]
    with pytest.raises(InvalidInput, match="input: has 30 more faults"):
        select_push_codes(encounter(administrations=rows))
    with pytest.raises(InvalidInput) as caught:
        select_push_codes(encounter(administrations=rows[:21]))
    assert len(caught.value.faults) == 21


def test_a_denial_before_the_book_opens():
    with pytest.raises(InvalidInput, match="date_of_service: is before 2016-01-01"):
        explain_denial({"billed_lines": [{"code": "96375"}], "date_of_service": "2015-12-31"})


def test_a_moment_is_no_date():
    with pytest.raises(InvalidInput):
        select_push_codes(encounter(date_of_service="2026-03-02T09:00"))
    assert select_push_codes(encounter(date_of_service=date(2026, 3, 2))).status == "coded"

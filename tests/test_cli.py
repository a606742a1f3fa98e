"""The command line as a person and a script use it: exit statuses, streams, shorthand, pages."""

import json
import os
import pty
import re
import subprocess
import sys

import pytest
from commands import run

from casebook import ENCOUNTERS
from ivcoder import Encounter, InvalidInput, select_push_codes
from ivcoder.rule import RULES
from ivcoder.server.cli import DEMO
from ivcoder.server.shorthand import administration, billed_line

PUSHES = ("Solu-Medrol 125 mg iv push 09:00-09:03", "Solu-Medrol 125 mg iv push 11:10")
OPEN = {
    "place_of_service": "22",
    "administrations": [{"id": "1", "drug": "Rocephin", "route": "iv_infusion", "start": "09:00"}],
}


def codes(done):
    return [(line["code"], line["units"]) for line in json.loads(done.out)["lines"] if line["role"] != "drug"]


def test_shorthand_for_people():
    done = run("select", "--pos", "22", "--json", *PUSHES)
    assert done.status == 0
    assert codes(done) == [("96374", 1), ("96376", 1)]


def test_a_file_and_standard_input_say_the_same(tmp_path):
    path = tmp_path / "encounter.json"
    path.write_text(json.dumps(DEMO), encoding="utf-8")
    from_file = run("select", "--json", str(path))
    from_input = run("select", "--json", "-", stdin=path.read_bytes())
    assert from_file.status == 0
    assert from_file.out == from_input.out


@pytest.mark.parametrize("command", ["classify", "rank", "select"])
def test_exit_status_says_what_the_answer_needs(command):
    document = json.dumps(OPEN).encode()
    for flag in ([], ["--json"]):
        done = run(command, *flag, "-", stdin=document)
        assert done.status == 1
        assert done.err == ""
    assert run(command, "--pos", "22", PUSHES[0]).status == 0


def test_exit_status_of_a_denial():
    known = {
        "place_of_service": "11",
        "billed_lines": [{"code": "96374"}, {"code": "96376", "denied": True}],
    }
    unknown = {"billed_lines": [{"code": "96375", "denied": True}, {"code": "96374"}]}
    assert run("explain", "--json", "-", stdin=json.dumps(known).encode()).status == 0
    assert run("explain", "--json", "-", stdin=json.dumps(unknown).encode()).status == 1


def test_json_on_standard_output_and_nothing_else():
    done = run("select", "--json", "-", stdin=json.dumps(DEMO).encode())
    assert json.loads(done.out) == json.loads(select_push_codes(DEMO).model_dump_json(by_alias=True))
    assert done.out.count("\n") == 1
    assert done.err == ""


def test_options_go_over_the_document():
    done = run("select", "--json", "--pos", "11", "-", stdin=json.dumps(DEMO).encode())
    assert "one-initial-per-access" in done.out
    assert "hierarchy-as-fallback" in done.out


def test_billed_lines_as_shorthand():
    done = run("explain", "--json", "--pos", "11", "96374", "96376:denied:CO-97")
    answer = json.loads(done.out)
    assert (answer["verdict"], answer["removed_lines"]) == ("payer_right", ["96376"])
    assert run("explain", "--pos", "11", "96376:denied").status == 0
    named = run("explain", "--json", "--pos", "22", "96413 Keytruda", "96375 Benadryl:denied:CO-97:N19")
    assert json.loads(named.out)["verdict"] == "payer_wrong"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("96375", {"code": "96375", "denied": False}),
        ("96375x2", {"units": 2}),
        ("j2919 x 25", {"units": 25, "drug": None}),
        ("j2919 x25", {"code": "J2919", "units": 25}),
        ("96375-59-xs x2", {"modifiers": ["59", "XS"], "units": 2}),
        ("96375 vitamin B12:denied", {"drug": "vitamin B12", "denied": True}),
        ("96375:CO-97:n19", {"denied": True, "carc": ["CO-97"], "rarc": ["N19"]}),
        ("96374 Toradol:denied:CO-97,N20", {"drug": "Toradol", "denied": True, "carc": ["CO-97"], "rarc": ["N20"]}),
        ("9637", None),
        ("96375::denied", None),
    ],
)
def test_what_people_type_of_billed_lines(text, expected):
    if expected is None:
        with pytest.raises(InvalidInput):
            billed_line(text, 1)
        return
    read = billed_line(text, 1)
    assert {name: read.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Zofran 4 mg ivp 14:02", {"drug": "Zofran", "dose": "4 mg", "route": "iv_push", "start": "14:02"}),
        ("Zofran 4mg IV Push 9:02", {"dose": "4mg", "start": "09:02"}),
        ("vancomycin 1,250 mg ivpb 14:02-15:32", {"dose": "1,250 mg", "route": "iv_infusion", "stop": "15:32"}),
        ("vancomycin 1 g ivpb 14:02 to 15:32", {"stop": "15:32"}),
        ("normal saline 1000 mL iv infusion over 2 hours", {"minutes": 120, "dose": "1000 mL"}),
        ("Rocephin 1 g im", {"route": "im"}),
        ("Zofran iv push 4 mg 14:02", {"drug": "Zofran", "dose": "4 mg"}),
        ("NS 1 L iv infusion 08:00-09:40 purpose=hydration site=2", {"purpose": "hydration", "access_site": "2"}),
        ("adenosine 6 mg iv push 08:00 attended=yes", {"attended": True}),
        ("5-FU 900 mg iv push 10:00-10:04", {"drug": "5-FU", "dose": "900 mg"}),
        ("IV acetaminophen 1 g iv infusion 10:00-10:15", {"drug": "IV acetaminophen"}),
        ("Ativan 1 mg iv push at 10:00", {"start": "10:00"}),
        ("Ativan 1 mg iv push 1000-1003", {"start": "10:00", "stop": "10:03"}),
        ("Ativan 1 mg iv push @ 2210", {"start": "22:10"}),
        ("ceftriaxone 1 g iv infusion 120 minutes", {"minutes": 120, "start": None}),
        ("ceftriaxone 1 g iv infusion 1440 min", {"minutes": 1440, "start": None}),
        ("ceftriaxone 1 g ivpb 0900 over 30 min", {"minutes": 30, "start": "09:00"}),
        ("Rocephin 1 g in 50 mL NS ivpb 9:15 am - 9:50 am", {"drug": "Rocephin", "dose": "1 g", "stop": "09:50"}),
        ("KCl 10 mEq/100 mL ivpb 1222-1322", {"drug": "KCl", "dose": "10 mEq", "stop": "13:22"}),
        ("Ativan 1 mg slow IVP 10 pm", {"drug": "Ativan", "route": "iv_push", "start": "22:00"}),
        ("Ativan 1 mg ivp 12:05 am", {"start": "00:05"}),
        ("Ativan 1 mg ivp 12 pm", {"start": "12:00"}),
        ("Bicillin L-A 2.4 MU im", {"drug": "Bicillin L-A", "dose": "2.4 MU"}),
        ("heparin 5000 U sc", {"drug": "heparin", "dose": "5000 U"}),
        ("morphine 4 mg SIVP 10:00", {"drug": "morphine", "route": "iv_push", "start": "10:00"}),
        ("NS 1 L IVF 0900-1015", {"drug": "NS", "route": "iv_infusion", "stop": "10:15"}),
        ("vanc 1 g iv piggyback start 0900 stop 1030", {"drug": "vanc", "start": "09:00", "stop": "10:30"}),
        ("NS iv infusion TKO 0900-1100", {"drug": "NS", "purpose": "keep_open"}),
        ("NS iv infusion @ 125 mL/hr 0900-1100", {"drug": "NS", "dose": None, "stop": "11:00"}),
        ("heparin drip 12 units/kg/hr 0900-1100", {"drug": "heparin", "route": "iv_infusion", "dose": None}),
        ("epinephrine 2 mg endotracheal", {"route": "endotracheal"}),
        ("Dilaudid 1 mg ivp 00:10+1", {"start": "00:10+1"}),
        ("vancomycin 1 g ivpb 23:30-00:45+1", {"start": "23:30", "stop": "00:45+1"}),
        ("Venofer 200 mg IV over 30 min", {"route": "iv_infusion", "minutes": 30}),
        ("Venofer 200 mg IV 09:00-09:45", {"route": "iv_infusion", "stop": "09:45"}),
        ("Venofer 200 mg IV 0900-0945", {"route": "iv_infusion", "stop": "09:45"}),
        ("IV Tylenol 1 g iv infusion 09:00-09:15", {"drug": "IV Tylenol"}),
        ("methotrexate 12 mg IT", {"route": "intrathecal"}),
        ("Xolair 150 mg s.c.", {"route": "sc"}),
        ("NS 1 L iv infusion for hydration 09:00-11:00", {"drug": "NS", "purpose": "hydration"}),
        ("morphine 4 mg IV 0845", None),
        ("morphine -4 mg ivp 10:00", None),
        ("morphine 4 mg ivp 25:00 pm", None),
        ("morphine 4 mg iv 10:00", None),
        ("iv push 10:00", None),
        ("morphine iv push ten o'clock", None),
        ("morphine iv push 10:00 colour=red", None),
    ],
)
def test_what_people_type(text, expected):
    if expected is None:
        with pytest.raises(InvalidInput):
            Encounter.read({"place_of_service": "22", "administrations": [administration(text, 1)]})
        return
    read = administration(text, 1)
    assert {name: read.get(name) for name in expected} == expected
    Encounter.read({"place_of_service": "22", "administrations": [read]})


def test_an_audit_in_short_text_and_of_documents(tmp_path):
    short = ("audit", "--json", "--pos", "22", "--date", "2026-03-02")
    done = run(*short, "--billed", "96374", "--billed", "96375x2", "Zofran iv push 09:00")
    answer = json.loads(done.out)
    assert done.status == 0
    assert [(row["line"], row["code"], row["kind"]) for row in answer["findings"]] == [(2, "96375", "unsupported")]
    row = {"id": "1", "drug": "Zofran", "route": "iv_push", "start": "09:00"}
    encounter = {"place_of_service": "22", "administrations": [row]}
    path = tmp_path / "encounter.json"
    path.write_text(json.dumps(encounter), encoding="utf-8")
    beside = run("audit", "--json", "--date", "2026-03-02", "--billed", "96374", "--billed", "96375x2", str(path))
    assert json.loads(beside.out) == answer
    lines = [{"code": "96374"}, {"code": "96375", "units": 2}]
    whole = json.dumps({"encounter": encounter, "billed_lines": lines}).encode()
    assert json.loads(run("audit", "--json", "--date", "2026-03-02", "-", stdin=whole).out) == answer


def test_exit_status_and_page_of_an_audit(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    clean = run("audit", "--pos", "22", "--billed", "96374", "Zofran iv push 09:00")
    assert clean.status == 0
    assert "Clean" in clean.out
    asked = run("audit", "--pos", "22", "--billed", "96365", "Rocephin ivpb 09:00")
    assert asked.status == 1
    assert "Undecided" in asked.out
    wrong = run("audit", "--pos", "22", "--billed", "96372", "--billed", "71046", "--billed", "96365", "Rocephin im")
    assert wrong.status == 0
    assert wrong.out.index("over-coded") < wrong.out.index("not audited")
    assert all(len(line) <= 80 for line in (clean.out + asked.out + wrong.out).splitlines())
    assert run("audit", "--pos", "22", "Zofran iv push 09:00").err.startswith("--billed: is missing")
    assert run("audit", "--billed", "96374", "Zofran iv push 09:00").err.startswith("--pos: is missing")


def test_own_drug_table_from_option_and_environment(tmp_path, monkeypatch):
    table = tmp_path / "own.toml"
    table.write_text('[[drug]]\nname = "housemix"\ncategory = "chemotherapy"\nagent = "cytotoxic"\n', encoding="utf-8")
    text = "housemix iv push 09:00"
    assert codes(run("select", "--pos", "22", "--json", "--drugs", str(table), text)) == [("96409", 1)]
    assert run("select", "--pos", "22", "--json", text).status == 1
    monkeypatch.setenv("IVCODER_DRUGS", str(table))
    assert codes(run("select", "--pos", "22", "--json", text)) == [("96409", 1)]


def test_rules_and_their_pages():
    listed = run("rules").out
    assert all(rule in listed for rule in RULES)
    page = run("rules", "repeat-push-interval")
    assert page.status == 0
    assert "31 minutes" in page.out
    wrong = run("rules", "repeat-push-intervall")
    assert wrong.status == 2
    assert "repeat-push-interval" in wrong.err


def test_drugs_are_found_and_near_misses_suggested():
    found = run("drug", "Solu-Medrol")
    assert found.status == 0
    assert "J2919" in found.out
    missed = run("drug", "Solu-Medrul")
    assert missed.status == 1
    assert "Did you mean Solu-Medrol" in missed.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "Commands:"),
        (("canary",), "command: is not known"),
        (("select",), "is missing"),
        (("select", "--canary", "x"), "option: is not known"),
        (("select", "--poss", "22"), "perhaps --pos"),
        (("select", "--pos"), "option: is not known, or lacks its value"),
        (("select", *PUSHES), "--pos: is missing"),
        (("rules", "canary", "canary"), "command:"),
    ],
)
def test_usage_errors_are_told_without_what_was_typed(arguments, says):
    done = run(*arguments)
    assert done.status == 2
    assert done.out == ""
    assert says in done.err
    assert "canary" not in done.err
    assert "failed inside" not in done.err


def test_version_and_help():
    assert run("--version").out.startswith("ivcoder ")
    for command in ("classify", "rank", "select", "explain", "rules", "drug", "demo", "serve"):
        done = run(command, "--help")
        assert done.status == 0
        assert command in run("--help").out


def test_an_unforeseen_failure_leaves_no_traceback(monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("canary")

    monkeypatch.setattr("ivcoder.select_push_codes", broken)
    plain = run("select", "--pos", "22", PUSHES[0])
    as_json = run("select", "--json", "--pos", "22", PUSHES[0])
    for done in (plain, as_json):
        assert done.status == 70
        assert "RuntimeError" in done.err
        assert "canary" not in done.err
        assert "Traceback" not in done.err
        assert done.err.count("\n") == 1
    assert json.loads(as_json.err)["errors"][0]["field"] == "ivcoder"


def test_bad_input_is_a_line_for_each_fault_and_one_of_json():
    wrong = json.dumps({"place_of_service": "canary", "administrations": "canary"}).encode()
    plain = run("select", "-", stdin=wrong)
    as_json = run("select", "--json", "-", stdin=wrong)
    assert (plain.status, as_json.status) == (2, 2)
    assert plain.out == as_json.out == ""
    faults = json.loads(as_json.err)["errors"]
    assert len(faults) > 1
    assert plain.err.count("\n") == len(faults)
    assert as_json.err.count("\n") == 1


PAGES = {
    "demo": ("demo",),
    "repeat-push": ("select", "--pos", "22", "--date", "2026-03-02", *PUSHES),
    "open-infusion": ("select", "--pos", "23", "--date", "2026-03-02", "Rocephin 1 g ivpb 09:00", "Zofran ivp 09:10"),
    "no-times": ("select", "--pos", "11", "--date", "2026-03-02", "Injectafer 750 mg iv push", "vitamin B12 1 mg im"),
    "over-midnight": (
        "select", "--pos", "23", "--date", "2026-03-02", "--payer", "medicare",
        "normal saline 1000 mL iv infusion 22:30-01:05 purpose=hydration", "Toradol 30 mg ivp 22:20",
    ),
    "classify": ("classify", "--pos", "22", "--date", "2026-03-02", "Keytruda 200 mg iv infusion 10:00", "Rocephin im"),
    "rank-office": (
        "rank", "--pos", "11", "--date", "2026-03-02", "--reason", "2",
        "Keytruda 200 mg iv infusion 10:00-10:30", "Benadryl 25 mg ivp 09:30",
    ),
    "explain-office": ("explain", "--pos", "11", "--date", "2026-03-02", "96374", "96376:denied:CO-97"),
    "drug": ("drug", "Solu-Medrol"),
    "rules": ("rules",),
    "rule": ("rules", "repeat-push-interval"),
    "help": ("--help",),
    "help-select": ("select", "--help"),
}  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_what_a_person_sees(name, frozen, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = re.sub(r"(rulebook [\d.]+) \(\w+\)", r"\1 (...)", run(*PAGES[name]).out)
    assert all(len(line) <= 80 for line in text.splitlines())
    assert not any(line != line.rstrip() for line in text.splitlines())
    assert frozen(text, "terminal", name, "txt")


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("case", ENCOUNTERS[::12], ids=lambda case: case.id)
def test_no_page_is_wider_than_the_terminal(case, width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    done = run("select", "-", stdin=json.dumps(case.encounter).encode())
    assert max(map(len, done.out.splitlines())) <= width


def in_a_terminal(*arguments, **environment):
    """What a command writes to a terminal of 80 columns."""
    read, write = pty.openpty()
    env = {**os.environ, "COLUMNS": "80", "TERM": "xterm-256color", **environment}
    with subprocess.Popen(
        [sys.executable, "-m", "ivcoder.server.cli", *arguments], stdout=write, stderr=write, env=env
    ) as process:
        os.close(write)
        out = b""
        while True:
            try:
                got = os.read(read, 65536)
            except OSError:
                break
            if not got:
                break
            out += got
    os.close(read)
    assert process.returncode == 0
    return out.decode()


def test_a_terminal_gets_the_sixteen_colours_only():
    text = in_a_terminal("demo")
    styles = {int(part) for found in re.findall(r"\x1b\[([\d;]*)m", text) for part in found.split(";") if part}
    assert styles
    assert styles <= {0, 1, 2, 3, 4, *range(30, 38), *range(90, 98)}


def test_a_terminal_without_colour_gets_none():
    text = in_a_terminal("demo", NO_COLOR="1")
    assert not re.search(r"\x1b\[[\d;]*3\d", text)
    assert "96413" in text


def test_an_ascii_terminal_gets_ascii():
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "80"}
    done = subprocess.run(
        [sys.executable, "-m", "ivcoder.server.cli", "demo"], capture_output=True, env=env, check=True
    )
    assert done.stdout.isascii()
    assert b"?" not in done.stdout


def test_a_reader_that_goes_away_is_no_error():
    command = f"{sys.executable} -m ivcoder.server.cli rules | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_an_empty_option_is_an_answer_too():
    for command, what in (("select", "Zofran iv push 09:00"), ("explain", "96375")):
        done = run(command, what, "--pos", "")
        assert (done.status, done.out) == (2, "")
        assert done.err.startswith("place_of_service: ")


def test_a_drug_longer_than_a_file_name():
    done = run("explain", f"96375 {'x' * 300}")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("billed_lines[0].drug: ")


@pytest.mark.parametrize("length", ["9" * 400, "9" * 7, "1." + "0" * 400])
def test_a_length_beyond_measure(length):
    done = run("select", "--pos", "22", f"vancomycin iv infusion over {length} min")
    assert (done.status, done.out) == (2, "")
    assert "administration 1: has words after the route that are not times" in done.err


@pytest.mark.parametrize("columns", ["9" * 5000, "9" * 12, "100000", "\N{SUPERSCRIPT TWO}", "wide", "0", ""])
def test_any_columns_will_do(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    done = run("select", "--pos", "22", "Zofran iv push 09:00")
    assert (done.status, done.err) == (0, "")
    assert max(map(len, done.out.splitlines())) <= 1000


@pytest.mark.parametrize("size", ["9" * 12, "\N{SUPERSCRIPT TWO}"])
def test_any_size_of_a_terminal_will_do(size):
    assert "96374" in in_a_terminal("select", "--pos", "22", "Zofran iv push 09:00", COLUMNS=size, LINES=size)


def test_a_drug_is_found_by_its_code():
    shown = run("drug", "j1200")
    assert shown.status == 0
    assert "diphenhydramine" in shown.out

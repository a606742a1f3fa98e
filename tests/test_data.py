"""CMS's quarterly files: read in every layout, refused when they are wrong, kept whole or not at all."""

import hashlib
import io
import json
import os
import zipfile

import pytest
from commands import run

import cms
from benchmarks.wire import Server
from ivcoder import EditTable, EditTables, InvalidInput
from ivcoder.server import cms_files, store

PRA, OPH = "ccipra-v320r0-f4", "ccioph-v320r0-f4"
MUE, AOC = "MCR_MUE_PractitionerServices_Eff_01-01-2026", "AOC_V2026Q1-MCR"

# The made-up pairs that name a code of the family and were not withdrawn, by hand, in order.
KEPT = """\
96365 36000 0 20090101 99999999
96365 96374 0 20090101 20201231
96365 96374 1 20210101 99999999
96372 99213 1 20090101 99999999
"""
KEPT_UNITS = "96365 000001 2\n96372 000002 1\n96375 000003 3\n"
KEPT_ADD_ONS = """\
96366 CCCCC 2 A 20130401 99999999
96367 96360 1 P 20160401 99999999
96375 96365 1 A 20130401 20191231
96375 96374 1 A 20130401 99999999
96376 96374 1 H 20130401 20251231
"""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """An empty folder for the tables."""
    monkeypatch.setenv("IVCODER_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def write(tmp_path):
    def written(name, content):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return written


def read(path, kind=None, audience=None, quarter=None):
    return cms_files.read(path, kind, audience, quarter)


@pytest.mark.parametrize(
    ("name", "content", "called", "rows"),
    [
        (f"{PRA}.TXT", cms.ptp_text(), "ptp-practitioner-2026Q1-f4", KEPT),
        (f"{OPH}.txt", cms.ptp_text(), "ptp-outpatient_hospital-2026Q1-f4", KEPT),
        (f"{PRA}.xlsx", cms.workbook(cms.ptp_rows()), "ptp-practitioner-2026Q1-f4", KEPT),
        (f"{MUE}.csv", cms.mue_text(), "mue-practitioner-2026Q1", KEPT_UNITS),
        (f"{MUE}.xlsx", cms.workbook(cms.mue_rows()), "mue-practitioner-2026Q1", KEPT_UNITS),
        (
            "MCR_MUE_OutpatientHospitalServices_Eff_04-01-2026.csv",
            cms.mue_text(whose="Outpatient Hospital Services"),
            "mue-outpatient_hospital-2026Q2",
            KEPT_UNITS,
        ),
        (f"{AOC}.txt", cms.aoc_text(), "add-on-2026Q1", KEPT_ADD_ONS),
        (f"{AOC}.xlsx", cms.workbook(cms.aoc_rows()), "add-on-2026Q1", KEPT_ADD_ONS),
        (
            "medicare-ncci-2026q1-practitioner-ptp-edits.zip",
            cms.zipped(**{f"{PRA}__TXT": cms.ptp_text(), f"{PRA}__xlsx": cms.workbook(cms.ptp_rows())}),
            "ptp-practitioner-2026Q1-f4",
            KEPT,
        ),
        (
            "a.zip",
            cms.zipped(**{"AOC_V2026Q1-F-MCR__txt": b"1110011", f"{AOC}__xlsx": cms.workbook(cms.aoc_rows())}),
            "add-on-2026Q1",
            KEPT_ADD_ONS,
        ),
        ("AOC_V2026Q1-F-MCR.txt", cms.aoc_fixed(), "add-on-2026Q1", KEPT_ADD_ONS),
        (
            "add-code-edits-medicare-effective-06012026.zip",
            cms.zipped(addons__txt=cms.aoc_fixed()),
            "add-on-2026Q2",
            KEPT_ADD_ONS,
        ),
        (
            "medicare-ncci-2026-q4-facility-outpatient-hospital-services-mue-table.zip",
            cms.zipped(table__csv=cms.mue_text(whose="Outpatient Hospital Services")),
            "mue-outpatient_hospital-2026Q4",
            KEPT_UNITS,
        ),
        (
            "practitionerservicesmuetable-effective-10-01-2026.zip",
            cms.zipped(**{"folder/table__csv": cms.mue_text(), "folder/table__xlsx": b"not read"}),
            "mue-practitioner-2026Q4",
            KEPT_UNITS,
        ),
        (
            "MCR_MUE_PractitionerServices_Eff_04-01-2024.xlsx",
            cms.workbook(cms.mue_rows()[1:]),
            "mue-practitioner-2024Q2",
            KEPT_UNITS,
        ),
        ("anything.zip", cms.zipped(**{f"{AOC}__xlsx": cms.workbook(cms.aoc_rows())}), "add-on-2026Q1", KEPT_ADD_ONS),
    ],
)
def test_every_layout_is_read(name, content, called, rows, write):
    table = read(write(name, content))
    assert table.name == called
    assert table.rows == rows
    assert table.sha256 == hashlib.sha256(content).hexdigest()


def test_no_wording_of_cms_or_the_ama_is_kept(write):
    for name, content in ((f"{PRA}.txt", cms.ptp_text()), (f"{MUE}.csv", cms.mue_text())):
        text = read(write(name, content)).text()
        assert not any(word in text for word in ("Why", "Nature", "notice", "copyright", "Clinical"))


@pytest.mark.parametrize(
    ("name", "content", "option"),
    [
        ("rows.txt", "".join(cms.ptp_text().decode().splitlines(keepends=True)[6:]).encode(), "--kind"),
        ("edits-2026q1.txt", cms.ptp_text(), "--audience"),
        ("practitioner.txt", cms.ptp_text(), "--quarter"),
    ],
)
def test_what_a_file_does_not_tell_is_asked_for(name, content, option, write):
    with pytest.raises(InvalidInput) as error:
        read(write(name, content))
    [fault] = error.value.faults
    assert (fault.field, fault.problem) == (option, "is missing: the file does not tell")
    table = read(write(name, content), "ptp", "practitioner", "2026Q1")
    assert table.rows == KEPT


BOMB = cms.zipped(a__txt=b"0" * 1000)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        (f"{PRA}.txt", b"", "holds no rows"),
        (f"{PRA}.txt", b"nothing\tof\tthe\tkind\r\n" * 3, "holds no rows"),
        (f"{PRA}.txt", cms.ptp_text()[:-20], "row 7 under the headings"),
        (f"{PRA}.txt", cms.ptp_text((*cms.PTP, ("99999", "61000", "20260231", "*", "1"))), "row 8 under the headings"),
        (f"{PRA}.txt", cms.ptp_text((*cms.PTP, ("99999", "61000", "20260101", "*", "7"))), "row 8 under the headings"),
        (f"{PRA}.txt", b"\0" * 500, "is not text in columns"),
        (f"{PRA}.txt", b"9" * 300_000, "is not text in columns"),
        (f"{MUE}.csv", cms.mue_text((("96365", "many", "2 Policy"),)), "row 1 under the headings"),
        (f"{MUE}.csv", cms.mue_text(whose="DME Supplier Services"), "or for suppliers of equipment"),
        ("Medicaid_MUE_Practitioner.csv", cms.mue_text(), "is Medicaid's"),
        ("MCD-MUE-PRA-v2026q1.txt", b"", "is Medicaid's"),
        (f"{MUE}.csv", cms.commas(cms.MEDICAID_MUE), "is Medicaid's"),
        (f"{PRA}.txt", cms.tabbed(cms.MEDICAID_PTP), "is Medicaid's"),
        ("MCR_NCCI_OCE_Deletions_Eff_04-01-2026.txt", cms.ptp_text(), "only what changed"),
        ("MCR_MUE_DME_Revisions_Eff_04-01-2026.txt", b"", "only what changed"),
        (
            "ncci.zip",
            cms.zipped(**{f"MCR_NCCI_OCE_{what}_Eff_04-01-2026__txt": b"" for what in ("Additions", "CCMIChgs")}),
            "only what changed",
        ),
        (f"{AOC}.txt", cms.aoc_text((("4", "96375", "", "96365", "", "2013091", "", ""),)), "row 1 under"),
        (f"{AOC}.txt", cms.aoc_text((("1", "96375", "", "96365", "", "2013400", "", ""),)), "row 1 under"),
        (f"{PRA}.xlsx", b"PK\x03\x04 no workbook", "is damaged"),
        (f"{PRA}.xlsx", cms.zipped(a__txt=b"x"), "is not a workbook"),
        (f"{PRA}.pdf", b"%PDF", "is not of a kind"),
        ("a.zip", cms.zipped(**{f"{PRA}__txt": cms.ptp_text()})[:-30], "is not of a kind"),
        ("a.zip", cms.zipped(readme__md=b"x"), "holds no table"),
        ("a.zip", cms.zipped(a__txt=b"x", b__txt=b"y"), "holds several tables"),
    ],
)
def test_a_wrong_file_is_one_fault_and_changes_nothing(name, content, problem, write, place):
    good = write("good.txt", cms.ptp_text())
    options = ("--audience", "practitioner", "--quarter", "2026Q1")
    assert run("data", "load", str(good), *options).status == 0
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    done = run("data", "load", str(write(name, content)))
    assert done.status == 2
    assert done.out == ""
    [line] = done.err.splitlines()
    assert problem in line
    assert line.startswith("file: ")
    assert {path.name: path.read_bytes() for path in place.iterdir()} == before


@pytest.mark.parametrize("limit", ["LARGEST", "UNPACKED", "MOST_ROWS"])
def test_a_file_larger_than_any_of_cms_is_refused(limit, write, monkeypatch):
    monkeypatch.setattr(cms_files, limit, 5)
    with pytest.raises(InvalidInput, match=r"larger than|unpacks to|more than"):
        read(write("a.zip", cms.zipped(**{f"{PRA}__txt": cms.ptp_text()})))


def test_a_list_of_changes_is_refused_under_any_name(write):
    """It would pass for the whole table of its quarter."""
    content = cms.tabbed([cms.CHANGES_HEAD, ("96365", "96374", "1")])
    with pytest.raises(InvalidInput, match="only what changed"):
        read(write("edits.txt", content), "ptp", "practitioner", "2026Q1")


def test_a_workbook_that_states_too_small_a_size_is_read_whole(write):
    held = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(cms.workbook(cms.mue_rows()))) as book, zipfile.ZipFile(held, "w") as changed:
        for name in book.namelist():
            text = book.read(name)
            if name.startswith("xl/worksheets/"):
                text = text.replace(b"<sheetData>", b'<dimension ref="A1:B2"/><sheetData>')
            changed.writestr(name, text)
    assert read(write(f"{MUE}.xlsx", held.getvalue())).rows == KEPT_UNITS


def test_a_zip_that_lies_about_its_size_is_refused(write):
    """Written as ten bytes, holding a thousand: what is over is not read, and the check sum does not fit."""
    content = bytearray(cms.zipped(**{f"{PRA}__txt": cms.ptp_text()}))
    size = len(cms.ptp_text()).to_bytes(4, "little")
    at = content.rindex(size)
    content[at : at + 4] = (10).to_bytes(4, "little")
    with pytest.raises(InvalidInput):
        read(write("a.zip", bytes(content)))


def test_a_member_damaged_on_the_way_is_refused(write):
    content = bytearray(cms.zipped(**{f"{PRA}__txt": cms.ptp_text()}))
    content[80] ^= 255
    with pytest.raises(InvalidInput, match="is damaged"):
        read(write("a.zip", bytes(content)))


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (("--quarter", "2026"), "--quarter"),
        (("--quarter", "2025Q4"), "--quarter"),
        (("--kind", "mue"), "--kind"),
        (("--kind", "other"), "--kind"),
        (("--audience", "outpatient_hospital"), "--audience"),
        (("--audience", "nobody"), "--audience"),
    ],
)
def test_an_option_that_contradicts_the_file_is_refused(options, field, write, place):
    done = run("data", "load", str(write(f"{PRA}.txt", cms.ptp_text())), *options)
    assert done.status == 2
    assert done.err.startswith(f"{field}: ")
    assert not place.exists()


def test_a_file_that_is_not_there_is_refused(tmp_path):
    assert run("data", "load", str(tmp_path / "none.txt")).err.startswith("file: cannot be read")


def test_tables_are_listed_and_removed(write):
    assert run("data", "list").out == "No file is loaded.\n"
    content = cms.ptp_text()
    assert run("data", "load", str(write(f"{PRA}.txt", content))).status == 0
    assert run("data", "load", str(write(f"{MUE}.csv", cms.mue_text()))).status == 0
    shown = run("data", "list").out.splitlines()
    assert [line.split()[0] for line in shown] == ["mue-practitioner-2026Q1", "ptp-practitioner-2026Q1-f4"]
    assert hashlib.sha256(content).hexdigest()[:12] in shown[1]
    assert "4 rows" in shown[1]
    assert run("data", "remove", "mue-practitioner-2026Q1").status == 0
    assert len(run("data", "list").out.splitlines()) == 1
    gone = run("data", "remove", "mue-practitioner-2026Q1")
    assert (gone.status, gone.err.split(":")[0]) == (2, "name")
    assert run("data", "remove", "../x").status == 2


def test_a_replaced_file_takes_the_place_of_the_one_before(write):
    run("data", "load", str(write(f"{PRA}.txt", cms.ptp_text())))
    run("data", "load", str(write(f"{PRA}.txt", cms.ptp_text(cms.PTP[:2] + cms.PTP[-1:]))))
    [table] = store.stored().tables
    assert table.count == 1


def test_two_files_may_not_hold_the_same_codes(write):
    run("data", "load", str(write(f"{PRA}.txt", cms.ptp_text())))
    done = run("data", "load", str(write("ccipra-v320r0-f3.txt", cms.ptp_text())))
    assert done.status == 2
    assert "`ivcoder data remove ptp-practitioner-2026Q1-f4` first" in done.err


def test_headings_go_before_names(write):
    table = read(write("practitioner-2026q1.csv", cms.mue_text(whose="Outpatient Hospital Services")))
    assert table.audience == "outpatient_hospital"


def test_a_half_written_table_is_never_seen(write, place, monkeypatch):
    run("data", "load", str(write(f"{PRA}.txt", cms.ptp_text())))
    before = store.stored()

    def fails(*_):
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fails)
        done = run("data", "load", str(write(f"{PRA}.txt", cms.ptp_text(cms.PTP[:2] + cms.PTP[-1:]))))
    assert (done.status, done.err.split(":")[0]) == (2, "data")
    assert store.stored() == before
    assert [path.name for path in place.iterdir()] == ["ptp-practitioner-2026Q1-f4.table"]
    (place / ".left-behind.part").write_bytes(b"half")
    assert store.stored() == before


def test_a_table_changed_on_disk_is_refused_by_name(write, place):
    run("data", "load", str(write(f"{PRA}.txt", cms.ptp_text())))
    [path] = place.iterdir()
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole.replace(b"96374 1", b"96374 0"), b"", b"\xff" + whole):
        path.write_bytes(damaged)
        done = run("select", "--pos", "22", "Zofran ivp")
        assert done.status == 2
        assert "ptp-practitioner-2026Q1-f4" in done.err
    path.write_bytes(whole)
    path.rename(place / "ptp-practitioner-2026Q2-f4.table")
    assert run("data", "list").status == 2
    assert run("data", "remove", "ptp-practitioner-2026Q2-f4").status == 0


def test_a_table_comes_back_as_it_was_written(write):
    for name, content in (
        (f"{PRA}.txt", cms.ptp_text()),
        (f"{MUE}.csv", cms.mue_text()),
        (f"{AOC}.txt", cms.aoc_text()),
    ):
        table = read(write(name, content))
        assert EditTable.parse(table.text()) == table
        assert EditTables.parse([table.text()]).tables == (table,)


def test_the_command_line_and_the_library_answer_alike(write):
    run("data", "load", str(write(f"{PRA}.txt", cms.ptp_text())))
    from ivcoder import select_push_codes

    rows = [{"id": "1", "drug": "Rocephin", "route": "im"}]
    given = {"place_of_service": "11", "date_of_service": "2026-01-05", "administrations": rows}
    done = run("select", "--json", "-", stdin=json.dumps(given).encode())
    answer = select_push_codes(given, tables=store.stored())
    assert json.loads(done.out) == json.loads(answer.model_dump_json(by_alias=True))
    assert [table.quarter for table in answer.receipt.tables] == ["2026Q1"]
    assert select_push_codes(given).receipt.tables == ()


def test_a_workbook_that_is_a_bomb_is_refused(write, monkeypatch):
    monkeypatch.setattr(cms_files, "UNPACKED", 1000)
    held = cms.workbook(cms.ptp_rows())
    assert zipfile.ZipFile(write("x.zip", held)).namelist()
    with pytest.raises(InvalidInput, match="unpacks to more"):
        read(write(f"{PRA}.xlsx", held))


def test_a_person_sees_the_hits_and_one_line_for_what_no_table_covers(write):
    """Two initial services of two accesses and a subcutaneous injection: one edit passes with 59, one code is over."""
    run("data", "load", str(write(f"{OPH}.txt", cms.ptp_text())))
    run(
        "data",
        "load",
        str(
            write(
                "MCR_MUE_OutpatientHospitalServices_Eff_01-01-2026.csv",
                cms.mue_text(
                    (("96365", "0", "2 Policy"), ("96372", "4", "3 Clinical")), "Outpatient Hospital Services"
                ),
            )
        ),
    )
    given = ("Rocephin ivpb 09:00-09:40", "Zofran ivp 09:50 site=2 reason=incompatible_drugs", "Toradol im")
    page = run("select", "--pos", "22", "--date", "2026-01-05", *given).out
    section = page[page.index("Payer edits") : page.index("What would change it")]
    rows = [line.split("  ")[0] for line in section.splitlines() if line and not line.startswith(" ")]
    assert rows == ["Payer edits", "96365/96374", "96365", "no data"]
    assert "modifier present" in section
    assert "absolute limit" in section
    assert "units of 96374" in section
    assert "ptp-outpatient_hospital-2026Q1-f4 (" in page


def test_the_server_uses_the_folder_and_says_what_hits(write):
    run("data", "load", str(write(f"{OPH}.txt", cms.ptp_text())))
    rows = [
        {"id": "1", "drug": "Rocephin", "route": "iv_infusion", "start": "09:00", "stop": "09:40"},
        {"id": "2", "drug": "Toradol", "route": "im"},
    ]
    given = {
        "place_of_service": "22",
        "date_of_service": "2026-01-05",
        "administrations": rows,
        "other_services": [{"code": "36000"}],
    }
    with Server() as running:
        result = json.loads(running.call("select_push_codes", given))["result"]
    answer = result["structuredContent"]
    found = {tuple(row["codes"]): row["result"] for row in answer["edits"] if row["kind"] == "pair"}
    assert found == {
        ("96365", "96372"): "not_bundled",
        ("96365", "36000"): "bundled",
        ("96372", "36000"): "no_data",
    }
    assert answer["receipt"]["tables"][0]["quarter"] == "2026Q1"
    [text] = [row["text"] for row in result["content"]]
    assert "Payer edits, bundled [96365 36000]" in text
    assert "not bundled" not in text

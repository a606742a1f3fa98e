"""Made-up quarterly files in CMS's own layouts: code numbers only."""

import io
import zipfile

import openpyxl

PTP_HEAD = (
    ("CPT only copyright 2025 American Medical Association.  All rights reserved.", "", "", "", "", "", ""),
    ("Column1/Column2 Edits", "", "", "", "", "", ""),
    ("Column 1", "Column 2", "*=in existence", "Effective", "Deletion", "Modifier", "PTP Edit Rationale"),
    ("", "", "prior to 1996", "Date", "Date", "0=not allowed", ""),
    ("", "", "", "", "*=no data", "1=allowed", ""),
    ("", "", "", "", "", "9=not applicable", ""),
)
# Column one, column two, first day, last day, indicator.
PTP = (
    ("61000", "36000", "19960101", "*", "1"),
    ("96365", "36000", "20090101", "*", "0"),
    ("96365", "96374", "20090101", "20201231", "0"),
    ("96365", "96374", "20210101", "*", "1"),
    ("96372", "96375", "20090101", "20090101", "9"),
    ("96372", "99213", "20090101", "*", "1"),
    ("99999", "61000", "19960101", "*", "1"),
)
MUE_HEAD = "HCPCS/\nCPT Code"
MUE = (
    ("36000", "2", "3 Date of Service Edit: Clinical"),
    ("96365", "1", "2 Date of Service Edit: Policy"),
    ("96372", "2", "1 Line Edit"),
    ("96375", "3", "3 Date of Service Edit: Clinical"),
    ("99999", "1", "2 Date of Service Edit: Policy"),
)
AOC_HEAD = (
    "AOC_Edit_Type",
    "Add-On_Code",
    "AOC_DelDT",
    "Primary_Code",
    "Primary_Code_DelDT",
    "AOC_Edit_EffDT",
    "AOC_Edit_DelDT",
    "Special_Instruction_Notes",
)
AOC = (
    ("1", "11001", "", "11000", "", "2013091", "", ""),
    ("1", "96375", "", "96365", "2019365", "2013091", "", ""),
    ("1", "96375", "", "96374", "", "2013091", "", ""),
    ("2", "96366", "", "CCCCC", "", "2013091", "", "Contractor Defined Primary Codes"),
)


def ptp_rows(rows=PTP):
    return [*PTP_HEAD, *((one, two, "", since, until, mark, "Why") for one, two, since, until, mark in rows)]


def ptp_text(rows=PTP):
    return "".join("\t".join(row) + "\r\n" for row in ptp_rows(rows)).encode("cp1252")


def mue_rows(rows=MUE, whose="Practitioner Services"):
    head = (MUE_HEAD, f"{whose} MUE Values", "MUE Adjudication Indicator", "MUE Rationale")
    return [("A notice.\n\nIn several lines.", "", "", ""), head, *((*row, "Nature, of a thing") for row in rows)]


def mue_text(rows=MUE, whose="Practitioner Services"):
    def cell(value):
        return f'"{value}"' if "\n" in value or "," in value else value

    return "".join(",".join(map(cell, row)) + "\r\n" for row in mue_rows(rows, whose)).encode("cp1252")


def aoc_rows(rows=AOC):
    return [("A notice.", *[""] * (len(AOC_HEAD) - 1)), AOC_HEAD, *rows]


def aoc_text(rows=AOC):
    return "".join("\t".join(row) + "\r\n" for row in aoc_rows(rows)).encode("cp1252")


def workbook(rows):
    """Rows as a workbook; numbers as numbers, as a spreadsheet would have them."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in rows:
        sheet.append([int(cell) if cell.isdigit() else cell or None for cell in row])
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def zipped(**members):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return held.getvalue()

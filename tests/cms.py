"""Made-up quarterly files in CMS's own layouts: code numbers only.

The layouts are those of excerpts and readers of the real files in public repositories: pairs and practitioners' limits
of 2026Q3 (reuven-ops/Biller), hospitals' limits of 2026Q4 (Niall-the-Vile/opps-engine), limits of 2026Q4
(clay-good/sophiewell.com), the add-on text of 2026Q3 (oihuegbu/new-podiatry-coder).
"""

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
# A withdrawn row may stand beside the one that took its place. The third column is a star for an edit older than 1996.
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
    ("1", "96367", "", "96360", "", "2016092", "", "96360 (Practitioner Only)"),
    ("1", "96376", "2026090", "96374", "", "2013091", "2025365", "96376 may be reported by facilities only"),
)
AOC_WIDTHS = (1, 5, 7, 5, 7, 7, 7, 58)
# What a quarter changed in the pairs: no dates, and the indicator's heading over several lines.
CHANGES_HEAD = ("Column 1", "Column 2", "Modifier\r\nIndicator\r\n0=not allowed\r\n1= allowed\r\n9= not applicable")
# Medicaid's pairs do not say which are older than 1996, its limits not how they are held.
MEDICAID_PTP = (
    ("Col1", "Col2", "EffDt", "DelDt", "ModifierIndicator", "PTP_Edit_Rationale"),
    ("96365", "36000", "20101001", "", "1", "Why"),
)
MEDICAID_MUE = (
    (MUE_HEAD, "Practitioner Services MUE Values", "MUE Rationale"),
    ("96372", "4", "Clinical: Data"),
)


def ptp_rows(rows=PTP):
    return [*PTP_HEAD, *((*row[:2], "*" if row[2] == "19960101" else "", *row[2:], "Why") for row in rows)]


def ptp_text(rows=PTP):
    return tabbed(ptp_rows(rows))


def tabbed(rows):
    return "".join("\t".join(row) + "\r\n" for row in rows).encode("cp1252")


def mue_rows(rows=MUE, whose="Practitioner Services"):
    head = (MUE_HEAD, f"{whose} MUE Values", "MUE Adjudication Indicator", "MUE Rationale")
    return [("A notice\u00ae.\n\nIn several lines.", "", "", ""), head, *((*row, "Nature, of a thing") for row in rows)]


def mue_text(rows=MUE, whose="Practitioner Services"):
    return commas(mue_rows(rows, whose))


def commas(rows):
    def cell(value):
        return f'"{value}"' if "\n" in value or "," in value else value

    return "".join(",".join(map(cell, row)) + "\r\n" for row in rows).encode("cp1252")


def aoc_rows(rows=AOC):
    return [("A notice.", *[""] * (len(AOC_HEAD) - 1)), AOC_HEAD, *rows]


def aoc_text(rows=AOC):
    return tabbed(aoc_rows(rows))


def aoc_fixed(rows=AOC):
    """The add-on text as CMS has written it since 2022: columns by width, no headings."""
    lines = ("".join(cell.ljust(width) for cell, width in zip(row, AOC_WIDTHS, strict=True)) for row in rows)
    return "".join(f"{line}\r\n" for line in lines).encode("cp1252")


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

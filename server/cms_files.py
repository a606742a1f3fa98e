"""CMS's quarterly downloads, read as they come and cut down to drug administration.

Descriptors and rationales are not kept: they are not ours to keep.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO, TypeVar

from ivcoder.book import (
    CONTRACTOR,
    FOR,
    FOR_ALL,
    OPEN_END,
    OPEN_START,
    Audience,
    EditKind,
    EditTable,
    in_family,
)
from ivcoder.faults import Fault, InvalidInput

LARGEST = 200_000_000
"""Bytes of a download; CMS's largest is a tenth of it."""

UNPACKED = 600_000_000
"""Bytes a download may unpack to."""

MOST_ROWS = 3_000_000
LONGEST_LINE = 100_000
HEADINGS_WITHIN = 40
"""Rows in which headings stand."""

_CODE = re.compile(r"(?=[A-Z]*[0-9])[0-9A-Z]{5}")
_CHANGES = re.compile(r"additions|deletions|revisions|chgs|changes")
_FIXED = re.compile(r"([123])([0-9A-Z]{5})([0-9 ]{7})([0-9A-Z]{5})([0-9 ]{7})(\d{7})([0-9 ]{0,7})(.*)")
_FIXED_HEAD = (
    "AOC_Edit_Type",
    "Add-On_Code",
    "AOC_DelDT",
    "Primary_Code",
    "Primary_Code_DelDT",
    "AOC_Edit_EffDT",
    "AOC_Edit_DelDT",
    "Special_Instruction_Notes",
)
"""The columns of the add-on text, which go by their width; its workbook names them so."""

_QUARTER = re.compile(r"(20[0-9]{2})Q([1-4])")
_VERSION_EPOCH = 1994
"""Versions count years from here: 32.0 is the first quarter of 2026."""

Rows = Iterator[tuple[str, ...]]
T = TypeVar("T")


def _refused(field: str, problem: str, right: str) -> InvalidInput:
    return InvalidInput(Fault(field, problem, right))


def _wrong(problem: str, right: str = "the file as CMS publishes it") -> InvalidInput:
    return _refused("file", problem, right)


def read(path: Path, kind: EditKind | None, audience: Audience | None, quarter: str | None) -> EditTable:
    """A CMS download as a table; what it does not tell of itself must be given.

    Args:
        path: the text, CSV or Excel file, or the zip that holds it.
        kind: what it is, when its headings do not tell.
        audience: whose claims it is for, when neither its headings nor its name tell.
        quarter: such as ``2026Q1``, when its name does not tell.

    Raises:
        InvalidInput: it cannot be read, is not such a file, or does not tell what it is.

    """
    if quarter is not None and not _QUARTER.fullmatch(quarter):
        raise _refused("--quarter", "is not a quarter", "a year and a quarter, such as 2026Q1")
    digest = _digest(path)
    with _opened(path) as (names, rows):
        head, body = _headings(rows)
        told = _told(head, names)
        what: EditKind = _settled("--kind", kind, told.kind, "ptp, mue or add-on")
        whose: Audience | None = None
        if what != "add-on":
            whose = _settled("--audience", audience, told.audience, "practitioner or outpatient_hospital")
        elif audience is not None:
            raise _refused("--audience", "does not go with add-ons", "no audience: the list holds for all claims")
        when = _settled("--quarter", quarter, told.quarter, "a year and a quarter, such as 2026Q1")
        first, last, kept = _READERS[what](body, head)
    return EditTable.of(what, whose, when, told.part, digest, (first, last), kept)


def _settled(option: str, given: T | None, told: T | None, right: str) -> T:
    """What was asked for, what the file tells, or a fault."""
    if given is not None and told is not None and given != told:
        raise _refused(option, "is not what the file says of itself", "what it says, or no such option")
    settled = given if given is not None else told
    if settled is None:
        raise _refused(option, "is missing: the file does not tell", right)
    return settled


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest() if size <= LARGEST else ""
    except (OSError, ValueError):
        raise _wrong("cannot be read", "the path of a file you may read") from None
    if size > LARGEST:
        raise _wrong(f"is larger than {LARGEST // 1_000_000} MB")
    return digest


@contextmanager
def _opened(path: Path) -> Iterator[tuple[tuple[str, ...], Rows]]:
    """The names that tell what a file is, its own last, and its rows."""
    _named([path.name])
    try:
        with path.open("rb") as file:
            if path.suffix.lower() == ".xlsx" or not zipfile.is_zipfile(file):
                file.seek(0)
                yield (path.name,), _bounded(_rows(path.name, file))
                return
            with zipfile.ZipFile(file) as archive:
                _within_bounds(archive)
                _named(archive.namelist())
                member = _the_file(archive)
                with archive.open(member) as inner:
                    held: IO[bytes] = inner
                    if member.filename.lower().endswith(".xlsx"):
                        held = io.BytesIO(inner.read())
                    name = PurePosixPath(member.filename).name
                    yield (path.name, name), _bounded(_rows(name, held))
    except InvalidInput:
        raise
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError):
        raise _wrong(
            "is damaged, or locked with a password", "the file as CMS publishes it, downloaded again"
        ) from None
    except OSError:
        raise _wrong("cannot be read", "the path of a file you may read") from None


def _named(names: Iterable[str]) -> None:
    """Refuse what a name tells to be another program's, or no whole table."""
    for name in map(_plain, names):
        if any(word in name for word in ("dmesupplier", "medicaid", "mcd")):
            raise _others()
        if _CHANGES.search(name):
            raise _wrong("lists only what changed in a quarter", "the whole table of the quarter")


def _others() -> InvalidInput:
    return _wrong("is Medicaid's, or for suppliers of equipment", "Medicare's, for practitioners or hospitals")


def _within_bounds(archive: zipfile.ZipFile) -> None:
    if sum(member.file_size for member in archive.infolist()) > UNPACKED:
        raise _wrong(f"unpacks to more than {UNPACKED // 1_000_000} MB")


def _the_file(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """The one table in a zip. Of text and workbook it takes the text, which reads faster; add-ons come as a workbook
    with headings beside a text without.
    """
    kinds = ((".txt", ".csv"), (".xlsx",))
    add_ons = any(PurePosixPath(name).name.lower().startswith("aoc") for name in archive.namelist())
    for endings in reversed(kinds) if add_ons else kinds:
        found = [
            member
            for member in archive.infolist()
            if member.filename.lower().endswith(endings) and not member.filename.startswith("__MACOSX/")
        ]
        if len(found) == 1:
            return found[0]
        if found:
            raise _wrong("holds several tables", "one table: unpack it and load them one by one")
    raise _wrong("holds no table", "a zip with a .txt, .csv or .xlsx file of CMS's")


def _rows(name: str, file: IO[bytes]) -> Rows:
    ending = PurePosixPath(name).suffix.lower()
    if ending == ".xlsx":
        return _sheet(file)
    if ending not in {".txt", ".csv"}:
        raise _wrong("is not of a kind that CMS publishes", "a .txt, .csv, .xlsx or .zip file")
    return _text(file, ",") if ending == ".csv" else _split(_text(file, "\t"))


def _text(file: IO[bytes], between: str) -> Rows:
    """Rows of a text file; CMS writes Windows' characters in its notices."""
    lines = _lines(file)
    rows = (
        csv.reader(lines, strict=True)
        if between == ","
        else csv.reader(lines, delimiter=between, quoting=csv.QUOTE_NONE)
    )
    try:
        for row in rows:
            yield tuple(cell.strip() for cell in row)
    except csv.Error:
        raise _wrong("is not text in columns") from None


def _split(rows: Rows) -> Rows:
    """Rows, those of the add-on text cut by width and put under its headings."""
    begun = False
    for row in rows:
        found = _FIXED.fullmatch(row[0]) if len(row) == 1 else None
        if found and not begun:
            begun = True
            yield _FIXED_HEAD
        yield tuple(part.strip() for part in found.groups()) if found else row


def _lines(file: IO[bytes]) -> Iterator[str]:
    """Lines of a length that a table has."""
    while line := file.readline(LONGEST_LINE):
        if len(line) >= LONGEST_LINE or b"\0" in line:
            raise _wrong("is not text in columns")
        yield line.decode("cp1252", errors="replace")


def _sheet(file: IO[bytes]) -> Rows:
    """Rows of the first sheet of a workbook."""
    from xml.etree.ElementTree import ParseError

    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

    try:
        with zipfile.ZipFile(file) as archive:
            _within_bounds(archive)
        file.seek(0)
        book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        try:
            sheet = book.worksheets[0]
            if isinstance(sheet, ReadOnlyWorksheet):
                sheet.reset_dimensions()  # A sheet may state a smaller one than it has.
            for row in sheet.iter_rows(values_only=True):
                yield tuple(_cell(value) for value in row)
        finally:
            book.close()
    except InvalidInput:
        raise
    except (ParseError, InvalidFileException, ValueError, TypeError, AttributeError, IndexError, LookupError):
        raise _wrong("is not a workbook that can be read", "the file as CMS publishes it, downloaded again") from None


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return f"{value:%Y%m%d}"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _bounded(rows: Rows) -> Rows:
    for number, row in enumerate(rows):
        if number >= MOST_ROWS:
            raise _wrong(f"has more than {MOST_ROWS} rows")
        yield row


@dataclass(frozen=True, slots=True)
class _Told:
    """What a file tells of itself."""

    kind: EditKind | None
    audience: Audience | None
    quarter: str | None
    part: str | None


def _headings(rows: Rows) -> tuple[list[tuple[str, ...]], Rows]:
    """The rows above the first that holds data, and the rest with that row first."""
    head: list[tuple[str, ...]] = []
    for row in rows:
        cells = [cell for cell in row if cell]
        if len(cells) > 2 and any(_CODE.fullmatch(cell.upper()) for cell in row[:2]):
            return head, _chained(row, rows)
        head.append(row)
        if len(head) > HEADINGS_WITHIN:
            break
    raise _wrong("holds no rows of a table of edits", "the file as CMS publishes it, or its .xlsx")


def _chained(row: tuple[str, ...], rows: Rows) -> Rows:
    yield row
    yield from rows


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _told(head: Sequence[Sequence[str]], names: Sequence[str]) -> _Told:
    cells = {_plain(cell) for row in head for cell in row}
    kind: EditKind | None = None
    # Medicare's pairs tell which are older than 1996, and its limits how they are held; Medicaid's do neither.
    if {"column1", "column2"} <= cells or {"col1", "col2"} <= cells:
        kind = "ptp"
        if not any("priorto1996" in cell for cell in cells):
            raise _wrong(
                "is Medicaid's, or lists only what changed in a quarter", "Medicare's whole table of the quarter"
            )
    elif any("muevalues" in cell for cell in cells):
        kind = "mue"
        supplier = any("supplier" in cell for cell in cells if "muevalues" in cell)
        if supplier or not any("adjudicationindicator" in cell for cell in cells):
            raise _others()
    elif {"addoncode", "primarycode"} <= cells:
        kind = "add-on"
    # Headings before names, which anybody can change.
    named = _plain(" ".join(names))
    audience: Audience | None = None
    for text in (*(cell for cell in cells if "muevalues" in cell), named):
        if audience is None and re.search("practitioner|ccipra", text):
            audience = "practitioner"
        elif audience is None and re.search("hospital|ccioph", text):
            audience = "outpatient_hospital"
    part = next(
        (f"f{found[1]}" for name in reversed(names) if (found := re.search(r"-f([1-9])\b", name.lower()))), None
    )
    return _Told(kind, audience, _quarter(names), part)


def _quarter(names: Sequence[str]) -> str | None:
    """The quarter a file's name tells: its own name before that of the zip around it."""
    for name in reversed(names):
        if found := re.search(r"(20\d\d)-?q([1-4])", name.lower()):
            return f"{found[1]}Q{found[2]}"
        if found := re.search(r"eff(?:ective)?[_-](\d\d)-?\d\d-?(20\d\d)", name.lower()):
            return f"{found[2]}Q{(int(found[1]) + 2) // 3}"
        if found := re.search(r"\bcci(?:pra|oph)-v(\d\d)([0-3])r\d", name.lower()):
            return f"{_VERSION_EPOCH + int(found[1])}Q{int(found[2]) + 1}"
    return None


Read = tuple[str, str, list[str]]


def _pairs(rows: Rows, _: Sequence[Sequence[str]]) -> Read:
    """Column one, column two, in force before 1996, first day, last day, indicator."""

    def kept(row: Sequence[str]) -> tuple[str, str | None]:
        one, two, _, since, until, indicator = row[:6]
        first = _day(since) or OPEN_START
        if indicator not in {"0", "1", "9"} or not _CODE.fullmatch(two):
            raise ValueError
        last = _day(until) or OPEN_END
        # An edit withdrawn from its first day was never one.
        wanted = indicator != "9" and (in_family(one) or in_family(two))
        return one, f"{one} {two} {indicator} {first} {last}" if wanted else None

    return _kept(rows, kept, columns=6)


def _limits(rows: Rows, _: Sequence[Sequence[str]]) -> Read:
    """Code, units, indicator and its name."""

    def kept(row: Sequence[str]) -> tuple[str, str | None]:
        code, units, indicator = row[:3]
        found = re.match(r"[123]\b", indicator)
        if not re.fullmatch(r"\d{1,6}", units) or (indicator and not found):
            raise ValueError
        return code, f"{code} {int(units):06} {found[0] if found else 0}" if in_family(code) else None

    return _kept(rows, kept, columns=3)


_WHOSE = {"PRACTITIONER ONLY": FOR["practitioner"], "FACILITIES ONLY": FOR["outpatient_hospital"]}


def _add_ons(rows: Rows, head: Sequence[Sequence[str]]) -> Read:
    """Columns by their headings, which CMS has spelt in several ways; a note says whose claims a row is for."""
    places: dict[str, int] = {}
    for row in head:
        for place, cell in enumerate(row):
            places[_plain(cell).removesuffix("julian").replace("deldate", "deldt").replace("effdate", "effdt")] = place
    wanted = ("addoncode", "primarycode", "aocedittype", "aocediteffdt", "aoceditdeldt", "aocdeldt", "primarycodedeldt")
    if not set(wanted) <= set(places):
        raise _wrong("has no headings that tell its columns", "CMS's add-on code file with its row of headings")
    at = [places[name] for name in wanted]
    notes = places.get("specialinstructionnotes")

    def kept(row: Sequence[str]) -> tuple[str, str | None]:
        code, primary, kind, since, *ends = (row[place] if place < len(row) else "" for place in at)
        if kind not in {"1", "2", "3"} or not (_CODE.fullmatch(primary) or primary == CONTRACTOR):
            raise ValueError
        first = _day(since) or OPEN_START
        last = min(_day(end) or OPEN_END for end in ends)
        note = row[notes] if notes is not None and notes < len(row) else ""
        whose = next((letter for words, letter in _WHOSE.items() if words in note), FOR_ALL)
        ours = in_family(code) or (primary != CONTRACTOR and in_family(primary))
        return code, f"{code} {primary} {kind} {whose} {first} {last}" if ours else None

    return _kept(rows, kept, columns=max(at[:4]) + 1)


_READERS: dict[EditKind, Callable[[Rows, Sequence[Sequence[str]]], Read]] = {
    "ptp": _pairs,
    "mue": _limits,
    "add-on": _add_ons,
}


def _kept(rows: Rows, kept: Callable[[Sequence[str]], tuple[str, str | None]], *, columns: int) -> Read:
    """The outermost codes of a file and the rows to keep; a row that is none of its kind is a fault."""
    codes: set[str] = set()
    lines: list[str] = []
    for number, row in enumerate(rows, 1):
        if not any(row):
            continue
        try:
            if len(row) < columns:
                raise ValueError
            code, line = kept([cell.upper() for cell in row])
            if not _CODE.fullmatch(code):
                raise ValueError
        except ValueError:
            raise _wrong(f"is not whole, or not of this kind: row {number} under the headings is wrong") from None
        codes.add(code)
        if line is not None:
            lines.append(line)
    return min(codes), max(codes), lines


@lru_cache(maxsize=4096)
def _day(text: str) -> str | None:
    """A day as YYYYMMDD, from that or from YYYYDDD; none for a blank or a star.

    Raises:
        ValueError: it is no day.

    """
    if text in {"", "*", "0", "0000000", "00000000", "9999999", "99999999"}:
        return None
    if len(text) == len("YYYYDDD"):
        day = date(int(text[:4]), 1, 1) + timedelta(days=int(text[4:]) - 1)
        if not int(text[4:]) or day.year != int(text[:4]):
            raise ValueError
        return f"{day:%Y%m%d}"
    return f"{datetime.strptime(text, '%Y%m%d').date():%Y%m%d}"  # noqa: DTZ007 - a day has no zone

"""The cases as data: encounters and denials with the answer a coder worked out by hand."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent / "cases"


@dataclass(frozen=True)
class Case:
    """One encounter, where it comes from, and what must come out."""

    id: str
    title: str
    source: str
    where: str
    reasoning: str
    encounter: dict[str, object]
    expect: dict[str, object]
    corrects: str | None = None
    contested: str | None = None
    file: str = field(default="", compare=False)


def encounters() -> list[Case]:
    """Every encounter case, in the order of the files."""
    return [
        Case(**row, file=path.stem)
        for path in sorted((HERE / "encounters").glob("*.toml"))
        for row in tomllib.loads(path.read_text(encoding="utf-8"))["case"]
    ]


def line_text(line) -> str:
    """A line as the cases write it: ``96375-59 x1 add_on [2]``."""
    code = "-".join((line.code, *line.modifiers))
    return f"{code} x{line.units} {line.role} [{' '.join(line.administrations)}]"


def dates_text(line) -> str:
    """The dates of a line's units as the cases of stays write them: ``96361: 2026-03-02 x1, 2026-03-03 x1``."""
    return f"{line.code}: {', '.join(f'{row.date} x{row.units}' for row in line.dates)}"


ENCOUNTERS = encounters()


@dataclass(frozen=True)
class DenialCase:
    """One denial, where it comes from, and what must come out."""

    id: str
    title: str
    source: str
    where: str
    reasoning: str
    denial: dict[str, object]
    expect: dict[str, object]
    corrects: str | None = None
    contested: str | None = None


@dataclass(frozen=True)
class AuditCase:
    """One billed claim with its encounter, where it comes from, and what must come out."""

    id: str
    title: str
    source: str
    where: str
    reasoning: str
    claim: dict[str, object]
    expect: dict[str, object]
    corrects: str | None = None
    contested: str | None = None


def cases(kind, folder):
    """Every case of a folder, in the order of its files."""
    return [
        kind(**row)
        for path in sorted((HERE / folder).glob("*.toml"))
        for row in tomllib.loads(path.read_text(encoding="utf-8"))["case"]
    ]


DENIALS = cases(DenialCase, "denials")
AUDITS = cases(AuditCase, "audits")

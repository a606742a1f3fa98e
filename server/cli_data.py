"""The commands that keep CMS's quarterly files: load, list, remove."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar, get_args

import typer

from ivcoder.book import Audience, EditKind
from ivcoder.faults import Fault, InvalidInput

Choice = TypeVar("Choice", bound=str)

app = typer.Typer(help="CMS's quarterly files of payers' edits: load, list, remove.", rich_markup_mode=None)


@app.command()
def load(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CMS's download: .txt, .csv, .xlsx, or the .zip.")],
    kind: Annotated[str | None, typer.Option("--kind", metavar="ptp|mue|add-on", help="What it is.")] = None,
    audience: Annotated[
        str | None,
        typer.Option("--audience", metavar="practitioner|outpatient_hospital", help="Whose claims it is for."),
    ] = None,
    quarter: Annotated[str | None, typer.Option("--quarter", metavar="YYYYQn", help="Its quarter.")] = None,
) -> None:
    """Keep a quarterly file, cut down to drug administration; an option is needed where the file does not tell."""
    from ivcoder.server import cms_files, pages, store, terminal

    table = cms_files.read(
        file, _one_of("--kind", kind, get_args(EditKind)), _one_of("--audience", audience, get_args(Audience)), quarter
    )
    store.keep(table)
    terminal.show(lambda _: pages.edit_tables((table,)))


@app.command("list")
def list_() -> None:
    """The files at hand."""
    from ivcoder.server import pages, store, terminal

    tables = store.stored().tables
    terminal.show(lambda _: pages.edit_tables(tables))


@app.command()
def remove(name: Annotated[str, typer.Argument(metavar="NAME", help="A name that `ivcoder data list` shows.")]) -> None:
    """Remove a file."""
    from ivcoder.server import store

    store.remove(name)


def _one_of(option: str, given: str | None, allowed: tuple[Choice, ...]) -> Choice | None:
    """What an option chooses."""
    if given is None:
        return None
    for choice in allowed:
        if choice == given:
            return choice
    raise InvalidInput(Fault(option, "is not one of the allowed values", " or ".join(map(str, allowed))))

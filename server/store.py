"""The user's folder of loaded tables: written whole or not at all, and read back unchanged."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from pathlib import Path

import platformdirs

from ivcoder.book import EditTable, EditTables
from ivcoder.faults import Fault, InvalidInput

_ENDING = ".table"
_NAME = re.compile(r"[a-z0-9A-Z_-]{1,80}")


def folder() -> Path:
    """Where tables are kept: IVCODER_DATA, or the user's data folder."""
    return Path(os.environ.get("IVCODER_DATA") or platformdirs.user_data_dir("ivcoder", appauthor=False))


def stored() -> EditTables:
    """Every table in the folder.

    Raises:
        InvalidInput: a file there is not as it was written, or cannot be read.

    """
    return EditTables(tuple(_read(path) for path in _paths()))


def keep(table: EditTable) -> None:
    """Keep a table in place of the one of the same name.

    Raises:
        InvalidInput: another table speaks for the same codes, or the folder cannot be written.

    """
    for other in stored().tables:
        same = (other.kind, other.audience, other.quarter) == (table.kind, table.audience, table.quarter)
        if same and other.name != table.name and other.first < table.last and table.first < other.last:
            raise _refused("file", f"holds codes that {other.name} holds", f"`ivcoder data remove {other.name}` first")
    place = folder()
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=place, prefix=".", suffix=".part", delete=False) as held:
            try:
                held.write(table.text().encode())
                held.flush()
                os.fsync(held.fileno())
                held.close()
                Path(held.name).replace(place / f"{table.name}{_ENDING}")
            except BaseException:
                with contextlib.suppress(OSError):
                    Path(held.name).unlink()
                raise
    except OSError:
        raise _refused("data", "cannot be written", "a folder you may write, or another in IVCODER_DATA") from None


def remove(name: str) -> None:
    """Remove a table by its name.

    Raises:
        InvalidInput: there is none of that name.

    """
    try:
        if not _NAME.fullmatch(name):
            raise FileNotFoundError
        (folder() / f"{name}{_ENDING}").unlink()
    except FileNotFoundError:
        raise _refused("name", "is not a table at hand", "one that `ivcoder data list` shows") from None
    except OSError:
        raise _refused("data", "cannot be written", "a folder you may write, or another in IVCODER_DATA") from None


def _paths() -> list[Path]:
    try:
        return sorted(path for path in folder().iterdir() if path.suffix == _ENDING and _NAME.fullmatch(path.stem))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError:
        raise _refused("data", "cannot be read", "a folder you may read, or another in IVCODER_DATA") from None


def _read(path: Path) -> EditTable:
    right = f"`ivcoder data remove {path.stem}`, and the file loaded again"
    try:
        table = EditTable.parse(path.read_bytes().decode("ascii"))
    except (InvalidInput, UnicodeDecodeError):
        raise _refused("data", f"holds {path.stem}, which is not as it was written", right) from None
    except OSError:
        raise _refused("data", f"holds {path.stem}, which cannot be read", right) from None
    if table.name != path.stem:
        raise _refused("data", f"holds {path.stem}, which is not as it was written", right)
    return table


def _refused(field: str, problem: str, right: str) -> InvalidInput:
    return InvalidInput(Fault(field, problem, right))

"""What a person hands over: a file, standard input, or administrations as short text."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ivcoder.book import DrugTable
from ivcoder.faults import Fault, InvalidInput

LARGEST = 1_000_000
"""Bytes of input read at the most; an encounter takes a few thousand."""


def _refused(field: str, problem: str, right: str) -> InvalidInput:
    return InvalidInput(Fault(field, problem, right))


def is_document(arguments: Sequence[str]) -> bool:
    """Whether the arguments name one JSON document rather than administrations in short text."""
    return len(arguments) == 1 and (arguments[0] == "-" or not any(mark.isspace() for mark in arguments[0]))


def document(name: str) -> Mapping[str, object]:
    """Read one JSON object from a file, or from standard input for ``-``.

    Raises:
        InvalidInput: it cannot be read, is too large, is not UTF-8, or is not one JSON object.

    """
    return parsed(text_of(name, "input"))


def drug_table(option: Path | None) -> DrugTable | None:
    """The user's own drug table: from the option, or from IVCODER_DRUGS."""
    name = str(option) if option else os.environ.get("IVCODER_DRUGS")
    return DrugTable.parse(text_of(name, "drugs")) if name else None


def text_of(name: str, field: str) -> str:
    """The text of a file, or of standard input for ``-``."""
    try:
        if name == "-":
            raw = sys.stdin.buffer.read(LARGEST + 1)
        else:
            with Path(name).open("rb") as file:
                raw = file.read(LARGEST + 1)
    except (OSError, ValueError):
        right = "the path of a file you may read, or - for standard input"
        raise _refused(field, "cannot be read", right) from None
    if len(raw) > LARGEST:
        raise _refused(field, "is larger than 1 MB", "one encounter, a few kilobytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused(field, "is not UTF-8 text", "UTF-8 text") from None


def parsed(text: str) -> Mapping[str, object]:
    """One JSON object; a name given twice, or a number that is none, is refused.

    Raises:
        InvalidInput: it is not that.

    """

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len({name for name, _ in pairs}) < len(pairs):
            raise _refused("input", "gives a field twice in one object", "each field once")
        return dict(pairs)

    def no_number(_: str) -> object:
        raise _refused("input", "holds NaN or Infinity", "numbers only")

    try:
        read = json.loads(text, object_pairs_hook=once, parse_constant=no_number)
    except InvalidInput:
        raise
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise _refused("input", f"is not valid JSON ({where})", "one JSON object") from None
    except (RecursionError, ValueError):
        raise _refused("input", "is nested too deeply or holds a number too long", "a plain JSON object") from None
    if not isinstance(read, dict):
        raise _refused("input", "is not a JSON object", "one object in curly braces")
    return read

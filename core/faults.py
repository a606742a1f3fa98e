"""Bad input, said so that it can be mended: which field, what is wrong, what would be right.

A fault never repeats a value that was given: it may be somebody's chart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from pydantic import ValidationError

_PLAIN_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")

MOST_FAULTS = 20
"""Faults shown at once."""

FORMS: dict[str, str] = {}
"""What each pattern of a field asks for, in words; filled by the module that holds the patterns."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with the input."""

    field: str
    problem: str
    right: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.field}: {self.problem}; expected {self.right}"


class InvalidInput(ValueError):
    """The input cannot be read as an encounter, a denial or a drug table; ``faults`` says why."""

    def __init__(self, *faults: Fault) -> None:
        # One more stands for itself, and an error put into another error is not counted again.
        if len(faults) > MOST_FAULTS + 1:
            rest = f"has {len(faults) - MOST_FAULTS} more faults"
            faults = (*faults[:MOST_FAULTS], Fault("input", rest, "those above mended first"))
        self.faults = faults
        super().__init__("\n".join(map(str, faults)))


def path_of(parts: Iterable[int | str]) -> str:
    """``("administrations", 0, "route")`` as ``administrations[0].route``."""
    path = ""
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        elif _PLAIN_NAME.fullmatch(part):
            path += f".{part}" if path else part
    return path


def faults_of(
    error: ValidationError, *, root: str = "", known: Mapping[str, Iterable[str]] | None = None
) -> Iterator[Fault]:
    """Put a pydantic error into our words, one fault for each place.

    ``known`` maps a list's name ("" for the top level) to the field names allowed there, to suggest the
    nearest one to an unknown field.
    """
    details = error.errors(include_url=False, include_input=False)
    places = [detail["loc"] for detail in details]
    for detail in details:
        parts = detail["loc"]
        kind, context = detail["type"], detail.get("ctx", {})
        if kind == "too_short" and any(place[: len(parts)] == parts != place for place in places):
            continue  # entries that failed by themselves do not count, and each has said why
        where = path_of(parts)
        where = (f"{root}.{where}" if root and where else root or where) or "input"
        if kind == "value_error" and isinstance(cause := context.get("error"), InvalidInput):
            for fault in cause.faults:
                inner = ".".join(part for part in (where if parts else root, fault.field) if part)
                yield Fault(inner or "input", fault.problem, fault.right)
            continue
        yield Fault(where, *_say(kind, context, parts, known or {}))


def _say(
    kind: str, context: Mapping[str, object], parts: tuple[int | str, ...], known: Mapping[str, Iterable[str]]
) -> tuple[str, str]:
    match kind:
        case "missing" | "missing_argument":
            return "is missing", "a value"
        case "extra_forbidden" | "unexpected_keyword_argument":
            group = next((part for part in reversed(parts[:-1]) if isinstance(part, str)), "")
            names = sorted(known.get(group, ()))
            given = str(parts[-1])
            near = [name for name in names if name.startswith(f"{given}_")] or get_close_matches(given, names, n=1)
            if near:
                return "is not a field here", f"the field {near[0]}, if that is what was meant"
            return (
                "is not a field here",
                f"only {', '.join(names)}" if names else "only the documented fields",
            )
        case "enum" | "literal_error":
            return "is not one of the allowed values", str(context["expected"]).replace("'", "")
        case "too_short":
            return "is empty", f"at least {context.get('min_length')} entry"
        case "too_long":
            return "is too long", f"at most {context.get('max_length')} entries"
        case "string_too_short":
            return "is empty", f"at least {context.get('min_length')} character"
        case "string_too_long":
            return "is too long", f"at most {context.get('max_length')} characters"
        case "string_pattern_mismatch":
            return "is not of the right form", FORMS.get(str(context.get("pattern")), "what the documentation says")
        case "greater_than_equal":
            return "is too small", f"{context.get('ge')} or more"
        case "less_than_equal":
            return "is too large", f"{context.get('le')} or less"
        case "string_type" | "string_unicode":
            return "is not text", "text in quotes"
        case "int_type" | "int_parsing" | "int_from_float" | "int_parsing_size":
            return "is not a whole number", "a whole number"
        case "bool_type" | "bool_parsing":
            return "is not true or false", "true or false"
        case "list_type" | "tuple_type":
            return "is not a list", "a list in square brackets"
        case "model_type" | "dict_type" | "model_attributes_type" | "dataclass_type" | "mapping_type":
            return "is not an object", "an object in curly braces"
        case "date_from_datetime_parsing" | "date_type" | "date_parsing" | "date_from_datetime_inexact":
            return "is not a date", "a date such as 2026-03-02"
        case _:
            return "is not right", "what the documentation of the field says"

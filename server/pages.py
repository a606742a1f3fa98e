"""Pages about the rules and the formulary, generated from the registry and the book."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import ivcoder  # noqa: F401 - importing the core registers every rule
from ivcoder.book import Drug, EditTable, Rulebook, Source, sources
from ivcoder.explain import statement
from ivcoder.rule import RULES, Outcome, Rule

if TYPE_CHECKING:
    from rich.table import Table

_SAID = {
    Outcome.APPLIES: "When it applies",
    Outcome.DOES_NOT_APPLY: "When it does not",
    Outcome.CANNOT_TELL: "When it cannot be told",
}
_NATURE = {
    "policy": "written policy or code set",
    "convention": "what the field does",
    "disputed": "sources disagree",
    "reading": "our own reading",
}

_ELSEWHERE = {
    "vaccine": "immunization, with codes of its own",
    "contrast": "part of the imaging",
    "blood": "transfusion, with codes of its own",
    "flush": "part of giving a drug",
}


def known_rule(rule: str) -> Rule[...] | None:
    """The rule with this id."""
    return RULES.get(rule)


def rules_like(rule: str) -> list[str]:
    """Rule ids close to a mistyped one."""
    return get_close_matches(rule, RULES, n=2, cutoff=0.5)


def rule_page(rule: Rule[...]) -> str:
    """One rule as Markdown: what it says, where that stands, how it is put into words."""
    limits = Rulebook.on(None).limits
    out = [
        f"# {rule.title}",
        "",
        f"`{rule.id}`, step {rule.step}",
        "",
        statement(rule, limits),
        "",
        f"- nature: {rule.nature} ({_NATURE[rule.nature]})",
        f"- confidence: {rule.confidence}",
        f"- dates of service: from {rule.since}",
        "- review: draft, until a certified coder signs it",
        "",
        "## Where it stands",
        *[_source_line(sources()[name]) for name in rule.sources],
        "",
        "## How it is put into words",
        *[f"- {_SAID[outcome]}: {text}" for outcome, text in rule.sentences.items()],
    ]
    return "\n".join(out) + "\n"


def _source_line(source: Source) -> str:
    title = f"[{source.title}]({source.url})" if source.url else source.title
    seen = f"seen {source.seen}" if source.seen else "not read itself"
    return f"- {title} ({source.publisher}, {source.kind}, {seen}): {source.says}"


def rules_index() -> str:
    """Every rule in one line, as Markdown."""
    return "\n".join(["# Rules", "", *[f"- `{rule.id}` ({rule.step}): {rule.title}" for rule in RULES.values()]]) + "\n"


def rules_document() -> str:
    """All rule pages as one document."""
    head = "# The rules\n\nGenerated from the registry with `make docs`.\n"
    return "\n".join([head, *["#" + rule_page(rule).replace("\n## ", "\n### ") for rule in RULES.values()]])


def rule_table() -> Table:
    """Every rule in a table, step by step."""
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    step = ""
    for rule in RULES.values():
        if rule.step != step:
            table.add_row(rule.step, "", style="bold")
            step = rule.step
        mark = "" if rule.nature == "policy" else f" ({rule.nature})"
        table.add_row(f"  {rule.id}", f"{rule.title}{mark}")
    return table


def drug_table(drug: Drug) -> Table:
    """One drug's row."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    codes = [
        f"{row.code}, {row.per} a unit"
        + (f", from {row.since}" if row.since else "")
        + (f", to {row.until}" if row.until else "")
        for row in drug.hcpcs
    ]
    for name, value in (
        ("drug", drug.name),
        ("brands", ", ".join(drug.brands)),
        ("also", ", ".join(drug.aliases)),
        ("group", drug.group),
        ("category", drug.category or "decided by its purpose: hydration, or to treat a low level"),
        ("agent", (drug.agent or "").replace("_", " ")),
        ("codes", "\n".join(codes) or "none of its own"),
        ("container", (drug.container or "not known").replace("_", " ")),
        ("not by", ", ".join(drug.not_by).replace("_", " ")),
        ("coded as", _ELSEWHERE.get(drug.elsewhere or "", "")),
        ("other use", drug.other_use or ""),
        ("disputed", drug.disputed or ""),
        ("note", drug.note or ""),
        ("confidence", drug.confidence),
        ("sources", ", ".join((*drug.sources, *drug.disputed_sources, *drug.other_use_sources))),
    ):
        if value:
            table.add_row(name, Text(value))
    return table


def edit_tables(tables: Sequence[EditTable]) -> Table:
    """The loaded tables of payers' edits, a line each."""
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    for _ in range(4):
        table.add_column(overflow="fold")
    for row in tables:
        table.add_row(row.name, f"{row.count} rows", f"{row.first} to {row.last}", row.sha256[:12])
    if not tables:
        table.add_row("No file is loaded.")
    return table


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(rules_document(), encoding="utf-8")

"""Pages about the rules and the formulary, generated from the registry and the book."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import ivcoder  # noqa: F401 - importing the core registers every rule
from ivcoder.book import (
    Difference,
    DifferenceKind,
    Drug,
    EditTable,
    Payer,
    Rulebook,
    Source,
    differences,
    payers,
    sources,
)
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
    "procedure": "a procedure, with a code of its own",
}


PAYER_RULES: Mapping[DifferenceKind, tuple[str, ...]] = {
    "category": ("payer-category", "category-by-drug", "category-disputed"),
    "wastage": ("discarded-drug", "denied-wastage-unmarked"),
    "no_s_codes": ("drug-code-payer",),
    "packaged": ("denied-packaged",),
    "most_units": ("payer-most-units",),
    "separate_modifier": ("separate-access-modifier",),
    "facility": ("professional-claim-in-facility",),
    "place_payment": ("payer-place-payment",),
    "provider_pump": ("provider-pump",),
    "department_marks": ("department-modifier",),
    "drug_marks": ("payer-drug-marks",),
}
"""The rules that each kind of difference changes."""


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


def documents() -> dict[str, str]:
    """Every page under docs/ by its path: one for each rule, their index, and the payers."""
    pages = {f"rules/{rule.id}.md": rule_page(rule) for rule in RULES.values()}
    index = [f"- [{rule.id}]({rule.id}.md) ({rule.step}): {rule.title}" for rule in RULES.values()]
    pages["rules/README.md"] = "\n".join(["# The rules", "", "Generated with `make docs`.", "", *index]) + "\n"
    return {**pages, "payers.md": payers_document()}


def payers_index() -> str:
    """Every payer in one line, as Markdown."""
    rows = [f"- `{row.id}`: {row.name}, {_count(row)}" for row in payers().values()]
    return "\n".join(["# Payers", "", *rows]) + "\n"


def _count(payer: Payer) -> str:
    number = len(differences()[payer.id])
    return "no difference known" if not number else f"{number} difference{'s' if number > 1 else ''}"


def payer_page(payer: Payer) -> str:
    """One payer as Markdown: in what it differs, on which dates of service, and where that stands."""
    rows = differences()[payer.id]
    out = [f"# {payer.name}", "", f"`{payer.id}`; also {', '.join(payer.aliases)}", ""]
    out += [payer.note, ""] if payer.note else []
    if rows:
        out += [
            "| what | differs so | dates of service | nature, confidence | rules | sources |",
            "| --- | --- | --- | --- | --- | --- |",
            *[
                f"| {_what(row)} | {row.says} | {_when(row)} | {row.nature}, {row.confidence} | "
                f"{', '.join(f'`{rule}`' for rule in PAYER_RULES[row.kind])} | {', '.join(row.sources)} |"
                for row in rows
            ],
            "",
        ]
    else:
        out += ["No difference from the rulebook is known.", ""]
    cited = dict.fromkeys((*payer.sources, *(name for row in rows for name in row.sources)))
    return "\n".join([*out, "## Where it stands", *[_source_line(sources()[name]) for name in cited]]) + "\n"


def _what(row: Difference) -> str:
    """What a difference is about: its kind, and the codes, roles or places it names."""
    codes = Rulebook.on(None).codes
    about = (*row.codes, *(codes[role].code for role in row.roles), *(f"place {place}" for place in row.places))
    if row.modifier:
        about = (Rulebook.on(None).modifiers[row.modifier],)
    kind = f"{row.kind.replace('_', ' ')}{f' {row.category}' if row.category else ''}"
    return f"{kind}: {', '.join(about)}" if about else kind


def _when(row: Difference) -> str:
    if row.since is None and row.until is None:
        return "all"
    first = f"from {row.since}" if row.since else ""
    last = f"to {row.until}" if row.until else ""
    return f"{first} {last}".strip()


def payers_document() -> str:
    """All payers' pages as one document."""
    head = "# Payers\n\nGenerated from the rulebook with `make docs`. A payer that is not here is not known.\n"
    rows = payers().values()
    return "\n".join([head, *["#" + payer_page(row).replace("\n## ", "\n### ") for row in rows]])


def payer_table(payer: Payer) -> Table:
    """In what one payer differs, in a table."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2, 1, 0))
    table.add_column(width=20, overflow="fold")
    table.add_column(overflow="fold")
    table.add_row(Text(payer.name, style="bold"), "")
    for row in differences()[payer.id]:
        where = f"\n{_when(row)}; {row.nature}, {row.confidence}; {', '.join(row.sources)}"
        table.add_row(Text(_what(row), style="bold"), Text(row.says).append(where, style="dim"))
    if not differences()[payer.id]:
        known = payer.note or "Nothing is known that differs."
        table.add_row(Text("nothing"), Text(known).append(f"\n{', '.join(payer.sources)}", style="dim"))
    return table


def changed_rules(payer: Payer) -> frozenset[str]:
    """The rules in which a payer differs, on any date."""
    return frozenset(rule for row in differences()[payer.id] for rule in PAYER_RULES[row.kind])


def rule_table(payer: Payer | None = None) -> Table:
    """Every rule in a table, step by step; with a payer, those it changes are marked."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    step = ""
    changed = changed_rules(payer) if payer else frozenset[str]()
    for rule in RULES.values():
        if rule.step != step:
            table.add_row(rule.step, "", style="bold")
            step = rule.step
        mark = "" if rule.nature == "policy" else f" ({rule.nature})"
        if payer and rule.id in changed:
            mark += f" [{payer.name} differs]"
        table.add_row(f"  {rule.id}", Text(f"{rule.title}{mark}"))
    return table


def drug_table(drugs: Sequence[Drug]) -> Table:
    """The rows of drugs, one below the other."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for drug in drugs:
        if table.rows:
            table.add_row()
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
            ("code for", ", ".join(drug.by).replace("_", " ")),
            ("a form of", ", ".join(drug.form_of)),
            ("not by", ", ".join(drug.not_by).replace("_", " ")),
            ("coded as", _ELSEWHERE.get(drug.elsewhere or "", "")),
            ("other use", drug.other_use or ""),
            ("disputed", drug.disputed or ""),
            ("note", drug.note or ""),
            ("not counted", drug.uncoded or ""),
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
    docs = Path(sys.argv[1])
    (docs / "rules").mkdir(exist_ok=True)
    for old in (docs / "rules").glob("*.md"):
        old.unlink()
    for name, text in documents().items():
        (docs / name).write_text(text, encoding="utf-8")

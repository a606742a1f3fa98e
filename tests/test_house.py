"""How the house is built: which way imports run, where numbers and prose live."""

import ast
import re
from pathlib import Path
from typing import get_args

import pytest

from ivcoder.book.rows import RouteName
from ivcoder.encounter import Route
from ivcoder.rule import RULES

CORE = Path(__file__).parent.parent / "core"
ORDER = [
    "_version",
    "faults",
    "book",
    "encounter",
    "rule",
    "classify",
    "rank",
    "select",
    "edits",
    "what_if",
    "denials",
    "audit",
    "answer",
    "explain",
]
STEPS = ["classify", "rank", "select", "edits", "what_if", "denials", "audit"]


def name(path):
    return str(path.relative_to(CORE.parent))


def modules(folder):
    return sorted(path for path in folder.rglob("*.py"))


def imported(path):
    """The modules a file imports; ``from ivcoder import rank`` is ivcoder.rank."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "ivcoder":
            yield from (f"ivcoder.{name.name}" for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path.name}:{node.lineno} imports from beside itself"
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def room(path):
    return path.relative_to(CORE).parts[0].removesuffix(".py")


@pytest.mark.parametrize(
    "path", [path for path in modules(CORE) if path.name != "__init__.py" or path.parent != CORE], ids=name
)
def test_imports_run_downwards(path):
    mine = room(path)
    for name in imported(path):
        package, _, rest = name.partition(".")
        theirs = rest.split(".")[0]
        if package != "ivcoder" or theirs == mine:
            continue
        assert theirs in ORDER, f"{mine} imports {name}, which is no room of the core"
        assert ORDER.index(theirs) < ORDER.index(mine), f"{mine} imports {theirs}"


@pytest.mark.parametrize("path", modules(CORE), ids=name)
def test_the_core_needs_only_pydantic(path):
    import sys

    for name in imported(path):
        top = name.split(".")[0]
        assert top in ("ivcoder", "pydantic") or top in sys.stdlib_module_names
        assert top not in ("os", "socket", "time", "random", "urllib", "http"), f"{path} is not pure"


@pytest.mark.parametrize("step", STEPS)
def test_no_number_that_can_change_stands_in_code(step):
    paths = [CORE / f"{step}.py"] if (CORE / f"{step}.py").exists() else modules(CORE / step)
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and type(node.value) is int:
                assert node.value <= 2, f"{path.name}:{node.lineno} has the number {node.value}"


def documentation(tree):
    """The constants that are docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            yield node.body[0].value


@pytest.mark.parametrize("path", modules(CORE), ids=name)
def test_no_code_number_stands_in_code(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    spoken = set(documentation(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in spoken:
            assert not re.search(r"(?<![\w-])(9[69]\d{3}|J\d{4})(?![\w-])", node.value), f"{path.name}:{node.lineno}"


def test_the_formulary_knows_every_route():
    assert set(get_args(RouteName)) == set(Route)


def test_rules_are_registered_with_all_they_need():
    assert len(RULES) >= 50
    for rule in RULES.values():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.id)
        assert rule.statement
        assert rule.sources
        assert rule.sentences

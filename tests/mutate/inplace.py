"""Try a session's changes without starting anew for each: ``python tests/mutate/inplace.py session.sqlite``.

pytest collects once and measures which test runs which line. For each change it then forks, and the child puts the
changed code into the functions that are loaded and runs the tests that reach them, until one fails. What a fork cannot
show stays pending, for ``cosmic-ray exec``: changes of what runs when a module is imported.
"""

from __future__ import annotations

import ast
import difflib
import gc
import importlib
import os
import pkgutil
import re
import signal
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import _lru_cache_wrapper
from inspect import CO_NEWLOCALS
from pathlib import Path
from time import monotonic
from types import CodeType, FunctionType

import coverage
import pytest
from _pytest.runner import runtestprotocol
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkerOutcome, WorkResult

CONFIG = Path("tests/mutate/cosmic-ray.toml")
# What these hold is computed once and kept, so a test may depend on it without running it.
KEPT = ("ivcoder/book/", "ivcoder/select/drug.py")
OPTIONS = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:hypothesispytest")
SECONDS_A_TEST = 40
AT_ONCE = os.cpu_count() or 1


def main(session: str) -> int:
    """Collect, then try every pending change."""
    settings = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["cosmic-ray"]
    tests = re.findall(r"tests/test_\w+\.py", settings["test-command"])
    imports = lines_of_imports()
    return pytest.main([*OPTIONS, *tests], [Trial(session, imports)])


def lines_of_imports() -> dict[str, set[int]]:
    """The lines that run when everything is imported, by file."""
    measured = coverage.Coverage(data_file=None, source=["ivcoder"])
    measured.start()
    import ivcoder

    for module in pkgutil.walk_packages(ivcoder.__path__, "ivcoder."):
        if not module.name.startswith("ivcoder.server"):
            importlib.import_module(module.name)
    measured.stop()
    data = measured.get_data()
    return {os.path.relpath(file): set(data.lines(file) or ()) for file in data.measured_files()}


class Trial:
    """Takes the place of pytest's own loop over the tests."""

    def __init__(self, session: str, imports: Mapping[str, set[int]]) -> None:
        self.session = session
        self.imports = imports

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise SystemExit("the tests cannot be collected")
        self.items = session.items
        self.reach = self.measure()
        running: dict[int, tuple[str, str]] = {}
        with use_db(self.session, WorkDB.Mode.open) as database:
            pending = [(item.job_id, item.mutations[0]) for item in database.pending_work_items]
            counts = {"killed": 0, "survived": 0, "timeout": 0, "left": 0}
            begun = monotonic()

            def reap() -> None:
                child, status = os.wait()
                job, diff = running.pop(child)
                result = outcome(status, diff)
                name = "timeout" if result.output == "timeout" else str(result.test_outcome.value)
                counts[name] += 1
                database.set_result(job, result)
                if sum(counts.values()) % 50 == 0:
                    print(f"{monotonic() - begun:.0f} s of {len(pending)}: {counts}", flush=True)

            for job, mutation in pending:
                change = self.change(mutation)
                if change is None:
                    counts["left"] += 1
                    continue
                codes, diff, order = change
                while len(running) >= AT_ONCE:
                    reap()
                child = os.fork()
                if not child:
                    os._exit(self.noticed(codes, order))
                running[child] = job, diff
            while running:
                reap()
        print(counts)
        return True

    def measure(self) -> dict[str, dict[int, set[int]]]:
        """Which tests run each line, by file: all are run once, in a child, and must pass."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "lines")
            child = os.fork()
            if not child:
                measured = coverage.Coverage(data_file=str(file), source=["ivcoder"])
                measured.start()
                good = True
                for place, (item, following) in enumerate(self.pairs(range(len(self.items)))):
                    measured.switch_context(str(place))
                    good = passed(item, following) and good
                measured.stop()
                measured.save()
                os._exit(0 if good else 1)
            if os.waitpid(child, 0)[1]:
                raise SystemExit("the tests fail before anything is changed")
            data = coverage.CoverageData(str(file))
            data.read()
            return {
                os.path.relpath(name): {
                    line: {int(context) for context in contexts if context}
                    for line, contexts in data.contexts_by_lineno(name).items()
                }
                for name in data.measured_files()
            }

    def change(self, mutation: MutationSpec) -> tuple[dict[CodeType, CodeType], str, Sequence[int]] | None:
        """The changed code, the change to show, and the tests to run; None where a fork cannot show it."""
        path = mutation.module_path
        before = path.read_text(encoding="utf-8")
        after = mutate_code(before, get_operator(mutation.operator_name)(**mutation.operator_args), mutation.occurrence)
        if after is None:
            return None
        diff = "\n".join(
            ["--- mutation diff ---", *difflib.unified_diff(before.split("\n"), after.split("\n"), lineterm="")]
        )
        name = str(path.resolve())
        try:
            codes = dict(changed(compile(before, name, "exec"), compile(after, name, "exec")))
        except (SyntaxError, AtImport):
            return None
        function = innermost(ast.parse(before), mutation.start_pos[0], ast.FunctionDef)
        if function is None or not codes:
            return None
        statement = innermost(function, mutation.start_pos[0], ast.stmt)
        lines = range(statement.lineno, head_end(statement) + 1)
        if statement is function or self.imports.get(str(path), set()) & set(lines):
            return None
        reached: set[int] = set().union(*(self.reach.get(str(path), {}).get(line, set()) for line in lines))
        order = sorted(reached)
        if str(path).startswith(KEPT):
            order += [place for place in range(len(self.items)) if place not in reached]
        return codes, diff, order

    def noticed(self, codes: Mapping[CodeType, CodeType], order: Sequence[int]) -> int:
        """In a child: whether a test fails on the changed code, as an exit status."""
        kept = any(f"/{name}" in code.co_filename for code in codes for name in KEPT)
        for thing in gc.get_objects():
            if isinstance(thing, FunctionType):
                if thing.__code__ in codes:
                    thing.__code__ = codes[thing.__code__]
            elif kept and isinstance(thing, _lru_cache_wrapper) and thing.__module__.startswith("ivcoder"):
                thing.cache_clear()
        for item, following in self.pairs(order):
            signal.alarm(SECONDS_A_TEST)
            if not passed(item, following):
                return 1
        return 0

    def pairs(self, order: Sequence[int]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
        """Each test and the next, so that what tests share is set up once."""
        items = [self.items[place] for place in order]
        yield from zip(items, [*items[1:], None], strict=False)


def passed(item: pytest.Item, following: pytest.Item | None) -> bool:
    """Run one test, without a word."""
    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


def outcome(status: int, diff: str) -> WorkResult:
    """What a child's end says."""
    late = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM
    survived = not os.WIFSIGNALED(status) and os.waitstatus_to_exitcode(status) == 0
    return WorkResult(
        worker_outcome=WorkerOutcome.NORMAL,
        test_outcome=TestOutcome.SURVIVED if survived else TestOutcome.KILLED,
        output="timeout" if late else "",
        diff=diff,
    )


class AtImport(Exception):
    """The change is in code that runs at import."""


def changed(before: CodeType, after: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """Each function's code that differs, with the code of what it defines."""
    if before == after:
        return
    if before.co_flags & CO_NEWLOCALS:
        if before.co_freevars != after.co_freevars:
            raise AtImport
        yield before, after
        for one, other in zip(nested(before), nested(after), strict=False):
            yield from changed(one, other)
    elif bare(before) == bare(after):
        for one, other in zip(nested(before), nested(after), strict=True):
            yield from changed(one, other)
    else:
        raise AtImport


def bare(code: CodeType) -> CodeType:
    """The code without that of what it defines, and without its places in the source, which shift with the former."""
    kept = tuple(None if isinstance(one, CodeType) else one for one in code.co_consts)
    return code.replace(co_consts=kept, co_linetable=b"")


def nested(code: CodeType) -> list[CodeType]:
    """The code of what it defines."""
    return [one for one in code.co_consts if isinstance(one, CodeType)]


def innermost(tree: ast.AST, line: int, kind: type[ast.stmt]) -> ast.stmt | None:
    """The statement of a kind around a line, the innermost."""
    around = [
        node for node in ast.walk(tree) if isinstance(node, kind) and node.lineno <= line <= (node.end_lineno or 0)
    ]
    return max(around, key=lambda node: (node.lineno, -(node.end_lineno or 0)), default=None)


def head_end(statement: ast.stmt) -> int:
    """The last line of a statement, or of the head of one that holds others."""
    inner = [node.lineno for node in ast.walk(statement) if isinstance(node, ast.stmt) and node is not statement]
    return max(statement.lineno, min(inner) - 1) if inner else statement.end_lineno or statement.lineno


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

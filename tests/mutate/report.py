"""What a session of mutation testing came to: the counts by module, and each change that no test noticed."""

from __future__ import annotations

import sys
from collections import Counter

from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome, WorkerOutcome

NAMES = ("killed", "timeout", "survived", "invalid", "pending")


def main(session: str) -> int:
    """Print the survivors, then a line a module."""
    counts: dict[str, Counter[str]] = {}
    with use_db(session, WorkDB.Mode.open) as database:
        done = dict(database.results)
        for item in database.work_items:
            result, mutation = done.get(item.job_id), item.mutations[0]
            if result and result.worker_outcome == WorkerOutcome.SKIPPED:
                continue
            name = "pending" if result is None else outcome(result)
            counts.setdefault(str(mutation.module_path), Counter())[name] += 1
            if name == "survived":
                changed = [line for line in result.diff.splitlines() if line[:1] in "+-"][3:]
                print(f"{mutation.module_path}:{mutation.start_pos[0]} {mutation.operator_name}", *changed, sep="\n  ")
    print(f"{'module':36}", *(f"{name:>9}" for name in NAMES))
    for module, row in [*sorted(counts.items()), ("all", sum(counts.values(), Counter()))]:
        print(f"{module:36}", *(f"{row[name]:9}" for name in NAMES))
    return 0


def outcome(result: object) -> str:
    """How one mutant ended."""
    if result.output == "timeout":
        return "timeout"
    return {TestOutcome.KILLED: "killed", TestOutcome.SURVIVED: "survived"}.get(result.test_outcome, "invalid")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

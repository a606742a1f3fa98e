"""Answer the whole small world and hold it against the frozen answers: ``make prove``.

``make prove UPDATE=1`` freezes the answers anew; ``make prove AGAINST=HEAD`` prints each encounter whose answer is
another than that revision's.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from time import monotonic

from prove.answers import Answered, answered
from prove.world import BLOCKS

ROOT = Path(__file__).parents[2]
FROZEN = ROOT / "snapshots" / "prove"
SHOWN = 40
TAB = "\t"


def page(name: str, answers: Sequence[Answered]) -> str:
    """What is frozen of a block: how many encounters, the hash of all answers, and how often each one is given."""
    digest = hashlib.sha256()
    for row in answers:
        digest.update(f"{row.asked}: {row.whole}\n".encode())
    counts = Counter(row.short for row in answers)
    rows = [f"{count:6} {short}" for short, count in sorted(counts.items())]
    return "\n".join((name, f"encounters {len(answers)}", f"sha256 {digest.hexdigest()}", "", *rows, ""))


def file_of(name: str) -> Path:
    """Where a block is frozen."""
    return FROZEN / f"{name.replace(',', '').replace(' ', '-')}.txt"


def blocks(workers: int) -> Iterator[tuple[str, list[Answered], list[str]]]:
    """Each block with its answers and broken invariants, the work shared out by first letter."""
    tasks = [(block, first) for block, row in enumerate(BLOCKS) for first in range(len(row.letters))]
    with ProcessPoolExecutor(workers) as pool:
        done = pool.map(answered, *zip(*tasks, strict=True), chunksize=1)
        for block in BLOCKS:
            answers: list[Answered] = []
            broken: list[str] = []
            for _ in block.letters:
                some, wrong = next(done)
                answers += some
                broken += wrong
            yield block.name, answers, broken


def told(rows: Sequence[str]) -> None:
    """Print the first of many lines, and how many there are."""
    for row in rows[:SHOWN]:
        print("  ", row)
    if len(rows) > SHOWN:
        print(f"   ... {len(rows)} in all")


def check(workers: int, *, update: bool) -> int:
    """Answer every block; compare with what is frozen, or freeze it. Returns the exit status."""
    begun, total, failed = monotonic(), 0, False
    FROZEN.mkdir(parents=True, exist_ok=True)
    for name, answers, broken in blocks(workers):
        total += len(answers)
        now, file = page(name, answers), file_of(name)
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        same = now == before
        print(f"{name}: {len(answers)} encounters, {'as frozen' if same else 'moved'}, {len(broken)} broken")
        told(broken)
        if not same and update:
            file.write_text(now, encoding="utf-8")
        elif not same:
            gone, come = set(before.splitlines()), set(now.splitlines())
            told([f"- {row}" for row in sorted(gone - come)] + [f"+ {row}" for row in sorted(come - gone)])
        failed |= bool(broken) or not (same or update)
    print(f"{total} encounters in {monotonic() - begun:.0f} s")
    return int(failed)


def dump(workers: int, file: Path) -> None:
    """Write every encounter with its answer, a line each."""
    with file.open("w", encoding="utf-8") as out:
        for name, answers, _ in blocks(workers):
            out.writelines(f"{name}: {row.asked}{TAB}{row.whole}\n" for row in answers)


def against(revision: str, workers: int) -> int:
    """Print the encounters another revision of the core answers otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        packed = subprocess.run(["git", "archive", revision, "core"], cwd=ROOT, check=True, stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", folder], check=True, input=packed.stdout)
        (place / "core").rename(place / "ivcoder")
        paths = {"there": os.pathsep.join((folder, str(ROOT / "tests"))), "here": str(ROOT / "tests")}
        for name, path in paths.items():
            command = [sys.executable, "-m", "prove", f"--workers={workers}", f"--dump={place / name}"]
            subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": path})
        moved = 0
        with (place / "there").open(encoding="utf-8") as old, (place / "here").open(encoding="utf-8") as new:
            for was, now in zip(old, new, strict=True):
                if was != now:
                    moved += 1
                    asked, _, answer = was.rstrip("\n").partition(TAB)
                    print(f"{asked}\n  - {answer}\n  + {now.rstrip().partition(TAB)[2]}")
    print(f"{moved} encounters are answered otherwise than at {revision}")
    return 0


def main() -> int:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(prog="prove", description=__doc__)
    parser.add_argument("--update", action="store_true", help="freeze the answers anew")
    parser.add_argument("--against", metavar="REVISION", help="print what another revision answers otherwise")
    parser.add_argument("--dump", type=Path, metavar="FILE", help="write every encounter with its answer")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    asked = parser.parse_args()
    if asked.dump:
        dump(asked.workers, asked.dump)
        return 0
    return against(asked.against, asked.workers) if asked.against else check(asked.workers, update=asked.update)


if __name__ == "__main__":
    sys.exit(main())

"""``ivcoder select`` as a process beside one that only imports what it stands on: pydantic, typer and rich.

Both start from bytecode, as installed packages do: a first run that is not counted compiles what is not compiled yet.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

EXAMPLE = Path(__file__).parent.parent / "examples" / "five-administrations.json"
ROUNDS = 20
BAR = 1.6
FLOOR = ("-c", "import pydantic, typer, rich.console, rich.table, rich.text")
OURS = ("-m", "ivcoder.server.cli", "select", str(EXAMPLE))


def measure() -> tuple[float, float]:
    """The medians in milliseconds of our process and of the floor, taken in turns."""
    taken: dict[tuple[str, ...], list[float]] = {OURS: [], FLOOR: []}
    around = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(1 + ROUNDS):
        for arguments, times in taken.items():
            begun = perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=around)
            times.append((perf_counter() - begun) * 1000)
    return median(taken[OURS][1:]), median(taken[FLOOR][1:])


def report() -> list[str]:
    """One line."""
    ours, floor = measure()
    return [f"process: floor {floor:.0f} ms, ivcoder select {ours:.0f} ms, ratio {ours / floor:.2f} (bar {BAR})"]

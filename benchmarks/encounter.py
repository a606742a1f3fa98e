"""A five-administration encounter, JSON in to JSON out, beside its floor.

The floor is pydantic alone: the same input validated and the same answer dumped. Both run in one process, in batches
taken in turns; the bar is for the answer without the what-if walks.
"""

from __future__ import annotations

import gc
import json
from pathlib import Path
from statistics import median
from time import perf_counter

from ivcoder import Encounter, select_push_codes

EXAMPLE = Path(__file__).parent.parent / "examples" / "five-administrations.json"
ROUNDS = 60
BATCH = 20
BAR = 6.0


def measure() -> dict[str, float]:
    """Return the two medians in microseconds and their ratio."""
    text = EXAMPLE.read_text(encoding="utf-8")
    answer = select_push_codes(json.loads(text), what_if=False)

    def floor() -> None:
        Encounter.model_validate_json(text)
        answer.model_dump_json()

    def full() -> None:
        select_push_codes(Encounter.model_validate_json(text), what_if=False).model_dump_json()

    def explored() -> None:
        select_push_codes(Encounter.model_validate_json(text)).model_dump_json()

    times: dict[str, list[float]] = {"floor": [], "full": [], "explored": []}
    gc.disable()
    for _ in range(ROUNDS):
        for name, run in (("floor", floor), ("full", full), ("explored", explored)):
            run()
            begun = perf_counter()
            for _ in range(BATCH):
                run()
            times[name].append((perf_counter() - begun) / BATCH)
    gc.enable()
    middle = {name: median(values) * 1e6 for name, values in times.items()}
    return {**middle, "ratio": middle["full"] / middle["floor"], "what_if": middle["explored"] / middle["floor"]}


def report() -> list[str]:
    """One line."""
    found = measure()
    times = f"floor {found['floor']:.0f} us, JSON to JSON {found['full']:.0f} us"
    return [f"encounter: {times}, ratio {found['ratio']:.1f} (bar {BAR:.0f}); with what-if {found['what_if']:.0f}"]

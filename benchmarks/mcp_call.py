"""A tool call over standard input and output beside an echo tool of the same SDK, in the same run.

The echo moves what our answer moves: it is handed the answer and gives it back. Calls alternate, so that a noisy
machine is noisy for both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from time import perf_counter_ns

from benchmarks.wire import Server

EXAMPLE = Path(__file__).parent.parent / "examples" / "five-administrations.json"
ROUNDS = 400
BAR = 1.3
ECHO = """\
from mcp.server.mcpserver import MCPServer
server = MCPServer("echo")
@server.tool()
async def echo(answer: dict[str, object]) -> dict[str, object]:
    return answer
server.run()
"""


def measure() -> dict[str, tuple[float, float]]:
    """For each tool: the medians in microseconds of its call and of the echo of its answer."""
    encounter: Mapping[str, object] = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    denial = {**encounter, "billed_lines": [{"code": "96374", "denied": True, "carc": ["97"]}, {"code": "96413"}]}
    calls = [
        ("classify_administration", encounter),
        ("rank_services", encounter),
        ("select_push_codes", encounter),
        ("explain_denial", denial),
    ]
    found = {}
    with Server() as ours, Server(["-c", ECHO]) as echo:
        for tool, given in calls:
            answer = json.loads(ours.call(tool, given))["result"]["structuredContent"]
            taken: dict[str, list[int]] = {"ours": [], "echo": []}
            for turn in range(ROUNDS):
                both = [("ours", ours, tool, given), ("echo", echo, "echo", {"answer": answer})]
                for name, server, asked, arguments in both if turn % 2 else both[::-1]:
                    begun = perf_counter_ns()
                    server.call(asked, arguments)
                    taken[name].append(perf_counter_ns() - begun)
            warm = ROUNDS // 10
            found[tool] = (median(taken["ours"][warm:]) / 1000, median(taken["echo"][warm:]) / 1000)
    return found


def report() -> list[str]:
    """One line a tool."""
    return [
        f"MCP {tool}: echo {echo:.0f} us, call {ours:.0f} us, ratio {ours / echo:.2f} (bar {BAR})"
        for tool, (ours, echo) in measure().items()
    ]

"""A tool call over standard input and output beside an echo tool of the same SDK, with the same arguments.

The echo is the SDK's high-level server giving its argument back. Calls alternate, so that a noisy machine is noisy
for both. Messages are written and read as lines; ``--client`` measures through the SDK's client instead, which adds
its own validation of the answer to both sides.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from time import perf_counter_ns

ENCOUNTER = json.loads(
    (Path(__file__).parent.parent / "examples" / "five-administrations.json").read_text(encoding="utf-8")
)
BAR = 1.3
OURS = "from ivcoder.server.mcp import serve; serve()"
ECHO = """\
from mcp.server.mcpserver import MCPServer
server = MCPServer("echo")
@server.tool()
async def echo(encounter: dict[str, object]) -> dict[str, object]:
    return encounter
server.run()
"""
CALLS: tuple[tuple[str, str, Mapping[str, object]], ...] = (
    (OURS, "select_push_codes", ENCOUNTER),
    (ECHO, "echo", {"encounter": ENCOUNTER}),
)


class Lines:
    """A server in a process of its own, spoken to in lines of JSON."""

    def __init__(self, code: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._number = 0
        hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
        self.ask("initialize", hello)
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def _send(self, message: Mapping[str, object]) -> None:
        assert self._process.stdin is not None  # noqa: S101 - a pipe was asked for
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()

    def ask(self, method: str, params: Mapping[str, object]) -> bytes:
        """Send one request and wait for its answer."""
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        self._number += 1
        self._send({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        return self._process.stdout.readline()

    def close(self) -> None:
        """End the server by ending its input."""
        self._process.communicate(timeout=10)


def by_lines(rounds: int) -> list[list[int]]:
    """Nanoseconds of each call, ours first, over plain pipes."""
    servers = [Lines(code) for code, _, _ in CALLS]
    taken: list[list[int]] = [[], []]
    for turn in range(rounds):
        for at in (0, 1) if turn % 2 else (1, 0):
            _, name, arguments = CALLS[at]
            start = perf_counter_ns()
            answer = servers[at].ask("tools/call", {"name": name, "arguments": arguments})
            taken[at].append(perf_counter_ns() - start)
            if b'"isError":true' in answer:
                raise RuntimeError(f"{name} failed")
    for server in servers:
        server.close()
    return taken


async def by_client(rounds: int) -> list[list[int]]:
    """Nanoseconds of each call, ours first, through the SDK's client."""
    from mcp import StdioServerParameters, stdio_client
    from mcp.client import Client

    async def timed(call: Callable[[], Awaitable[object]]) -> int:
        start = perf_counter_ns()
        await call()
        return perf_counter_ns() - start

    def client(code: str) -> Client:
        return Client(stdio_client(StdioServerParameters(command=sys.executable, args=["-c", code])))

    taken: list[list[int]] = [[], []]
    async with client(OURS) as ours, client(ECHO) as echo:
        calls = [
            lambda: ours.call_tool(CALLS[0][1], dict(CALLS[0][2])),
            lambda: echo.call_tool(CALLS[1][1], dict(CALLS[1][2])),
        ]
        for turn in range(rounds):
            for at in (0, 1) if turn % 2 else (1, 0):
                taken[at].append(await timed(calls[at]))
    return taken


def main() -> int:
    """Print the two medians and their ratio; exit 1 when the ratio is over the bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--client", action="store_true", help="measure through the SDK's client")
    chosen = parser.parse_args()
    taken = asyncio.run(by_client(chosen.rounds)) if chosen.client else by_lines(chosen.rounds)
    warm = chosen.rounds // 10
    ours, echo = (statistics.median(row[warm:]) for row in taken)
    print(f"select_push_codes p50 {ours / 1000:.0f} us")
    print(f"echo              p50 {echo / 1000:.0f} us")
    print(f"ratio {ours / echo:.2f} (bar {BAR})")
    return int(ours / echo > BAR)


if __name__ == "__main__":
    sys.exit(main())

"""A server over standard input and output, spoken to in lines of JSON: what a client sends and gets, unmediated."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO, Self

SERVE = ("-m", "ivcoder.server.cli", "serve")
PROTOCOL = "2025-11-25"


class Server:
    """A server in a process of its own; ``arguments`` are what Python is started with."""

    def __init__(self, arguments: Sequence[str] = SERVE, protocol: str = PROTOCOL) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self._number = 0
        hello = {"protocolVersion": protocol, "capabilities": {}, "clientInfo": {"name": "wire", "version": "1"}}
        self.hello = json.loads(self.ask("initialize", hello))["result"]
        self.send(json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}).encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, line: bytes) -> None:
        """Send one line as it is."""
        pipe = _open(self._process.stdin)
        pipe.write(line + b"\n")
        pipe.flush()

    def ask(self, method: str, params: Mapping[str, object]) -> bytes:
        """Send one request and wait for the line that answers it."""
        self._number += 1
        self.send(json.dumps({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}).encode())
        return _open(self._process.stdout).readline()

    def call(self, tool: str, arguments: object) -> bytes:
        """Call a tool and wait for the line that answers it."""
        return self.ask("tools/call", {"name": tool, "arguments": arguments})

    def close(self) -> bytes:
        """End the server by ending its input; returns what it wrote to standard error."""
        return self._process.communicate(timeout=30)[1]


def _open(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise RuntimeError("the process has no pipe")
    return pipe

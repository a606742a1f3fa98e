"""Run the command line in this process, as a shell would see it."""

import contextlib
import io
import sys
from dataclasses import dataclass
from unittest import mock

from ivcoder.server import cli


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    status: int
    out: str
    err: str


def run(*arguments, stdin=b""):
    """Run ``ivcoder ARGUMENTS`` with ``stdin`` and return its exit status and what it printed."""
    out, err = io.StringIO(), io.StringIO()
    given = io.TextIOWrapper(io.BytesIO(stdin))
    with (
        mock.patch.object(sys, "argv", ["ivcoder", *arguments]),
        mock.patch.object(sys, "stdin", given),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            cli.main()
        except SystemExit as end:
            return Done(end.code, out.getvalue(), err.getvalue())
    raise AssertionError("main returned without an exit status")

"""Snapshots as one readable file a case, under the top-level snapshots/."""

import os
from pathlib import Path

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

# No table that this machine's user loaded may change an answer here.
os.environ["IVCODER_DATA"] = str(Path(__file__).parent / "no-tables")

SNAPSHOTS = Path(__file__).parent.parent / "snapshots"


def pages(folder, ending="md"):
    """A snapshot extension that writes plain text to ``snapshots/<folder>/<name>.<ending>``."""

    class Pages(SingleFileSnapshotExtension):
        _write_mode = WriteMode.TEXT
        file_extension = ending

        @classmethod
        def dirname(cls, *, test_location):
            return str(SNAPSHOTS / folder)

        @classmethod
        def get_snapshot_name(cls, *, test_location, index=0):
            return str(index)

    return Pages


@pytest.fixture
def frozen(snapshot):
    """Compare text with ``snapshots/<folder>/<name>``."""

    def same(text, folder, name, ending="md"):
        return text == snapshot(name=name, extension_class=pages(folder, ending))

    return same

"""The same bytes whatever the hash seed; `make pythons` compares the interpreters at hand."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from digest import digest

SCRIPT = Path(__file__).with_name("digest.py")
HERE = digest()


@pytest.mark.parametrize("seed", ["0", "1", "42", "1234", "4294967295"])
def test_the_same_bytes_under_another_hash_seed(seed):
    done = subprocess.run(
        [sys.executable, SCRIPT], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["sha256"] == HERE

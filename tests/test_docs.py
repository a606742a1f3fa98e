"""The documents say what the program does: real output, generated rules, names that exist."""

import re
import shlex
from pathlib import Path

import pytest
from commands import run

from ivcoder.server import pages

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"<!-- ivcoder (.+?) -->\n```text\n(.*?)```\n<!-- end -->", README, re.DOTALL)


def masked(text):
    """Without the hashes, which change with every row of the rulebook."""
    return re.sub(r"\b[0-9a-f]{12}\b", "............", text)


@pytest.mark.parametrize(("command", "shown"), SHOWN)
def test_the_readme_shows_real_output(command, shown, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert masked(run(*shlex.split(command)).out) == masked(shown)


def test_the_readme_shows_something():
    assert len(SHOWN) == 2


def test_the_readmes_library_example_runs(capsys):
    [example] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(example, {})  # noqa: S102 - our own example
    assert capsys.readouterr().out.startswith("[('96374', 1,")


def test_the_readmes_commands_run(tmp_path, monkeypatch):
    [block] = re.findall(r"```sh\n(ivcoder .*?)```", README, re.DOTALL)
    [encounter] = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    (tmp_path / "encounter.json").write_text(encounter, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for line in block.splitlines():
        done = run(*shlex.split(line, comments=True)[1:])
        assert done.status in (0, 1), line
        assert done.err == ""


def test_the_pages_under_docs_are_current():
    written = {name: (ROOT / "docs" / name).read_text(encoding="utf-8") for name in pages.documents()}
    assert written == pages.documents(), "run `make docs`"
    rules = {f"rules/{path.name}" for path in (ROOT / "docs" / "rules").iterdir()}
    assert rules == {name for name in written if name.startswith("rules/")}


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_the_make_targets_named_exist(name):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"\bmake ([a-z]+)\b", (ROOT / name).read_text(encoding="utf-8")):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_links_lead_somewhere():
    for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"):
        for target in re.findall(r"\]\(([\w./-]+)\)", (ROOT / name).read_text(encoding="utf-8")):
            assert (ROOT / target).exists(), target

"""The same encounter gives the same answer through the library, the command line and MCP, case by case."""

import json

import pytest
from commands import run

from benchmarks.wire import Server
from casebook import AUDITS, DENIALS, ENCOUNTERS
from ivcoder import audit_claim, classify_administration, explain_denial, rank_services, select_push_codes

STEPS = {
    "classify": ("classify_administration", classify_administration),
    "rank": ("rank_services", rank_services),
    "select": ("select_push_codes", select_push_codes),
}


@pytest.fixture(scope="module")
def server():
    with Server() as running:
        yield running


def same(command, tool, ask, given, server):
    answer = ask(given)
    written = json.loads(answer.model_dump_json(by_alias=True))
    done = run(command, "--json", "-", stdin=json.dumps(given).encode())
    called = json.loads(server.call(tool, given))["result"]
    assert json.loads(done.out) == written
    assert called["structuredContent"] == written
    assert done.status == int(answer.status == "needs_information")


@pytest.mark.parametrize("command", STEPS)
@pytest.mark.parametrize("case", ENCOUNTERS, ids=lambda case: case.id)
def test_encounter(case, command, server):
    same(command, *STEPS[command], case.encounter, server)


@pytest.mark.parametrize("case", DENIALS, ids=lambda case: case.id)
def test_denial(case, server):
    same("explain", "explain_denial", explain_denial, case.denial, server)


@pytest.mark.parametrize("case", AUDITS, ids=lambda case: case.id)
def test_audit(case, server):
    same("audit", "audit_claim", audit_claim, case.claim, server)

"""The MCP server as a client meets it: over the wire line by line, and through the SDK's own client."""

import json
import sys

import anyio
import pytest
from mcp import StdioServerParameters, stdio_client
from mcp.client import Client

from benchmarks.wire import SERVE, Server
from ivcoder import __version__
from ivcoder.book import payers
from ivcoder.rule import RULES
from ivcoder.server.cli import DEMO
from ivcoder.server.mcp import build

TOOLS = ["classify_administration", "rank_services", "select_push_codes", "explain_denial", "audit_claim"]
DENIAL = {"place_of_service": "11", "billed_lines": [{"code": "96374"}, {"code": "96376", "denied": True}]}
AUDIT = {"encounter": DEMO, "billed_lines": [{"code": "96413"}, {"code": "96374"}]}
CANARY = "canary"


@pytest.fixture(scope="module")
def server():
    with Server() as running:
        yield running
        assert running.close() == b"", "nothing is logged"


def ask(server, method, **params):
    return json.loads(server.ask(method, params))


def result(server, method, **params):
    return ask(server, method, **params)["result"]


def listed(server):
    return {tool["name"]: tool for tool in result(server, "tools/list")["tools"]}


def test_it_says_who_it_is_and_when_to_call_what(server):
    assert server.hello["serverInfo"]["name"] == "ivcoder"
    assert server.hello["serverInfo"]["version"] == __version__
    instructions = server.hello["instructions"]
    assert all(tool in instructions for tool in TOOLS)
    assert "Never add, drop or change a code" in instructions
    assert {"tools", "resources", "prompts"} <= set(server.hello["capabilities"])


def test_the_tools_and_their_schemas(server, frozen):
    tools = listed(server)
    assert list(tools) == TOOLS
    for tool in tools.values():
        assert tool["annotations"] == {
            "title": tool["title"],
            "readOnlyHint": True,
            "destructiveHint": False,
            "idempotentHint": True,
            "openWorldHint": False,
        }
        assert tool["description"]
        assert tool["inputSchema"]["type"] == "object"
        assert tool["inputSchema"]["additionalProperties"] is False
        assert tool["outputSchema"]["type"] == "object"
        assert frozen(json.dumps(tool, indent=2) + "\n", "tools", tool["name"], "json")


def schemas(node):
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from schemas(value)
    elif isinstance(node, list):
        for value in node:
            yield from schemas(value)


@pytest.mark.parametrize("tool", TOOLS)
def test_every_argument_is_described_and_choices_are_enums(server, tool):
    schema = listed(server)[tool]["inputSchema"]
    for group in (schema, *schema["$defs"].values()):
        for name, field in group.get("properties", {}).items():
            assert field.get("description"), name
            assert "title" not in field
    route = schema["$defs"]["Route"]["enum"]
    assert {"iv_push", "iv_infusion", "im", "sc", "oral"} <= set(route)
    holder = schema if "place_of_service" in schema["properties"] else schema["$defs"]["Encounter"]
    place = holder["properties"]["place_of_service"]
    assert {"11", "19", "22", "23"} <= set(next(each["enum"] for each in schemas(place) if "enum" in each))


@pytest.mark.parametrize(
    ("tool", "given"), [*[(tool, DEMO) for tool in TOOLS[:3]], (TOOLS[3], DENIAL), (TOOLS[4], AUDIT)]
)
def test_a_readable_text_and_the_structured_answer_not_the_json_twice(server, tool, given):
    answer = json.loads(server.call(tool, given))["result"]
    assert not answer.get("isError")
    [text] = answer["content"]
    assert not text["text"].lstrip().startswith("{")
    assert 2 <= len(text["text"].splitlines()) <= 20
    assert len(text["text"]) < len(json.dumps(answer["structuredContent"])) / 2
    required = set(listed(server)[tool]["outputSchema"]["required"])
    assert required <= set(answer["structuredContent"])


def test_questions_stand_in_the_text_with_what_each_answer_gives(server):
    row = {"id": "1", "drug": "Rocephin", "route": "iv_infusion", "start": "09:00"}
    given = {"place_of_service": "22", "administrations": [row]}
    text = json.loads(server.call("select_push_codes", given))["result"]["content"][0]["text"]
    assert "Ask (1.stop): When did Rocephin stop?" in text
    assert "if it ran 16 to 90 minutes: 96365 x1" in text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({**DEMO, "place": "22"}, "place: is not a field here; expected the field place_of_service"),
        ({**DEMO, "patient": CANARY}, "patient: is not a field here; expected only administrations, claim"),
        ({"place_of_service": "22"}, "administrations: is missing"),
        ({}, "place_of_service: is missing"),
        ({**DEMO, "administrations": json.dumps(DEMO["administrations"])}, "administrations: is not a list"),
    ],
)
def test_wrong_arguments_are_told_in_our_words(server, arguments, says):
    answer = json.loads(server.call("select_push_codes", arguments))["result"]
    assert answer["isError"] is True
    text = answer["content"][0]["text"]
    assert says in text
    assert CANARY not in text
    assert "Error executing tool" not in text
    assert "errors.pydantic.dev" not in text
    assert "structuredContent" not in answer


def test_a_tool_that_is_not_ours(server):
    answer = json.loads(server.call("canary", {}))["result"]
    assert answer["isError"] is True
    assert answer["content"][0]["text"].startswith("tool: is not one of ours; expected one of classify_administration")


@pytest.mark.parametrize("arguments", [CANARY, [CANARY], 5])
def test_arguments_that_are_no_object_are_refused_without_repeating_them(server, arguments):
    answer = json.loads(server.call("select_push_codes", arguments))
    assert answer["error"]["code"] == -32602
    assert CANARY not in json.dumps(answer)


def test_a_line_that_is_no_message_does_not_end_the_session(server):
    server.send(b"canary, not JSON")
    assert ask(server, "ping")["result"] == {}


def test_an_unforeseen_failure_is_an_error_result_without_the_chart(monkeypatch):
    def broken(*_, **__):
        raise RuntimeError(CANARY)

    monkeypatch.setattr("ivcoder.select_push_codes", broken)

    async def call():
        async with Client(build()) as client:
            return await client.call_tool("select_push_codes", dict(DEMO))

    answer = anyio.run(call)
    assert answer.is_error
    assert "RuntimeError" in answer.content[0].text
    assert CANARY not in answer.content[0].text


def test_each_rule_is_a_resource(server):
    rows = result(server, "resources/list")["resources"]
    listed = {row["uri"] for row in rows if row["uri"].startswith("ivcoder://rules")}
    assert listed == {"ivcoder://rules", *(f"ivcoder://rules/{rule}" for rule in RULES)}
    for rule in RULES.values():
        [page] = result(server, "resources/read", uri=f"ivcoder://rules/{rule.id}")["contents"]
        assert page["mimeType"] == "text/markdown"
        assert rule.title in page["text"]
        assert "## Where it stands" in page["text"]
    [index] = result(server, "resources/read", uri="ivcoder://rules")["contents"]
    assert all(rule in index["text"] for rule in RULES)
    templates = result(server, "resources/templates/list")["resourceTemplates"]
    assert [row["uriTemplate"] for row in templates] == ["ivcoder://rules/{id}", "ivcoder://payers/{name}"]
    assert "is not a rule" in ask(server, "resources/read", uri="ivcoder://rules/canary")["error"]["message"]


def test_each_payer_is_a_resource(server):
    rows = result(server, "resources/list")["resources"]
    uris = {row["uri"] for row in rows if row["uri"].startswith("ivcoder://payers")}
    assert uris == {"ivcoder://payers", *(f"ivcoder://payers/{payer}" for payer in payers())}
    for name, payer in [*((row.id, row) for row in payers().values()), ("ibx", payers()["independence"])]:
        [page] = result(server, "resources/read", uri=f"ivcoder://payers/{name}")["contents"]
        assert page["mimeType"] == "text/markdown"
        assert page["text"].startswith(f"# {payer.name}\n")
    [index] = result(server, "resources/read", uri="ivcoder://payers")["contents"]
    assert all(f"`{payer}`" in index["text"] for payer in payers())
    error = ask(server, "resources/read", uri="ivcoder://payers/canary")["error"]["message"]
    assert "is not a payer we know" in error
    assert "canary" not in error


def test_the_prompts(server):
    rows = {row["name"]: row for row in result(server, "prompts/list")["prompts"]}
    assert set(rows) == {"code-encounter", "review-denial", "draft-appeal", "ask-nurse", "audit-claim"}
    for name, row in rows.items():
        [argument] = row["arguments"]
        assert argument["required"]
        got = result(server, "prompts/get", name=name, arguments={argument["name"]: "Zofran 4 mg IV push 09:00"})
        text = got["messages"][0]["content"]["text"]
        assert text.endswith("Zofran 4 mg IV push 09:00")
        assert any(tool in text for tool in ("select_push_codes", "explain_denial", "audit_claim"))
        assert "is missing" in ask(server, "prompts/get", name=name, arguments={})["error"]["message"]
    assert "is not one of ours" in ask(server, "prompts/get", name="canary", arguments={})["error"]["message"]


def test_own_drug_table(tmp_path):
    table = tmp_path / "own.toml"
    table.write_text('[[drug]]\nname = "housemix"\ncategory = "therapeutic"\n', encoding="utf-8")
    given = {"place_of_service": "22", "administrations": [{"id": "1", "drug": "housemix", "route": "iv_push"}]}
    with Server([*SERVE, "--drugs", str(table)]) as server:
        answer = json.loads(server.call("select_push_codes", given))["result"]["structuredContent"]
    assert [line["code"] for line in answer["lines"]] == ["96374"]


@pytest.mark.parametrize("version", ["2024-11-05", "2025-06-18", "2025-11-25"])
def test_older_protocols_are_spoken(version):
    with Server(protocol=version) as server:
        assert server.hello["protocolVersion"] == version
        answer = json.loads(server.call("select_push_codes", DEMO))["result"]
    assert not answer.get("isError")


def test_through_the_sdks_client_over_stdio():
    async def session():
        async with Client(stdio_client(StdioServerParameters(command=sys.executable, args=list(SERVE)))) as client:
            tools = await client.list_tools()
            answer = await client.call_tool("select_push_codes", dict(DEMO))
            prompt = await client.get_prompt("code-encounter", {"chart": "Zofran"})
            page = await client.read_resource("ivcoder://rules/repeat-push-facility")
        return tools, answer, prompt, page

    tools, answer, prompt, page = anyio.run(session)
    assert [tool.name for tool in tools.tools] == TOOLS
    assert not answer.is_error
    assert answer.structured_content["lines"][0]["code"] == "96413"
    assert prompt.messages
    assert "facilities" in page.contents[0].text


def test_an_encounter_sent_as_its_text_is_read(server):
    row = {"id": "1", "drug": "Zofran", "route": "iv_push", "start": "09:00"}
    text = json.dumps({"place_of_service": "22", "administrations": [row]})
    answer = json.loads(server.call("audit_claim", {"encounter": text, "billed_lines": [{"code": "96374"}]}))["result"]
    assert answer["structuredContent"]["status"] == "clean"
    broken = json.loads(server.call("audit_claim", {"encounter": "{", "billed_lines": [{"code": "96374"}]}))["result"]
    assert broken["isError"]
    assert "is not valid JSON" in broken["content"][0]["text"]

"""The MCP server over standard input and output.

Built on the SDK's low-level server: arguments go to the core's own validation, so errors are in our words and an
answer is serialised once.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError
from pydantic.json_schema import GenerateJsonSchema

import ivcoder
from ivcoder.book import DrugTable, EditTables, payer_named, payers
from ivcoder.faults import Fault, InvalidInput
from ivcoder.rule import RULES
from ivcoder.server import pages
from ivcoder.server.prompts import prompts
from ivcoder.server.tools import TOOLS, Tool

INSTRUCTIONS = """\
ivcoder decides drug-administration codes (CPT 96360-96379, 96401-96549) deterministically.
Call select_push_codes whenever somebody wants codes or units for drugs given by vein, muscle, skin or catheter;
classify_administration for what kind of service something was; rank_services for which service is initial;
explain_denial for a denied line; audit_claim for whether billed lines are what the record supports.
Never add, drop or change a code or unit yourself, and never code from memory:
if a tool does not give a code, say so. When an answer has questions, put them to the user and call again with the
answers; do not guess. Quote the rule ids behind an answer; each is a resource, ivcoder://rules/ID; what a
payer does differently is ivcoder://payers/NAME. Leave a field out
when the chart does not say it. Never pass a patient's name, number or date of birth. Code numbers are the AMA's CPT:
do not add its descriptors.
"""
_RULES = "ivcoder://rules"
_PAYERS = "ivcoder://payers"
_Context = ServerRequestContext[Any]


def build(drugs: DrugTable | None = None, tables: EditTables | None = None) -> Server[Any]:
    """The server, under a user's own drug table and loaded tables of payers' edits if there are any."""
    tools = {tool.name: tool for tool in TOOLS}
    listed = types.ListToolsResult(tools=[_described(tool) for tool in TOOLS])

    async def list_tools(_: _Context, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return listed

    async def call_tool(_: _Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        tool = tools.get(params.name)
        if tool is None:
            return _failed(Fault("tool", "is not one of ours", f"one of {', '.join(tools)}"))
        try:
            answer, text = tool.answer(params.arguments or {}, drugs, tables)
        except InvalidInput as error:
            return _failed(*error.faults)
        except Exception as error:
            return _failed(Fault("ivcoder", f"failed inside ({type(error).__name__})", "a report with a made-up case"))
        structured = answer.model_dump(mode="json", by_alias=True)
        return types.CallToolResult(content=[_text(text)], structured_content=structured)

    return Server(
        "ivcoder",
        version=ivcoder.__version__,
        title="ivcoder: drug-administration coding",
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=_list_resources,
        on_list_resource_templates=_list_templates,
        on_read_resource=_read_resource,
        on_list_prompts=_list_prompts,
        on_get_prompt=_get_prompt,
    )


def serve(drugs: DrugTable | None = None, tables: EditTables | None = None) -> None:
    """Serve until standard input ends. Nothing is logged: a request may hold a chart."""
    logging.disable(logging.CRITICAL)
    anyio.run(_run, build(drugs, tables))


async def _run(server: Server[Any]) -> None:
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


class _Untitled(GenerateJsonSchema):
    """Schemas without a title for each field: an assistant pays for every word, and titles repeat the names."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - the base class's signature
        return False


def _described(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.takes.model_json_schema(schema_generator=_Untitled),
        output_schema=tool.gives.model_json_schema(schema_generator=_Untitled, mode="serialization"),
        annotations=types.ToolAnnotations(
            title=tool.title, read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        ),
    )


def _text(text: str) -> types.TextContent:
    return types.TextContent(type="text", text=text)


def _failed(*faults: Fault) -> types.CallToolResult:
    return types.CallToolResult(content=[_text("\n".join(map(str, faults)))], is_error=True)


async def _list_resources(_: _Context, __: types.PaginatedRequestParams | None) -> types.ListResourcesResult:
    rows = [(_RULES, "rules", "All rules"), (_PAYERS, "payers", "All payers")]
    rows += [(f"{_RULES}/{rule.id}", rule.id, rule.title) for rule in RULES.values()]
    rows += [(f"{_PAYERS}/{row.id}", row.id, f"In what {row.name} differs") for row in payers().values()]
    return types.ListResourcesResult(
        resources=[
            types.Resource(uri=uri, name=name, title=title, mime_type="text/markdown") for uri, name, title in rows
        ]
    )


async def _list_templates(_: _Context, __: types.PaginatedRequestParams | None) -> types.ListResourceTemplatesResult:
    rows = ((f"{_RULES}/{{id}}", "rule"), (f"{_PAYERS}/{{name}}", "payer"))
    return types.ListResourceTemplatesResult(
        resource_templates=[
            types.ResourceTemplate(uri_template=uri, name=name, mime_type="text/markdown") for uri, name in rows
        ]
    )


async def _read_resource(_: _Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
    uri = str(params.uri)
    return types.ReadResourceResult(
        contents=[types.TextResourceContents(uri=uri, mime_type="text/markdown", text=_page(uri))]
    )


def _page(uri: str) -> str:
    """The Markdown behind a resource's address."""
    if uri == _RULES:
        return pages.rules_index()
    if uri == _PAYERS:
        return pages.payers_index()
    if uri.startswith(f"{_PAYERS}/"):
        payer = payer_named(uri.removeprefix(f"{_PAYERS}/"))
        if payer is None:
            raise MCPError(types.INVALID_PARAMS, f"resource: is not a payer we know; expected one of {_PAYERS}")
        return pages.payer_page(payer)
    rule = pages.known_rule(uri.removeprefix(f"{_RULES}/"))
    if rule is None:
        raise MCPError(types.INVALID_PARAMS, f"resource: is not a rule; expected one that {_RULES} lists")
    return pages.rule_page(rule)


async def _list_prompts(_: _Context, __: types.PaginatedRequestParams | None) -> types.ListPromptsResult:
    rows = [
        types.Prompt(
            name=prompt.name,
            title=prompt.title,
            description=prompt.description,
            arguments=[
                types.PromptArgument(name=row.name, description=row.description, required=row.required)
                for row in prompt.arguments
            ],
        )
        for prompt in prompts().values()
    ]
    return types.ListPromptsResult(prompts=rows)


async def _get_prompt(_: _Context, params: types.GetPromptRequestParams) -> types.GetPromptResult:
    prompt = prompts().get(params.name)
    if prompt is None:
        raise MCPError(types.INVALID_PARAMS, f"prompt: is not one of ours; expected one of {', '.join(prompts())}")
    given: Mapping[str, str] = params.arguments or {}
    if missing := prompt.missing(given):
        raise MCPError(types.INVALID_PARAMS, f"{', '.join(missing)}: is missing; expected text")
    message = types.PromptMessage(role="user", content=_text(prompt.text(given)))
    return types.GetPromptResult(description=prompt.description, messages=[message])

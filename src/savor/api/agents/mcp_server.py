"""The tools as a server of the Model Context Protocol."""

from typing import TYPE_CHECKING, Any

import orjson

from savor import __version__
from savor.api.agents.tools import DATA_NOTE, TOOLS, AgentTools
from savor.core.errors import MissingDependencyError, SavorError

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

INSTRUCTIONS = (
    "Recommendations from a shop's own data. Every item in an answer is in the catalogue; name no others. "
    f"Nothing here changes anything. {DATA_NOTE}"
)
_ITEMS = frozenset({"search", "recommend", "similar", "basket"})


def mcp_server(tools: AgentTools) -> "Server[Any]":
    """A server with every tool, to be run over a transport.

    Raises:
        MissingDependencyError: the package `mcp` is not installed.
    """
    try:
        import mcp_types as types
        from mcp.server.lowlevel import Server
    except ImportError:
        raise MissingDependencyError("mcp", "llm") from None
    listed = [
        types.Tool(
            name=name,
            title=name.capitalize(),
            description=f"{tool.about} {DATA_NOTE}",
            input_schema=tool.arguments.model_json_schema(),
            output_schema=_output_schema(name),
            annotations=types.ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=False),
        )
        for name, tool in TOOLS.items()
    ]

    async def list_tools(_: Any, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=listed)

    async def call_tool(_: Any, asked: types.CallToolRequestParams) -> types.CallToolResult:
        try:
            answer: dict[str, Any] = tools.call(asked.name, asked.arguments or {})
        except SavorError as error:
            text = f"{error.code}: {error}"
            return types.CallToolResult(content=[types.TextContent(type="text", text=text)], is_error=True)
        text = orjson.dumps(answer, option=orjson.OPT_NON_STR_KEYS).decode()
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=text)], structured_content=orjson.loads(text)
        )

    return Server(
        "savor", version=__version__, instructions=INSTRUCTIONS, on_list_tools=list_tools, on_call_tool=call_tool
    )


def _output_schema(name: str) -> dict[str, Any]:
    item = {"type": "object", "properties": {"item_id": {"type": ["string", "integer"]}}, "required": ["item_id"]}
    if name not in _ITEMS:
        return item
    return {"type": "object", "properties": {"items": {"type": "array", "items": item}}, "required": ["items"]}

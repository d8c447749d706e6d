"""A server of MCP's over its standard streams: a tool that works, one that fails, one that is slow."""

import asyncio

from mcp.server.mcpserver import MCPServer

server = MCPServer("tools")


@server.tool()
def divide(number: int) -> int:
    """Divide a hundred."""
    return 100 // number


@server.tool()
async def slow() -> str:
    """Take long."""
    await asyncio.sleep(10)
    return "slow"


@server.resource("shop://price")
def price() -> str:
    """Say the price."""
    raise LookupError("no price")


server.run()

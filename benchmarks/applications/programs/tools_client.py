"""A client of MCP's that runs its server: python tools_client.py COMMAND ..."""

import asyncio
import sys
from pathlib import Path

from mcp import ClientSession, StdioServerParameters, stdio_client

# not the standard error that it shares with its server: there the two would mix
LOG = Path("server.log").open("w", encoding="utf-8")  # noqa: SIM115  # open until the end


async def main() -> None:
    server = StdioServerParameters(command=sys.argv[1], args=sys.argv[2:])
    async with stdio_client(server, errlog=LOG) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        print([tool.name for tool in (await session.list_tools()).tools])
        for name, arguments in (("divide", {"number": 7}), ("divide", {"number": 0}), ("divide", {"x": 1}), ("no", {})):
            try:
                answer = await session.call_tool(name, arguments)
                print(name, answer.is_error, len(answer.content))
            except Exception as error:
                print(name, type(error).__name__)
        try:
            print(await session.read_resource("shop://price"))
        except Exception as error:
            print("price", type(error).__name__)
        try:
            await session.call_tool("slow", read_timeout_seconds=0.3)
        except Exception as error:
            print("slow", type(error).__name__)
        waiting = asyncio.create_task(session.call_tool("slow"))
        await asyncio.sleep(0.2)
        waiting.cancel()
        print("cancelled", (await asyncio.wait([waiting]))[1])
    try:
        async with stdio_client(StdioServerParameters(command="/no/such/program")) as streams:
            print(streams)
    except OSError as error:
        print("none", type(error).__name__)
    try:
        async with (
            stdio_client(StdioServerParameters(command=sys.executable, args=["-c", "print('nonsense')"])) as (
                read,
                write,
            ),
            ClientSession(read, write) as session,
        ):
            await asyncio.wait_for(session.initialize(), 3)
    except Exception as error:
        print("nonsense", type(error).__name__)


asyncio.run(main())

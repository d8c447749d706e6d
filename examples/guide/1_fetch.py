"""
A coroutine that fetches a page, and what can come of it.

Calling an async function runs nothing: it makes a coroutine object. `await` runs it, and whenever it waits for the
network, the event loop runs something else meanwhile. What waits for a network needs a limit of time, and whoever
catches what the limit raises should know which limit it was, and that it was a limit at all.
"""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import unlost

PAGES = {"/book": "200 a story of the sea", "/busy": "504 try later"}
PATIENCE = {"/book": 30, "/lost": 30, "/slow": 0.1, "/busy": 30}


async def fetch(port: int, path: str) -> str:
    """Get one page of the shop; each `await` is a place where others run."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    finally:
        writer.close()
    if head.endswith("404"):
        raise LookupError(f"no page {path}")
    if head.endswith("504"):
        raise TimeoutError("the shop's own database did not answer")
    return body


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    path = (await reader.readline()).decode().removeprefix("GET ").partition(" ")[0]
    if path == "/slow":
        await reader.read()  # says nothing until the client hangs up
    status, _, body = PAGES.get(path, "404 ").partition(" ")
    writer.write(f"HTTP/1.0 {status}\r\n\r\n{body}".encode())
    writer.close()


@asynccontextmanager
async def shop() -> AsyncIterator[int]:
    """Serve the pages on a free port of this machine."""
    async with asyncio.TaskGroup() as connections:
        server = await asyncio.start_server(lambda *ends: connections.create_task(answer(*ends)), "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()


async def plainly() -> None:
    async with shop() as port:
        with warnings.catch_warnings(record=True, action="always") as warned:
            fetch(port, "/book")  # type: ignore[unused-coroutine]  # no await: nothing is asked, nothing raised
            gc.collect()
        print("  forgotten await:", warned[0].message)
        for path, seconds in PATIENCE.items():
            try:
                async with asyncio.timeout(seconds):
                    print(f"  {path}:", await fetch(port, path))
            except LookupError as error:
                print(f"  {path}:", repr(error))
            except TimeoutError as error:  # what it prints of /busy is wrong: that page answered at once
                print(f"  {path}: no answer within {seconds} s, on account of", repr(error))


async def with_unlost() -> None:
    async with shop() as port:
        try:
            unlost.spawn(fetch(port, "/book"))  # type: ignore[arg-type]  # the mistake that is shown
        except unlost.UsageError as error:
            print("  a coroutine where a function belongs:", *str(error).splitlines(), sep="\n    ")
        for path, seconds in PATIENCE.items():
            try:
                async with unlost.timeout(seconds, f"GET {path}"):
                    print(f"  {path}:", await fetch(port, path))
            except unlost.DeadlineExceeded as limit:
                print(f"  {path}: no answer within {limit.seconds} s, on account of the limit {limit.name!r}")
            except (LookupError, TimeoutError) as error:
                print(f"  {path}:", repr(error))


print("plain asyncio")
asyncio.run(plainly())
print("with unlost")
unlost.run(with_unlost)

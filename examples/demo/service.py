"""
An HTTP/1.1 service that sells items and misbehaves in known proportions (see ``misbehaviour.py``).

    python service.py [--port PORT] [--log FILE] [--until-stdin-ends]

It prints its port on one line and serves on 127.0.0.1 until SIGTERM or Ctrl-C:

    GET /items/<n>    {"id": n, "price": 12.34, "name": "item n"}, or worse
    GET /stats        what has been asked so far, as JSON

Query strings and credentials are accepted and ignored. How often an item was asked is kept in memory: a restarted
service has forgotten it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import struct
import sys
from collections import Counter
from urllib.parse import urlsplit

import h11
from misbehaviour import Answer, answer_to, kind_of


class Service:
    """
    What is asked and what is answered, over any number of connections.

    Args:
        log: A file descriptor opened with ``O_APPEND``; each request for an item becomes one line in it, written
            at once, before the answer is known to arrive: ``<item> <kind> <how often asked, from 1>``.
    """

    def __init__(self, log: int | None = None) -> None:
        self._log = log
        self._asked: Counter[int] = Counter()
        self._requests: Counter[str] = Counter()
        self._connections: set[asyncio.Task[None]] = set()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a new connection on a task of its own; a bug in there goes to the loop's exception handler."""
        # not left to start_server: on 3.11 it stumbles over tasks that were cancelled, as they are in the end
        task = asyncio.create_task(self._serve_connection(reader, writer))
        self._connections.add(task)  # the loop itself holds tasks weakly
        task.add_done_callback(self._connection_ended)

    def answer(self, target: str) -> Answer:
        """Decide what a request target (``/items/17?api_key=...``) is answered, and count it."""
        path = urlsplit(target).path
        collection, _, name = path.removeprefix("/").partition("/")
        if path == "/stats":
            return Answer(body=json.dumps(self.stats()).encode())
        if collection == "items" and name.isascii() and name.isdigit():
            return self._answer_item(int(name))
        return Answer(404, b"write /items/<number> or /stats")

    def stats(self) -> dict[str, object]:
        """Return how many requests came, for how many items, how many were not the first for theirs, by kind."""
        requests = self._requests.total()
        items = len(self._asked)
        return {"requests": requests, "items": items, "repeats": requests - items, "by_kind": dict(self._requests)}

    def _connection_ended(self, task: asyncio.Task[None]) -> None:
        self._connections.discard(task)
        if not task.cancelled():
            task.result()

    async def _serve_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request after the other until the client hangs up or an answer breaks the connection."""
        connection = h11.Connection(h11.SERVER)
        try:
            while (target := await _next_target(connection, reader)) is not None:
                answer = self.answer(target)
                await asyncio.sleep(answer.delay or 0)
                if not await _send(answer, connection, writer):
                    return
                connection.start_next_cycle()
        except (ConnectionError, h11.RemoteProtocolError):
            pass  # the client is gone or speaks something else: there is nobody to tell
        finally:
            writer.close()

    def _answer_item(self, number: int) -> Answer:
        self._asked[number] += 1
        asked = self._asked[number]
        kind = kind_of(number)
        self._requests[kind] += 1
        if self._log is not None:
            os.write(self._log, f"{number} {kind} {asked}\n".encode())
        return answer_to(number, asked)


async def _next_target(connection: h11.Connection, reader: asyncio.StreamReader) -> str | None:
    """Read one whole request; return its target, or None when the client has hung up."""
    target = None
    while True:
        match connection.next_event():
            case h11.NEED_DATA:
                connection.receive_data(await reader.read(65_536))
            case h11.Request() as request:
                target = request.target.decode("ascii")
            case h11.EndOfMessage():
                return target
            case h11.ConnectionClosed():
                return None


async def _send(answer: Answer, connection: h11.Connection, writer: asyncio.StreamWriter) -> bool:
    """Send the answer, or what there is of it; return whether the connection can carry another request."""
    if answer.reset:
        _reset(writer)
        return False
    body = answer.body or b""
    length = str(len(body) + answer.missing)
    response = h11.Response(status_code=answer.status, headers=[("content-length", length), *answer.headers])
    sent = [connection.send(response), connection.send(h11.Data(data=body))]
    if not answer.missing:
        sent.append(connection.send(h11.EndOfMessage()))
    writer.write(b"".join(part or b"" for part in sent))
    await writer.drain()
    return connection.our_state is h11.DONE and connection.their_state is h11.DONE


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close without a farewell: lingering for zero seconds makes the kernel send RST instead of FIN."""
    linger_for_zero_seconds = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_for_zero_seconds)
    writer.transport.abort()


async def serve(port: int, log: int | None, until_stdin_ends: bool) -> None:
    """Serve on 127.0.0.1 until told to stop; connections that are open then are cut."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if until_stdin_ends:  # nobody writes there: readable means closed
        loop.add_reader(sys.stdin, stop.set)
    server = await asyncio.start_server(Service(log).accept, "127.0.0.1", port, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await stop.wait()
    # not wait_closed: from 3.12 on it waits for idle keep-alive connections; asyncio.run cancels their tasks
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="An HTTP service that misbehaves in known proportions.")
    parser.add_argument("--port", type=int, default=0, help="default: one that is free")
    parser.add_argument("--log", help="append a line for each request: item, kind, how often asked")
    parser.add_argument("--until-stdin-ends", action="store_true", help="stop with the process that holds the pipe")
    args = parser.parse_args()
    log = os.open(args.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644) if args.log else None
    asyncio.run(serve(args.port, log, args.until_stdin_ends))


if __name__ == "__main__":
    main()

"""
A stand-in for a paid API: an HTTP/1.1 service in its own process that counts its calls and what it charges.

    python paid_api.py [--port PORT] [--log FILE] [--latency S] [--allow 200/s --burst 50] ...

It prints its port on the first line, the port of its control on the second, and serves on 127.0.0.1 until SIGTERM:

    POST /v1/complete {"prompt": "..."}    {"id", "text", "usage": {...}, "cost_usd": "0.001230151"}, or worse
    POST /v1/chat/completions              the same in the shape that OpenAI's SDK speaks
    GET  /stats                            what was called and charged so far, as JSON
    POST /control {"down": true}           nobody listens any more, each connection is reset; {"down": false} ends it

While it is down only the control port answers. Tests use it through ``support.paid_process.PaidApi``.
The rules are in ``paid_rules.py``; a call is charged and logged when it comes in, before it is answered.
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
import time
from dataclasses import dataclass

import h11
from paid_chat import chat_of, prompt_of
from paid_rules import Answer, Call, Rules, Till


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Service:
    """
    Any number of connections to one till.

    Args:
        till: Decides.
        log: A file descriptor opened with ``O_APPEND``, or None: one line of JSON a call, written before its answer.
        latency: Seconds from a call to its answer.
    """

    def __init__(self, till: Till, log: int | None, latency: float) -> None:
        self.port = 0
        self._till = till
        self._log = log
        self._latency = latency
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._controls: set[asyncio.Task[None]] = set()

    async def listen(self, port: int) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port, backlog=4096)
        self.port = self._server.sockets[0].getsockname()[1]

    def hang_up(self) -> None:
        """Listen no more, and reset what is connected."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task, writer in list(self._connections.items()):
            _reset(writer)
            task.cancel()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections[task] = writer  # the loop itself holds tasks weakly
        task.add_done_callback(self._gone)

    def accept_control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection that no ``down`` resets."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._controls.add(task)
        task.add_done_callback(self._gone)

    def _gone(self, task: asyncio.Task[None]) -> None:
        self._connections.pop(task, None)
        self._controls.discard(task)
        if not task.cancelled():
            task.result()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER)
        try:
            while (request := await _next_request(connection, reader)) is not None:
                answer = await self._answer(request)
                _send(answer, connection, writer)
                await writer.drain()
                if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                    return
                connection.start_next_cycle()
        except (ConnectionError, h11.RemoteProtocolError):
            pass  # the client is gone or speaks something else: there is nobody to tell
        finally:
            writer.close()

    async def _answer(self, request: Request) -> Answer:
        match request.method, request.path:
            case "POST", "/v1/complete":
                return await self._complete(request, json.loads(request.body)["prompt"])
            case "POST", "/v1/chat/completions":
                answer = await self._complete(request, prompt_of(request.body))
                return chat_of(answer, json.loads(request.body)["model"])
            case "GET", "/stats":
                return Answer(200, json.dumps(self._till.stats()).encode(), "stats")
            case "POST", "/control":
                return await self._control(json.loads(request.body))
            case _:
                return Answer(404, b'write POST /v1/complete, GET /stats or POST /control {"down": true}', "nothing")

    async def _complete(self, request: Request, prompt: str) -> Answer:
        headers = request.headers
        call = Call(prompt, headers.get("authorization"), headers.get("idempotency-key"))
        answer = self._till.take(call, time.monotonic(), time.time())
        self._write(call, answer)
        if answer.status != 429 and self._latency:
            await asyncio.sleep(self._latency)
        if answer.usd:
            self._till.answered(call)
        return answer

    def _write(self, call: Call, answer: Answer) -> None:
        if self._log is None:
            return
        line = {
            "at": time.time(), "prompt": call.prompt, "key": call.idempotency_key, "status": answer.status,
            "word": answer.word, "usd": f"{answer.usd:f}",
        }  # fmt: skip
        os.write(self._log, f"{json.dumps(line)}\n".encode())

    async def _control(self, asked: dict[str, object]) -> Answer:
        if asked.get("down"):
            self.hang_up()
        elif self._server is None:
            await self.listen(self.port)
        return Answer(200, b"{}", "control")


async def _next_request(connection: h11.Connection, reader: asyncio.StreamReader) -> Request | None:
    """Read one whole request; None when the client has hung up."""
    head, body = None, b""
    while True:
        match connection.next_event():
            case h11.NEED_DATA:
                connection.receive_data(await reader.read(65_536))
            case h11.Request() as head:
                pass
            case h11.Data(data=data):
                body += data
            case h11.EndOfMessage():
                assert head is not None
                headers = {name.decode("ascii"): value.decode("latin-1") for name, value in head.headers}
                return Request(head.method.decode("ascii"), head.target.decode("ascii"), headers, body)
            case h11.ConnectionClosed():
                return None


def _send(answer: Answer, connection: h11.Connection, writer: asyncio.StreamWriter) -> None:
    headers = [("content-length", str(len(answer.body))), ("content-type", "application/json"), *answer.headers]
    response = h11.Response(status_code=answer.status, headers=headers)
    events = (response, h11.Data(data=answer.body), h11.EndOfMessage())
    writer.write(b"".join(connection.send(event) or b"" for event in events))


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close without a farewell: lingering for zero seconds makes the kernel send RST instead of FIN."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def serve(service: Service, port: int, *, until_stdin_ends: bool) -> None:
    """Serve on 127.0.0.1 until told to stop; connections that are open then are cut."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if until_stdin_ends:  # nobody writes there: readable means closed
        loop.add_reader(sys.stdin, stop.set)
    await service.listen(port)
    control = await asyncio.start_server(service.accept_control, "127.0.0.1", 0)
    print(service.port, control.sockets[0].getsockname()[1], sep="\n", flush=True)
    await stop.wait()
    control.close()
    service.hang_up()


def _per_second(text: str) -> float:
    number, _, unit = text.partition("/")
    return float(number) / {"": 1, "s": 1, "min": 60, "h": 3600}[unit]


def main() -> None:
    parser = argparse.ArgumentParser(description="A stand-in for a paid API.")
    add = parser.add_argument
    add("--port", type=int, default=0, help="default: one that is free")
    add("--log", help="append a line of JSON for each call")
    add("--latency", type=float, default=0.0, help="seconds to each answer; a 429 comes at once")
    add("--allow", type=_per_second, help="calls that it bears: 200/s, 600/min")
    add("--burst", type=int, default=0, help="how many more at once")
    add("--retry-after", choices=("seconds", "ms", "date", "none"), default="seconds", help="what a 429 says")
    add("--rest", type=float, default=1.0, help="how long a 429 says to wait, in seconds")
    add("--fail-every", type=int, default=0, help="each Nth charged call is answered 500")
    add("--broken-every", type=int, default=0, help="each Nth charged call is answered with what is not quite JSON")
    add("--key", help="answer 401 to who does not send it as Authorization: Bearer KEY")
    add("--quota", type=int, help="after so many charged calls: 429 insufficient_quota")
    add("--race", choices=("wait", "conflict"), default="wait", help="a call whose idempotency key is being answered")
    add("--until-stdin-ends", action="store_true", help="stop with the process that holds the pipe")
    args = parser.parse_args()
    rules = Rules(
        args.allow, args.burst, args.retry_after, args.rest, args.fail_every, args.broken_every, args.key, args.quota,
        args.race,
    )  # fmt: skip
    log = os.open(args.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644) if args.log else None
    asyncio.run(serve(Service(Till(rules), log, args.latency), args.port, until_stdin_ends=args.until_stdin_ends))


if __name__ == "__main__":
    main()

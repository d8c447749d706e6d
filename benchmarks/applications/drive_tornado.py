"""tornado serves: pages, failures, an executor, callbacks that fail, a websocket, clients that go away; Ctrl-C."""

import asyncio
import time

from _driven import PROGRAMS, Program, ask, free_port, leave, say, send
from tornado.websocket import websocket_connect

port = free_port()
program = Program(str(PROGRAMS / "chat_tornado.py"), str(port))
program.opens(port)
for path in ("/items/3", "/items/0", "/items/x", "/nothing", "/later", "/executor", "/proxy", "/chat"):
    ask(port, path)


async def chat() -> None:
    one = await websocket_connect(f"ws://127.0.0.1:{port}/chat")
    for message in ("5", "0"):
        await one.write_message(message)
        say("chat", await one.read_message())
    other = await websocket_connect(f"ws://127.0.0.1:{port}/chat")
    await other.write_message("5")


asyncio.run(chat())
leave(port, "/slow")
send(port, b"nonsense\r\n\r\n")
leave(port, "/slow", 0)
time.sleep(0.3)
program.end()

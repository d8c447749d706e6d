"""A server and clients of websockets': messages, a handler that fails, a cut connection, a time-out, reconnecting."""

import asyncio

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

everyone: set[ServerConnection] = set()


async def handler(one: ServerConnection) -> None:
    everyone.add(one)
    try:
        async for message in one:
            if message == "everyone":
                broadcast(everyone, "hello")
            else:
                await one.send(str(100 // int(message)))
    finally:
        everyone.discard(one)


async def main() -> None:
    async with serve(handler, "127.0.0.1", 48413, ping_interval=0.2, ping_timeout=0.2):
        place = "ws://127.0.0.1:48413"
        async with connect(place) as one, connect(place) as other:
            await one.send("5")
            print(await one.recv())
            await other.send("everyone")
            print(await one.recv(), await other.recv())
            await other.send("0")
            try:
                await other.recv()
            except ConnectionClosed as error:
                print("closed", error.rcvd and error.rcvd.code)
            try:
                await asyncio.wait_for(one.recv(), 0.1)
            except TimeoutError:
                print("timed out")
        cut = await connect(place)
        reading = asyncio.create_task(cut.recv())
        await asyncio.sleep(0)
        cut.transport.abort()
        print("cut", type((await asyncio.gather(reading, return_exceptions=True))[0]).__name__)
        reader, writer = await asyncio.open_connection("127.0.0.1", 48413)
        writer.write(b"nonsense\r\n\r\n")
        print((await reader.read())[:12])
        writer.close()
        silent_reader, silent = await asyncio.open_connection("127.0.0.1", 48413)
        silent.write(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        await silent_reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.6)  # pings are not answered
        silent.close()
        try:
            async with connect("ws://127.0.0.1:1"):
                pass
        except (OSError, InvalidHandshake, InvalidMessage) as error:
            print("refused", type(error).__name__)
        open_still = await connect(place)
    print("closed", open_still.close_code)


asyncio.run(main())

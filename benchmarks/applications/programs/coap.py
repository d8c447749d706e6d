"""A server and clients of aiocoap: resources, one that fails, an observation, a server that is not there."""

import asyncio

import aiocoap
from aiocoap import resource


class Price(resource.Resource):
    async def render_get(self, _request: aiocoap.Message) -> aiocoap.Message:
        return aiocoap.Message(payload=b"x" * 3_000)

    async def render_put(self, request: aiocoap.Message) -> aiocoap.Message:
        return aiocoap.Message(code=aiocoap.CHANGED, payload=str(100 // int(request.payload)).encode())


class Clock(resource.ObservableResource):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.ticking = asyncio.create_task(self.tick())

    async def tick(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            self.count += 1
            self.updated_state()

    async def render_get(self, _request: aiocoap.Message) -> aiocoap.Message:
        if self.count == 5:
            raise RuntimeError("the clock stands")
        return aiocoap.Message(payload=str(self.count).encode())


async def main() -> None:
    site = resource.Site()
    site.add_resource(["price"], Price())
    clock = Clock()
    site.add_resource(["clock"], clock)
    server = await aiocoap.Context.create_server_context(site, bind=("::1", 5683))
    client = await aiocoap.Context.create_client_context()

    async def ask(path: str, code: aiocoap.numbers.codes.Code = aiocoap.GET, payload: bytes = b"") -> None:
        message = aiocoap.Message(code=code, uri=f"coap://[::1]{path}", payload=payload)
        try:
            answer = await asyncio.wait_for(client.request(message).response, 3)
            print(path, answer.code, len(answer.payload))
        except (aiocoap.error.Error, TimeoutError) as error:
            print(path, type(error).__name__)

    await asyncio.gather(ask("/price"), ask("/nothing"), ask("/price", aiocoap.DELETE))
    await ask("/price", aiocoap.PUT, b"3")
    await ask("/price", aiocoap.PUT, b"0")
    await ask(":1/price")
    watching = client.request(aiocoap.Message(code=aiocoap.GET, uri="coap://[::1]/clock", observe=0))
    print("observed", (await watching.response).code)
    try:
        async for answer in watching.observation:
            print("then", answer.code)
    except aiocoap.error.Error as error:
        print("ended by", type(error).__name__)
    clock.ticking.cancel()
    await client.shutdown()
    await server.shutdown()


asyncio.run(main())

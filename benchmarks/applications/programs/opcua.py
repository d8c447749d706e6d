"""A server and clients of asyncua: values, a method that fails, a subscription, a server that goes away."""

import asyncio
import logging

from asyncua import Client, Server, ua
from asyncua.common.methods import uamethod

logging.basicConfig(level=logging.CRITICAL)


@uamethod
def divide(_parent: object, by: int) -> int:
    return 100 // by


class Changes:
    def __init__(self) -> None:
        self.seen: list[object] = []

    def datachange_notification(self, _node: object, value: object, _data: object) -> None:
        self.seen.append(value)
        if value == 2:
            raise RuntimeError("a bug in the handler")


async def main() -> None:
    server = Server()
    await server.init()
    server.set_endpoint("opc.tcp://127.0.0.1:48411/x")
    space = await server.register_namespace("http://example.com")
    thing = await server.nodes.objects.add_object(space, "thing")
    price = await thing.add_variable(space, "price", 1)
    await price.set_writable()
    await thing.add_method(space, "divide", divide, [ua.VariantType.Int64], [ua.VariantType.Int64])
    await server.start()
    async with Client("opc.tcp://127.0.0.1:48411/x") as client:
        node = client.get_node(price.nodeid)
        changes = Changes()
        subscription = await client.create_subscription(50, changes)
        await subscription.subscribe_data_change(node)
        for value in (2, 3, 4):
            await node.write_value(value)
            await asyncio.sleep(0.15)
        print("seen", changes.seen)
        print("divided", await client.get_node(thing.nodeid).call_method(f"{space}:divide", 7))
        for what in (
            client.get_node(thing.nodeid).call_method(f"{space}:divide", 0),
            node.write_value("text"),
            client.get_node("ns=2;i=99999").read_value(),
            client.nodes.root.get_child(["0:Nothing"]),
        ):
            try:
                print(await what)
            except ua.UaError as error:
                print(type(error).__name__)
        await subscription.delete()
    try:
        await Client("opc.tcp://127.0.0.1:1/x", timeout=1).connect()
    except OSError as error:
        print("refused", type(error).__name__)
    cut = Client("opc.tcp://127.0.0.1:48411/x", timeout=2)
    await cut.connect()
    await server.stop()
    try:
        await cut.get_node(price.nodeid).read_value()
    except (ua.UaError, OSError) as error:
        print("gone", type(error).__name__)
    try:
        await cut.disconnect()
    except (ua.UaError, OSError) as error:
        print("gone", type(error).__name__)


asyncio.run(main())

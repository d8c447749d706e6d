"""
`gather`: its default, and `return_exceptions=True`.

By default `asyncio.gather` raises the first error. Its siblings are not cancelled, whatever tutorials say: they run on,
and what they raise later is marked as retrieved and dropped. With `return_exceptions=True` errors come as results, and
whoever filters them with `isinstance(result, Exception)` takes a cancellation for a value: `CancelledError` is none.
"""

import asyncio
import gc
from typing import Any

import unlost


class Shop:
    """The first supplier fails at once; the second one ships when it is asked to, and fails in any case."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.shipped: list[str] = []

    async def first(self) -> str:
        raise ConnectionError("the first supplier hung up")

    async def second(self) -> str:
        try:
            await self.asked.wait()
            self.shipped.append("40 books that nobody wants any more")
        finally:
            raise ValueError("the second supplier lost the bill")


async def read() -> str:
    return "a story of the sea"


async def read_on() -> str:
    await asyncio.Event().wait()  # until it is cancelled
    return "a story without end"


async def plainly() -> None:
    reports: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reports.append(context))
    shop = Shop()
    second = asyncio.create_task(shop.second())
    try:
        await asyncio.gather(shop.first(), second)
    except ConnectionError as error:
        print("  gather:", repr(error))
    shop.asked.set()
    await asyncio.wait([second])  # which looks at nobody's exception
    del second
    gc.collect()  # now at the latest asyncio tells of exceptions that nobody looked at
    print("    its sibling ran on and shipped", *shop.shipped)
    print("    and of its ValueError the event loop heard", len(reports), "times")

    reader = asyncio.create_task(read_on())
    asyncio.get_running_loop().call_soon(reader.cancel, "the library closes")
    results = await asyncio.gather(read(), shop.first(), reader, return_exceptions=True)
    print("  return_exceptions=True, without what is an Exception:")
    print("   ", [result for result in results if not isinstance(result, Exception)])


async def with_unlost() -> None:
    shop = Shop()
    try:
        await unlost.gather(shop.first, shop.second)
    except* ConnectionError as errors:
        print("  unlost.gather:", errors.exceptions)
    except* ValueError as errors:
        print("    and", errors.exceptions)
    print("    the sibling was cancelled, and has ended; shipped:", shop.shipped)

    reader = asyncio.create_task(read_on())
    asyncio.get_running_loop().call_soon(reader.cancel, "the library closes")
    print("  unlost.settle:")
    for outcome in await unlost.settle(read, shop.first, reader):
        match outcome:
            case unlost.Value(text):
                print("    a value:", repr(text))
            case unlost.Failure(error):
                print("    a failure:", repr(error))
            case unlost.Cancelled():
                print("    a cancellation:", outcome.reason)


print("plain asyncio")
asyncio.run(plainly())
print("with unlost")
unlost.run(with_unlost)

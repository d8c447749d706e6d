"""
`try`, `except` and `finally` around an `await`, and cleanup that itself has to wait.

A `finally` runs whatever happens. But it is code like any other: what it raises takes the place of what was on its way,
be that an error or a cancellation; and if it awaits, a second cancellation cuts it short. Second cancellations are
common: a timeout around the task, and then the shutdown; somebody impatient who presses Ctrl-C twice.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import unlost

Close = Callable[[], Awaitable[None]]
Way = Callable[[Close], Awaitable[None]]


class Ledger:
    """Is closed once somebody elsewhere has answered."""

    def __init__(self, *, is_stuck: bool = False) -> None:
        self.state, self.is_stuck = "open", is_stuck
        self.opened, self.closing, self.answered = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def close(self) -> None:
        self.state = "half closed"
        self.closing.set()
        await self.answered.wait()
        if self.is_stuck:
            raise OSError("the lock is stuck")
        self.state = "closed"


async def keep(ledger: Ledger, way: Way) -> None:
    try:
        ledger.opened.set()
        await asyncio.Event().wait()  # until it is cancelled; no `except Exception` would see that
    finally:
        await way(ledger.close)


async def cancelled(ledger: Ledger, way: Way, *reasons: str) -> asyncio.Task[None]:
    task = asyncio.create_task(keep(ledger, way))
    await ledger.opened.wait()
    task.cancel(reasons[0])
    await ledger.closing.wait()  # it has come to its finally
    for reason in reasons[1:]:
        task.cancel(reason)
    ledger.answered.set()
    await asyncio.wait([task])
    return task


async def close_in(way: Way) -> None:
    ledger = Ledger()
    await cancelled(ledger, way, "the time is up", "the program ends")
    print("  cancelled twice: the ledger is", ledger.state)
    try:
        await (await cancelled(Ledger(is_stuck=True), way, "the time is up"))
    except (asyncio.CancelledError, OSError) as error:
        print("  cancelled, and closing fails:", repr(error), *map(repr, unlost.attached(error)), sep="\n    ")


async def fail(message: str) -> None:
    raise OSError(message)


async def plainly() -> None:
    await close_in(lambda close: close())
    try:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(fail, "the drawer is stuck")
            stack.push_async_callback(fail, "the receipt was not printed")
            await fail("the sale failed")
    except OSError as error:  # why the sale failed is in the __context__ of its __context__
        print("  an error, and two cleanups fail:", repr(error), sep="\n    ")


async def with_unlost() -> None:
    await close_in(unlost.cleanup)
    try:
        async with unlost.Finalizers() as finalizers:
            finalizers.push(fail, "the drawer is stuck")
            finalizers.push(fail, "the receipt was not printed")
            await fail("the sale failed")
    except OSError as error:
        print("  an error, and two cleanups fail:", repr(error), *map(repr, unlost.attached(error)), sep="\n    ")


print("plain asyncio")
asyncio.run(plainly())
print("with unlost")
unlost.run(with_unlost)

"""
`try`, `except` and `finally` around an `await`, and cleanup that itself has to wait.

A `finally` runs whatever happens. But it is code like any other: what it raises takes the place of what was on its way,
and if it awaits, a second cancellation hits it in the middle. Second cancellations are common: a timeout around the
task, then the shutdown; an impatient user who presses Ctrl-C twice.
"""

import asyncio
from collections.abc import Awaitable, Callable

import unlost


class Ledger:
    """Needs an answer from elsewhere before it is closed."""

    def __init__(self) -> None:
        self.state = "open"
        self.opened, self.closing, self.answer = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def close(self) -> None:
        self.state = "half closed"
        self.closing.set()
        await self.answer.wait()
        self.state = "closed"


async def fail(message: str) -> None:
    raise OSError(message)


async def keep(ledger: Ledger, close: Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]) -> None:
    try:
        ledger.opened.set()
        await asyncio.Event().wait()  # for ever: until somebody cancels it
    except ValueError as error:
        print("never seen: a cancellation is no ValueError, and no Exception either", error)
    finally:
        await close(ledger.close)


async def cancel_twice(task: asyncio.Task[None], ledger: Ledger) -> None:
    await ledger.opened.wait()
    task.cancel("the time is up")
    await ledger.closing.wait()  # it has come to its finally
    task.cancel("the program ends")
    ledger.answer.set()
    await asyncio.wait([task])
    print("  cancelled twice: the ledger is", ledger.state, "and the task was cancelled:", task.cancelled())


async def call(func: Callable[[], Awaitable[None]]) -> None:
    await func()


async def plainly() -> None:
    ledger = Ledger()
    await cancel_twice(asyncio.create_task(keep(ledger, call)), ledger)
    try:
        try:
            await fail("the sale failed")
        finally:
            try:
                await fail("the receipt was not printed")
            finally:
                await fail("the drawer is stuck")
    except OSError as error:
        print("  came out:", error)  # whoever asks why the sale failed has to dig in __context__


async def with_unlost() -> None:
    ledger = Ledger()
    await cancel_twice(asyncio.create_task(keep(ledger, unlost.cleanup)), ledger)
    try:
        async with unlost.Finalizers() as finalizers:
            finalizers.push(fail, "the drawer is stuck")
            finalizers.push(fail, "the receipt was not printed")
            await fail("the sale failed")
    except OSError as error:
        print("  came out:", error)
        for other in unlost.attached(error):
            print("    with it:", other)


print("plain asyncio")
asyncio.run(plainly())
print("with unlost")
unlost.run(with_unlost)

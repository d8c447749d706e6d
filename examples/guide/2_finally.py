"""
`try`, `except` and `finally` around an `await`, and cleanup that itself has to wait.

A `finally` runs whatever happens. But it is code like any other: what it raises takes the place of what was on its way,
be that an error or a cancellation; and if it awaits, a second cancellation cuts it short. Second cancellations are
common: a timeout around the task, and then the shutdown; somebody impatient who presses Ctrl-C twice.
"""

import asyncio
from collections.abc import Awaitable, Callable

import unlost


class Ledger:
    """Is closed once somebody elsewhere has answered."""

    def __init__(self, lock: str = "works") -> None:
        self.state, self.lock = "open", lock
        self.opened, self.closing, self.answered = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def close(self) -> None:
        self.state = "half closed"
        self.closing.set()
        await self.answered.wait()
        if self.lock == "is stuck":
            raise OSError("the lock is stuck")
        self.state = "closed"


async def keep(ledger: Ledger, run: Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]) -> None:
    try:
        ledger.opened.set()
        await asyncio.Event().wait()  # until it is cancelled; no `except Exception` would see that
    finally:
        await run(ledger.close)


async def directly(close: Callable[[], Awaitable[None]]) -> None:
    await close()


async def cancel(ledger: Ledger, task: asyncio.Task[None], *, twice: bool) -> None:
    await ledger.opened.wait()
    task.cancel("the time is up")
    await ledger.closing.wait()  # it has come to its finally
    if twice:
        task.cancel("the program ends")
    ledger.answered.set()
    await asyncio.wait([task])


async def try_it_on(run: Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]) -> None:
    ledger = Ledger()
    await cancel(ledger, asyncio.create_task(keep(ledger, run)), twice=True)
    print("  cancelled twice: the ledger is", ledger.state)

    ledger = Ledger(lock="is stuck")
    task = asyncio.create_task(keep(ledger, run))
    await cancel(ledger, task, twice=False)
    try:
        await task
    except (asyncio.CancelledError, OSError) as error:
        print("  cancelled, and closing fails:", repr(error), *map(repr, unlost.attached(error)), sep="\n    ")


async def fail(message: str) -> None:
    raise OSError(message)


async def plainly() -> None:
    await try_it_on(directly)
    try:
        try:
            await fail("the sale failed")
        finally:
            try:
                await fail("the receipt was not printed")
            finally:
                await fail("the drawer is stuck")
    except OSError as error:  # the first one is to be found in the __context__ of its __context__
        print("  an error, and two cleanups fail:", repr(error), sep="\n    ")


async def with_unlost() -> None:
    await try_it_on(unlost.cleanup)
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

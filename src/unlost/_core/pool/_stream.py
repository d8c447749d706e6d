"""An async function over many items: outcomes one by one, while the others run."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Generic, TypeVar

from unlost._core._around import Around, around, check_around, unwrapping
from unlost._core._outcome import Outcome
from unlost._core._usage import check_count, check_function, check_isolation
from unlost._core.pool._buffer import Buffer
from unlost._core.pool._ending import conclude, leave_with, own_failures
from unlost._core.pool._isolation import Isolation
from unlost._core.pool._items import Items, source_of
from unlost._core.pool._pool import Pool
from unlost.errors import UsageError

S = TypeVar("S")
T = TypeVar("T")


def stream(
    func: Callable[[S], Awaitable[T]],
    items: Items[S],
    *,
    limit: int,
    ordered: bool = False,
    buffer: int | None = None,
    isolate: Isolation = "worker",
    policy: Around | None = None,
) -> Stream[T]:
    """
    Await ``func(item)`` for each item, at most ``limit`` at once; hand over each outcome when it is there.

        async with stream(fetch, urls, limit=100) as outcomes:
            async for outcome in outcomes:
                ...

    It is a context manager because an iterator can be abandoned half way (PEP 789): leaving the block early cancels
    what runs and waits for it. Failures that were not handed over by then are raised as one group, or attached to the
    exception that leaves the block; values that were not are dropped, except that ``partial(error)`` has them too.

    Args:
        func: As in ``map``, with the same isolation between items.
        items: As in ``map``.
        limit: How many items may run at once, at least 1.
        ordered: Hand outcomes over in the order of their inputs instead of the order of their ends.
        buffer: While this many finished outcomes wait for the reader, nothing is started, in either order; at least 1.
            The default is ``limit``, so that at most ``2 * limit - 1`` outcomes are ever held.
        isolate: As in ``map``.
        policy: As in ``map``.

    Raises:
        UsageError: At once, if an argument cannot be right; from the iteration, if ``func`` is no async function.
        CancelledError, KeyboardInterrupt, SystemExit: As in ``map``, from the iteration or from leaving the block. What
            left the block when one of the latter two takes its place is attached with the index -1, and reported.
        Exception: Whatever iterating ``items`` raises: from the iteration, after the last outcome.
    """
    check_function("stream", func)
    check_count("stream", "limit", limit, "how many items may run at once")
    check_isolation("stream", isolate)
    size = limit if buffer is None else buffer
    check_count("stream", "buffer", size, "how many finished outcomes may wait")
    held: Buffer[S, T] = Buffer(source_of("stream", items), size, ordered)

    if policy is not None:
        check_around("stream", policy)

    def open_pool() -> Pool[S, Any]:  # Any: with a policy, the pool's own values are outcomes
        if policy is None:
            return Pool(func, held, held.put, limit=limit, isolate=isolate, call="stream", changed=held.arrived)
        guarded, put = around(policy, func), unwrapping(held.put)
        return Pool(guarded, held, put, limit=limit, isolate=isolate, call="stream", changed=held.arrived)

    return Stream(held, open_pool)


class Stream(Generic[T]):
    """
    The outcomes of ``stream``: an async context manager, and inside it an async iterator.

    Several tasks may iterate: each outcome goes to one of them. A cancelled ``__anext__`` loses none.
    """

    def __init__(self, held: Buffer[Any, T], open_pool: Callable[[], Pool[Any, T]]) -> None:  # Any: sort of item
        self._held = held
        self._open_pool: Callable[[], Pool[Any, T]] | None = open_pool  # Any: as above
        self._pool: Pool[Any, T] | None = None  # Any: as above

    async def __aenter__(self) -> Stream[T]:
        if self._open_pool is None:
            raise UsageError("this stream was entered before.\nCall stream(...) again: each call runs its items once.")
        self._pool, self._open_pool = self._open_pool(), None
        self._pool.start()
        return self

    def stop(self) -> None:
        """
        Start nothing more.

        What runs goes on and its outcomes are handed over; then the iteration ends. An async iterator that is just
        being asked for an item is cancelled.
        """
        self._running().stop()

    def cancel(self, reason: str = "") -> None:
        """
        Start nothing more and cancel what runs.

        Each item that runs still hands over its outcome, ``Cancelled`` with this ``reason`` or whatever else it comes
        to; then the iteration ends. Calling it again cancels again what still runs.
        """
        self._running().cancel(reason or "the stream was cancelled")

    def __aiter__(self) -> Stream[T]:
        self._running()
        return self

    async def __anext__(self) -> Outcome[T]:
        pool = self._running()
        while True:
            outcome = self._held.take() if pool.fatal is None else None
            if outcome is not None:
                return outcome
            if pool.ended:
                conclude(pool, self._held.take_all(), None, self._held.counts)
                raise StopAsyncIteration
            await self._held.arrived.wait()

    async def __aexit__(
        self, _type: type[BaseException] | None, body_error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        pool = self._running()
        pool.cancel("the stream was left")
        cancellation = await pool.join()
        rest = self._held.take_all()
        try:
            body_wins = cancellation is None or isinstance(body_error, CancelledError)
            if body_error is not None and body_wins and pool.fatal is None:
                leave_with(body_error, rest, pool)
                return
            conclude(pool, rest, cancellation, self._held.counts, body_error)
            failures = own_failures(rest, pool.reason)
            if failures:
                raise failures.as_group(f"{len(failures)} failed before the stream was left", rest)
        finally:
            del body_error, cancellation  # they refer to this frame, or soon will

    def _running(self) -> Pool[Any, T]:  # Any: as above
        if self._pool is None:
            raise UsageError(
                "this stream is not open.\n"
                "Write: async with stream(...) as outcomes:\n"
                "           async for outcome in outcomes: ..."
            )
        return self._pool

"""An async function over many items: all outcomes together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from unlost._core._around import Around, around, check_around, unwrapping
from unlost._core._outcome import Failure, Outcome
from unlost._core._outcomes import Outcomes
from unlost._core._usage import check_count, check_function, check_isolation
from unlost._core.pool._ending import conclude
from unlost._core.pool._isolation import Isolation
from unlost._core.pool._items import Items, source_of
from unlost._core.pool._pool import Pool

S = TypeVar("S")
T = TypeVar("T")


# the user's word for it; the builtin stays reachable in whoever writes unlost.map
async def map(  # noqa: A001
    func: Callable[[S], Awaitable[T]],
    items: Items[S],
    *,
    limit: int,
    isolate: Isolation = "worker",
    release_frames: bool = False,
    policy: Around | None = None,
) -> Outcomes[T]:
    """
    Await ``func(item)`` for each item, at most ``limit`` at once; return one outcome for each.

    A failing item stops nothing. Items are taken only when one can be run, and started in their order. Each item has
    context variables of its own, copied from the caller's, and its cancellations are its own outcome. Beside the
    outcomes, memory is proportional to ``limit``.

    Args:
        func: Called with one item; what it returns is awaited.
        items: Any iterable or async iterable, of any length. An async iterator is run by one task, and an async
            generator is closed by it. An ordinary generator is left as it is.
        limit: How many items may run at once, at least 1.
        isolate: "worker" runs many items in one task, and replaces the task after an item that left something behind
            (a changed context variable, a pending cancellation). "task" gives each item a task of its own, for code
            that keys state by ``current_task()`` or leaves a ``call_later(current_task().cancel)`` behind.
        release_frames: Drop the locals of each failure's finished frames at once; the tracebacks still print.
        policy: Put around each call, ``unlost.Retry(5)`` for example; the outcomes have its ``attempts`` and
            ``survived``. What it does while it waits counts as running.

    Returns:
        One outcome for each item, in their order; ``.values()`` turns them into values or one group of all failures.

    Raises:
        CancelledError: Only if the caller is cancelled. What runs is cancelled too, and has ended when this comes out;
            a further cancellation meanwhile is passed on to it.
        KeyboardInterrupt: Or ``SystemExit``, if an item or the input raises it: everything else is cancelled and has
            ended, its failures are attached and reported.
        UsageError: If ``func`` is no async function, or another argument cannot be right.
        Exception: Whatever iterating ``items`` raises, the object itself: nothing more is started, and what runs has
            ended. An input that was cancelled from elsewhere raises ``ChildCancelled``.

    With whatever comes out travel the outcomes that there are by then: ``partial(error)`` returns them.
    """
    check_function("map", func)
    check_count("map", "limit", limit, "how many items may run at once")
    check_isolation("map", isolate)
    outcomes: Outcomes[T] = Outcomes()
    put = _releasing(outcomes) if release_frames else outcomes.append
    source = source_of("map", items)
    pool: Pool[S, Any]  # Any: with a policy, the pool's own values are outcomes
    if policy is None:
        pool = Pool(func, source, put, limit=limit, isolate=isolate)
    else:
        check_around("map", policy)
        pool = Pool(around(policy, func), source, unwrapping(put), limit=limit, isolate=isolate)
    pool.start()
    cancellation = await pool.join()
    outcomes.sort_by_input()
    try:
        conclude(pool, outcomes, cancellation)
    finally:
        del cancellation  # it refers to this frame
    return outcomes.returned_by("unlost.map")


def _releasing(outcomes: Outcomes[T]) -> Callable[[Outcome[T]], None]:
    def put(outcome: Outcome[T]) -> None:
        if isinstance(outcome, Failure):
            outcome.release_frames()
        outcomes.append(outcome)

    return put

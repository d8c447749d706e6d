"""Cleanup that a second cancellation cannot cut short."""

from __future__ import annotations

import sys
from asyncio import CancelledError, current_task
from collections.abc import Awaitable, Callable
from functools import partial
from inspect import isawaitable
from typing import Any, Final, TypeVar

from unlost._core._caught import STOPPING
from unlost._core._outcome import Failure
from unlost._core._reraise import reraise
from unlost._core._site import name_of
from unlost._core._startable import check_startable, no_awaitable
from unlost._core.cleaning._carry import carry
from unlost._core.cleaning._shielded import check_timeout, shielded

T = TypeVar("T")

# Seconds. Kubernetes leaves 30 between SIGTERM and SIGKILL: what hangs has to be named before it is killed, and leave
# the others their turn.
CLEANUP_TIMEOUT: Final = 10.0


async def cleanup(
    func: Callable[..., Awaitable[T]],
    *args: Any,  # Any: the function's own parameters
    timeout: float | None = CLEANUP_TIMEOUT,
    name: str | None = None,
) -> T:
    """
    Run an async function to its end, even if the caller is cancelled meanwhile; bounded.

        try:
            ...
        finally:
            await unlost.cleanup(connection.close)

    It runs in a child task of its own and in a copy of the caller's context: context variables that it sets are not
    seen outside. What is tied to the task that opened it (anyio's cancel scopes and task groups, an
    ``asyncio.timeout`` or ``TaskGroup``) cannot be closed in it.

    Where a cancellation, ``KeyboardInterrupt`` or ``SystemExit`` is being handled, as in a ``finally`` that it runs
    through, that comes out again if the function fails, with the function's error attached: the failure does not take
    its place. To go on after a failure, handle it inside of the function.

    Args:
        func: An async function, called with ``args``.
        timeout: Seconds, or None for no limit. Then the function is cancelled; a value that it returns in spite of it
            counts. If it has not ended 1 second later it is left, which standard error and ``StillRunning`` tell; what
            it raises after that is reported. 0 and less leave it one step.
        name: What errors and reports call it; ``cleanup close`` for a function ``close`` if not given.

    Returns:
        What the function returned.

    Raises:
        CancelledError: The caller was cancelled while the function ran: that very object, once the function has ended,
            with its error attached, if there is one (``attached(error)``). ``task.cancelling()`` counts what was asked.
        DeadlineExceeded: The time was up. ``errors`` has what the function raised on being cancelled.
        ChildCancelled: The child was cancelled from elsewhere: ``asyncio.run`` does so with every task at its end.
        KeyboardInterrupt: Or ``SystemExit``, if the function raises it; the caller's cancellation is attached.
        UsageError: No async function, or a timeout that is no number.
    """
    check_startable("cleanup", func)
    check_timeout("cleanup", timeout)
    label = name or f"cleanup {name_of(func)}"
    outcome, cancellation = await shielded(partial(_awaited, func, args), timeout=timeout, name=label)
    if not isinstance(outcome, Failure) and cancellation is None:
        return outcome.value
    failures = (outcome.error,) if isinstance(outcome, Failure) else ()
    came: tuple[BaseException, ...] = failures if cancellation is None else (cancellation, *failures)
    out = _strongest(came)
    try:
        carry(out, came, label)
        reraise(out)
    finally:
        del outcome, cancellation, failures, came, out  # each refers to this frame


def _strongest(came: tuple[BaseException, ...]) -> BaseException:
    """Return what comes out: a stop, then the caller's cancellation, then the function's own error."""
    for error in came:
        if isinstance(error, STOPPING):
            return error
    handled = sys.exception()
    if isinstance(came[0], CancelledError) or handled is None or not _has_to_come_out(handled):
        return came[0]
    return handled


def _has_to_come_out(handled: BaseException) -> bool:
    task = current_task()
    is_own_cancellation = isinstance(handled, CancelledError) and task is not None and task.cancelling() > 0
    return is_own_cancellation or isinstance(handled, STOPPING)


async def _awaited(func: Callable[..., Awaitable[T]], args: tuple[Any, ...]) -> T:  # Any: as above
    awaitable: Any = func(*args)  # Any: what a user's function returned, be it awaitable or not
    if not isawaitable(awaitable):
        raise no_awaitable("cleanup", func, awaitable)
    try:
        value: T = await awaitable
        return value
    finally:
        del func, args, awaitable  # see shielded: the frames of a failure refer to this one

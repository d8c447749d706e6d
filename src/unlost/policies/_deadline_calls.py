"""The calls that make a limit of time: by how long, or by until when; for one step, or for a whole operation."""

from __future__ import annotations

from asyncio import get_running_loop

from unlost.policies._deadline import Deadline
from unlost.policies._deadline_misuse import check_time


def timeout(seconds: float | None, name: str = "timeout") -> Deadline:
    """
    Limit the block of an ``async with`` to so many seconds, from this call on; a drop-in for ``asyncio.timeout``.

        async with timeout(10, "fetch timeout"):
            ...

    Made where no loop runs, it counts from when the block is entered. It is a layer as well: around every call, from
    when that starts (see ``Deadline``).

    When the time is up the body is cancelled; the cancellation says which limit it was. Cancelling is a request: a body
    that cleans up leaves late, and one that swallows it ends normally, with ``expired()`` true.

    Args:
        seconds: None is no limit; 0 and less fire at the first await.
        name: What ``DeadlineExceeded`` calls it.

    Raises:
        DeadlineExceeded: The time was up: raised from the ``CancelledError``, with the attempts that were attached to
            it, or from the error that the body raised instead. All that was raised meanwhile is in ``errors``.
        CancelledError: The task was cancelled from outside, be it in the same moment. That the time was up too is
            attached to it then, as to ``KeyboardInterrupt``, ``SystemExit`` and ``GeneratorExit``, which come out bare.
        UsageError: No number, no task, entered twice, or entered in one task and left in another.
    """
    check_time(name, "of", seconds)
    try:
        started = get_running_loop().time()
    except RuntimeError:  # made where modules are imported: it counts from when it is entered
        return Deadline(None, name, after=seconds)
    return Deadline(None if seconds is None else started + seconds, name, since=started, after=seconds)


def timeout_at(when: float | None, name: str = "timeout") -> Deadline:
    """
    Limit the block of an ``async with`` to a time of the loop's clock; a drop-in for ``asyncio.timeout_at``.

    ``when`` is what ``loop.time()`` returns then: no time of day. None is no limit. Everything else is as with
    ``timeout``; ``seconds`` counts from when the block is entered.
    """
    return Deadline(when, name)


def deadline(seconds: float | None, name: str = "deadline") -> Deadline:
    """Limit a whole operation, waits and further attempts included; the same as ``timeout`` under another name."""
    return timeout(seconds, name)


def deadline_at(when: float | None, name: str = "deadline") -> Deadline:
    """Limit a whole operation to a time of the loop's clock; the same as ``timeout_at`` under another name."""
    return timeout_at(when, name)

"""Taking back a cancellation that we asked for."""

from __future__ import annotations

import sys
from asyncio import CancelledError, Task, sleep
from typing import Any, Final

# Before 3.13 uncancel() lowers the count and leaves the cancellation itself pending: the next await would raise it.
_LEAVES_IT_PENDING: Final = sys.version_info < (3, 13)


def cancelling_before(task: Task[Any]) -> int:  # Any: of every result
    """
    Return how many cancellations of the current task were delivered by now: what a block compares with at its end.

    One that is still pending comes out of an await inside of the block: it belongs to that.
    """
    count = task.cancelling()
    return count and max(0, count - bool(getattr(task, "_must_cancel", False)))  # private, and foreign tasks exist


async def take_back(task: Task[Any], baseline: int) -> bool:  # Any: of every result
    """
    Take back one cancellation of ``task``, which is the running one; tell whether no other is left.

    Args:
        task: The current task.
        baseline: What ``cancelling_before`` said when the block began that asked for the cancellation.
    """
    if task.uncancel() > baseline:
        return False
    # private, but both implementations of Task have it; a foreign one may not
    if _LEAVES_IT_PENDING and getattr(task, "_must_cancel", False):
        try:
            await sleep(0)
        except CancelledError:
            # taken here instead of at the next await; one that came meanwhile is counted
            return task.cancelling() <= baseline
    return True

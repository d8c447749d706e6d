"""The await graph of Python 3.14: ``python -m asyncio pstree`` shows which task waits for which, groups of ours too."""

from __future__ import annotations

import asyncio
from asyncio import Future, Task
from typing import Any, Final

_add: Final = getattr(asyncio, "future_add_to_awaited_by", None)
_discard: Final = getattr(asyncio, "future_discard_from_awaited_by", None)

AWAIT_GRAPH: Final = _add is not None


def add_awaited_by(future: Future[Any], waiter: Task[Any] | None) -> None:  # Any, here and below: of every result
    """Say that ``waiter`` waits for ``future``; a no-op before 3.14."""
    if _add is not None and waiter is not None:
        _add(future, waiter)


def discard_awaited_by(future: Future[Any], waiter: Task[Any] | None) -> None:
    """Say that it does no more."""
    if _discard is not None and waiter is not None:
        _discard(future, waiter)

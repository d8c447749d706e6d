"""Tasks that wait for a change, as in a condition variable: whoever is woken looks at the state again."""

from __future__ import annotations

from asyncio import CancelledError, Future, get_running_loop
from collections import deque


class Waiters:
    """
    Those who wait, first come first woken.

    ``len`` counts those who wait and are not woken yet. A wake-up that reaches a task in the moment of its
    cancellation goes to the next in line (``asyncio.Condition`` loses it on 3.11 and 3.12: cpython#112202).
    """

    __slots__ = ("_line",)

    def __init__(self) -> None:
        self._line: deque[Future[None]] = deque()

    def __len__(self) -> int:
        return len(self._line)

    async def wait(self) -> None:
        """Return when woken."""
        woken: Future[None] = get_running_loop().create_future()
        self._line.append(woken)
        try:
            await woken
        except CancelledError:
            if not woken.cancelled():
                self.wake_one()
            elif woken in self._line:  # unless somebody was woken since, and this one was passed over
                self._line.remove(woken)
            raise

    def wake_one(self) -> None:
        """Wake who waits longest, if anybody does."""
        while self._line:
            woken = self._line.popleft()
            if not woken.done():
                woken.set_result(None)
                return

    def wake_all(self) -> None:
        """Wake everybody who waits now."""
        while self._line:
            self.wake_one()

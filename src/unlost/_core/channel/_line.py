"""
Those who wait at a channel, for an item or for a place.

Guarantees:

- A waiter is promised one thing of its own and takes it itself, when its task runs: whatever ends the task before that
  leaves the thing where it was, and the promise goes to the next in line.
- First come, first served: what is promised is not there for anybody who comes later. Nobody waits while there is
  something that is not promised.
"""

from __future__ import annotations

from asyncio import Future, get_running_loop
from collections import OrderedDict
from collections.abc import Callable


class Line:
    """
    A line of waiters.

    Attributes:
        promised: How many have been promised something and did not run since.
        waiting: Those who have not, with what they wait for; cancelled ones leave it when their tasks run.
    """

    __slots__ = ("_available", "promised", "waiting")

    def __init__(self, available: Callable[[], int]) -> None:
        """``available`` says how many things there are, promised ones included."""
        self._available = available
        self.promised = 0
        # an ordered dictionary: a cancelled waiter leaves at once, wherever in the line it stands
        self.waiting: OrderedDict[Future[bool], object] = OrderedDict()

    def __len__(self) -> int:
        return len(self.waiting) + self.promised

    async def wait(self, end: object) -> bool:
        """Return True when promised something, which the caller takes before it awaits anything; False if sent away."""
        waiter: Future[bool] = get_running_loop().create_future()
        self.waiting[waiter] = end
        try:
            is_promised = await waiter
        except BaseException:  # GeneratorExit is one: a loop that was closed destroys what waited in it
            self.waiting.pop(waiter, None)
            if waiter.done() and not waiter.cancelled() and waiter.result():
                self.promised -= 1
                if not waiter.get_loop().is_closed():
                    self.serve()
            raise
        self.promised -= is_promised
        return is_promised

    def serve(self) -> None:
        """Promise what is there to those who wait."""
        free = self._available() - self.promised
        while free > 0 and self.waiting:
            waiter, _ = self.waiting.popitem(last=False)
            if not waiter.done():
                free -= 1
                self.promised += 1
                waiter.set_result(True)

    def send_away(self, end: object = None) -> None:
        """Let all go who wait at this end, or at any; who was promised something keeps it."""
        leaving = [waiter for waiter, at in self.waiting.items() if end is None or at is end]
        for waiter in leaving:
            del self.waiting[waiter]
            if not waiter.done() and not waiter.get_loop().is_closed():
                waiter.set_result(False)

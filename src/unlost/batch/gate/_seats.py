"""
The seats: as many as items run at once. Who waits at the gate has none, so that others can use it.

A count and a line of those who want a seat again, first come first served; new items come after them.
"""

from __future__ import annotations

from asyncio import Future, get_running_loop
from collections import deque
from collections.abc import Callable

from unlost.batch.gate._visit import Visit


class Seats:
    """
    Args:
        count: How many there are.
        freed: Called when a seat may be free and nobody is in the line for it.

    Attributes:
        limit: How many may be taken now: ``count``, or fewer while the run goes on gently after an outage.
        taken: How many are.
    """

    __slots__ = ("_count", "_freed", "_is_sent_away", "_line", "limit", "taken")

    def __init__(self, count: int, freed: Callable[[], None]) -> None:
        self.limit = count
        self.taken = 0
        self._count = count
        self._freed = freed
        self._is_sent_away = False
        self._line: deque[Future[bool]] = deque()

    @property
    def free(self) -> int:
        """How many new items could have a seat."""
        return 0 if self._line else max(0, self.limit - self.taken)

    def try_take(self) -> bool:
        """Take a seat if one is free and nobody is in the line for it."""
        if self._line or self.taken >= self.limit:
            return False
        self.taken += 1
        return True

    async def take(self) -> bool:
        """Take a seat when it is the caller's turn; return False, without one, if the line is sent away."""
        if self.try_take():
            return True
        if self._is_sent_away:  # a seat of an item that was handed out and never began is not given back any more
            return False
        turn: Future[bool] = get_running_loop().create_future()
        self._line.append(turn)
        try:
            return await turn
        except BaseException:
            if turn.done() and not turn.cancelled() and turn.result():  # its turn came in the same tick
                self.leave()
            elif turn in self._line:
                self._line.remove(turn)
            raise

    def force(self) -> None:
        """Take a seat though none may be free: for one call that shows whether there is any use in the others."""
        self.taken += 1

    def leave(self) -> None:
        """Give a seat back."""
        self.taken -= 1
        if self._line:
            self._serve()
        elif self.taken < self.limit:
            self._freed()

    def stand_up(self, visit: Visit) -> None:
        """Give back the seat of an item that is going to wait, if it has one."""
        if visit.is_seated:
            visit.is_seated = False
            self.leave()

    def send_away(self) -> None:
        """End the line: who is in it gets no seat, nor does who would come to be in it."""
        self._is_sent_away = True
        while self._line:
            turn = self._line.popleft()
            if not turn.done():
                turn.set_result(False)

    def narrow(self) -> None:
        """Let one be taken from now on, and one more with each ``widen``."""
        self.limit = 1

    def widen(self) -> None:
        """Let one more be taken, as long as there are fewer than there are seats."""
        if self.limit < self._count:
            self.limit += 1
            self._serve()

    @property
    def is_narrow(self) -> bool:
        return self.limit < self._count

    def _serve(self) -> None:
        while self._line and self.taken < self.limit:
            turn = self._line.popleft()
            if not turn.done():
                self.taken += 1
                turn.set_result(True)
        if not self._line and self.taken < self.limit:
            self._freed()

"""
Who may go on after a cool-down, and when.

While it lasts, nobody. Then those who waited go on in the order of their coming, the first at once and, in each further
``ramp`` of seconds, twice as many as had gone before: the slow start of TCP (RFC 5681), by time instead of by answers.
"""

from __future__ import annotations

import math
from asyncio import AbstractEventLoop, CancelledError, Future, TimerHandle
from collections import deque
from collections.abc import Callable
from typing import Final

# After so many ramps 1,024 may have gone on: whoever comes now need not be counted any more.
_COUNTED: Final = 10


def place(number: int, ramp: float) -> float:
    """Return how many seconds after the end of a cool-down the caller goes on that is the ``number``-th, from 0."""
    return ramp * math.log2(number + 1)


class Gate:
    """
    One key's, on one loop.

    States: closed (until ``until``), ramp (some go on), over (everybody does, and ``on_over`` was called).

    Attributes:
        token: Which closing it was; an attempt that came through earlier has nothing to say about it.
        strikes: How often it was closed by somebody that had come through since the last closing.
    """

    def __init__(self, loop: AbstractEventLoop, ramp: float, on_over: Callable[[], object]) -> None:
        self.token = 0
        self.strikes = 0
        self._loop = loop
        self._ramp = ramp
        self._on_over = on_over
        self._until = loop.time()
        self._gone = 0
        self._line: deque[Future[None]] = deque()
        self._timer: TimerHandle | None = None

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._line)

    def close(self, seconds: float) -> None:
        """Let nobody go on for ``seconds`` from now; if it is closed for longer already, it stays so."""
        self._until = max(self._until, self._loop.time() + seconds)
        self._gone = 0
        self._arm()

    def prolong(self, seconds: float) -> None:
        """Close it for ``seconds`` from now, if it would be open by then."""
        if self._loop.time() + seconds > self._until:
            self.close(seconds)

    def remaining(self) -> float:
        """Return how many seconds from now on a caller would wait that comes now."""
        return max(0.0, self._until + place(self._gone + len(self._line), self._ramp) - self._loop.time())

    async def wait(self) -> None:
        """Return when it is the caller's turn; whoever is cancelled leaves its place to the next."""
        if not self._line and self._is_next_free():
            self._gone += 1
            return
        turn: Future[None] = self._loop.create_future()
        self._line.append(turn)
        if len(self._line) == 1:
            self._arm()
        try:
            await turn
        except CancelledError:
            if turn.cancelled():
                if turn in self._line:  # unless the gate was opened since, and it was passed over
                    self._line.remove(turn)
            else:  # its turn had come in the same moment
                self._gone -= 1
            self._arm()
            raise

    def _is_next_free(self) -> bool:
        return self._next_at() <= self._loop.time()

    def _next_at(self) -> float:
        return self._until + place(self._gone, self._ramp)

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        at = self._next_at() if self._line else self._until + _COUNTED * self._ramp
        self._timer = self._loop.call_at(at, self._open)

    def _open(self) -> None:
        self._timer = None
        if not self._line:
            self._on_over()
            return
        # the timer's own turn first: a clock may ring a little early
        is_due = True
        while self._line and is_due:
            turn = self._line.popleft()
            if not turn.done():
                turn.set_result(None)
                self._gone += 1
            is_due = self._is_next_free()
        self._arm()

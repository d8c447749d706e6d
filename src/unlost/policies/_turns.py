"""
Tokens for calls that start, and the line of those who wait for theirs.

Guarantees:

- In any stretch of ``t`` seconds, at most ``burst + rate * t / per`` tokens are taken, one a call. A loop that is late
  makes up for it, so that the pace is kept in the long run, but for no more than one token: what it stood still for
  longer does not come as a burst.
- First come, first served: a caller that wants few tokens does not pass one that waits for many.
- There is one timer, for who waits longest, however many wait.
- Whoever is cancelled while it waits has taken nothing; tokens that reach it in the tick of its cancellation are put
  back, and the next in line gets them.
"""

from __future__ import annotations

import math
from asyncio import AbstractEventLoop, Future, TimerHandle
from collections import OrderedDict
from collections.abc import Callable

from unlost._core import emit
from unlost.errors import RateExceeded, UsageError
from unlost.policies._bucket import Bucket
from unlost.policies._checks import check_seconds
from unlost.policies._layer import Layer
from unlost.policies._limit_events import LimitRejected, LimitWaited
from unlost.policies._limit_usage import check_number, check_queue, in_use_elsewhere


class Turns(Layer):
    """Whose turn it is to take tokens from one bucket: the base of ``RateLimit``, which says what the arguments are."""

    __slots__ = (
        *("__weakref__", "_bucket", "_due", "_line", "_loop", "_max_wait", "_per", "_queue", "_queued", "_rate"),
        *("_time", "_timer", "name"),
    )

    def __init__(
        self, rate: float, per: float, burst: float | None, queue: int | None, max_wait: float | None, name: str
    ) -> None:
        check_seconds("RateLimit", "per", per)
        check_number("RateLimit", "rate", rate, math.ulp(0))
        if burst is not None:
            check_number("RateLimit", "burst", burst, 1)
        check_queue("RateLimit", queue)
        if max_wait is not None:
            check_seconds("RateLimit", "max_wait", max_wait, zero=True)
        self.name = name
        self._rate = rate
        self._per = per
        self._queue = queue
        self._max_wait = max_wait
        self._bucket = Bucket(rate, per, 1 if burst is None else burst)
        self._line: OrderedDict[Future[None], float] = OrderedDict()  # the tokens that each one waits for
        self._queued: float = 0  # their sum
        self._due = math.inf  # when the timer goes off
        self._timer: TimerHandle | None = None
        self._loop: AbstractEventLoop | None = None
        self._time: Callable[[], float]

    @property
    def waiting(self) -> int:
        """How many calls wait for their turn; one that was cancelled counts until it has been resumed."""
        return len(self._line)

    async def _turn(self, loop: AbstractEventLoop, tokens: float) -> None:
        """Return with the tokens, after a wait where they are not there."""
        self._check(tokens)
        self._come_from(loop)
        began = self._time()
        if not self._line and self._bucket.take(tokens, began):
            return
        self._refuse(tokens, began)
        turn: Future[None] = loop.create_future()
        self._line[turn] = tokens
        self._queued += tokens
        self._arm()
        try:
            await turn
            emit(LimitWaited(self.name, self._time() - began))  # inside: a listener may end the program
        except BaseException:
            self._leave(turn, tokens)
            raise

    def _refuse(self, tokens: float, now: float) -> None:
        """Raise ``RateExceeded`` where the line is as long as it may be, or would take longer than it may."""
        if self._queue is not None and len(self._line) >= self._queue:
            next_at = self._due if self._line else self._bucket.due(tokens)
            waiting = "none may wait" if self._queue == 0 else f"{self._queue} wait, as many as may"
            raise self._rejected(f"{self.name} is full: {self._pace()}, {waiting}", next_at - now)
        wait = self._bucket.due(self._queued + tokens) - now
        if self._max_wait is not None and wait > self._max_wait:
            longest = f"longer than the {self._max_wait:g} s that it may"
            why = f"{self.name}: {self._pace()}, {len(self._line)} waiting, this one would wait {wait:.4g} s, {longest}"
            raise self._rejected(why, wait - self._max_wait)

    def _rejected(self, why: str, retry_after: float) -> RateExceeded:
        emit(LimitRejected(self.name, why, retry_after))
        return RateExceeded(why, self.name, retry_after=max(0.0, retry_after), waiting=len(self._line))

    def _leave(self, turn: Future[None], tokens: float) -> None:
        """Take what will not be used out of the line, or put back its tokens if it had them already."""
        if turn in self._line:
            self._drop(turn)
        elif turn.done() and not turn.cancelled():
            self._bucket.give_back(tokens)
        loop = self._loop
        if loop is not None and turn.get_loop() is loop and not loop.is_closed():
            self._serve(self._time())

    def _serve(self, now: float) -> None:
        """Give tokens to those who wait, as far as there are any."""
        while self._line:
            turn, tokens = next(iter(self._line.items()))
            if not turn.done():
                if not self._bucket.take(tokens, now, self._per / self._rate):
                    break
                turn.set_result(None)
            self._drop(turn)
        self._arm()

    def _drop(self, turn: Future[None]) -> None:
        self._queued -= self._line.pop(turn)
        if not self._line:
            self._queued = 0  # without what was lost to rounding

    def _arm(self) -> None:
        """Let the timer go off when the first in line gets its tokens; there is none while nobody waits."""
        due = self._bucket.due(next(iter(self._line.values()))) if self._line else math.inf
        if due == self._due:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = None
        if due < math.inf and self._loop is not None:
            self._timer = self._loop.call_at(due, self._on_time)

    def _on_time(self) -> None:
        # loops let a timer go off early by up to their clock's resolution
        now, self._due = max(self._time(), self._due), math.inf
        self._timer = None
        self._serve(now)

    def _come_from(self, loop: AbstractEventLoop) -> None:
        """Go by this loop's clock from now on, unless calls of another one wait."""
        if self._loop is loop:
            return
        if self._line and self._loop is not None:
            if not self._loop.is_closed():
                raise in_use_elsewhere(repr(self), self._loop)
            self._line.clear()
            self._queued = 0
        self._due, self._timer = math.inf, None
        self._loop, self._time = loop, loop.time
        # a level below empty: it was told by another clock, one of virtual time for example
        if self._bucket.due(0) > loop.time():
            self._bucket = Bucket(self._rate, self._per, self._bucket.burst)

    def _check(self, tokens: float) -> None:
        check_number("acquire", "tokens", tokens, math.ulp(0))
        if tokens > self._bucket.burst:
            raise UsageError(
                f"acquire({tokens!r}): {self!r} never holds more than {self._bucket.burst:g} tokens. "
                f"Write RateLimit({self._rate:g}, per={self._per:g}, burst={tokens:g}), or more."
            )

    def _is_idle(self) -> bool:
        return not self._line and (self._loop is None or self._loop.is_closed() or self._bucket.is_full(self._time()))

    def _pace(self) -> str:
        return f"{self._rate:g} in {self._per:g} s"

"""
How many calls start in a given time.

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
from asyncio import AbstractEventLoop, Future, TimerHandle, get_running_loop
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from types import TracebackType
from typing import Self, TypeVar, TypeVarTuple

from unlost._core import emit
from unlost.errors import RateExceeded, UsageError
from unlost.policies._bucket import Bucket
from unlost.policies._checks import check_seconds
from unlost.policies._keyed import Keyed
from unlost.policies._layer import Cost, Layer
from unlost.policies._limit_events import LimitRejected, LimitWaited
from unlost.policies._limit_usage import check_number, check_queue, in_use_elsewhere

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class RateLimit(Layer):
    """
    At most ``rate`` calls in ``per`` seconds; others wait for their turn, first come first served.

        api = RateLimit(100, per=60, max_wait=30, name="api")

        page = await api.call(fetch, url)
        async with api:  # one token
            ...
        await api.acquire(1200)  # as many as this call will use
        await api["customer-a"].acquire()  # a limit of its own for each key

    Calls start at an even pace. With ``burst=n``, up to n start at once after a pause, and the first ``per`` seconds
    see up to ``burst + rate`` of them: more than a server allows that counts to ``rate``, which is why it is not the
    default.

    The tokens of a call that fails or is cancelled are spent, since the call was made. It may be used by many tasks,
    and by one event loop after the other, not by two at once.

    Args:
        rate: Tokens in ``per`` seconds; above 0.
        per: Seconds; above 0.
        burst: How many tokens can be saved up, and the most that one caller can take; 1 or more. None is 1.
        queue: How many may wait; beyond that, calls are rejected at once. 0 lets none wait, None any number.
        max_wait: The longest that a call waits, in seconds. When its turn will come is known when it comes, so that
            one that would wait longer is rejected at once. None is any time.
        name: What errors and events call it.
        max_keys: For how many keys limits are kept (``rate_limit[key]``), beyond those in use.

    Raises:
        UsageError: A number is out of its range.
    """

    __slots__ = (
        *("__weakref__", "_bucket", "_due", "_keyed", "_line", "_loop", "_max_wait", "_per", "_queue", "_queued"),
        *("_rate", "_time", "_timer", "name"),
    )

    def __init__(
        self,
        rate: float,
        per: float = 1.0,
        burst: float | None = None,
        *,
        queue: int | None = None,
        max_wait: float | None = None,
        name: str = "rate limit",
        max_keys: int = 10_000,
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
        make = partial(_for_key, rate, per, burst, queue, max_wait, name)
        self._keyed: Keyed[Hashable, RateLimit] = Keyed(make, RateLimit._is_idle, max_keys)

    def __getitem__(self, key: Hashable) -> RateLimit:
        """Return the limit for ``key``: like this one, and counted on its own."""
        return self._keyed[key]

    @property
    def waiting(self) -> int:
        """How many calls wait for their turn; one that was cancelled counts until it has been resumed."""
        return len(self._line)

    async def call(self, func: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
        """
        Return what ``func(*args)`` returns, or raise what it raises, once there is a token for it.

        Raises:
            RateExceeded: As many wait as may, or this one would wait longer than it may; ``func`` was not called.
            UsageError: Calls of another event loop wait.
            CancelledError: As it comes; whoever is cancelled while it waits leaves the line.
        """
        loop = get_running_loop()
        if self._line or self._loop is not loop or not self._bucket.take(1, self._time()):
            await self._turn(loop, 1)
        return await func(*args)

    async def acquire(self, tokens: float = 1) -> None:
        """
        Return once so many tokens were taken.

        Args:
            tokens: Above 0, at most ``burst``.

        Raises:
            RateExceeded: As many wait as may, or this one would wait longer than it may.
            UsageError: ``tokens`` is out of its range, or calls of another event loop wait.
            CancelledError: As it comes; nothing was taken then.
        """
        loop = get_running_loop()
        if self._line or self._loop is not loop or not self._bucket.take(tokens, self._time()):
            await self._turn(loop, tokens)

    def try_acquire(self, tokens: float = 1) -> bool:
        """
        Take so many tokens if they are there and nobody waits for any; return whether they were taken.

        Raises:
            UsageError: ``tokens`` is out of its range, or calls of another event loop wait.
            RuntimeError: No event loop runs, by whose clock it could be told.
        """
        self._check(tokens)
        self._come_from(get_running_loop())
        return not self._line and self._bucket.take(tokens, self._time())

    def give_back(self, tokens: float) -> None:
        """
        Put back tokens that were taken and not used; who waits gets them at once.

        Raises:
            UsageError: ``tokens`` is no number, or negative.
        """
        check_number("give_back", "tokens", tokens, 0)
        self._bucket.give_back(tokens)
        if self._line:
            self._serve(self._time())

    async def __aenter__(self) -> Self:
        await self.acquire()
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        """Keep the token: what was done in the block was done."""

    def cost(self, inner: Cost) -> Cost:
        """Return what a call can come to: the longest wait comes first."""
        wait = math.inf if self._max_wait is None else self._max_wait
        if self._queue is not None:
            before = (self._queue - 1) * self._bucket.burst
            wait = min(wait, (before + 1) * self._per / self._rate if self._queue else 0.0)
        return Cost(inner.seconds + wait, inner.calls)

    def phrase(self) -> str:
        """Return what it does, as part of a sentence."""
        burst = "" if self._bucket.burst == 1 else f" (up to {self._bucket.burst:g} at once)"
        return f"start at most {self._pace()}{burst}"

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
        if turn.get_loop() is self._loop and not self._loop.is_closed():
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

    def __repr__(self) -> str:
        burst = "" if self._bucket.burst == 1 else f", burst={self._bucket.burst:g}"
        return f"<RateLimit({self._rate:g}, per={self._per:g}{burst}, name={self.name!r}): {self.waiting} waiting>"


def _for_key(
    rate: float,
    per: float,
    burst: float | None,
    queue: int | None,
    max_wait: float | None,
    name: str,
    key: Hashable,
) -> RateLimit:
    return RateLimit(rate, per, burst, queue=queue, max_wait=max_wait, name=f"{name}[{key!r}]")

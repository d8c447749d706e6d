"""How many calls start in a given time."""

from __future__ import annotations

import math
from asyncio import get_running_loop
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from types import TracebackType
from typing import Self, TypeVar, TypeVarTuple

from unlost.policies._keyed import Keyed
from unlost.policies._layer import Cost
from unlost.policies._limit_usage import check_number
from unlost.policies._turns import Turns

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class RateLimit(Turns):
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

    __slots__ = ("_keyed",)

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
        super().__init__(rate, per, burst, queue, max_wait, name)
        make = partial(_for_key, rate, per, burst, queue, max_wait, name)
        self._keyed: Keyed[Hashable, RateLimit] = Keyed(make, RateLimit._is_idle, max_keys)

    def __getitem__(self, key: Hashable) -> RateLimit:
        """Return the limit for ``key``: like this one, and counted on its own."""
        return self._keyed[key]

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

"""
A breaker: it stops calling what fails too often, and looks from time to time whether that has passed.

The pattern is Michael Nygard's ("Release It!", 2007); windows, slow calls and the minimum are as in resilience4j. Where
its users were hurt, it differs: a probe that is cancelled or lost gives its place back (resilience4j#935), the end of a
call that began before the state changed counts for nothing, and who is turned away is told by what.

Guarantees:

- One breaker serves any number of tasks, loops and threads: no state changes over an await.
- While it is closed and looks at the last so many calls, one that returns in time takes no lock: of two that end at
  the same moment in two threads, one may go uncounted.
- A call is let through or turned away before ``func`` is called: no coroutine is left un-awaited.
- No error that is kept refers to a frame of this module that refers to the breaker. A frame of the caller's may: a
  breaker that is dropped while it is open then waits for the cyclic collector.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from threading import Lock
from typing import TypeVar, TypeVarTuple

from unlost.errors import BreakerOpen, headline
from unlost.policies._breaker_circuit import BreakerStatistics, Circuit, Pass
from unlost.policies._breaker_rules import Rules
from unlost.policies._breaker_table import BreakerState
from unlost.policies._checks import check_seconds
from unlost.policies._keyed import Keyed
from unlost.policies._layer import Layer
from unlost.policies._retry_on import On

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Breaker(Layer):
    """
    Stop calling what fails too often.

        breaker = Breaker(name="prices")
        price = await breaker["eu.example.com"].call(fetch, url)

    Closed, it lets every call through and counts. Once a failure or a slow call makes it too many, it opens: calls
    raise ``BreakerOpen`` at once. When the time is up, it is half-open: up to ``probes`` calls at a time go through.
    After ``successes`` of them it closes; one that fails or is slow opens it again, for twice as long.

    What counts is how the call that it is around ended, so put a limit of time inside of it: a call that is cut by a
    limit outside was cancelled, and a cancellation says nothing. Neither does a defect of this program. An error that
    no waiting can mend (a 404, a refused value) is an answer, and counts as one: else the mistakes of one caller would
    shut the service for all.

    ``breaker[key]`` is a breaker with the same rules for that key, made on first use.

    Args:
        rate: The part of the calls that has to fail, above 0 and at most 1.
        last: It looks at the last so many calls.
        within: It looks at the calls that ended in the last so many seconds, to a tenth, in place of the ``last`` ones.
        minimum: How many calls it has to have seen; None is 10, or ``last`` where that is less.
        slow: From how many seconds on a call counts as slow, whether it fails or not; None does not measure.
        slow_rate: The part of the calls that has to be slow.
        open_for: Seconds that it stays open. Where the last error says when to come back (``Retry-After``) and that
            is longer, it is that long.
        open_cap: The longest that it stays open, in seconds, after openings in a row or at the server's wish; never
            less than ``open_for``.
        probes: How many calls may run at once while it is half-open. One that runs for longer than the breaker was
            open loses its place to another one.
        successes: How many of these have to succeed.
        on: What counts as a failure: as ``Retry``'s. None is what may pass (``Kind.TRANSIENT``), with
            ``DeadlineExceeded``; an error that ``classify`` knows nothing of does not count. No cancellation does.
        name: What its exceptions and events call it.
        max_keys: How many keys are kept; one that is open or has probes under way is kept in any case.

    Raises:
        UsageError: A number is out of its range, or ``on`` holds what cannot be asked.
    """

    __slots__ = ("__weakref__", "_circuit", "_keyed", "_lock", "_rules", "name")

    def __init__(
        self,
        rate: float = 0.5,
        *,
        last: int = 20,
        within: float | None = None,
        minimum: int | None = None,
        slow: float | None = None,
        slow_rate: float = 1.0,
        open_for: float = 30.0,
        open_cap: float = 300.0,
        probes: int = 1,
        successes: int = 1,
        on: On = None,
        name: str = "breaker",
        max_keys: int = 10_000,
    ) -> None:
        windows = (rate, last, within, minimum, slow, slow_rate)
        self._begin(Rules(*windows, open_for, open_cap, probes, successes, on, max_keys), name)

    def _begin(self, rules: Rules, name: str) -> None:
        self.name = name
        self._rules = rules
        self._circuit = Circuit(rules, name)
        self._keyed: Keyed[Hashable, Breaker] | None = None
        self._lock = Lock()

    async def call(self, func: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
        """
        Return what ``func(*args)`` returns, or raise what it raises.

        Raises:
            BreakerOpen: ``func`` was not called.
            CancelledError: As it came; a probe's place is given back.
        """
        circuit = self._circuit
        window, began = circuit.plain, 0.0
        passed: Pass
        if window is None:
            passed, began = circuit.enter()
        else:
            passed = window
        try:
            value = await func(*args)
        except BaseException as error:
            try:
                circuit.raised(passed, began, error)
            finally:
                # the breaker may keep the error, whose traceback holds this frame
                del self, circuit, func, args, window, passed
            raise
        if window is None:
            circuit.ended(passed, began, None)
        else:
            circuit.answered(window)
        return value

    def rejection(self) -> BaseException:
        """Return an example of what it raises while it is open."""
        return BreakerOpen(self.name, "", 0.0, self._rules.open_for)

    @property
    def state(self) -> BreakerState:
        """The state that a call would find now: half-open once the time is up, also before a first probe is made."""
        return self._circuit.state()

    def statistics(self) -> BreakerStatistics:
        """Return how it stands."""
        return self._circuit.statistics()

    def trip(self, reason: str | BaseException, seconds: float | None = None) -> None:
        """
        Open it by hand.

        Args:
            reason: What ``BreakerOpen`` says; an exception is its cause, too.
            seconds: Until it is half-open; None stays open until ``reset``.

        Raises:
            UsageError: ``seconds`` is no number above 0.
        """
        if seconds is not None:
            check_seconds("trip", "seconds", seconds)
        error = reason if isinstance(reason, BaseException) else None
        why = reason if isinstance(reason, str) else headline(reason)
        self._circuit.trip(why, math.inf if seconds is None else seconds, error)

    def reset(self, reason: str = "reset by hand") -> None:
        """Close it by hand, and forget what was counted; calls that are under way count for nothing."""
        self._circuit.reset(reason)

    def __getitem__(self, key: Hashable) -> Breaker:
        """Return the breaker of ``key``: with the same rules, and a state of its own."""
        with self._lock:
            if self._keyed is None:
                # a partial and no method: what is kept here must not refer to this breaker
                make = partial(_for_key, self._rules, self.name)
                self._keyed = Keyed(make, _is_idle, self._rules.max_keys)
        return self._keyed[key]

    def phrase(self) -> str:
        """Return what it does, as part of a sentence."""
        return self._rules.phrase()

    def __repr__(self) -> str:
        return f"<Breaker {self.name!r} {self._circuit.describe()}>"


def _for_key(rules: Rules, name: str, key: Hashable) -> Breaker:
    breaker = Breaker.__new__(Breaker)
    breaker._begin(rules, f"{name}[{key!r}]")
    return breaker


def _is_idle(breaker: Breaker) -> bool:
    return breaker._circuit.is_idle()

"""How many calls run at once, found out from how they go."""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from typing import Final, Literal, TypeVar, TypeVarTuple

from unlost._core import emit
from unlost.errors import BreakerOpen, LimitExceeded, UsageError
from unlost.policies._adaptive_rules import Aimd, Algorithm, Gradient, Sample
from unlost.policies._checks import check_count
from unlost.policies._keyed import Keyed
from unlost.policies._limit_events import LimitChanged
from unlost.policies._permits import Permits
from unlost.policies._retry_on import On, question_of

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_BY_NAME: Final[dict[object, Callable[[], Algorithm]]] = {"aimd": Aimd, "gradient": Gradient}
# Raised by us before anything was sent: they tell nothing of who would have answered.
_OUR_OWN: Final = (LimitExceeded, BreakerOpen)


class AdaptiveLimit(Permits):
    """
    As many calls at once as the other side can take, found out from how they go; others wait in line.

        limit = AdaptiveLimit(20, maximum=500, name="api")

        page = await limit.call(fetch, url)

    Only calls tell how it goes: ``call`` watches them, ``async with limit`` takes a permit without telling anything. A
    call that was cancelled tells nothing either, and a limit of time around this one cancels; put that inside, as in
    ``limit | timeout(3)``.

    It may be used by many tasks, and by one event loop after the other, not by two at once.

    Args:
        initial: How many run at once in the beginning (with ``"gradient"``, after the first measurement); from
            ``minimum`` to ``maximum``.
        minimum: How many may at least; 1 or more.
        maximum: How many may at most.
        algorithm: ``"aimd"`` goes by failures, ``"gradient"`` by the time that calls take; or an ``Aimd`` or
            ``Gradient`` with other figures.
        on: What counts as a failure by overload: a ``Kind``, an exception type, a function from the error to bool, or a
            tuple or frozenset of these. None is ``Kind.TRANSIENT``, which includes ``DeadlineExceeded``. Rejections by
            limits and breakers never count. Other errors tell nothing.
        queue: How many may wait; beyond that, calls are rejected at once. 0 lets none wait, None any number.
        max_wait: The longest that a call waits, in seconds; None is any time.
        name: What errors and events call it.
        max_keys: For how many keys limits are kept (``limit[key]``), beyond those in use.

    Raises:
        UsageError: A number is out of its range, or ``on`` holds what cannot be asked.
    """

    __slots__ = ("_algorithm", "_is_overload", "_keyed", "_maximum", "_minimum", "_state")

    def __init__(
        self,
        initial: int = 20,
        *,
        minimum: int = 1,
        maximum: int = 1000,
        algorithm: Algorithm | Literal["aimd", "gradient"] = "aimd",
        on: On = None,
        queue: int | None = None,
        max_wait: float | None = None,
        name: str = "adaptive limit",
        max_keys: int = 10_000,
    ) -> None:
        _check_bounds(initial, minimum, maximum)
        super().__init__("AdaptiveLimit", initial, queue, max_wait, name)
        self._algorithm = _algorithm(algorithm)
        self._is_overload = question_of(on)
        self._minimum = minimum
        self._maximum = maximum
        self._state = self._algorithm.begin(initial, minimum)
        self._limit = int(self._state.limit)
        make = partial(_for_key, initial, minimum, maximum, self._algorithm, on, queue, max_wait, name)
        self._keyed: Keyed[Hashable, AdaptiveLimit] = Keyed(make, AdaptiveLimit._is_idle, max_keys)

    def __getitem__(self, key: Hashable) -> AdaptiveLimit:
        """Return the limit for ``key``: like this one, finding out on its own; it begins anew where it was dropped."""
        return self._keyed[key]

    async def call(self, func: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
        """
        Return what ``func(*args)`` returns, or raise what it raises, once there is a permit.

        Raises:
            BulkheadFull: As many wait as may, or this one has waited as long as it may; ``func`` was not called.
            UsageError: Calls of another event loop are under way.
            CancelledError: As it comes; whoever is cancelled while it waits leaves the line.
            Exception: What a function of ``on`` raises, with the error that it was asked about as its context.
        """
        loop = get_running_loop()
        if self._running < self._limit and self._loop is loop:
            self._running += 1
        else:
            await self._permit(loop)
        running, started = self._running, loop.time()
        failed: bool | None = None  # None: it tells nothing
        try:
            value = await func(*args)
            failed = False
            return value
        except Exception as error:
            if not isinstance(error, _OUR_OWN) and self._is_overload(error):
                failed = True
            raise
        finally:
            if self._loop is loop:  # the permits of a loop that has been closed are void
                self._give_back()
                if failed is not None:
                    self._learn(Sample(started, loop.time(), running, failed))

    def phrase(self) -> str:
        """Return what it does, as part of a sentence."""
        waiting = {None: "", 0: ", none waiting"}.get(self._queue, f", up to {self._queue} waiting")
        return f"run as many at once as turns out well ({self._minimum} to {self._maximum}{waiting})"

    def _learn(self, sample: Sample) -> None:
        self._state = self._algorithm.after(self._state, sample, self._minimum, self._maximum)
        before, self._limit = self._limit, int(self._state.limit)
        if self._limit != before:
            if self._line:
                self._admit()
            emit(LimitChanged(self.name, before, self._limit))

    def _least(self) -> int:
        return self._minimum

    def __repr__(self) -> str:
        bounds = f"{self._minimum} to {self._maximum}"
        counts = f"{self._running} running, {self.waiting} waiting"
        return f"<AdaptiveLimit({self._limit} now, {bounds}, name={self.name!r}): {counts}>"


def _algorithm(given: object) -> Algorithm:
    if isinstance(given, str):
        if given in _BY_NAME:
            return _BY_NAME[given]()
    elif callable(getattr(given, "begin", None)) and callable(getattr(given, "after", None)):
        return given  # type: ignore[return-value]  # it has what an algorithm has
    raise UsageError(
        f"AdaptiveLimit(algorithm={given!r}): expected a way to find the limit. "
        f'Write AdaptiveLimit(algorithm="aimd"), "gradient", or Aimd(decrease=0.5) for other figures.'
    )


def _check_bounds(initial: object, minimum: object, maximum: object) -> None:
    for name, count in {"initial": initial, "minimum": minimum, "maximum": maximum}.items():
        check_count("AdaptiveLimit", name, count)
    if not minimum <= initial <= maximum:  # type: ignore[operator]  # ints
        raise UsageError(
            f"AdaptiveLimit({initial!r}, minimum={minimum!r}, maximum={maximum!r}): expected minimum <= initial <= "
            f"maximum. Write AdaptiveLimit(20, minimum=1, maximum=1000)."
        )


def _for_key(
    initial: int,
    minimum: int,
    maximum: int,
    algorithm: Algorithm,
    on: On,
    queue: int | None,
    max_wait: float | None,
    name: str,
    key: Hashable,
) -> AdaptiveLimit:
    return AdaptiveLimit(
        initial,
        minimum=minimum,
        maximum=maximum,
        algorithm=algorithm,
        on=on,
        queue=queue,
        max_wait=max_wait,
        name=f"{name}[{key!r}]",
    )

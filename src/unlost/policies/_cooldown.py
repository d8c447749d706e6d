"""A rest that all callers of one key take together, after the server said that there are too many."""

from __future__ import annotations

from asyncio import AbstractEventLoop, get_running_loop
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, Final
from weakref import WeakKeyDictionary

from unlost._core import Event, emit, exponential, wall
from unlost.errors import leaves, retry_after, status_of
from unlost.policies._checks import check_seconds
from unlost.policies._cooldown_gate import Gate
from unlost.policies._limit_events import LimitWaited
from unlost.policies._retry_on import On, question_of

_TOO_MANY: Final = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class CooledDown(Event):
    """
    All callers of one key wait.

    Attributes:
        key: Whose callers.
        seconds: How long nobody goes on; after that, they do one by one.
        error: What the server, or whoever else, answered; None where ``cool`` was called.
    """

    key: Hashable
    seconds: float
    error: BaseException | None


class Cooldown:
    """
    Callers of one key wait together after a 429 or 503, instead of each finding out by itself.

        polite = Retry(5, cooldown=Cooldown(key=lambda url: urlsplit(url).hostname))
        page = await polite.call(fetch, url)

    An error cools its key down for as long as its ``Retry-After`` says, or, where it says nothing, for ``seconds``,
    twice as long each time that somebody who was let through comes back with one. Every attempt on that key waits,
    first attempts too. Afterwards they go on in the order in which they came, the first at once and then, in each
    ``ramp``, twice as many as before; the next such error stops them again, and they keep their order.

    What was under way when a key was cooled down is one event: a hundred answers 429 count once. Each event loop cools
    down by itself. It keeps nothing of a key that is not cooling.

    Args:
        seconds: How long the first cool-down takes where the error does not say, above 0.
        cap: The longest, also where the error asks for more, above 0.
        ramp: In how many seconds the number of those who went on doubles; 0 lets them all go on at once.
        on: Which errors cool down, as in ``Retry.on``; by default those of the status 429 or 503, and those that have
            a ``Retry-After``, alone or in a group.
        key: From the arguments of the function that is tried again to the key, hashable; by default all calls have
            the same one. ``cooldown["host"]`` is the cool-down of one key, and can be given to a ``Retry`` of its own.

    Raises:
        UsageError: A number is out of its range, or ``on`` holds what cannot be asked.
    """

    def __init__(
        self,
        seconds: float = 1.0,
        *,
        cap: float = 60.0,
        ramp: float = 1.0,
        on: On = None,
        key: Callable[..., Hashable] | None = None,
    ) -> None:
        check_seconds("Cooldown", "seconds", seconds)
        check_seconds("Cooldown", "cap", cap)
        check_seconds("Cooldown", "ramp", ramp, zero=True)
        self.cap = cap
        self.ramp = ramp
        self.key = key
        self._schedule = exponential(seconds, cap)
        self._is_wanted = _says_too_many if on is None else question_of(on)
        self._tokens = count(1)
        self._gates: WeakKeyDictionary[AbstractEventLoop, dict[Hashable, Gate]] = WeakKeyDictionary()

    def __getitem__(self, key: Hashable) -> KeyCooldown:
        """Return the cool-down of one key."""
        hash(key)
        return KeyCooldown(self, key)

    def of(self, args: tuple[Any, ...], options: dict[str, Any]) -> KeyCooldown:  # Any: of the user's function
        """
        Return the cool-down of the key of a call with these arguments.

        Raises:
            Exception: Whatever the user's ``key`` raises.
        """
        return self[None if self.key is None else self.key(*args, **options)]

    def gate(self, key: Hashable) -> Gate | None:
        """Return what the key's callers wait at; None where nobody waits."""
        gates = self._gates.get(get_running_loop())
        return None if gates is None else gates.get(key)

    def close(self, key: Hashable, error: BaseException | None, seconds: float | None) -> Gate:
        """Cool down; without ``seconds``, for as long as the schedule says."""
        loop = get_running_loop()
        self._drop_closed_loops()
        gates = self._gates.setdefault(loop, {})
        gate = gates.get(key)
        if gate is None:
            gate = gates[key] = Gate(loop, self.ramp, partial(gates.pop, key))
        gate.strikes += 1
        gate.token = next(self._tokens)
        wait = min(self.cap, self._schedule(gate.strikes) if seconds is None else seconds)
        gate.close(wait)
        emit(CooledDown(key, wait, error))
        return gate

    def is_wanted(self, error: BaseException) -> bool:
        """Tell whether an error cools down."""
        return self._is_wanted(error)

    def _drop_closed_loops(self) -> None:
        # their gates' timers never ring, and a gate refers to its loop
        for loop in [loop for loop in self._gates if loop.is_closed()]:
            self._gates.pop(loop, None)

    def __repr__(self) -> str:
        return f"Cooldown(cap={self.cap!r}, ramp={self.ramp!r})"


@dataclass(frozen=True, slots=True)
class KeyCooldown:
    """
    The cool-down of one key: ``cooldown["host"]``.

    Attributes:
        cooldown: Of which it is a part.
        key: Its key.
    """

    cooldown: Cooldown
    key: Hashable

    async def wait(self) -> int:
        """
        Return when the caller may go on: at once, unless the key is cooling.

        Returns:
            What ``take`` wants to know: which cool-down was the last before.
        """
        gate = self.cooldown.gate(self.key)
        if gate is None:
            return 0
        loop = get_running_loop()
        began = loop.time()
        await gate.wait()
        if (waited := loop.time() - began) > 0:
            emit(LimitWaited(f"cool-down of {self.key!r}", waited))
        return gate.token

    @property
    def remaining(self) -> float:
        """How many seconds a caller would wait that comes now; more, if the key is cooled down again meanwhile."""
        gate = self.cooldown.gate(self.key)
        return 0.0 if gate is None else gate.remaining()

    def cool(self, seconds: float | None = None) -> None:
        """
        Let nobody go on for ``seconds``, the ``cap`` at most; by default as after an error that does not say.

        Raises:
            UsageError: ``seconds`` is negative or no number.
        """
        if seconds is not None:
            check_seconds("cool", "seconds", seconds, zero=True)
        self.cooldown.close(self.key, None, seconds)

    def take(self, error: BaseException, token: int = 0) -> bool:
        """
        Cool down, if ``error`` says so; return whether it does.

        Args:
            error: What an attempt came to.
            token: What ``wait`` returned before the attempt. Where the key was cooled down since, the attempt was under
                way already: then only a ``Retry-After`` of its own counts, where that ends later.
        """
        if not self.cooldown.is_wanted(error):
            return False
        hint = retry_after(error, wall)
        gate = self.cooldown.gate(self.key)
        if gate is None or gate.token == token:
            self.cooldown.close(self.key, error, hint)
        elif hint is not None:
            gate.prolong(min(self.cooldown.cap, hint))
        return True


def _says_too_many(error: BaseException) -> bool:
    return any(status_of(leaf) in _TOO_MANY for leaf in leaves(error)) or retry_after(error, wall) is not None

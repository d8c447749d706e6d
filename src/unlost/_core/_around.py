"""What can be put around a function that ``map``, ``stream`` or a group calls: a retry, a time limit, a pipeline."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar, TypeVarTuple

from unlost._core._outcome import Outcome, Value
from unlost._core._site import name_of
from unlost.errors import UsageError

S = TypeVar("S")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Around(Protocol):
    """Whatever calls a function and says how that ended; every policy does."""

    async def outcome(self, func: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> Outcome[T]:
        """Return how ``func(*args)`` ended; raise only what ends the task that runs it."""
        ...


def check_around(call: str, policy: object) -> None:
    """Refuse what is put around no function."""
    if not callable(getattr(policy, "outcome", None)) or isinstance(policy, type):
        raise UsageError(f"{call}() got policy={policy!r}.\nWrite policy=unlost.Retry(5), or another policy.")


def around(policy: Around, func: Callable[[S], Awaitable[T]]) -> Callable[[S], Awaitable[Outcome[T]]]:
    """Return a function that returns how ``func`` ended with the policy around it; it has the name of ``func``."""

    async def guarded(item: S) -> Outcome[T]:
        return await policy.outcome(func, item)

    guarded.__name__ = name_of(func)
    return guarded


def unwrapping(put: Callable[[Outcome[T]], object]) -> Callable[[Outcome[Any]], None]:  # Any: an outcome in a Value
    """Return what takes the outcomes of ``around``, each in a ``Value``, and puts them as what they are."""

    def put_inner(outer: Outcome[Any]) -> None:  # Any: as above
        if isinstance(outer, Value):
            inner: Outcome[T] = outer.value
            inner.index, inner.duration = outer.index, outer.duration
            put(inner)
        else:  # what passes every policy: the item was cancelled
            put(outer)

    return put_inner

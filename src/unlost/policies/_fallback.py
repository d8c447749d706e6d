"""Something else in the place of a call that failed, and the failure is not forgotten."""

from __future__ import annotations

import math
from asyncio import current_task
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from inspect import isawaitable, iscoroutine
from typing import Any, TypeVar, TypeVarTuple, cast

from unlost._core import Event, cancelling_before, emit, survive
from unlost.errors import UsageError, attach_attempts
from unlost.policies._called import name_of
from unlost.policies._innermost import innermost
from unlost.policies._instead import Alternative, PlainValue, StandIn
from unlost.policies._layer import Cost, Layer
from unlost.policies._retry_on import On, question_of

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@dataclass(frozen=True, slots=True)
class FellBack(Event):
    """
    A call failed, and an alternative is tried.

    Attributes:
        name: The fallback's, or the function that was called first.
        error: What the call raised, or the alternative before.
        to: The alternative's name; of a plain value, its ``repr``, cut at 100 characters.
    """

    name: str
    error: BaseException
    to: str


class Fallback(Layer):
    """
    Where a call fails, try the alternatives, one after the other.

        @Fallback(fetch_from_mirror, Fallback.value(EMPTY))
        async def fetch(url): ...

    One ``Fallback`` keeps no state between calls and may be used by many tasks at once.

    Args:
        alternatives: Each a function that is called with the same arguments, or ``Fallback.value(x)``. A function may
            be async or plain; a plain one is called on the event loop, so it must not block. Around an async generator
            function, each is one too, or a value: then the only item; around a context manager likewise.
        on: After which errors; as ``Retry(on=...)``, asked also of what an alternative raises.
        name: What events and receipts call it; by default they have the function's name.

    Raises:
        UsageError: There is no alternative, one cannot be called or reached, or ``on`` holds what cannot be asked.
    """

    __slots__ = ("_is_wanted", "alternatives", "name", "on")

    def __init__(self, *alternatives: Alternative, on: On = Exception, name: str = "") -> None:
        _check(alternatives)
        self.alternatives = alternatives
        self.on = on
        self.name = name
        self._is_wanted = question_of(on)

    @staticmethod
    def value(value: object) -> PlainValue:
        """Return an alternative that is always there: ``value`` itself."""
        return PlainValue(value)

    @property
    def ends_in_value(self) -> bool:
        """Whether it takes every ``Exception``, and its last alternative cannot fail."""
        return isinstance(self.alternatives[-1], PlainValue) and self.on in (Exception, BaseException)

    async def call(self, func: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
        """
        Return what ``func(*args)`` returns, or the first alternative that comes to a value.

        What had failed before is in the receipt, in ``outcome(...).survived``, and told to listeners (``FellBack``).

        Raises:
            BaseException: The last error itself, with ``attempts(error)`` those before it. Also an error that ``on``
                does not want: no further alternative is tried.
            CancelledError: As it came; nothing is tried after it, nor once this task was cancelled from outside. The
                errors so far are attached. Likewise ``KeyboardInterrupt``, ``SystemExit`` and ``GeneratorExit``.
        """
        task = current_task()
        cancelling = 0 if task is None else cancelling_before(task)
        failed: list[BaseException] = []
        heard = tried = 0
        try:
            while True:
                try:
                    value = await (func(*args) if not tried else self._try(self.alternatives[tried - 1], func, args))
                except BaseException as error:  # raised on, or kept as survived
                    was_cancelled = task is not None and task.cancelling() > cancelling
                    if was_cancelled or tried == len(self.alternatives) or not self._wants(error, failed):
                        attach_attempts(error, tuple(failed))
                        raise
                    failed.append(error)
                    heard += emit(FellBack(self._name(func, args), error, _called(self.alternatives[tried])))
                    tried += 1
                else:
                    if failed:
                        survive(self._name(func, args), tuple(failed), already_heard=heard)
                    return value
        finally:
            del failed, task  # each error's traceback holds this frame, and the task its error

    async def _try(self, alternative: Alternative, func: Callable[[*Ts], Awaitable[T]], args: tuple[*Ts]) -> T:
        own, own_args = innermost(func, args)
        if isinstance(own, StandIn):
            alternative = own.instead(alternative)
        if isinstance(alternative, PlainValue):
            return cast("T", alternative.value)
        returned: Any = alternative(*own_args)  # Any: of a function that may be async
        return cast("T", await returned if isawaitable(returned) else returned)

    def _wants(self, error: BaseException, failed: list[BaseException]) -> bool:
        try:
            return self._is_wanted(error)
        except Exception as rule_error:
            attach_attempts(rule_error, (*failed, error))
            raise
        finally:
            del error, failed

    def _name(self, func: Callable[..., Any], args: tuple[Any, ...]) -> str:  # Any: functions of every sort
        return self.name or name_of(func, args)

    def cost(self, inner: Cost) -> Cost:
        """Return the cost of the call itself, where only values follow; nothing bounds how long a function takes."""
        is_bounded = all(isinstance(alternative, PlainValue) for alternative in self.alternatives)
        return inner if is_bounded else Cost(math.inf, inner.calls)

    def phrase(self) -> str:
        return f"fall back to {', then to '.join(map(_called, self.alternatives))}"

    def __repr__(self) -> str:
        name = f", name={self.name!r}" if self.name else ""
        return f"Fallback({', '.join(map(_called, self.alternatives))}{name})"


def _called(alternative: Alternative) -> str:
    if isinstance(alternative, PlainValue):
        return repr(alternative.value)[:100]
    return name_of(alternative)


def _check(alternatives: tuple[object, ...]) -> None:
    if not alternatives:
        raise UsageError("Fallback() got no alternative.\nWrite Fallback(fetch_from_mirror) or Fallback.value(None).")
    for number, alternative in enumerate(alternatives, 1):
        if isinstance(alternative, PlainValue):
            if number < len(alternatives):
                raise UsageError(
                    f"Fallback(...) got {len(alternatives) - number} more after Fallback.value({alternative.value!r}), "
                    "which never fails: they cannot be reached.\nWrite the value last."
                )
        elif iscoroutine(alternative):
            alternative.close()  # a refused call leaves nothing un-awaited
            name = alternative.__name__
            raise UsageError(
                f"Fallback({name}(...)) got a coroutine object.\nWrite Fallback({name}), without the call."
            )
        elif not callable(alternative):
            raise UsageError(
                f"Fallback({alternative!r}) got what cannot be called.\nWrite Fallback.value({alternative!r})."
            )

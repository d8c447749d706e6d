"""
What every policy around one call has in common: how it is called, and how it goes around another one.

A layer is made once and used for many calls, by many tasks at once. ``layer.call(func, *args)`` is the one thing that
it does itself; since a layer's ``call`` is a function like any other, ``outer.call(inner.call, func, *args)`` puts one
around the other, and nothing else is needed to compose them. A pipeline does just that, and is a layer itself.
"""

from __future__ import annotations

from asyncio import CancelledError, current_task, get_running_loop
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, ParamSpec, TypeVar, TypeVarTuple, overload

from unlost._core import Cancelled, Failure, Outcome, Value, cancel_reason, cancelling_before, receipt
from unlost.errors import UsageError, attach_attempts, attempts
from unlost.policies._called import Counted
from unlost.policies._cost import Cost
from unlost.policies._explain import Explanation, explained, sentence
from unlost.policies._pipeline_rules import refusal_of
from unlost.policies._streaming import around, guard_context, guard_stream

__all__ = ["Cost", "Layer", "Pipeline"]

T = TypeVar("T")
C = TypeVar("C", bound=AbstractAsyncContextManager[Any])  # Any: what the block gets, of any type
P = ParamSpec("P")
Ts = TypeVarTuple("Ts")


class Layer:
    """
    One policy around a call.

        @(deadline(30) | retry(5) | timeout(3))
        async def fetch(url): ...
    """

    __slots__ = ()

    @property
    def keeps_state(self) -> bool:
        """Whether calls through it share something, so that one call must not pass through it twice."""
        return True

    @property
    def own_task(self) -> bool:
        """Whether it calls what is inside in a task of its own."""
        return False

    def call(self, func: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> Coroutine[Any, Any, T]:  # Any: as async def
        """Return what ``func(*args)`` returns, or raise what comes out in its place."""
        raise NotImplementedError

    async def outcome(self, func: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> Outcome[T]:
        """
        Return how ``call`` ended.

        ``survived`` has what a value came in spite of, or what failed before the failure; ``attempts`` is how often
        ``func`` was called, which may be never.

        Raises:
            CancelledError: This task is being cancelled; what failed before is attached.
            KeyboardInterrupt, SystemExit, GeneratorExit: Likewise.
        """
        time = get_running_loop().time
        began = time()
        task = current_task()
        cancelling = 0 if task is None else cancelling_before(task)
        counted = Counted(func)
        with receipt() as told:
            try:
                value = await self.call(counted, *args)
                calls = counted.calls
            except (Exception, CancelledError) as error:  # handed on as the outcome
                attach_attempts(error, told.errors)
                duration, survived = time() - began, attempts(error)
                if not isinstance(error, CancelledError):
                    return Failure(error, attempts=counted.calls, duration=duration, survived=survived)
                if _is_cancelled(cancelling):
                    raise
                reason = cancel_reason(error)
                return Cancelled(error, -1, None, counted.calls, duration, survived, reason)
            except BaseException as error:
                attach_attempts(error, told.errors)
                raise
            finally:
                # the error's traceback holds this frame: what keeps the error, a breaker for one, would be a cycle
                del self, func, args, counted, task
        return Value(value, attempts=calls, duration=time() - began, survived=told.errors)

    def __or__(self, inner: Layer) -> Pipeline:
        """Return the pipeline of this layer around ``inner``."""
        if not isinstance(inner, Layer):
            raise UsageError(
                f"{self!r} | {inner!r}: expected a layer. Write deadline(30) | retry(5), and to put that around an "
                "async function, (deadline(30) | retry(5))(function)."
            )
        return Pipeline(self, inner)

    @overload
    def __call__(self, func: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]: ...  # Any: as async def
    @overload
    def __call__(self, func: Callable[P, AsyncIterator[T]]) -> Callable[P, AsyncIterator[T]]: ...
    @overload
    def __call__(
        self, func: Callable[P, AbstractAsyncContextManager[T]]
    ) -> Callable[P, AbstractAsyncContextManager[T]]: ...
    def __call__(self, func: Callable[..., Any]) -> Callable[..., Any]:  # Any: see the overloads
        """
        Return ``func`` with this layer around it.

        Around an async generator function it is up to the first item, around one that makes an async context manager
        while that is entered: what follows is not tried again.

        Raises:
            UsageError: ``func`` is nothing of these.
        """
        return around(self, func)

    def stream(
        self, func: Callable[P, Any], *, complete: Callable[[Any], bool] | None = None
    ) -> Callable[P, AsyncIterator[Any]]:  # Any, all of them: an async iterator of any items, or an awaitable of one
        """Return an async generator function: ``func`` with this layer around its start; see ``guard_stream``."""
        return guard_stream(self, func, complete)

    def context(self, func: Callable[P, C]) -> Callable[P, C]:
        """Return a function like ``func``, with this layer around entering the context manager that it returns."""
        return guard_context(self, func)

    def cost(self, inner: Cost) -> Cost:
        """Return what a call through this layer can come to, from what one of the call inside of it can."""
        return inner

    def not_counted(self) -> str:
        """Return what ``cost`` leaves out, as a line for a reader; empty if nothing."""
        return ""

    def phrase(self) -> str:
        """Return what it does, as part of a sentence: ``try up to 5 times``."""
        raise NotImplementedError

    def phrase_each(self) -> str:
        """Return ``phrase()`` for where one call may pass it several times: ``give each try 3 s``."""
        return self.phrase()

    def refusal(self, inner: tuple[Layer, ...]) -> str:  # noqa: ARG002  # for subclasses
        """Return why it cannot work around these layers, outermost first, and what to write; empty if it can."""
        return ""

    def pause(self) -> float:
        """Return how many seconds pass at least before it calls what is inside again; 0.0 where it may be at once."""
        return 0.0

    def tries_again(self, error: BaseException) -> bool:  # noqa: ARG002  # for subclasses
        """Tell whether it may call what is inside again after ``error``."""
        return False

    @property
    def tries_without_error(self) -> bool:
        """Whether it may call what is inside again although nothing was raised there."""
        return False

    def rejection(self) -> BaseException | None:
        """Return an example of what it raises for a while without calling what is inside; None if it never does."""
        return None

    @property
    def ends_in_value(self) -> bool:
        """Whether a value comes out of it whatever ``Exception`` is raised inside."""
        return False

    def hold(self) -> AbstractAsyncContextManager[object] | None:
        """
        Return what a stream, or an entered context manager, keeps from its start to its end: a permit, for example.

        It is used in the place of ``call`` then, and may be left in another task than it was entered in. None where it
        is done with as soon as the first item is there.
        """
        return None


class Pipeline(Layer):
    """
    Layers around one another, outermost first; ``outer | inner`` makes one.

    A layer itself: a pipeline in it is taken apart, so that ``a | (b | c)`` is ``(a | b) | c``. Its ``repr`` reads
    as a sentence, and ``explain()`` tells what one call can come to.

    Attributes:
        layers: Outermost first.

    Raises:
        UsageError: It cannot work: a limit of time around a longer one, for example. The message says what to write.
    """

    __slots__ = ("_first", "_others", "layers")

    @property
    def keeps_state(self) -> bool:
        return False  # its layers are looked at instead

    def __init__(self, *layers: Layer) -> None:
        self.layers: tuple[Layer, ...] = _flat(layers)
        if not self.layers:
            raise UsageError(
                "Pipeline() got no layers. Write Pipeline(deadline(30), retry(5)), or deadline(30) | retry(5)."
            )
        if refusal := refusal_of(self.layers):
            raise UsageError(refusal)
        self._first: Callable[..., Coroutine[Any, Any, Any]]  # Any: the arguments and the result of whatever is called
        self._first, *others = [layer.call for layer in self.layers]
        self._others = tuple(others)

    # no coroutine of its own, only the first layer's: one frame less for each call
    def call(self, func: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> Coroutine[Any, Any, T]:  # Any: as async def
        """Return what ``func(*args)`` returns, or raise what comes out in its place."""
        return self._first(*self._others, func, *args)

    def explain(self) -> Explanation:
        """
        Tell what one call can come to at worst, layer by layer: how long it takes, and how many calls it makes.

        Print it, or read its ``seconds`` and ``calls``. A limit of time counts as kept: code that swallows a
        cancellation, or cleans up slowly, takes longer than that.
        """
        return explained(self.layers)

    @property
    def own_task(self) -> bool:
        return any(layer.own_task for layer in self.layers)

    @property
    def ends_in_value(self) -> bool:
        return self.layers[0].ends_in_value

    def cost(self, inner: Cost) -> Cost:
        for layer in reversed(self.layers):
            inner = layer.cost(inner)
        return inner

    def not_counted(self) -> str:
        """Return what ``cost`` leaves out, as a line for a reader; empty if nothing."""
        return ""

    def phrase(self) -> str:
        return sentence(self.layers)

    def __repr__(self) -> str:
        return f"Pipeline: {self.phrase()}"


def _flat(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    flat: list[Layer] = []
    for layer in layers:
        if not isinstance(layer, Layer):
            raise UsageError(f"Pipeline(...) got {layer!r}: expected layers. Write Pipeline(deadline(30), retry(5)).")
        flat.extend(layer.layers if isinstance(layer, Pipeline) else (layer,))
    return tuple(flat)


def _is_cancelled(before: int) -> bool:
    task = current_task()
    return task is not None and task.cancelling() > before

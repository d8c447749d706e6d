"""Several cleanups: all of them run, in reverse order, and all their errors come out."""

from __future__ import annotations

from asyncio import Task, current_task
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import TracebackType
from typing import Any, Self, TypeVar, overload

from unlost._core._report import report, tell
from unlost._core._site import name_of
from unlost._core._startable import check_startable
from unlost._core.cleaning._cleanup import CLEANUP_TIMEOUT
from unlost._core.cleaning._entered import Entered, EnteredShielded, is_asynchronous
from unlost._core.cleaning._in_flight import InFlight
from unlost._core.cleaning._pushed import Pushed
from unlost._core.cleaning._shielded import check_timeout
from unlost.errors import UsageError

T = TypeVar("T")


class Finalizers:
    """
    What has to be undone when the block is left, last in, first out; none keeps another one from running.

        async with unlost.Finalizers() as finalizers:
            session = await finalizers.enter(make_session())
            finalizers.push(os.unlink, path)
            finalizers.push(queue.close)

    What comes out of the block:

    - its own error, if it raised one, with what the finalizers raised attached (``attached(error)``);
    - else one group of all that the finalizers raised, also if it is a single error: an ``ExceptionGroup``, or a
      ``BaseExceptionGroup`` if one of them is no ``Exception``;
    - a cancellation that comes from outside while they run: all of them run nevertheless, then it comes out with all
      errors attached, the block's own first. It does not replace a cancellation that the block was left with;
    - a finalizer's ``KeyboardInterrupt`` or ``SystemExit``: after all have run it comes out bare, the rest is attached
      to it, and reported.

    Args:
        timeout: Seconds for each finalizer, as in ``cleanup``; None for no limit.
        name: What reports and groups call it.
    """

    def __init__(self, *, timeout: float | None = CLEANUP_TIMEOUT, name: str = "finalizers") -> None:
        check_timeout("Finalizers", timeout)
        self._timeout = timeout
        self._name = name
        self._steps: list[Callable[[InFlight], Awaitable[None]]] = []
        self._task: Task[Any] | None = None  # Any: its result is not looked at
        self._is_closed = False

    async def __aenter__(self) -> Self:
        if self._task is not None or self._is_closed:
            raise UsageError(f"{self!r} was entered before. Write async with Finalizers() anew for each block.")
        self._task = current_task()
        return self

    def push(self, func: Callable[..., object], *args: Any) -> None:  # Any: the function's own parameters
        """
        Call ``func(*args)`` when the block is left.

        It is called in the block's own task and context, so that a function which is not async can reset a context
        variable. What it returns is awaited, if it can be, as ``cleanup`` does it: in a shielded child task, bounded.

        Raises:
            UsageError: No function (a coroutine object is closed), or the block is not open.
        """
        check_startable("finalizers.push", func)
        self._check_open("push")
        self._steps.append(Pushed(func, args, self._timeout, f"{self._name}: {name_of(func)}"))

    @overload
    async def enter(self, manager: AbstractAsyncContextManager[T, bool | None], *, shield: bool = False) -> T: ...
    @overload
    async def enter(self, manager: AbstractContextManager[T, bool | None], *, shield: bool = False) -> T: ...
    async def enter(self, manager: Any, *, shield: bool = False) -> Any:  # Any: the overloads say it exactly
        """
        Enter a context manager, of ``async with`` or of ``with``, and leave it when the block is left.

        It is shown what would come out of the block at that point: the block's error, the cancellation, or the group of
        what the finalizers before it raised. Returning true suppresses that, as in nested blocks, a cancellation
        included. An error that it raises with what it was shown as its cause or among its members replaces it, as a
        translation does; a ``TimeoutError`` for the cancellation that it had asked for itself does, too. Any other is
        attached to it.

        Args:
            manager: Where it can be used with both, as with ``async with``.
            shield: Whether to leave it in a shielded child task, as ``cleanup`` does it. Right for connections and
                sessions. The default is to leave it in the block's own task, without a shield: anyio's cancel scopes
                and task groups, an ``asyncio.timeout`` or ``TaskGroup``, and whatever sets context variables can only
                be left there; a cancellation during it does reach it, and a timeout cancels it but cannot leave it.
                One that is for ``with`` alone is always left in the block's task: it cannot be interrupted.

        Returns:
            What entering it gave.

        Raises:
            UsageError: No context manager, or the block is not open, or another task's.
        """
        self._check_open("enter")
        task = current_task()
        if task is None or task is not self._task:
            raise UsageError(f"{self!r}.enter() was called in {task!r}. Write it in the task that entered the block.")
        # contextlib's decorators make objects that know their function
        name = f"{self._name}: {name_of(getattr(manager, 'func', type(manager)))}"
        if is_asynchronous(manager):
            value = await manager.__aenter__()
        elif hasattr(type(manager), "__enter__") and hasattr(type(manager), "__exit__"):
            value = manager.__enter__()
            shield = False
        else:
            raise UsageError(f"enter() got {manager!r}, which is no context manager.\nWrite push(func, *args) for it.")
        timeout = self._timeout
        self._steps.append(EnteredShielded(manager, timeout, name) if shield else Entered(manager, task, timeout, name))
        return value

    async def __aexit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> bool:
        flight = InFlight(error, self._name)
        try:
            while self._steps:
                await self._steps.pop()(flight)
            return flight.land(error)
        except GeneratorExit:
            self._report_unfinished(flight, error)
            raise
        finally:
            self._is_closed = True
            self._task = None  # its exception's traceback may well refer to this object
            del flight, error, _traceback  # what is raised refers to this frame

    def _report_unfinished(self, flight: InFlight, given: BaseException | None) -> None:
        """The block was closed while a finalizer ran: nothing can be awaited any more, nobody is told but us."""
        for raised in flight.unload():
            if raised is not given:
                report(raised, f"{self._name}: the block was closed before its finalizers had ended")
        if self._steps:
            tell(f"unlost: {self._name}: the block was closed, {len(self._steps)} finalizers never ran\n")
            self._steps.clear()

    def _check_open(self, method: str) -> None:
        if self._task is None or self._is_closed:
            state = "has ended" if self._is_closed else "was not entered"
            raise UsageError(
                f"{method}() was called on {self!r}, whose block {state}.\n"
                f"Write async with unlost.Finalizers() as finalizers: and finalizers.{method}(...) inside."
            )

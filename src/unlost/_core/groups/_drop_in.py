"""
``asyncio.TaskGroup`` as it is meant to be, on every version: what ``TaskGroup`` is built on.

After CPython's ``asyncio.taskgroups`` (the EdgeDB project), whose behaviour it keeps. Differences, each a fix:

- The task's count of cancellations at the block's beginning is what it is compared with at the end, so that an outside
  cancellation that arrives beside the group's own comes out (cpython#116720, #155433), and one that was delivered
  before the block is not delivered again.
- The parent is never cancelled while it is on the stack: a child that fails while it is started, eagerly, would make
  the cancellation come out of some later await (cpython#128588).
- A child that was added while the group stops is cancelled (cpython#128550, #155418).
- ``GeneratorExit`` of the body stays what it is (cpython#135736).
- What ends a block early says why: cancellations carry a ``Reason``.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import AbstractEventLoop, CancelledError, Future, Task, _get_running_loop, current_task, get_running_loop
from collections.abc import Callable, Coroutine
from contextvars import Context
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from unlost._core._awaited_by import AWAIT_GRAPH, add_awaited_by, discard_awaited_by
from unlost._core._caught import STOPPING, failure_of
from unlost._core._clock import time_of
from unlost._core._events import is_listened_to
from unlost._core._reason import Reason, asked_now, passed_on
from unlost._core._report import report
from unlost._core._stubborn import Watch
from unlost._core._tasks import starter
from unlost._core._uncancel import cancelling_before, take_back
from unlost._core._where import where
from unlost.errors import UsageError, headline

T = TypeVar("T")

# 3.13's own tests want a refused coroutine closed; those of 3.11 and 3.12 await it afterwards.
_CLOSES_REFUSED: Final = sys.version_info >= (3, 13)

_OWNER_CANCELLED: Final = "the group's owner was cancelled"


class DropIn(asyncio.TaskGroup):
    """The block: children, their errors, the parent's cancellation. What comes out of it is ``_come_out``'s to say."""

    _entered: bool
    _exiting: bool
    _loop: AbstractEventLoop
    _parent_task: Task[Any]  # Any, here and below: tasks of every result
    _tasks: set[Task[Any]]
    _errors: list[BaseException]

    def __init__(self) -> None:
        super().__init__()
        self._base_error: BaseException | None = None
        self._on_completed_fut: Future[None] | None = None
        self._parent_cancel_requested = False
        self._aborting = False
        self._cancelling = 0
        self._has_policy = False
        self._watch: Watch | None = None
        self._reason = Reason("")
        self._stood: dict[Task[Any], str] = {}  # where each was when it was asked to stop, if anybody wants to know

    async def __aenter__(self) -> Self:
        if self._entered:
            raise RuntimeError(f"TaskGroup {self!r} has already been entered")
        self._loop = get_running_loop()  # pyright: ignore[reportIncompatibleVariableOverride]  # the base's may be None
        parent = current_task(self._loop)
        if parent is None:
            raise RuntimeError(f"TaskGroup {self!r} cannot determine the parent task")
        self._parent_task = parent
        self._cancelling = cancelling_before(parent)
        self._start = starter(self._loop)
        self._time = time_of(self._loop)
        self._entered = True
        return self

    async def __aexit__(  # type: ignore[override]  # the base lets nothing of its own pass without raising
        self, _type: type[BaseException] | None, body_error: BaseException | None, _traceback: TracebackType | None
    ) -> bool | None:
        self._exiting = True
        cancellation = body_error if isinstance(body_error, CancelledError) else None
        try:
            if body_error is not None and not self._aborting:
                self._abort(_why_left(body_error))
            while self._tasks:
                self._on_completed_fut = self._loop.create_future()
                try:
                    await self._on_completed_fut
                except CancelledError as asked:
                    # may come more than once; the first one that is not ours says why
                    if cancellation is None or self._is_own(cancellation):
                        cancellation = asked.with_traceback(None)
                    if not self._aborting:
                        self._abort(passed_on(_OWNER_CANCELLED, asked))
            self._on_completed_fut = None
            if self._watch is not None:
                self._watch.stop()
            if self._parent_cancel_requested and await take_back(self._parent_task, self._cancelling):
                if cancellation is not None and (failed := failure_of(cancellation)) is not None:
                    self._errors.append(failed)  # nobody else is going to look
                cancellation = None  # it was ours
            return self._come_out(body_error, cancellation)
        finally:
            del cancellation, body_error  # what is raised refers to this frame

    def create_task(  # type: ignore[override]  # typeshed has another form for each version
        self,
        coro: Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
        **options: Any,  # Any: keywords of the loop's task factory
    ) -> Task[T]:
        """
        Start a child, as ``asyncio.TaskGroup.create_task`` does.

        Raises:
            RuntimeError: The group was not entered, is shutting down or finished. Nothing was started; from 3.13 on the
                coroutine is closed, as asyncio does it.
        """
        if not self._entered or self._exiting or self._aborting:
            self._check_open(coro)
        if self._has_policy:
            return self._start_judged(coro, name, context, options)
        if name is None and context is None and not options:
            task = self._start(coro)
        else:
            task = self._start_task(coro, name, context, options)
        if task.done():  # started eagerly, and through already
            self._look_at(task)
        else:
            self._adopt(task, self._on_task_done)
        try:
            return task
        finally:
            del task  # an exception that comes out of the frame above would refer to it (cpython#128552)

    def _start_judged(
        self, coro: Coroutine[Any, Any, T], name: str | None, context: Context | None, options: dict[str, Any]
    ) -> Task[T]:
        """Start a child whose outcome a policy is told of."""
        raise NotImplementedError

    def _check_open(self, coro: Coroutine[Any, Any, Any] | None) -> None:
        if not self._entered:
            self._refuse(coro, "has not been entered")
        if self._exiting and not self._tasks:
            self._refuse(coro, "is finished")
        if self._aborting:
            self._refuse(coro, "is shutting down")

    def _check_thread(self, call: str) -> None:
        """Refuse a call from another thread or loop, which would not be seen until something else wakes the loop."""
        if _get_running_loop() is not self._loop:
            raise UsageError(
                f"group.{call}() was called outside of the group's event loop.\n"
                f"Write loop.call_soon_threadsafe(group.{call}, ...) with the loop that the group runs on."
            )

    def _refuse(self, coro: Coroutine[Any, Any, Any] | None, why: str) -> None:
        if coro is not None and _CLOSES_REFUSED:
            coro.close()
        raise RuntimeError(f"TaskGroup {self!r} {why}")

    def _start_task(
        self, coro: Coroutine[Any, Any, T], name: str | None, context: Context | None, options: dict[str, Any]
    ) -> Task[T]:
        if name is not None:
            options["name"] = name
        if context is not None:
            options["context"] = context
        return self._start(coro, **options)

    def _adopt(self, task: Task[T], on_end: Callable[[Task[T]], object]) -> None:
        if task.done():  # started eagerly, and through already
            on_end(task)
            return
        self._tasks.add(task)
        task.add_done_callback(on_end)
        if AWAIT_GRAPH:
            add_awaited_by(task, self._parent_task)
        if self._aborting:
            task.cancel(self._reason)

    def _on_task_done(self, task: Task[Any]) -> None:
        self._let_go(task)
        self._look_at(task)

    def _look_at(self, task: Task[Any]) -> None:
        error = _failure_of_cancelled(task) if task.cancelled() else task.exception()
        if error is not None:
            self._take(error, task)

    def _let_go(self, task: Task[Any]) -> None:
        """A child has ended; if it was the last, whoever waits is woken."""
        self._tasks.discard(task)
        if AWAIT_GRAPH:
            discard_awaited_by(task, self._parent_task)
        if not self._tasks and self._on_completed_fut is not None and not self._on_completed_fut.done():
            self._on_completed_fut.set_result(None)

    def _take(self, error: BaseException, task: Task[Any]) -> None:
        """Keep a child's error; stop the others."""
        if self._parent_task.done():
            report(error, f"task {task.get_name()!r} failed after the task that owned its group had ended")
            return
        if isinstance(error, STOPPING) and self._base_error is None:
            self._base_error = error
        else:
            self._errors.append(error)
        self._stop(f"a sibling failed: {headline(error)}")

    def _stop(self, why: str) -> None:
        """Cancel everything, the body of the block included."""
        if self._aborting:
            return
        reason = self._abort(why)
        if self._exiting:
            return  # the parent waits for the children as it is
        if _is_on_the_stack(self._parent_task):
            self._loop.call_soon(self._cancel_body, reason)
        else:
            self._cancel_body(reason)

    def _is_own(self, cancellation: CancelledError) -> bool:
        return bool(cancellation.args) and cancellation.args[0] is self._reason

    def _cancel_body(self, reason: Reason) -> None:
        if not self._exiting:
            self._parent_cancel_requested = True
            self._parent_task.cancel(reason)

    def _abort(self, why: str) -> Reason:
        self._aborting = True
        reason = asked_now(why, f"unlost.TaskGroup of {self._parent_task.get_name()!r}")
        self._reason = reason
        if is_listened_to():
            self._stood = {task: where(task) for task in self._tasks}
        for task in tuple(self._tasks):
            task.cancel(reason)
        if self._tasks:
            self._watch = Watch(self._loop, lambda: self._tasks)
        return reason

    def _come_out(self, body_error: BaseException | None, cancellation: CancelledError | None) -> bool | None:
        """Raise what comes out of the block; return true to let nothing out, false for the body's own error."""
        raise NotImplementedError

    def _cancel_again(self, cancellation: CancelledError | None) -> None:
        """Let an outside cancellation, in whose place errors come out, come out of the next await; keep the count."""
        if self._parent_task.cancelling() > self._cancelling:
            self._parent_task.uncancel()
            self._parent_task.cancel(*(() if cancellation is None else cancellation.args[:1]))


def _failure_of_cancelled(task: Task[Any]) -> BaseException | None:  # Any: of every result
    """Return what a cancelled child's cleanup raised, if that travels with the cancellation."""
    try:
        task.result()
    except CancelledError as cancellation:
        return failure_of(cancellation)
    return None


def _why_left(body_error: BaseException) -> str:
    if isinstance(body_error, CancelledError):
        return passed_on(_OWNER_CANCELLED, body_error)
    return f"the group's body failed: {headline(body_error)}"


def _is_on_the_stack(task: Task[Any]) -> bool:
    """Tell whether the task runs, be it below another one that it started eagerly."""
    if task.done():  # and 3.12.1 crashes on get_coro() of an eager one that never suspended
        return False
    return bool(getattr(task.get_coro(), "cr_running", False)) or current_task(task.get_loop()) is task

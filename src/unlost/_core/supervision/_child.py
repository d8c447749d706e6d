"""A supervised child: what it runs, its task, and how that ended."""

from __future__ import annotations

import math
from asyncio import CancelledError, Future, Task, TimerHandle, get_running_loop, sleep
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from inspect import isawaitable
from typing import Any, Literal, TypeAlias

from unlost._core._caught import failure_of, strip_own_frames
from unlost._core._outcome import Failure, Outcome, Value
from unlost._core._reason import Reason, cancel_reason
from unlost._core._tasks import start
from unlost._core.supervision._rules import Restart
from unlost.errors import ChildCancelled, ChildFailed, UsageError

ChildState: TypeAlias = Literal["waiting", "starting", "running", "stopping", "backoff", "ended"]

# What a run ended with. It is not the task's result: a task that ends with a cancellation pending has none.
End: TypeAlias = list[BaseException | None]


@dataclass(frozen=True, slots=True)
class ChildStatus:
    """
    How a child of a supervisor is doing.

    Attributes:
        name: The child's, unique in its supervisor.
        state: ``waiting`` for its first start, ``starting`` until it says that it is ready, ``running``, ``stopping``,
            ``backoff`` until it is started again, ``ended``.
        restart: ``permanent``, ``transient`` or ``temporary``.
        restarts: How often it was started again.
        error: What it crashed with last; None if it never did.
    """

    name: str
    state: ChildState
    restart: Restart
    restarts: int
    error: BaseException | None


class Ready:
    """What a child with a handshake gets as ``task_status``."""

    __slots__ = ("_tell",)

    def __init__(self, tell: Callable[[], object]) -> None:
        self._tell: Callable[[], object] | None = tell

    def started(self, _value: object = None) -> None:
        """Say that the child is ready: those behind it may start. Said again, or when it has ended: no matter."""
        tell = self._tell
        self.cut()
        if tell is not None:
            tell()

    def cut(self) -> None:
        """Let go of the child: its frames refer to this, and its last error to its frames."""
        self._tell = None


class Child:
    """
    What to run, and its current run.

    Attributes:
        crash: What its last run ended with, as long as that is nobody's: not survived by a new start, nor told.
        asked: Whether we asked the current run to stop.
        comes_back: Whether it is started again once it has stopped.
        for_good: Whether it was stopped alone, and is to be forgotten then.
        due: It is not started before this time, in seconds of the loop.
        ran: How many seconds its last run took.
        failures: How often in a row it crashed.
        heard: Whether a listener was told of ``crash``.
        last_crash: What it ended with last, whoever has been told.
        stoppers: Whoever waits until it has been stopped for good.
    """

    def __init__(
        self,
        index: int,
        name: str,
        call: Callable[..., Any],  # Any: checked below
        *,
        restart: Restart,
        grace: float,
        handshake: bool,
        significant: bool,
        context: Context,
    ) -> None:
        self.index = index
        self.name = name
        self.restart: Restart = restart
        self.grace = grace
        self.significant = significant
        self.state: ChildState = "waiting"
        self.task: Task[None] | None = None
        self.crash: Exception | None = None
        self.asked = self.comes_back = self.for_good = self.heard = False
        self.due = self.ran = 0.0
        self.failures = 0
        self.starts = 0
        self.stoppers: list[Future[Outcome[None]]] = []
        self._call = call
        self.handshake = handshake
        self._context = context
        self.last_crash: Exception | None = None
        self._ready: Ready | None = None
        self._grace_timer: TimerHandle | None = None
        self._began = 0.0

    def start(self, owner: str, on_end: Callable[[End, Task[None]], object], on_ready: Callable[[], object]) -> None:
        """Run it in a fresh copy of the context that it was given to the supervisor in."""
        self.state = "starting" if self.handshake else "running"
        self.asked = self.comes_back = False
        self.starts += 1
        self._began = get_running_loop().time()
        self._ready = Ready(on_ready) if self.handshake else None
        context = self._context.copy()
        end: End = []
        self.task = start(self._work(end), name=f"{owner}/{self.name}", context=context, on_end=partial(on_end, end))

    def ask_to_stop(self, reason: Reason, on_overdue: Callable[[Child], object]) -> None:
        """Cancel the current run; ``on_overdue`` is called when its grace is over and it still runs."""
        assert self.task is not None
        self.asked = True
        self.state = "stopping"
        self.task.cancel(reason)
        if self.grace < math.inf:
            self._grace_timer = get_running_loop().call_later(self.grace, on_overdue, self)

    def let_go(self) -> None:
        """Forget the current run, ended or not."""
        self.task = None
        self.ran = get_running_loop().time() - self._began
        if self._ready is not None:
            self._ready.cut()
        if self._grace_timer is not None:
            self._grace_timer.cancel()
            self._grace_timer = None

    def end(self, error: BaseException | None, *, is_wanted: bool) -> None:
        """Take in how a run ended; ``is_wanted`` says that a cancellation is no crash."""
        if isinstance(error, CancelledError):
            failed = failure_of(error)  # what its cleanup raised: nobody else is going to look
            error = failed if failed is not None else None if is_wanted else error
        self.crash = _as_crash(self.name, error)
        self.last_crash = self.crash or self.last_crash

    def take_crash(self) -> Exception | None:
        """Return ``crash``, which is the caller's from now on."""
        crash, self.crash = self.crash, None
        return crash

    def tell_stoppers(self) -> None:
        """Give ``crash`` to those who wait until the child is stopped, if somebody still does."""
        waiting = [stopper for stopper in self.stoppers if not stopper.done()]
        self.stoppers.clear()
        if not waiting:
            return
        crash = self.take_crash()
        outcome: Outcome[None] = Value(None, key=self.name) if crash is None else Failure(crash, key=self.name)
        for stopper in waiting:
            stopper.set_result(outcome)

    @property
    def status(self) -> ChildStatus:
        return ChildStatus(self.name, self.state, self.restart, max(0, self.starts - 1), self.last_crash)

    async def _work(self, end: End) -> None:
        try:
            # never inside of a turn, not even as an eager task: on 3.12 and later the frames of an error would refer
            # by f_back to those of the turn, and so to whatever keeps the error
            await sleep(0)
            await self._called()
            end.append(None)
        except BaseException as error:  # handed on: raised here, some would stop the loop  # noqa: BLE001
            strip_own_frames(error)
            end.append(error)
        finally:
            # from 3.12 on, frames in the error's traceback refer to this one by f_back, even after its end
            del self, end

    def _called(self) -> Any:  # Any: what a user's function returned, be it awaitable or not
        call, name = self._call, self.name
        if self._ready is not None:
            call = partial(call, task_status=self._ready)
        del self  # as above: func may raise at once
        returned = call()
        if not isawaitable(returned):
            raise UsageError(
                f"child {name!r} returned {returned!r}, which cannot be awaited.\n"
                f"Write async def, and start_child(func, *args): the function, then its arguments."
            )
        return returned


def take_end(end: End, task: Task[None]) -> BaseException | None:
    """Return what a child's run ended with; None where it returned."""
    if end:
        return end.pop()
    try:
        task.result()
    except CancelledError as cancelled_before_its_first_step:
        return cancelled_before_its_first_step.with_traceback(None)
    return None


def _as_crash(name: str, error: BaseException | None) -> Exception | None:
    """Return what stands for ``error`` in a group of exceptions."""
    if error is None or isinstance(error, Exception):
        return error
    crash: Exception
    if isinstance(error, CancelledError):
        reason = cancel_reason(error)
        by = f" by {reason.who}" if reason.who else ""
        crash = ChildCancelled(f"child {name!r} was cancelled{by}: {reason or 'no reason is known'}")
    else:
        crash = ChildFailed(f"child {name!r} raised {type(error).__qualname__}, which is no Exception")
    crash.__cause__ = error
    return crash

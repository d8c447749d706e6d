"""
One program on one loop, from its first step to the closing of the loop.

Guarantees:

- ``live`` closes the loop whatever happens, and raises nothing that the program raised: ``conclude`` does.
- ``SystemExit`` and ``KeyboardInterrupt`` that escape through the loop (cpython#102572) cut nothing short: main is
  cancelled, and everything is wound up in order. So it is when somebody stops the loop.
- Each step after main's end is bounded.
"""

from __future__ import annotations

import asyncio
import gc
import math
import signal
from asyncio import AbstractEventLoop, CancelledError, Task
from collections.abc import Awaitable, Callable, Coroutine
from inspect import isawaitable, iscoroutine
from types import FrameType
from typing import Any, cast

from unlost._core._caught import STOPPING, outcome_as_raised, strip_own_frames
from unlost._core._hooks import handle_interrupts, on_loop_errors
from unlost._core._outcome import Cancelled, Failure, Outcome, Value
from unlost._core._outcomes import Outcomes, attach
from unlost._core._reason import asked_now
from unlost._core._report import tell
from unlost._core._reraise import reraise
from unlost._core._site import name_of
from unlost._core._startable import no_awaitable
from unlost._core._tasks import starter
from unlost._core._where import still_running, waits_in_unlost
from unlost._core.background._background import accompany
from unlost._core.background._interrupt import WORDS, Interrupts
from unlost._core.background._loop_errors import report_loop_error
from unlost._core.background._owner import Owner
from unlost._core.background._shutdown import cancel_rest, close_generators, end_threads
from unlost._core.background._spawn import owned_by
from unlost._core.background._threads import Threads
from unlost.errors import move_history

Main = Callable[..., Awaitable[Any]] | Coroutine[Any, Any, Any]  # Any: whatever it returns


class Program:
    """What ``run`` runs."""

    def __init__(self, loop: AbstractEventLoop, grace: float, stop_within: float) -> None:
        self._loop = loop
        self._grace = grace
        self._stop_within = stop_within
        self._threads = Threads(patience=grace)
        self._owner = Owner("unlost.run", loop, self._stop)
        self._interrupts = Interrupts(loop, self._interrupted, self._threads.still_running)
        self._main: Task[None] | None = None  # while it runs
        self._outcome: Outcome[Any] | None = None
        self._escaped: list[BaseException] = []  # SystemExit and KeyboardInterrupt, out of the loop itself
        self._halt: RuntimeError | None = None  # somebody stopped the loop
        self._is_stopping = self._is_main_interrupted = False

    def live(self, main: Main, args: tuple[object, ...]) -> None:
        """Run main, then wind up, then close the loop."""
        loop = self._loop
        asyncio.set_event_loop(loop)
        try:
            on_loop_errors(loop, report_loop_error)
            loop.set_default_executor(self._threads)
            with handle_interrupts(loop, self._interrupts), owned_by(self._owner):
                self._complete(self._run_main(main, args), name_of(main))
                self._complete(self._wind_up(), "unlost.run")
        finally:
            asyncio.set_event_loop(None)
            loop.close()
        # a failed task that is referred to in a circle is reported now, not by chance at the interpreter's exit
        gc.collect()

    def conclude(self) -> Any:  # Any: whatever main returned
        """Return what main returned, or raise what comes out in its place: the strongest, with the others attached."""
        outcome, self._outcome = self._outcome, None
        error = outcome.error if isinstance(outcome, Failure | Cancelled) else None
        count, unheard = self._owner.failures, self._owner.take_unheard()
        try:
            instead = self._comes_out(error) or (_in_background(count, unheard) if error is None and count else error)
            if instead is None:
                assert isinstance(outcome, Value)
                return outcome.value
            if isinstance(outcome, Value):
                attach(instead, Outcomes([outcome]))  # unlost.partial(error) has it
            told = [] if isinstance(instead, BaseExceptionGroup) else unheard
            accompany(instead, [*self._escaped, error], told, "the program was ending")
            reraise(instead)
        finally:
            self._escaped.clear()
            del self, outcome, unheard, error  # each refers to this frame, or will
            told = []
            instead = None

    def _comes_out(self, error: BaseException | None) -> BaseException | None:
        """Return what is stronger than main's own outcome, if anything is."""
        fatal = self._owner.take_fatal()
        if fatal is not None:
            self._escaped.append(fatal)
        if isinstance(error, STOPPING):
            return error
        if self._escaped:
            return self._escaped[0]
        if self._interrupts.first is not None and (error is not None or not self._is_main_interrupted):
            return _interruption(self._interrupts.first, error)
        return self._halt if error is not None else None

    async def _run_main(self, main: Main, args: tuple[object, ...]) -> None:
        returned: Any = None  # what a user's function returned, be it awaitable or not
        try:
            returned = main if iscoroutine(main) else cast("Callable[..., Any]", main)(*args)  # Any: as above
            if not isawaitable(returned):
                raise no_awaitable("run", main, returned)
            self._outcome = Value(await returned)
        except BaseException as error:  # handed on: it becomes the outcome  # noqa: BLE001
            strip_own_frames(error)
            self._outcome = outcome_as_raised(error, -1, 0.0, "")
        finally:
            del self, main, args, returned  # from 3.12 on, a failure's frames refer to this one

    async def _wind_up(self) -> None:
        reason = f"the program ends, and {self._grace:g} s of grace are over"
        await self._owner.close(self._grace, self._stop_within, reason)
        await cancel_rest(self._loop, self._stop_within, self._owner.left_behind)
        await close_generators(self._loop, self._stop_within)
        await end_threads(self._loop, self._threads, self._grace)

    def _complete(self, coroutine: Coroutine[Any, Any, None], name: str) -> None:  # Any: what it yields and is sent
        """Run it to its end, whatever comes out of the loop meanwhile."""
        task = self._main = starter(self._loop)(coroutine, name=name)
        try:
            while not task.done():
                try:
                    self._loop.run_until_complete(task)
                except STOPPING as escaped:
                    self._take(escaped)
                except CancelledError:
                    # it was asked to stop when it had ended, or nearly: its outcome is known all the same
                    if not task.done():
                        raise
                except RuntimeError as stopped:
                    if task.done() or not str(stopped).startswith("Event loop stopped"):
                        raise
                    self._take_halt(stopped)
        finally:
            self._main = None
        self._end_unstarted(task)

    def _end_unstarted(self, task: Task[None]) -> None:
        """Take the cancellation of a main that somebody cancelled before its first step."""
        if self._outcome is None and task.cancelled():
            self._outcome = Cancelled(CancelledError("main was cancelled before its first step"), attempts=0)

    def _take(self, escaped: BaseException) -> None:
        if all(escaped is not other for other in self._escaped):
            _strip_loop_frames(escaped)
            self._escaped.append(escaped)
        self._stop(f"{type(escaped).__name__} was raised in a task or a callback")

    def _take_halt(self, stopped: RuntimeError) -> None:
        # uvloop stops once more after it was left by an exception (uvloop#336)
        if not self._escaped and self._halt is None:
            self._halt = stopped.with_traceback(None)
            self._stop("the event loop was stopped")

    def _interrupted(self, number: signal.Signals) -> None:
        self._is_main_interrupted = self._outcome is None
        self._cancel(WORDS.get(number, number.name))

    def _stop(self, why: str) -> None:
        if not self._is_stopping:  # a second time would cut main's cleanup short
            self._cancel(why)

    def _cancel(self, why: str) -> None:
        """Cancel main; or, when it is over, what was left its grace."""
        self._is_stopping = True
        if self._outcome is not None:
            self._owner.cancel(why)
        elif self._main is not None:
            self._main.cancel(asked_now(why, "unlost.run"))
            if self._grace < math.inf:
                self._loop.call_later(self._grace, self._say_if_still_running, self._main, self._loop.time())

    def _say_if_still_running(self, main: Task[None], asked_at: float) -> None:
        if not main.done() and not waits_in_unlost(main):
            tell(f"unlost: {still_running(main, self._loop.time() - asked_at)}\n")


def _interruption(number: signal.Signals, error: BaseException | None) -> BaseException:
    """Return what a signal comes to: ``KeyboardInterrupt``, which shows where main stood, or the shell's status."""
    interruption = KeyboardInterrupt() if number is signal.SIGINT else SystemExit(128 + number)
    if isinstance(error, CancelledError):
        interruption.__traceback__ = error.__traceback__
        interruption.__context__ = error
        interruption.__suppress_context__ = True
        move_history(error, interruption)
    return interruption


def _in_background(count: int, errors: list[BaseException]) -> BaseExceptionGroup[BaseException]:
    kept = "" if len(errors) == count else f" (here are the last {len(errors)})"
    what = "1 background task" if count == 1 else f"{count} background tasks"
    return BaseExceptionGroup(f"{what} failed, reported when it happened, and nobody awaited it{kept}", errors)


def _is_of_the_loop(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__package__")).partition(".")[0] in ("asyncio", "unlost")


def _strip_loop_frames(error: BaseException) -> None:
    """Drop the leading entries that belong to the loop and to this package."""
    traceback = error.__traceback__
    while traceback is not None and _is_of_the_loop(traceback.tb_frame):
        traceback = traceback.tb_next
    BaseException.with_traceback(error, traceback)

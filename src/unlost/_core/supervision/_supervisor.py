"""Supervisors as in Erlang/OTP: children are started in order, again when they crash, and stopped in reverse."""

from __future__ import annotations

from asyncio import CancelledError, Task, current_task
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from functools import partial
from types import TracebackType
from typing import Any, Final, Self, get_args

from unlost._core._backoff import Backoff, exponential, full_jitter
from unlost._core._caught import failure_of
from unlost._core._outcome import Outcome
from unlost._core._reason import Reason
from unlost._core._site import name_of
from unlost._core._uncancel import cancelling_before, take_back
from unlost._core.supervision._child import Child, ChildStatus
from unlost._core.supervision._ending import conclude
from unlost._core.supervision._engine import Engine
from unlost._core.supervision._restarts import Restarts
from unlost._core.supervision._rules import Restart, RestartWindow, Strategy
from unlost._core.supervision._usage import check_backoff, check_choice, check_function, check_intensity, check_seconds
from unlost.errors import UsageError, headline

_BACKOFF: Final = full_jitter(exponential(0.1, 30.0))


class Supervisor:
    """
    Keeps children running: ``async with Supervisor() as supervisor``, then ``supervisor.start_child(func, *args)``.

    Leaving the block waits until no child is left: until all that are not permanent are done, or ``stop`` is called. A
    supervisor below another one is a child function with such a block in it; give that child ``grace=math.inf``,
    since its own children's graces bound it.

    Rules and names are those of Erlang/OTP's ``supervisor``. Beyond them, a crashing child waits before each new start,
    and the crashes that made a supervisor give up come out with it. What asyncio cannot do is to kill: a child that
    ignores its cancellation is left behind when its grace is over, and reported.

    Args:
        strategy: Who is stopped and started again with a child that crashed: ``one_for_one`` (nobody else),
            ``rest_for_one`` (those started after it) or ``one_for_all``.
        intensity: After how many restarts within ``period`` the next crash makes the supervisor give up; at least 0.
            One crash counts once, however many children it stops.
        period: Seconds, above 0. A child that ran that long waits as after its first crash again.
        backoff: From how often in a row a child crashed (from 1) to seconds that it waits for its new start, from the
            crash on. Random up to 0.1 s, then twice as much each time, 30 s at most, if not given. With waits longer
            than ``period / intensity`` a supervisor never gives up.
        name: What errors, events and tasks call it.

    Raises:
        SupervisorGaveUp: When leaving the block. The children crashed too often, or one that was to be replaced does
            not stop. The body has been cancelled, and all children stopped.
        CancelledError: The caller was cancelled: all children have been stopped in order. A further cancellation is
            passed on to the child that is being stopped.
        KeyboardInterrupt: Or ``SystemExit``, if a child raises it: the other children have been stopped in order.
        UsageError: An argument is none of these.

    With whatever comes out travels what was raised besides: ``attached(error)`` has what children raised while they
    were stopped, and the crashes whose restart did not come about. Where nothing comes out, that is reported. Crashes
    that a restart got over are in the receipt; each was a ``ChildRestarted`` event before. An exception that leaves the
    block stops all children, and comes out then.
    """

    def __init__(
        self,
        strategy: Strategy = "one_for_one",
        *,
        intensity: int = 3,
        period: float = 5.0,
        backoff: Backoff = _BACKOFF,
        name: str = "supervisor",
    ) -> None:
        check_choice("Supervisor", "strategy", strategy, get_args(Strategy))
        check_intensity(intensity)
        check_seconds("Supervisor", "period", period)
        check_backoff(backoff)
        self.name = name
        self._strategy: Strategy = strategy
        self._restarts = Restarts(name, RestartWindow(intensity, period), backoff)
        self._engine: Engine | None = None
        self._host: Task[Any] | None = None  # Any: the task of whoever opens the block
        self._cancelling = 0
        self._is_in_body = self._has_cancelled_body = False
        self._started = 0

    async def __aenter__(self) -> Self:
        if self._engine is not None:
            raise UsageError(f"{self!r} was entered before. Write async with Supervisor() anew for each block.")
        self._host = current_task()
        if self._host is None:
            raise UsageError(f"{self!r} needs a task, and none runs here. Write asyncio.run(main()).")
        self._cancelling = cancelling_before(self._host)
        self._engine = Engine(self.name, self._strategy, self._restarts, self._cancel_body)
        self._is_in_body = True
        return self

    def start_child(
        self,
        func: Callable[..., Coroutine[Any, Any, object]],  # Any: what it yields to the loop and is sent
        *args: object,
        name: str | None = None,
        restart: Restart = "permanent",
        grace: float = 5.0,
        handshake: bool = False,
        significant: bool = False,
    ) -> str:
        """
        Start ``func(*args)`` in a task of its own, behind the children that there are, and keep it running.

        It does not run yet when this returns. Each of its runs gets a fresh copy of the context variables as they are
        now. To be called on the supervisor's loop; from a child, too.

        Args:
            func: An async function.
            args: What to call it with, each time.
            name: Unique among the children; the function's name, with a number if need be, if not given. The name of a
                child that has ended may be used again.
            restart: When it is started again: ``permanent`` always, ``transient`` unless it returned, ``temporary``
                never; a failure of that is reported when it happens.
            grace: Seconds that it has to stop once it is cancelled, above 0; ``math.inf`` waits for ever.
            handshake: Call ``func(*args, task_status=...)``, and start no child behind it until it has called
                ``task_status.started()``, or ended. That wait is not bounded. Without it a child is ready at once, and
                the order of starts is no more than the order of first steps.
            significant: When it has ended and is not started again, the supervisor stops (OTP's ``any_significant``).

        Returns:
            Its name.

        Raises:
            UsageError: An argument is none of these, the name is taken, or the supervisor does not run.
        """
        check_function(func)
        engine = self._running("start_child")
        if engine.stopping:
            raise UsageError(f"{self!r} got start_child({name_of(func)}), but starts nobody: {engine.stopping}.")
        check_choice("start_child", "restart", restart, get_args(Restart))
        check_seconds("start_child", "grace", grace)
        if significant and restart == "permanent":
            raise UsageError(
                'start_child() got significant=True: a permanent child never ends. Write restart="transient".'
            )
        name = self._free_name(engine, name, func)
        self._started += 1
        child = Child(
            self._started,
            name,
            partial(func, *args),
            restart=restart,
            grace=grace,
            handshake=handshake,
            significant=significant,
            context=copy_context(),
        )
        engine.add(child)
        return name

    async def stop_child(self, name: str) -> Outcome[None]:
        """
        Stop one child, and forget it; return when it has stopped, or its grace is over.

        Returns:
            ``Failure`` with what it raised while it was stopped, with the crash after which it waited for a new start,
            or with ``ChildStillRunning``; ``Value(None)`` if there is nothing of that kind.

        Raises:
            UsageError: There is no such child.
            CancelledError: The caller was cancelled: the child is stopped nevertheless, its error goes where others do.
        """
        engine = self._running("stop_child")
        if name not in engine.children:
            raise UsageError(
                f"{self!r} has no child {name!r}. It has {', '.join(map(repr, engine.children)) or 'none'}."
            )
        return await engine.remove(engine.children[name])

    def stop(self, reason: str = "") -> None:
        """
        Stop all children in the reverse order of their starts, each with its grace, and start nobody any more.

        It returns at once; leaving the block waits for it. The body of the block is not cancelled. To be called on the
        supervisor's loop; from a child, too.
        """
        self._running("stop").stop(reason or "the supervisor was asked to stop")

    def children(self) -> list[ChildStatus]:
        """
        Return how the children are doing, in the order of their starts.

        Transient ones that have ended are among them, until they are stopped or their name is used again; temporary
        ones are not. Empty when the block has ended.
        """
        return [child.status for child in self._engine.children.values()] if self._engine else []

    @property
    def crashes(self) -> tuple[Exception, ...]:
        """
        The last 100 crashes of all children, oldest first, what they raised when they were stopped included.

        They hold the frames of their tracebacks: a child whose frames refer to the supervisor makes a cycle. What
        ``stop_child`` returned is not among them.
        """
        return self._restarts.crashes

    @property
    def crash_count(self) -> int:
        """How often any child crashed."""
        return self._restarts.crash_count

    async def __aexit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        engine, host = self._engine, self._host
        assert engine is not None
        assert host is not None
        self._is_in_body = False
        is_ours_alone = self._has_cancelled_body and await take_back(host, self._cancelling)
        if error is not None:
            engine.stop(f"the block was left with {headline(error)}")
        engine.leave()
        cancellation: CancelledError | None = None
        try:
            if isinstance(error, CancelledError) and is_ours_alone:
                failed = failure_of(error)  # what the body's cleanup raised
                error = failed
            cancellation = await self._until_over(engine, isinstance(error, CancelledError))
            if engine.gave_up is None:
                self._restarts.write_receipt()
            conclude(engine, error, cancellation, replaces_ours=self._has_cancelled_body and error is None)
        finally:
            self._host = None
            del error, cancellation, _traceback, host  # each refers to this frame

    async def _until_over(self, engine: Engine, is_cancelled: bool) -> CancelledError | None:
        """Wait for the end, even if the waiting task is cancelled; return the first cancellation."""
        cancellation: CancelledError | None = None
        while not engine.is_over:
            try:
                await engine.changed.wait()
            except CancelledError as error:
                if cancellation is None:
                    cancellation = error.with_traceback(None)  # nothing but our own frames, which refer to it
                if is_cancelled:
                    engine.hurry()
                is_cancelled = True
                engine.stop("the caller was cancelled")
        return cancellation

    def _cancel_body(self, reason: Reason) -> None:
        if self._is_in_body and not self._has_cancelled_body and self._host is not None:
            self._has_cancelled_body = True
            self._host.cancel(reason)

    def _running(self, call: str) -> Engine:
        if self._engine is None:
            raise UsageError(f"{self!r} got {call}() before it runs. Write async with {self.name} as ...: first.")
        return self._engine

    def _free_name(self, engine: Engine, name: str | None, func: object) -> str:
        if name is None:
            base = name = name_of(func)
            number = 1
            while name in engine.children:
                number += 1
                name = f"{base}-{number}"
            return name
        if not isinstance(name, str):
            raise UsageError(f"start_child() got name={name!r}. Write a text.")
        taken = engine.children.get(name)
        if taken is not None and taken.state != "ended":
            raise UsageError(
                f"{self!r} has a child {name!r} already. Write start_child(..., name=...) with another one."
            )
        if taken is not None:
            del engine.children[name]
        return name

    def __repr__(self) -> str:
        return f"<Supervisor {self.name!r} of {len(self.children())} children>"

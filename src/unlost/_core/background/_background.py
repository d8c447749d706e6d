"""A scope that owns background tasks, for an application's lifespan."""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Final, Self, TypeVar, TypeVarTuple

from unlost._core._reason import asked_now
from unlost._core._report import report
from unlost._core._reraise import reraise
from unlost._core._seconds import check_seconds
from unlost._core._site import caller
from unlost._core.background._owner import Owner
from unlost._core.background._spawn import enter, leave, program_of
from unlost._core.background._spawned import Spawned
from unlost.errors import UsageError, attach_errors, attached

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

GRACE: Final = 5.0  # together below the 10 s that a container is given to stop
STOP_WITHIN: Final = 2.0


class Background:
    """
    Owns background tasks while its block runs, and ends them in order when it is left.

        @asynccontextmanager
        async def lifespan(app):
            async with unlost.Background() as background:
                app.state.background = background
                yield

    A failing task touches no other: it is reported when it happens, with the place it was spawned at, unless somebody
    is awaiting its handle. Leaving the block, with an error or without, first waits ``grace`` seconds for what runs
    (which may still spawn), then cancels it, and waits ``stop_within`` seconds more. What does not stop by then is said
    on standard error, with where it stands, and left behind; its end is still told, and its failure reported.

    Under ``unlost.run``, failures that nobody awaited make the whole program fail at its end, as those of its own do.

    Args:
        grace: Seconds, 0 or more; ``math.inf`` waits for ever.
        stop_within: Seconds, 0 or more.

    Raises:
        CancelledError: From leaving: it was cancelled meanwhile. That ends the grace; everything has been stopped.
        KeyboardInterrupt: Or ``SystemExit``: a task raised it. The block and all other tasks are cancelled; it comes
            out bare, what else failed is attached (``unlost.attached``) and reported.
    """

    def __init__(self, *, grace: float = GRACE, stop_within: float = STOP_WITHIN) -> None:
        self._grace = check_seconds("Background", "grace", grace)
        self._stop_within = check_seconds("Background", "stop_within", stop_within)
        self._owner: Owner | None = None
        self._body: asyncio.Task[Any] | None = None  # Any: of whatever result
        self._is_left = self._is_body_cancelled = False

    async def __aenter__(self) -> Self:
        if self._owner is not None:
            raise UsageError("this Background scope was entered before.\nWrite async with Background() anew.")
        self._body = asyncio.current_task()
        self._owner = Owner("this Background scope", asyncio.get_running_loop(), self._cancel_body)
        enter(self._owner)
        return self

    def spawn(self, func: Callable[[*Ts], Awaitable[T]], *args: *Ts, name: str | None = None) -> Spawned[T]:
        """
        Start ``func(*args)`` in the background of this scope; see ``unlost.spawn``.

        Raises:
            UsageError: The scope is not open, or this is another thread, loop or process than its own; or ``func``
                cannot be called: a coroutine object is closed. Nothing was started.
        """
        return self._opened().spawn(func, args, name, caller(1))

    @property
    def running(self) -> tuple[Spawned[Any], ...]:  # Any: as above
        """The tasks that are not over, in the order they were spawned."""
        return self._opened().running

    async def __aexit__(
        self, _type: type[BaseException] | None, body_error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        owner = self._opened()
        self._is_left = True
        leave(owner)
        reason = f"the Background scope was left, and {self._grace:g} s of grace are over"
        # who is cancelled has no time: as when the cancellation comes a moment later, while it waits
        grace = 0.0 if isinstance(body_error, CancelledError) else self._grace
        cancellation = await owner.close(grace, self._stop_within, reason)
        fatal = owner.take_fatal()
        try:
            if fatal is not None:
                self._take_back_cancellation()
                accompany(fatal, [body_error], owner.take_unheard(), "its Background scope was stopped")
                reraise(fatal)
            self._hand_over_failures(owner)
            if cancellation is not None and not isinstance(body_error, CancelledError):
                reraise(cancellation)
        finally:
            del fatal, cancellation, body_error  # each refers to this frame, or will

    def _hand_over_failures(self, owner: Owner) -> None:
        program = program_of(owner.loop)
        if program is not None:
            program.adopt_failures(owner)
        owner.take_unheard()  # their handles refer to the owner: a circle

    def _cancel_body(self, reason: str) -> None:
        body = self._body
        if body is not None and not self._is_left and not body.done():
            self._is_body_cancelled = body.cancel(asked_now(reason, "Background"))

    def _take_back_cancellation(self) -> None:
        """Leave the count as it was before the block was cancelled; it is not pending any more.

        A task's end is told between two steps of the block: the next one raises it, here or in the block.
        """
        if self._is_body_cancelled and self._body is not None and self._body is asyncio.current_task():
            self._body.uncancel()

    def _opened(self) -> Owner:
        if self._owner is None:
            raise UsageError("this Background scope is not open.\nWrite async with Background() as background: ...")
        return self._owner


def accompany(error: BaseException, others: list[BaseException | None], told: list[BaseException], where: str) -> None:
    """Attach ``others`` and ``told`` to ``error``, and report those of the others that are no cancellation."""
    extra = [other for other in others if other is not None and other is not error]
    extra = [other for other in extra if not isinstance(other, CancelledError) or attached(other)]
    for other in extra:
        report(other, f"{type(error).__name__} comes out in its place; {where}")
    attach_errors(error, (*extra, *told))

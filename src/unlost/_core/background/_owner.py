"""
Who owns background tasks: keeps them alive, is told of their ends, and stops them in order.

States: open (tasks are spawned); closing (those that run get their grace, and may still spawn); stopping (all were
cancelled; nothing starts any more); closed. What outlives its bound is said aloud and let go; when it ends after all,
that is told too.
"""

from __future__ import annotations

import asyncio
import math
import os
from asyncio import CancelledError
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal, TypeVar

from unlost._core._caught import STOPPING
from unlost._core._forgiven import count_forgiven, is_forgiven
from unlost._core._outcome import Failure
from unlost._core._reason import asked_now
from unlost._core._report import report, tell
from unlost._core._site import Site, name_of
from unlost._core._startable import check_startable
from unlost._core._stubborn import tell_of
from unlost._core._where import still_running
from unlost._core.background._spawned import Spawned
from unlost.errors import UsageError

T = TypeVar("T")

# Of failures that nobody awaited, so many are kept for the end; all were reported when they happened.
_KEPT: Final = 100


class Owner:
    """
    Keeps the background tasks of one loop, for a ``Background`` scope or for ``run``.

    Attributes:
        what: What the user calls it, for messages.
        loop: The only loop that it starts tasks on.
        fatal: The first ``SystemExit`` or ``KeyboardInterrupt`` of a task; every other task was cancelled then.
    """

    def __init__(self, what: str, loop: asyncio.AbstractEventLoop, on_fatal: Callable[[str], object]) -> None:
        self.what = what
        self.loop = loop
        self.fatal: BaseException | None = None
        self._dropped = 0
        self._on_fatal = on_fatal
        self._process = os.getpid()
        self._state: Literal["open", "closing", "stopping", "closed"] = "open"
        self._running: dict[Spawned[Any], None] = {}  # Any, here and below: tasks of every result; in order of start
        self._left: dict[Spawned[Any], float] = {}  # those that did not stop: since when they were asked to
        self._unheard: dict[Spawned[Any], None] = {}

    @property
    def is_open(self) -> bool:
        """Whether it takes tasks, in this process."""
        return self._state in ("open", "closing") and os.getpid() == self._process

    @property
    def running(self) -> tuple[Spawned[Any], ...]:
        """The tasks that are not over, in the order they were spawned."""
        return tuple(self._running)

    @property
    def left_behind(self) -> tuple[asyncio.Task[None], ...]:
        """The tasks that did not stop in their bound, and still run."""
        return tuple(spawned.task for spawned in self._left)

    def spawn(
        self,
        func: Callable[..., Awaitable[T]],
        args: tuple[object, ...],
        name: str | None,
        site: Site,
    ) -> Spawned[T]:
        """Start a task."""
        check_startable("spawn", func)
        self._check_here(name_of(func))
        spawned: Spawned[T] = Spawned(name or name_of(func), site, self)
        self._running[spawned] = None
        try:
            spawned.begin(func, args)
        except BaseException:
            del self._running[spawned]
            raise
        return spawned

    def cancel(self, reason: str) -> None:
        """Ask all that run to stop; start nothing more."""
        self._state = "closed" if self._state == "closed" else "stopping"
        for spawned in self.running:
            if spawned.task is not asyncio.current_task(self.loop):
                spawned.task.cancel(asked_now(reason, self.what))

    async def close(self, grace: float, stop_within: float, reason: str) -> CancelledError | None:
        """
        Wait ``grace`` seconds for what runs, cancel it, and wait ``stop_within`` seconds more.

        A cancellation of the caller ends the grace; it is returned, for the caller to raise.
        """
        if self._state == "open":
            self._state = "closing"
        cancellation = None
        if self._state == "closing":
            cancellation = await self._wait(grace, is_cut_short=True)
        self.cancel(reason)
        asked_at = self.loop.time()
        cancellation = await self._wait(stop_within, is_cut_short=False) or cancellation
        self._state = "closed"
        self._on_fatal = _nobody  # it refers to who owns this: a circle
        for spawned in self.running:
            self._leave(spawned, asked_at)
        return cancellation

    def take_fatal(self) -> BaseException | None:
        """Return ``fatal`` and forget it: once raised, its traceback refers to who holds this."""
        fatal, self.fatal = self.fatal, None
        return fatal

    @property
    def failures(self) -> int:
        """How many tasks failed that nobody awaited or forgave; what is not kept any more counts."""
        return self._dropped + len(self._still_unheard())

    def take_unheard(self) -> list[BaseException]:
        """Return the last of those failures, in order, and forget them all."""
        errors = self._still_unheard()
        self._unheard.clear()
        self._dropped = 0
        return errors

    def adopt_failures(self, other: Owner) -> None:
        """Take over what nobody awaited from a scope that is over."""
        self._dropped += other._dropped
        for spawned in other._unheard:
            self._keep_unheard(spawned)
        other.take_unheard()

    def _still_unheard(self) -> list[BaseException]:
        outcomes = [spawned.outcome for spawned in self._unheard if not spawned.is_delivered]
        return [outcome.error for outcome in outcomes if isinstance(outcome, Failure) and not is_forgiven(outcome)]

    # What the handles tell.

    def ended(self, spawned: Spawned[Any]) -> None:
        self._running.pop(spawned, None)
        asked_at = self._left.pop(spawned, None)
        if asked_at is not None:
            tell(
                f"unlost: {spawned.described()} ended after all, {self.loop.time() - asked_at:.1f} s after it was "
                f"asked to stop: {spawned.status}\n"
            )
        outcome = spawned.outcome
        if isinstance(outcome, Failure) and isinstance(outcome.error, STOPPING):
            self._stop(spawned, outcome.error)

    def unheard(self, spawned: Spawned[Any], error: BaseException) -> None:
        outcome = spawned.outcome
        if spawned.forgiven and isinstance(outcome, Failure) and not isinstance(error, STOPPING):
            count_forgiven(outcome, spawned.forgiven)
        elif error is not self.fatal:
            report(error, f"{spawned.described()} failed")
            if self._state != "closed":
                self._keep_unheard(spawned)

    def _keep_unheard(self, spawned: Spawned[Any]) -> None:
        self._unheard[spawned] = None
        if len(self._unheard) > _KEPT:
            del self._unheard[next(iter(self._unheard))]
            self._dropped += 1

    def _stop(self, spawned: Spawned[Any], error: BaseException) -> None:
        """Stop everything; a second such error, or one that comes when all is over, is reported as any other."""
        if self.fatal is None and self._state != "closed":
            self.fatal = error
            reason = f"{type(error).__name__} was raised in background task {spawned.name!r}"
            self.cancel(reason)
            self._on_fatal(reason)

    def _check_here(self, name: str) -> None:
        if os.getpid() != self._process:
            raise UsageError(
                f"spawn({name}): {self.what} belongs to process {self._process}, and this is a fork of it, "
                f"process {os.getpid()}.\n"
                "Write unlost.run(main) in the child process: it has no part in its parent's tasks."
            )
        if _running_loop() is not self.loop:
            raise UsageError(
                f"spawn({name}) was called elsewhere than on the event loop of {self.what}.\n"
                f"Write loop.call_soon_threadsafe(background.spawn, {name}, ...) to hand it over from a thread."
            )
        if not self.is_open:
            raise UsageError(
                f"spawn({name}): {self.what} is {self._state}, it starts nothing more.\n"
                f"Write await {name}(...) where its result is needed; or spawn it before the owner is left."
            )

    async def _wait(self, seconds: float, *, is_cut_short: bool) -> CancelledError | None:
        cancellation: CancelledError | None = None
        end = self.loop.time() + seconds
        while (tasks := self._others()) and (left := end - self.loop.time()) > 0:
            try:
                await asyncio.wait(tasks, timeout=None if left == math.inf else left)
            except CancelledError as error:
                cancellation = cancellation or error.with_traceback(None)  # this frame refers to the error
                if is_cut_short:
                    break
        return cancellation

    def _others(self) -> list[asyncio.Task[None]]:
        current = asyncio.current_task()
        return [spawned.task for spawned in self._running if spawned.task is not current]

    def _leave(self, spawned: Spawned[Any], asked_at: float) -> None:
        seconds = self.loop.time() - asked_at
        self._left[spawned] = asked_at
        said = f"unlost: background {still_running(spawned.task, seconds)}; spawned at {spawned.spawned_at}\n"
        tell_of(spawned.task, seconds, said)


def _nobody(_reason: str) -> None:
    """Be told of a fatal error when all is over."""


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:  # there is none: the answer
        return None

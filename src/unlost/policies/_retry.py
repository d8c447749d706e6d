"""
Trying again, with nothing lost: the errors of all attempts stay with what comes out.

Guarantees:

- ``call`` raises the last error itself, with the earlier ones attached; ``outcome`` carries them as ``survived``. What
  a bare value of ``call`` survived is told to listeners; where there is none, the default reporter counts it and says
  so on standard error when the interpreter exits.
- A cancellation is never tried again and is never delayed; it takes the errors so far with it. Nor does anything start
  or wait once the task was cancelled from outside, whatever the function made of that.
- No error refers to the frame that holds its list: nothing waits for the cyclic collector.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar, TypeVarTuple, overload

from unlost._core import (
    AttemptFailed,
    Backoff,
    Cancelled,
    Failure,
    Outcome,
    Value,
    add_note,
    emit,
    exponential,
    full_jitter,
    reraise,
    survive,
    wall,
)
from unlost.errors import UsageError, attach_attempts, retry_after
from unlost.policies._checks import check_count, check_seconds
from unlost.policies._retry_on import On, Question, question_of

T = TypeVar("T")
P = ParamSpec("P")
Ts = TypeVarTuple("Ts")


@dataclass(frozen=True, slots=True)
class Retry:
    """
    Try again after errors that may pass.

        @Retry(attempts=5)
        async def fetch(url): ...

        page = await Retry(total=60).call(fetch, url)

    One ``Retry`` keeps no state between calls and may be used by many tasks at once.

    Attributes:
        attempts: How often to try, the first time included; at least 1.
        base: Seconds to wait after the first failure; twice as long after each further one.
        cap: The longest such wait, in seconds.
        total: Seconds from the start of the first attempt after which no further one starts. Where the next wait
            would end later, the retry gives up at once instead of waiting. A running attempt is not cut short: for
            that, see ``timeout``. None is no limit.
        on: What to try again after: a ``Kind``, an exception type, a function from the error to bool, or a tuple or
            frozenset of these; None is ``Kind.TRANSIENT``, as ``classify`` sees it.
        backoff: From the number of the failed attempt (from 1) to seconds; in place of ``base``, ``cap`` and
            ``jitter``.
        jitter: Whether to wait a random part of each wait instead of all of it, so that callers that failed together
            part ways.

        hint_cap: The longest ``Retry-After`` that is honoured, in seconds. Where the server asks for more, the retry
            gives up at once, and a note on the error says what the server asked for. None honours any.

    Where the error says when to come back (``Retry-After``), the wait is that long plus the backoff.

    Raises:
        UsageError: A number is out of its range, or ``on`` holds what cannot be asked.
    """

    attempts: int = 3
    base: float = field(default=0.1, kw_only=True)
    cap: float = field(default=30.0, kw_only=True)
    total: float | None = field(default=None, kw_only=True)
    on: On = field(default=None, kw_only=True)
    backoff: Backoff | None = field(default=None, kw_only=True)
    jitter: bool = field(default=True, kw_only=True)
    hint_cap: float | None = field(default=3600.0, kw_only=True)
    _is_wanted: Question = field(init=False, repr=False, compare=False)
    _schedule: Backoff = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_count("Retry", "attempts", self.attempts)
        check_seconds("Retry", "base", self.base, zero=True)
        check_seconds("Retry", "cap", self.cap, zero=True)
        if self.total is not None:
            check_seconds("Retry", "total", self.total)
        if self.hint_cap is not None:
            check_seconds("Retry", "hint_cap", self.hint_cap, zero=True)
        schedule = exponential(self.base, self.cap)
        schedule = self.backoff or (full_jitter(schedule) if self.jitter else schedule)
        object.__setattr__(self, "_is_wanted", question_of(self.on))
        object.__setattr__(self, "_schedule", schedule)

    async def call(
        self, func: Callable[[*Ts], Awaitable[T]], *args: *Ts, on_attempt: Callable[[int], object] | None = None
    ) -> T:
        """
        Return what ``func(*args)`` returns, after as many attempts as it takes.

        The value cannot carry what it survived: listeners are told (``AttemptFailed``), see also ``outcome``. Errors
        that nobody was told of are counted, and the counts are printed when the interpreter exits.

        Args:
            func: Called anew for each attempt.
            on_attempt: Called with the number of each attempt, from 1, before it starts.

        Raises:
            BaseException: The error of the last attempt itself, with ``attempts(error)`` those before it.
            CancelledError: As it came, with the errors so far attached.
        """
        ended = await self._attempts(func, args, on_attempt, True)  # by position: names cost time
        try:
            if isinstance(ended, Value):
                return ended.value
            reraise(ended.error)
        finally:
            del ended  # the error's traceback holds this frame

    async def outcome(
        self, func: Callable[[*Ts], Awaitable[T]], *args: *Ts, on_attempt: Callable[[int], object] | None = None
    ) -> Outcome[T]:
        """
        Return how ``func(*args)`` ended, after as many attempts as it takes; ``survived`` has the earlier errors.

        A cancellation that nobody asked of this task (``func`` awaited something that was cancelled) is a
        ``Cancelled``. Where ``on`` or ``backoff`` itself raises, that is the failure, and the error that it was
        asked about is the last of ``survived``. Where ``func`` made another error of a cancellation of this task,
        that error is the failure: no further attempt starts, and the task's count of cancellations stays.

        Raises:
            CancelledError: This task is being cancelled; the errors so far are attached.
            KeyboardInterrupt, SystemExit, GeneratorExit: Likewise.
        """
        return await self._attempts(func, args, on_attempt, False)  # by position: names cost time

    async def _attempts(
        self,
        func: Callable[[*Ts], Awaitable[T]],
        args: tuple[*Ts],
        on_attempt: Callable[[int], object] | None,
        is_bare: bool,
    ) -> Outcome[T]:
        """Do what ``outcome`` says; ``is_bare`` is whether the value goes on without what it survived."""
        loop = asyncio.get_running_loop()
        clock, task = loop.time, asyncio.current_task(loop)
        started = clock()
        cancelling = 0 if task is None else task.cancelling()
        survived: list[BaseException] = []
        unheard = attempt = 0
        try:
            while True:
                attempt += 1
                if on_attempt is not None:
                    on_attempt(attempt)
                try:
                    value = await func(*args)
                except BaseException as error:  # raised on, or handed on as the outcome or as survived
                    was_cancelled = task is not None and task.cancelling() > cancelling
                    if _must_pass(error, was_cancelled):
                        attach_attempts(error, tuple(survived))
                        raise
                    try:
                        wait = None if was_cancelled else self._wait_after(error, attempt, clock() - started)
                    except Exception as rule_error:  # handed on as the outcome  # noqa: BLE001
                        survived.append(error)
                        return _ended(rule_error, attempt, clock() - started, survived)
                    if wait is None:
                        return _ended(error, attempt, clock() - started, survived)
                    survived.append(error)
                    unheard += not emit(AttemptFailed(error, attempt, wait, _name_of(func)))
                else:
                    if survived and is_bare:
                        survive(_name_of(func), tuple(survived), already_heard=len(survived) - unheard)
                    # by position: this is what most calls come to, and names cost time
                    return Value(value, -1, None, attempt, clock() - started, tuple(survived))
                # out of the handler: a cancellation of the wait has not the error as its context
                await _sleep(wait, survived)
        finally:
            del survived, task  # each error's traceback holds this frame, and the task its error

    def __call__(self, func: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:  # Any: as async def
        """
        Return ``func`` with this retry around it.

        Raises:
            UsageError: ``func`` is no async function.
        """
        if not _is_async(func):
            raise UsageError(
                f"Retry(...) decorates async functions, got {func!r}. "
                f"Write async def, and await asyncio.to_thread(...) in it for code that blocks."
            )

        @functools.wraps(func)
        async def retried(*args: P.args, **kwargs: P.kwargs) -> T:
            return await self.call(functools.partial(func, *args, **kwargs))

        return retried

    def _wait_after(self, error: BaseException, attempt: int, elapsed: float) -> float | None:
        """Return the seconds to wait, or None to give up; raise what the user's own rules raise."""
        if attempt >= self.attempts or not self._is_wanted(error):
            return None
        hint = retry_after(error, wall) or 0.0
        if self.hint_cap is not None and hint > self.hint_cap:
            asked = f"the server asked to wait {hint:.10g} s"
            add_note(error, f"not tried again: {asked}, more than Retry(hint_cap={self.hint_cap!r}) allows")
            return None
        wait = max(0.0, self._schedule(attempt)) + hint
        return None if self.total is not None and elapsed + wait > self.total else wait


async def _sleep(wait: float, survived: list[BaseException]) -> None:
    try:
        await asyncio.sleep(wait)
    except CancelledError as cancelled:
        attach_attempts(cancelled, tuple(survived))
        raise
    finally:
        del survived


def _ended(error: BaseException, attempt: int, duration: float, survived: list[BaseException]) -> Failure | Cancelled:
    earlier = tuple(survived)
    # also with the error: it may be raised without its outcome
    attach_attempts(error, earlier)
    if not isinstance(error, CancelledError):
        return Failure(error, attempts=attempt, duration=duration, survived=earlier)
    reason = error.args[0] if error.args and isinstance(error.args[0], str) else ""
    return Cancelled(error, attempts=attempt, duration=duration, survived=earlier, reason=reason)


def _must_pass(error: BaseException, was_cancelled: bool) -> bool:
    if isinstance(error, CancelledError):
        return was_cancelled
    return isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit)


def _is_async(func: object) -> bool:
    call = getattr(type(func), "__call__", None)  # noqa: B004  # whether it is async, not whether it is there
    return inspect.iscoroutinefunction(func) or inspect.iscoroutinefunction(call)


def _name_of(func: object) -> str:
    while isinstance(func, functools.partial):
        func = func.func
    name = getattr(func, "__qualname__", None)
    return name if isinstance(name, str) else repr(func)


@overload
def retry(func: Callable[P, Awaitable[T]], /) -> Callable[P, Coroutine[Any, Any, T]]: ...  # Any: as async def


@overload
def retry(
    *,
    attempts: int = 3,
    base: float = 0.1,
    cap: float = 30.0,
    total: float | None = None,
    on: On = None,
    backoff: Backoff | None = None,
    jitter: bool = True,
    hint_cap: float | None = 3600.0,
) -> Retry: ...


def retry(func: Callable[..., Awaitable[Any]] | None = None, /, **options: Any) -> Any:  # Any: see the overloads
    """
    Decorate an async function: ``@retry`` tries three times, ``@retry(attempts=5, total=60)`` as ``Retry`` does.

    Raises:
        UsageError: As ``Retry``.
    """
    return Retry(**options) if func is None else Retry(**options)(func)

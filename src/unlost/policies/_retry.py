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

import math
from asyncio import current_task, get_running_loop
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar, TypeVarTuple, overload

from unlost._core import Backoff, Outcome, Value, bounds, cancelling_before, exponential, full_jitter
from unlost.errors import UsageError, retry_after
from unlost.policies._budget import RetryBudget
from unlost.policies._cooldown import Cooldown, KeyCooldown
from unlost.policies._cost import Cost
from unlost.policies._layer import Layer
from unlost.policies._retry_block import Attempts
from unlost.policies._retry_checks import check_rules
from unlost.policies._retry_course import Course, cancelling_now, course_of
from unlost.policies._retry_loop import try_until
from unlost.policies._retry_on import On, Question, question_of
from unlost.policies._retry_words import longest_in_all, phrase_of

T = TypeVar("T")
P = ParamSpec("P")
Ts = TypeVarTuple("Ts")


@dataclass(frozen=True, slots=True)
class Retry(Layer):
    """
    Try again after errors that may pass.

        @Retry(attempts=5)
        async def fetch(url): ...

        page = await Retry(total=60).call(fetch, url)

        async for attempt in Retry(5):
            with attempt:
                page = await fetch(url)

    One ``Retry`` keeps no state between calls and may be used by many tasks at once.

    Attributes:
        attempts: How often to try, the first time included; at least 1.
        base: Seconds to wait after the first failure; twice as long after each further one.
        cap: The longest such wait, in seconds.
        total: Seconds from the start of the first attempt after which no further one starts. Where the next wait
            would end later, the retry gives up at once instead of waiting. A running attempt is not cut short: for
            that, see ``timeout``. None is no limit.
        on: What to try again after: a ``Kind``, an exception type, a function from the error to bool, or a tuple or
            frozenset of these; None is ``Kind.TRANSIENT``, as ``classify`` sees it. Of an exception group, either the
            group itself or each error in it has to be one of these.
        on_result: A function from the value to bool: where it says True, the value is not wanted and the attempt
            counts as failed, with an ``UnwantedResult`` that has the value. None wants every value.
        backoff: From the number of the failed attempt (from 1) to seconds; in place of ``base``, ``cap`` and
            ``jitter``.
        jitter: Whether to wait a random part of each wait instead of all of it, so that callers that failed together
            part ways.
        hint_cap: The longest ``Retry-After`` that is honoured, in seconds. Where the server asks for more, the retry
            gives up at once, and a note on the error says what the server asked for. None honours any.
        budget: Shared by many retries: where it is used up, the retry gives up at once, and a note says so.
        cooldown: Shared by all callers of a server: each attempt, the first one too, waits while its key cools down.
            After an error that cools down, that wait takes the place of the backoff.

    Where the error says when to come back (``Retry-After``), the wait is that long plus the backoff.

    Raises:
        UsageError: A number is out of its range, or ``on`` holds what cannot be asked.
    """

    attempts: int = 3
    base: float = field(default=0.1, kw_only=True)
    cap: float = field(default=30.0, kw_only=True)
    total: float | None = field(default=None, kw_only=True)
    on: On = field(default=None, kw_only=True)
    on_result: Callable[[Any], bool] | None = field(default=None, kw_only=True)  # Any: the user's own type of value
    backoff: Backoff | None = field(default=None, kw_only=True)
    jitter: bool = field(default=True, kw_only=True)
    hint_cap: float | None = field(default=3600.0, kw_only=True)
    budget: RetryBudget | None = field(default=None, kw_only=True)
    cooldown: Cooldown | KeyCooldown | None = field(default=None, kw_only=True)
    # of the above, for what goes through the attempts
    is_wanted: Question = field(init=False, repr=False, compare=False)
    schedule: Backoff = field(init=False, repr=False, compare=False)
    _is_watched: bool = field(init=False, repr=False, compare=False)  # whether attempts that do not fail matter too

    @property
    def keeps_state(self) -> bool:
        return False

    def __post_init__(self) -> None:
        check_rules(self)
        schedule = exponential(self.base, self.cap)
        schedule = self.backoff or (full_jitter(schedule) if self.jitter else schedule)
        asked = (self.total, self.on_result, self.budget, self.cooldown)
        object.__setattr__(self, "is_wanted", question_of(self.on))
        object.__setattr__(self, "schedule", schedule)
        object.__setattr__(self, "_is_watched", asked != (None, None, None, None))

    async def call(self, func: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
        """
        Return what ``func(*args)`` returns, after as many attempts as it takes.

        The value cannot carry what it survived: listeners are told (``AttemptFailed``), see also ``outcome``. Errors
        that nobody was told of are counted, and the counts are printed when the interpreter exits.

        Args:
            func: Called anew for each attempt.
            args: Its arguments.

        Raises:
            BaseException: The error of the last attempt itself, with ``attempts(error)`` those before it.
            UnwantedResult: ``on_result`` did not want the last attempt's value; likewise.
            CancelledError: As it came, with the errors so far attached.
        """
        course: Course | None = None
        wait: float | None = None
        try:
            if self._is_watched:
                course = course_of(self, func, args)
            else:
                # the first attempt stands here: most calls need no other, and pay for nothing else
                task = current_task()
                if cancelling := 0 if task is None else task.cancelling():
                    cancelling = 0 if task is None else cancelling_before(task)
                try:
                    return await func(*args)
                except BaseException as error:
                    course = Course(self, func, args, cancelling, 0.0, 1)
                    if (wait := course.failed(error)) is None:
                        raise
            value = await try_until(self, course, func, args, None, wait)
            course.tell()
            return value
        finally:
            course = task = None  # each error's traceback holds this frame, and the task its error

    async def outcome(
        self, func: Callable[[*Ts], Awaitable[T]], *args: *Ts, on_attempt: Callable[[int], object] | None = None
    ) -> Outcome[T]:
        """
        Return how ``func(*args)`` ended, after as many attempts as it takes; ``survived`` has the earlier errors.

        A cancellation that nobody asked of this task (``func`` awaited something that was cancelled) is a
        ``Cancelled``. Where ``on``, ``on_result`` or ``backoff`` itself raises, that is the failure, and the error that
        it was asked about is the last of ``survived``. Where ``func`` made another error of a cancellation of this
        task, that error is the failure: no further attempt starts, and the task's count of cancellations stays.

        Args:
            func: Called anew for each attempt.
            args: Its arguments.
            on_attempt: Called with the number of each attempt, from 1, before it starts.

        Raises:
            CancelledError: This task is being cancelled; the errors so far are attached.
            KeyboardInterrupt, SystemExit, GeneratorExit: Likewise.
        """
        course: Course | None = None
        wait: float | None = None
        time = get_running_loop().time
        try:
            if self._is_watched or on_attempt is not None:
                course = course_of(self, func, args)
            else:  # as in call
                began, cancelling = time(), cancelling_now()
                try:
                    value = await func(*args)
                    # by position: this is what most calls come to, and names cost time
                    return Value(value, -1, None, 1, time() - began, ())
                except BaseException as error:
                    course = Course(self, func, args, cancelling, began, 1)
                    if (wait := course.failed(error)) is None:
                        raise
            value = await try_until(self, course, func, args, on_attempt, wait)
            return Value(value, -1, None, course.number, time() - course.began, tuple(course.errors))
        except BaseException as error:  # raised on, or handed on as the outcome
            if course is None or course.must_pass(error, course.was_cancelled()):
                raise
            return course.ended(error)
        finally:
            del course  # each error's traceback holds this frame

    def __aiter__(self) -> Attempts:
        """
        Return the attempts of a block, one after another.

            async for attempt in retry:
                with attempt:
                    page = await fetch(url)

        ``with attempt`` takes the block's error, if another attempt follows; the last error comes out of it, itself,
        with the earlier ones attached. ``attempt.number`` counts from 1, ``attempt.errors`` is what failed before.
        Leaving the loop early is fine: what was survived by then goes into the receipt.

        Raises:
            UsageError: With ``on_result``, since a block has no value; or with a cool-down that asks for arguments.
        """
        if self.on_result is not None:
            raise UsageError("async for attempt in Retry(on_result=...): a block has no value. Raise in it instead.")
        return Attempts(self)

    def cost(self, inner: Cost) -> Cost:
        """Return what all attempts come to, the longest waits included; ``Retry-After`` and cool-downs add to that."""
        seconds = self.attempts * inner.seconds + longest_in_all(self.schedule, self.attempts)
        if self.total is not None:
            seconds = min(seconds, self.total + inner.seconds)
        return Cost(seconds, self.attempts * inner.calls)

    def phrase(self) -> str:
        return phrase_of(self)

    def pause(self) -> float:
        return bounds(self.schedule, 1)[0] if self.attempts > 1 else 0.0

    def not_counted(self) -> str:
        if self.attempts == 1:
            return ""
        longest = "as long as it likes" if self.hint_cap is None else f"{self.hint_cap:g} s at most"
        cools = "" if self.cooldown is None else ", and the cool-down of its key"
        return f"not counted: the waits that a server asks for (Retry-After), {longest} each{cools}"

    @property
    def tries_without_error(self) -> bool:
        return self.on_result is not None

    def tries_again(self, error: BaseException) -> bool:
        """Tell whether it may call again after ``error``: not where that says to come back later than it waits."""
        hint = retry_after(error) or 0.0
        is_too_long = any(limit is not None and hint > limit for limit in (self.hint_cap, self.total))
        return self.attempts > 1 and not is_too_long and self.is_wanted(error)

    def refusal(self, inner: tuple[Layer, ...]) -> str:
        """Return why no second attempt can ever start, if that is so."""
        for layer in inner if self.total is not None and self.attempts > 1 else ():
            seconds = layer.cost(Cost(math.inf, 1)).seconds
            if self.total is not None and math.isfinite(seconds) and seconds >= self.total:
                return (
                    f"Retry(total={self.total!r}) is around {layer.phrase()!r}: after one attempt that takes all of it "
                    f"there is no time for another.\nWrite total={seconds * self.attempts:g}, or a shorter limit in it."
                )
        if self.total is None or self.attempts == 1 or self.pause() <= self.total:
            return ""
        return (
            f"Retry(total={self.total!r}) never tries again: its first wait is {self.pause():g} s. "
            f"Write total={self.pause() * 2:g}, or a backoff with shorter waits."
        )


@overload
def retry(func: Callable[P, Awaitable[T]], /) -> Callable[P, Coroutine[Any, Any, T]]: ...  # Any: as async def


@overload
def retry(
    attempts: int = 3,
    /,
    *,
    base: float = 0.1,
    cap: float = 30.0,
    total: float | None = None,
    on: On = None,
    on_result: Callable[[Any], bool] | None = None,  # Any: the user's own type of value
    backoff: Backoff | None = None,
    jitter: bool = True,
    hint_cap: float | None = 3600.0,
    budget: RetryBudget | None = None,
    cooldown: Cooldown | KeyCooldown | None = None,
) -> Retry: ...


@overload
def retry(
    *,
    attempts: int,
    base: float = 0.1,
    cap: float = 30.0,
    total: float | None = None,
    on: On = None,
    on_result: Callable[[Any], bool] | None = None,  # Any: as above
    backoff: Backoff | None = None,
    jitter: bool = True,
    hint_cap: float | None = 3600.0,
    budget: RetryBudget | None = None,
    cooldown: Cooldown | KeyCooldown | None = None,
) -> Retry: ...


def retry(given: Callable[..., Awaitable[Any]] | int | None = None, /, **options: Any) -> Any:  # Any: see the overloads
    """
    Decorate an async function: ``@retry`` tries three times, ``@retry(5, total=60)`` as ``Retry`` does.

    Raises:
        UsageError: As ``Retry``.
    """
    if given is None:
        return Retry(**options)
    return Retry(given, **options) if isinstance(given, int) else Retry(**options)(given)

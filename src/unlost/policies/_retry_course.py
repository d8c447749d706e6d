"""One operation on its way through its attempts: what failed so far, whether another one follows, and when."""

from __future__ import annotations

import asyncio
from asyncio import CancelledError, current_task, get_running_loop
from collections.abc import Callable
from typing import Any, NoReturn, Protocol

from unlost._core import (
    AttemptFailed,
    Backoff,
    Cancelled,
    Failure,
    add_note,
    cancel_reason,
    cancelling_before,
    emit,
    reraise,
    survive,
    wall,
)
from unlost.errors import attach_attempts, retry_after
from unlost.policies._budget import RetryBudget
from unlost.policies._called import name_of
from unlost.policies._cooldown import Cooldown, KeyCooldown
from unlost.policies._cooldown_key import key_cooldown
from unlost.policies._retry_events import GaveUp, Why
from unlost.policies._retry_on import Question
from unlost.policies._testing_switch import attempts_cap, waits_removed


class Rules(Protocol):
    """What a course asks of its ``Retry``, where these are described."""

    @property
    def attempts(self) -> int: ...
    @property
    def total(self) -> float | None: ...
    @property
    def hint_cap(self) -> float | None: ...
    @property
    def budget(self) -> RetryBudget | None: ...
    @property
    def cooldown(self) -> Cooldown | KeyCooldown | None: ...
    @property
    def on_result(self) -> Callable[[Any], bool] | None: ...  # Any: the user's own type of value
    @property
    def is_wanted(self) -> Question: ...
    @property
    def schedule(self) -> Backoff: ...


class Course:
    """
    The attempts of one operation.

    Args:
        rules: By which they are made.
        func: What is tried.
        args: What it is called with.
        cancelling: The task's count of cancellations before the first attempt.
        began: When the first attempt started, by the loop's clock, if it did and that matters.
        number: The attempt that runs, if one does.

    Attributes:
        number: The attempt that runs or ran last, counted from 1; 0 before the first.
        errors: What the attempts raised after which another one followed.
        began: When the first attempt started, by the loop's clock.
    """

    __slots__ = (
        "_args", "_cancelling", "_cooldown", "_func", "_is_cooling", "_rules", "_token", "_unheard",
        "began", "errors", "number",
    )  # fmt: skip

    def __init__(
        self, rules: Rules, func: object, args: tuple[object, ...], cancelling: int, began: float = 0.0, number: int = 0
    ) -> None:
        self.number = number
        self.errors: list[BaseException] = []
        self.began = began
        self._rules = rules
        self._func = func
        self._args = args
        self._cancelling = cancelling
        self._cooldown: KeyCooldown | None = None
        self._is_cooling = False
        self._token = 0
        self._unheard = 0

    @property
    def name(self) -> str:
        """What listeners are told was attempted."""
        return name_of(self._func, self._args)

    def begin(self) -> None:
        """Start the first attempt."""
        if self._rules.budget is not None:
            self._rules.budget.deposit()
        self.began = get_running_loop().time()
        self.number = 1

    async def begin_cooled(self, cooldown: Cooldown | KeyCooldown) -> None:
        """Start the first attempt when the cool-down of its key lets it."""
        self._cooldown = key_cooldown(cooldown, self._func, self._args)
        await self._wait_for_cooldown()
        self.begin()

    async def go_on(self, wait: float) -> None:
        """
        Return when the next attempt may start, ``wait`` seconds from now or later.

        Raises:
            BaseException: The last error, if a cool-down was prolonged until after the total.
        """
        if not self._is_cooling or waits_removed():
            await asyncio.sleep(wait)
        await self._wait_for_cooldown()
        total = self._rules.total
        if self._cooldown is not None and total is not None and get_running_loop().time() - self.began > total:
            self._raise_last()
        self.number += 1

    def failed(self, error: BaseException, *, is_asked: bool = True) -> float | None:
        """
        Return how many seconds to wait before the next attempt, or None if there is none: ``error`` has to come out.

        Args:
            error: What the attempt came to.
            is_asked: Whether the rules are asked if it is an error after which to try again at all.

        Raises:
            Exception: What the user's own rules raise; ``error`` is attached to it.
        """
        was_cancelled = self.was_cancelled()
        if self.must_pass(error, was_cancelled):
            return None
        try:
            self._is_cooling = self._takes_a_rest(error)
            wait_or_why = self._wait_or_why(error, was_cancelled, is_asked)
        except Exception as rule_error:
            self.errors.append(error)
            attach_attempts(rule_error, tuple(self.errors))
            raise
        if isinstance(wait_or_why, str):
            emit(GaveUp(error, self.number, wait_or_why, self.name))
            return None
        self.errors.append(error)
        self._unheard += not emit(AttemptFailed(error, self.number, wait_or_why, self.name))
        return wait_or_why

    def attach_to(self, error: BaseException) -> None:
        """Let what failed so far travel with what comes out."""
        attach_attempts(error, tuple(self.errors))

    def tell(self) -> None:
        """Write down what a bare value survived."""
        survive(self.name, tuple(self.errors), already_heard=len(self.errors) - self._unheard)

    def ended(self, error: BaseException) -> Failure | Cancelled:
        """Return the outcome of which ``error`` is the last error."""
        survived = tuple(self.errors)
        duration = get_running_loop().time() - self.began if self.number else 0.0
        if not isinstance(error, CancelledError):
            return Failure(error, -1, None, self.number, duration, survived)
        return Cancelled(error, -1, None, self.number, duration, survived, cancel_reason(error))

    def was_cancelled(self) -> bool:
        """Tell whether the task was cancelled from outside since the first attempt began."""
        task = current_task()
        return task is not None and task.cancelling() > self._cancelling

    def must_pass(self, error: BaseException, was_cancelled: bool) -> bool:
        """Tell whether ``error`` tells this task to end."""
        if isinstance(error, CancelledError):
            return was_cancelled
        return isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit)

    def _takes_a_rest(self, error: BaseException) -> bool:
        return self._cooldown is not None and self._cooldown.take(error, self._token)

    def _wait_or_why(self, error: BaseException, was_cancelled: bool, is_asked: bool) -> float | Why:
        """Return the seconds to wait, or why to give up."""
        rules = self._rules
        cap = attempts_cap()
        if was_cancelled:
            return "cancelled"
        if self.number >= (rules.attempts if cap is None else min(cap, rules.attempts)):
            return "attempts"
        if is_asked and not rules.is_wanted(error):
            return "not wanted"
        hint = retry_after(error, wall) or 0.0
        if rules.hint_cap is not None and hint > rules.hint_cap:
            asked = f"the server asked to wait {hint:.10g} s"
            add_note(error, f"not tried again: {asked}, more than Retry(hint_cap={rules.hint_cap!r}) allows")
            return "hint"
        wait = self._wait_after(hint)
        now = get_running_loop().time()
        if rules.total is not None and now - self.began + wait > rules.total:
            return "total"
        if rules.budget is not None and not rules.budget.withdraw():
            add_note(error, f"not tried again: the budget is used up, {rules.budget!r}")
            return "budget"
        return wait

    def _wait_after(self, hint: float) -> float:
        if waits_removed():
            return 0.0
        if self._is_cooling and self._cooldown is not None:
            return self._cooldown.remaining
        return max(0.0, self._rules.schedule(self.number)) + hint

    async def _wait_for_cooldown(self) -> None:
        if self._cooldown is not None and not waits_removed():
            self._token = await self._cooldown.wait()

    def _raise_last(self) -> NoReturn:
        error = self.errors.pop()
        try:
            add_note(error, "not tried again: the cool-down lasted longer than the total")
            emit(GaveUp(error, self.number, "total", self.name))
            reraise(error)
        finally:
            del error


def course_of(rules: Rules, func: object, args: tuple[object, ...]) -> Course:
    """Return the course of an operation that has not begun."""
    return Course(rules, func, args, cancelling_now())


def cancelling_now() -> int:
    """Return the count of cancellations that have reached this task."""
    task = current_task()
    return 0 if task is None else cancelling_before(task)

"""
The attempts of a block: ``async for attempt in retry: with attempt: ...``, after tenacity and stamina.

No attempt refers to an error after its block: an error's traceback refers to the frame that the block stands in, and
that has the attempt as a local. What a loop that was left early has survived is told when its iterator goes.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace, TracebackType
from typing import Self
from weakref import ref

from unlost.errors import UsageError
from unlost.policies._cooldown import Cooldown
from unlost.policies._retry_course import Rules, course_of


class Attempt:
    """
    One attempt of a block; enter it with ``with``, once.

    Attributes:
        number: Which attempt it is, counted from 1.
    """

    __slots__ = ("_attempts", "_is_new", "number")

    def __init__(self, attempts: Attempts, number: int) -> None:
        self.number = number
        self._attempts = ref(attempts)  # the loop alone keeps them: they go when it is left
        self._is_new = True

    @property
    def errors(self) -> tuple[BaseException, ...]:
        """What the attempts before this one raised, oldest first; empty once the loop has ended."""
        attempts = self._attempts()
        return () if attempts is None else attempts.errors

    def __enter__(self) -> Self:
        attempts, was_new = self._attempts(), self._is_new
        self._is_new = False
        if attempts is None or not was_new:
            raise UsageError(f"attempt {self.number} is over. Write with attempt: once, in the loop.")
        attempts.enter()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> bool:
        attempts = self._attempts()
        try:
            return attempts is not None and attempts.settle(error)
        finally:
            del attempts, error  # the error's traceback may come to hold this frame


class Attempts:
    """The attempts of one operation, as an async iterator."""

    __slots__ = ("__weakref__", "_cooldown", "_course", "_is_entered", "_is_over", "_wait")

    def __init__(self, rules: Rules) -> None:
        if isinstance(rules.cooldown, Cooldown) and rules.cooldown.key is not None:
            raise UsageError(
                "async for attempt in Retry(cooldown=...): a block has no arguments to find the key by. "
                'Write Retry(cooldown=cooldown["the key"]).'
            )
        # two frames up: whose block it is
        block = SimpleNamespace(__qualname__=sys._getframe(2).f_code.co_qualname)
        self._course = course_of(rules, block, ())
        self._cooldown = rules.cooldown
        self._wait: float | None = None
        self._is_entered = True
        self._is_over = False

    @property
    def errors(self) -> tuple[BaseException, ...]:
        """What the attempts so far raised."""
        return tuple(self._course.errors)

    def __aiter__(self) -> Attempts:
        return self

    async def __anext__(self) -> Attempt:
        if not self._is_entered:
            self._tell()
            raise UsageError(
                f"attempt {self._course.number} was not entered, so that its errors could not be caught.\n"
                "Write: async for attempt in retry:\n"
                "           with attempt: ..."
            )
        if self._is_over:
            raise StopAsyncIteration
        try:
            await self._next_start()
        except BaseException as last_error:
            self._come_out(last_error)
            raise
        self._is_entered = False
        return Attempt(self, self._course.number)

    def enter(self) -> None:
        """Know that the attempt's block has begun."""
        self._is_entered = True

    def settle(self, error: BaseException | None) -> bool:
        """Take the end of the attempt's block; return whether another one follows."""
        try:
            if error is None:
                self._tell()
                return False
            self._wait = self._course.failed(error)
            if self._wait is None:
                self._come_out(error)
            return self._wait is not None
        except Exception as rule_error:
            self._come_out(rule_error)
            raise
        finally:
            del error  # its traceback may come to hold this frame

    async def _next_start(self) -> None:
        if self._wait is not None:
            await self._course.go_on(self._wait)
        elif self._cooldown is None:
            self._course.begin()
        else:
            await self._course.begin_cooled(self._cooldown)

    def _come_out(self, error: BaseException) -> None:
        self._course.attach_to(error)
        self._course.errors.clear()
        self._is_over = True

    def _tell(self) -> None:
        self._course.tell()
        self._course.errors.clear()
        self._is_over = True

    def __del__(self) -> None:
        if not getattr(self, "_is_over", True):  # the loop was left between two attempts
            self._tell()

"""
A second attempt while the first one still runs, for calls whose slowest few take much longer than the rest.

After Dean and Barroso, "The Tail at Scale", Communications of the ACM 56/2 (2013): a hedged request is sent once the
first one has been outstanding for longer than the 95th percentile of its kind, which adds about 5% of load.
"""

from __future__ import annotations

import math
from asyncio import CancelledError
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias, TypeVar, TypeVarTuple

from unlost._core import Outcomes, add_note, attach_outcomes, report, reraise, survive
from unlost.errors import UsageError, attach_attempts, group_of
from unlost.policies._allowance import Allowance
from unlost.policies._called import name_of
from unlost.policies._checks import check_count, check_seconds
from unlost.policies._contest import Contest
from unlost.policies._layer import Cost, Layer
from unlost.policies._retry_on import On, Question, question_of

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

# From the number of an attempt, from 1, to the seconds after which the next one starts.
After: TypeAlias = float | Callable[[int], float]


@dataclass(frozen=True, slots=True)
class Hedge(Layer):
    """
    Start another attempt where one takes long, or has failed; the first value wins.

        @Hedge(0.2, idempotent=True)
        async def fetch(url): ...

    Two attempts may do their work, both of them: what is called must be idempotent, and ``idempotent=True`` says that
    it is. Each attempt runs in a task of its own, with a copy of the caller's context variables; therefore a hedge goes
    around no async generator and no context manager, which one task has to open, use and close.

    One ``Hedge`` may be used by many tasks at once; of its calls it knows only how many extra ones it may still make.

    Attributes:
        after: Seconds after the start of one attempt, if there is no value by then, until the next one starts: about as
            long as 95 of 100 calls take. Or a function from the number of the attempt, from 1, to these seconds.
        attempts: How many are started at most, the first one included.
        idempotent: Has to be True.
        on: After which failures the next attempt starts at once; as ``Retry(on=...)``, so by default after those that
            may pass. After any other failure none starts; those that run may still win.
        max_extra_ratio: Extra attempts for each call, over all calls: 0.05 is one for every 20 calls; the first one is
            free, and at most 10 are saved up. Where that is used up, no further attempt starts. None is no limit.

    Raises:
        UsageError: It does not say ``idempotent=True``, a number is out of its range, or ``on`` holds what cannot be
            asked.
    """

    after: After
    attempts: int = 2
    idempotent: bool = field(default=False, kw_only=True)
    on: On = field(default=None, kw_only=True)
    max_extra_ratio: float | None = field(default=None, kw_only=True)
    _is_wanted: Question = field(init=False, repr=False, compare=False)
    _allowance: Allowance | None = field(init=False, repr=False, compare=False)

    @property
    def own_task(self) -> bool:
        return True

    def __post_init__(self) -> None:
        _check(self)
        object.__setattr__(self, "_is_wanted", question_of(self.on))
        ratio = self.max_extra_ratio
        object.__setattr__(self, "_allowance", None if ratio is None else Allowance(ratio))

    async def call(self, func: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
        """
        Return the first value that an attempt at ``func(*args)`` comes to.

        The other attempts are cancelled and have ended by then. What failed, before or while it was cancelled, and
        values that came too late are in the receipt; the errors are in ``outcome(...).survived`` too.

        Raises:
            BaseException: No attempt came to a value: the error of the one that ended last, itself, with
                ``attempts(error)`` the others'. An attempt that was cancelled from elsewhere is ``ChildCancelled``, and
                none starts after it.
            CancelledError: Only if the caller is cancelled. All attempts have ended; their errors are attached, and a
                value that there was by then (``partial(error)``).
            KeyboardInterrupt: Or ``SystemExit``, if an attempt raises it: the others have ended, their errors are
                attached and reported.
        """
        if self._allowance is not None:
            self._allowance.earn()
        name = name_of(func, args)
        contest: Contest[T] = Contest(name, partial(func, *args), self._wait_after, self._may_start)
        await contest.run()
        return _value_of(contest, name)

    def _wait_after(self, attempt: int) -> float | None:
        if attempt >= self.attempts:
            return None
        if not callable(self.after):
            return self.after
        wait = self.after(attempt)
        if not 0 <= wait < math.inf:
            raise UsageError(
                f"Hedge(after={self.after!r}): it returned {wait!r} for attempt {attempt}; expected seconds, a finite "
                "number of 0 or more. Write def after(attempt): return 0.2"
            )
        return wait

    def _may_start(self, _attempt: int, error: BaseException | None) -> bool:
        if error is not None and not self._is_wanted(error):
            return False
        if self._allowance is None or self._allowance.spend():
            return True
        if error is not None:
            add_note(error, f"no further attempt: Hedge(max_extra_ratio={self.max_extra_ratio!r}) is used up")
        return False

    def cost(self, inner: Cost) -> Cost:
        """Return the cost of all attempts: each starts when the one before it fails, or takes too long."""
        wait = math.inf if callable(self.after) else self.after
        return Cost((self.attempts - 1) * min(wait, inner.seconds) + inner.seconds, self.attempts * inner.calls)

    def phrase(self) -> str:
        long = "longer than it should" if callable(self.after) else f"more than {self.after:g} s"
        another = "a second try" if self.attempts == 2 else f"another try, {self.attempts} in all,"
        return f"start {another} if one takes {long} or fails"

    @property
    def tries_without_error(self) -> bool:
        return True  # where the first attempt is slow

    def tries_again(self, error: BaseException) -> bool:
        return self.attempts > 1 and self._is_wanted(error)


def _check(hedge: Hedge) -> None:
    if hedge.idempotent is not True:
        raise UsageError(
            f"Hedge(idempotent={hedge.idempotent!r}): a second attempt may start while the first one still runs, so "
            "that what is called may be done twice.\n"
            f"Write Hedge({hedge.after!r}, idempotent=True) if that does no harm; if it does, write Retry or timeout."
        )
    check_count("Hedge", "attempts", hedge.attempts)
    if not callable(hedge.after):
        check_seconds("Hedge", "after", hedge.after, zero=True)
    if hedge.max_extra_ratio is not None:
        check_seconds("Hedge", "max_extra_ratio", hedge.max_extra_ratio)


def _value_of(contest: Contest[T], name: str) -> T:
    """Return the value that won, or raise what comes out in its place, with all that nobody else is told."""
    # taken out: what is raised refers to the frames that hold the contest, and may be any of these
    errors, contest.errors = contest.errors, []
    if (stronger := contest.fatal or contest.cancellation) is not None:
        contest.fatal = contest.cancellation = None
        try:
            _accompany(stronger, errors, contest, name)
            reraise(stronger)
        finally:
            stronger, errors = None, []
    if contest.winner is not None:
        late: tuple[Any, ...] = tuple(outcome.value for outcome in contest.late)  # Any: values are not looked at
        survive(name, tuple(errors), late, already_heard=contest.heard)
        return contest.winner.value
    last = errors.pop()
    try:
        attach_attempts(last, tuple(errors))
        reraise(last)
    finally:
        del last, errors


def _accompany(
    stronger: BaseException,
    errors: list[BaseException],
    contest: Contest[Any],  # Any: as above
    name: str,
) -> None:
    attach_attempts(stronger, tuple(errors))
    if values := [*([contest.winner] if contest.winner is not None else ()), *contest.late]:
        attach_outcomes(stronger, Outcomes(values))
    if errors and not isinstance(stronger, CancelledError):
        what = f"{len(errors)} failed before {type(stronger).__name__} stopped {name}"
        report(group_of(what, errors), what)

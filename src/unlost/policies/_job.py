"""Policy beside the function: what ``unlost run`` does with it, unless flags say otherwise."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar, overload

from unlost.errors import UsageError
from unlost.policies._checks import check_count, check_seconds
from unlost.policies._retry_on import On, question_of

F = TypeVar("F", bound=Callable[..., Any])  # Any: whatever function; it is returned as it came

LimitKey: TypeAlias = str | Callable[[Any], Hashable]  # Any: an item, whatever the input holds
Estimate: TypeAlias = Callable[[Any], float | Mapping[str, float]]  # Any: likewise

_ATTRIBUTE: Final = "__unlost_job__"


@dataclass(frozen=True, slots=True)
class JobOptions:
    """
    What the author of a job wants; None leaves it to the runner.

    Attributes:
        attempts: How often to try an item, the first time included; at least 1.
        timeout: Seconds for one attempt, above 0.
        deadline: Seconds for one item, all attempts and waits included, above 0.
        concurrency: How many items run at once, at least 1.
        retry_on: What to try again after; see ``Retry.on``.
        rate: How many calls start in a time, or how many tokens they use: ``"50/s"``, ``("50/s", "tokens=2M/min")``.
        limit_key: Whose rates and rests an item shares: a field of it, ``"host"``, or a function of the item.
        estimate: A function of the item that says how many tokens its call will use: a number, or a mapping from
            ``"input_tokens"`` and ``"output_tokens"``. A rate of tokens reserves them before the call.

    Raises:
        UsageError: One of them is out of its range.
    """

    attempts: int | None = None
    timeout: float | None = None
    deadline: float | None = None
    concurrency: int | None = None
    retry_on: On = None
    rate: str | tuple[str, ...] | None = None
    limit_key: LimitKey | None = None
    estimate: Estimate | None = None

    def __post_init__(self) -> None:
        for name, count in (("attempts", self.attempts), ("concurrency", self.concurrency)):
            if count is not None:
                check_count("@job", name, count)
        for name, seconds in (("timeout", self.timeout), ("deadline", self.deadline)):
            if seconds is not None:
                check_seconds("@job", name, seconds)
        question_of(self.retry_on, "retry_on")
        _check_rate(self.rate)
        if self.limit_key is not None and not isinstance(self.limit_key, str):
            _check_function("limit_key", self.limit_key, 'limit_key="host"')
        if self.estimate is not None:
            _check_function("estimate", self.estimate, "estimate=count_tokens")


def _check_rate(rate: object) -> None:
    """Refuse what is no text; what the texts say, their reader checks."""
    texts = rate if isinstance(rate, tuple) else () if rate is None else (rate,)
    if not all(isinstance(text, str) for text in texts):
        raise UsageError(f'@job(rate={rate!r}): expected a text or several. Write @job(rate="50/s").')


def _check_function(name: str, value: object, write: str) -> None:
    if not callable(value) or isinstance(value, type) or inspect.iscoroutinefunction(value):
        raise UsageError(f"@job({name}={value!r}): expected a plain function of the item. Write @job({write}).")


@overload
def job(func: F, /) -> F: ...
@overload
def job(
    *,
    attempts: int | None = None,
    timeout: float | None = None,
    deadline: float | None = None,
    concurrency: int | None = None,
    retry_on: On = None,
    rate: str | tuple[str, ...] | None = None,
    limit_key: LimitKey | None = None,
    estimate: Estimate | None = None,
) -> Callable[[F], F]: ...
def job(
    func: Callable[..., Any] | None = None,  # Any: as F
    /,
    *,
    attempts: int | None = None,
    timeout: float | None = None,
    deadline: float | None = None,
    concurrency: int | None = None,
    retry_on: On = None,
    rate: str | tuple[str, ...] | None = None,
    limit_key: LimitKey | None = None,
    estimate: Estimate | None = None,
) -> Callable[..., Any]:
    """
    Mark an async function, or a factory of an async context manager, as a job, with the policy that it needs.

        @unlost.job(attempts=5, timeout=10, concurrency=200)
        async def fetch(url): ...

    The function itself is returned, unchanged but for one attribute: called directly, it is tried once and has no
    limits. For the arguments see ``JobOptions``.

    Raises:
        UsageError: An argument is out of its range, or what is decorated takes no attribute.
    """
    options = JobOptions(attempts, timeout, deadline, concurrency, retry_on, rate, limit_key, estimate)

    def mark(func: F) -> F:
        if not callable(func):
            raise UsageError(f"@job decorates functions, got {func!r}. Write @job(attempts=5) above async def.")
        try:
            setattr(func, _ATTRIBUTE, options)
        except AttributeError:
            raise UsageError(f"@job cannot mark {func!r}. Write it above the async def itself.") from None
        return func

    return mark if func is None else mark(func)


def job_options(func: Callable[..., object]) -> JobOptions:
    """Return what ``@job`` said of the function, through ``functools.partial`` too; all None where it said nothing."""
    found = getattr(func, _ATTRIBUTE, None)
    while found is None and isinstance(func, functools.partial):
        func = func.func
        found = getattr(func, _ATTRIBUTE, None)
    return found if isinstance(found, JobOptions) else JobOptions()

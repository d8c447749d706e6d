"""What is measured: jobs, what each contender does for one, and what has to come of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

Call: TypeAlias = Callable[[], Awaitable[int]]
Make: TypeAlias = Callable[[Call], Call]

BARE: Final = "a bare call"  # mends nothing, whatever the job
FAILING: Final = 3  # every third call of the operation fails, on the path on which some do


@dataclass(frozen=True, slots=True)
class Job:
    """
    What policies of one sort are for.

    Attributes:
        text: The head of its table.
        base: The contender that the others are compared with.
        mends: Whether a caller gets a value although the operation fails.
    """

    text: str
    base: str
    mends: bool


JOBS: Final[dict[str, Job]] = {
    "retry": Job("try up to three times, without waits", "a loop by hand", mends=True),
    "breaker": Job("a breaker that stays closed", "unlost.Breaker", mends=False),
    "timeout": Job("a limit of 60 s that does not fire", "asyncio.timeout", mends=False),
    "bulkhead": Job("at most 10 at once, one comes", "asyncio.Semaphore", mends=False),
    "rate": Job("a rate that is not reached", "aiolimiter", mends=False),
    "hedge": Job("a second call after 60 s, or at once after a failure", "unlost.Hedge", mends=True),
    "fallback": Job("another function where the first one fails", "except by hand", mends=True),
    "pipeline": Job("60 s in all, three tries, a breaker", "unlost pipeline", mends=True),
}


@dataclass(frozen=True, slots=True)
class Contenders:
    """
    Who does which job, and how: ``by_job[job][name](operation)`` returns the call that is measured.

    ``make`` is called with the loop running, anew for each measurement: a breaker starts closed.
    """

    by_job: dict[str, dict[str, Make]] = field(default_factory=lambda: {job: {} for job in JOBS})

    def add(self, job: str, name: str) -> Callable[[Make], Make]:
        def register(make: Make) -> Make:
            if name in self.by_job[job]:
                raise ValueError(f"{name!r} does {job!r} twice")
            self.by_job[job][name] = make
            return make

        return register


def succeeds() -> Call:
    """Return an operation that does nothing and never fails."""

    async def operation() -> int:
        return 1

    return operation


def fails_at_times() -> Call:
    """Return an operation of which every third call fails."""
    calls = 0

    async def operation() -> int:
        nonlocal calls
        calls += 1
        if calls % FAILING == 0:
            raise ConnectionError(calls)
        return 1

    return operation

"""What a display has to tell of a run that goes on, in words; how it is laid out is the display's own affair."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from unlost.batch import Progress, dollars
from unlost.cli._pace import Pace
from unlost.report import clock_time, one_line, rate

_ERRORS = 3
_FINEST = 100_000  # billionths of a dollar that are shown of what changes all the time


@dataclass(frozen=True, slots=True)
class Facts:
    """
    Where a run stands.

    Attributes:
        done: Items that have ended.
        total: Items that there are; None while they are not all known.
        counts: ``12,000 ok · 345 failed · 100 running``.
        of: ``of 20,000``, or ``of 5,000 or more``.
        elapsed: Since this opening began.
        rate: Of the last seconds.
        left: How long it takes at this rate: ``1m05s left``; empty where that is not known, or the run pauses.
        retries: Empty without any.
        spent: Dollars; empty without any.
        pause: Why nothing starts: ``paused: ...``; empty where something does.
        next_try: When it ends, or is looked at again: `` (next try in 45s)``; empty where nobody knows.
        blocked: How long the event loop was blocked, and where; empty where that is not worth a word.
        errors: The most frequent ones: how often, what, where.
    """

    done: int
    total: int | None
    counts: str
    of: str
    elapsed: str
    rate: str
    left: str = ""
    retries: str = ""
    spent: str = ""
    pause: str = ""
    next_try: str = ""
    blocked: str = ""
    errors: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def speed(self) -> Iterable[str]:
        """What there is to say of time and money, a part each."""
        return filter(None, (self.elapsed, self.rate, self.retries, self.spent))


def facts_of(progress: Progress, pace: Pace, now: float, began: float) -> Facts:
    """
    Put the counts into words.

    Args:
        progress: As it is now.
        pace: That has been told of it.
        now: As ``loop.time()`` has it.
        began: When this opening did.
    """
    left = pace.left(now, progress.known - progress.done) if progress.scanned and not progress.pause else None
    return Facts(
        done=progress.done,
        total=progress.known if progress.scanned else None,
        counts=f"{progress.ok:,} ok · {progress.failed:,} failed · {_running(progress)}",
        of=f"of {progress.known:,}" if progress.scanned else f"of {progress.known:,} or more",
        elapsed=clock_time(now - began),
        rate=rate(*pace.recent(now)),
        left=f"{clock_time(left)} left" if left else "",
        retries=_retries(progress.retries),
        spent=dollars(progress.nano_usd // _FINEST * _FINEST) if progress.nano_usd else "",
        pause=f"paused: {one_line(progress.pause)}" if progress.pause else "",
        next_try=next_try(progress.pause_until, now) if progress.pause else "",
        blocked=_blocked(progress, now - began),
        errors=[
            (f"{error.count:,}×", error.headline.title, error.headline.where)
            for error in progress.errors.most(_ERRORS)
        ],
    )  # fmt: skip


def next_try(until: float | None, now: float) -> str:
    """Return in how long a pause ends or is looked at, after a space; nothing where nobody knows, or it is due."""
    return f" (next try in {clock_time(until - now)})" if until is not None and until > now else ""


def _running(progress: Progress) -> str:
    """Tell what runs from what has started and waits: a rate of one a second looks stuck if all 100 are said to run."""
    waiting = f" · {progress.waiting:,} waiting" if progress.waiting else ""
    return f"{progress.running - progress.waiting:,} running{waiting}"


def _retries(number: int) -> str:
    if not number:
        return ""
    return "1 retry" if number == 1 else f"{number:,} retries"


def _blocked(progress: Progress, seconds: float) -> str:
    blocked = progress.blocked
    if not blocked.is_notable(seconds):
        return ""
    where = f", longest at {one_line(blocked.places[0][0])}" if blocked.places else ""
    return f"event loop blocked {clock_time(blocked.seconds)}{where}"

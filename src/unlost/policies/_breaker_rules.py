"""What a breaker was told: when it opens, for how long, and what counts as a failure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from unlost._core import Backoff, exponential
from unlost.errors import Kind, UnlostError, UsageError, classify
from unlost.policies._checks import check_count, check_seconds
from unlost.policies._retry_on import On, Question, question_of
from unlost.policies._window import CountWindow, Tally, TimeWindow, Window

_MINIMUM: Final = 10
# Whoever raises these has looked at the input: it is there.
_ANSWERS: Final = (Kind.PERMANENT, Kind.INPUT, Kind.OUTPUT)


class Verdict(Enum):
    """What the end of a call says about what was called."""

    FAILED = "failed"
    ANSWERED = "answered"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Rules:
    """The options of ``Breaker``, which explains them."""

    rate: float
    last: int
    within: float | None
    minimum: int | None
    slow: float | None
    slow_rate: float
    open_for: float
    open_cap: float
    probes: int
    successes: int
    on: On
    max_keys: int
    _is_failure: Question = field(init=False, repr=False, compare=False)
    _seconds_open: Backoff = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("last", "probes", "successes", "max_keys"):
            check_count("Breaker", name, getattr(self, name))
        for name in ("rate", "slow_rate"):
            _check_rate(name, getattr(self, name))
        for name in ("within", "slow"):
            if getattr(self, name) is not None:
                check_seconds("Breaker", name, getattr(self, name))
        check_seconds("Breaker", "open_for", self.open_for)
        check_seconds("Breaker", "open_cap", self.open_cap)
        if self.minimum is not None:
            self._check_minimum(self.minimum)
        object.__setattr__(self, "_is_failure", question_of(self.on))
        object.__setattr__(self, "_seconds_open", exponential(self.open_for, max(self.open_for, self.open_cap)))

    def _check_minimum(self, minimum: int) -> None:
        check_count("Breaker", "minimum", minimum)
        if self.within is None and minimum > self.last:
            raise UsageError(
                f"Breaker(minimum={minimum!r}, last={self.last!r}): of the last {self.last} calls there are never "
                f"{minimum}, it could not open. Write Breaker(minimum={self.last}) or a larger last."
            )

    @property
    def is_timed(self) -> bool:
        """Whether each call needs the clock."""
        return self.slow is not None or self.within is not None

    def window(self) -> Window:
        """Return an empty one."""
        return CountWindow(self.last) if self.within is None else TimeWindow(self.within)

    def verdict(self, error: BaseException) -> Verdict:
        """
        Say what an error says; raise what the user's own rules raise.

        An error that nobody can mend by waiting (a 404, a value that is refused) is an answer. A cancellation, a
        defect of this program and what the library's own policies raise say nothing: what was called may not even have
        been asked.
        """
        if self._is_failure(error):
            return Verdict.FAILED
        if not isinstance(error, Exception) or isinstance(error, UnlostError):
            return Verdict.NOTHING
        return Verdict.ANSWERED if classify(error) in _ANSWERS else Verdict.NOTHING

    def why_open(self, tally: Tally) -> str:
        """Return why it opens now, or nothing if it does not."""
        minimum = min(_MINIMUM, self.last) if self.minimum is None and self.within is None else self.minimum or _MINIMUM
        if tally.calls < minimum:
            return ""
        if tally.failed >= self.rate * tally.calls:
            return f"{tally.failed} of {self._calls(tally.calls)} failed"
        if self.slow is not None and tally.slow >= self.slow_rate * tally.calls:
            return f"{tally.slow} of {self._calls(tally.calls)} took {self.slow:g} s or longer"
        return ""

    def seconds_open(self, opening: int, asked: float) -> float:
        """
        Return how long it stays open.

        Args:
            opening: Which opening in a row it is, from 1.
            asked: How long the server asked to wait; 0 if it did not.
        """
        return max(self._seconds_open(opening), min(asked, max(self.open_for, self.open_cap)))

    def phrase(self) -> str:
        """Return what it does, as part of a sentence."""
        calls = f"the last {self.last} calls" if self.within is None else f"the calls in the last {self.within:g} s"
        text = f"stop calling for {self.open_for:g} s once {_part(self.rate)} of {calls} failed"
        if self.slow is not None:
            text += f" or {_part(self.slow_rate)} took {self.slow:g} s or longer"
        return text

    def _calls(self, count: int) -> str:
        return f"the last {count} calls" if self.within is None else f"{count} calls in the last {self.within:g} s"


def _check_rate(name: str, rate: object) -> None:
    is_number = isinstance(rate, int | float) and not isinstance(rate, bool)
    if not is_number or not 0 < rate <= 1:  # type: ignore[operator]  # a number
        raise UsageError(
            f"Breaker({name}={rate!r}): expected a part of the calls, above 0 and at most 1. Write Breaker({name}=0.5)."
        )


def _part(rate: float) -> str:
    if rate == 1:
        return "all"
    return "half" if rate == 0.5 else f"{rate * 100:.4g} %"

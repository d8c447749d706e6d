"""
How the latest calls ended: of the last so many, or of the last so many seconds.

The errors of the latest failures are kept for as long as these are in the window, so that who is told that too many
failed is told of what, too.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final, TypeAlias

# Each holds the frames of its traceback, with their locals, which belong to whoever caught it: they cannot be cleared.
_ERRORS_KEPT: Final = 3
_BUCKETS: Final = 10


@dataclass(frozen=True, slots=True)
class Tally:
    """How many calls are in a window, and how many of them failed, or were slow; one can be both."""

    calls: int
    failed: int
    slow: int


class CountWindow:
    """
    The last ``size`` calls.

    A call that does neither fail nor drag costs one addition: what is kept are the numbers of those that did.

    Attributes:
        calls: How many there ever were; whoever sees a call succeed may add 1 instead of calling ``record``.
        failed: The numbers of those that failed, oldest first; ``forget`` drops those that have left the window.
    """

    __slots__ = ("_errors", "_size", "_slow", "calls", "failed")

    def __init__(self, size: int) -> None:
        self._size = size
        self.calls = 0
        self.failed: deque[int] = deque()
        self._slow: deque[int] = deque()
        self._errors: deque[tuple[int, BaseException]] = deque(maxlen=_ERRORS_KEPT)

    def record(self, _now: float, error: BaseException | None, is_slow: bool) -> None:
        """Count one more call: with its error where it failed."""
        self.calls += 1
        if error is not None:
            self.failed.append(self.calls)
            self._errors.append((self.calls, error))
        if is_slow:
            self._slow.append(self.calls)
        self.forget()

    def forget(self) -> None:
        """Drop what has left the window."""
        left = self.calls - self._size
        for numbers in (self.failed, self._slow):
            while numbers and numbers[0] <= left:
                numbers.popleft()
        while self._errors and self._errors[0][0] <= left:
            self._errors.popleft()

    def tally(self, _now: float) -> Tally:
        """Return what is in the window."""
        self.forget()
        return Tally(min(self.calls, self._size), len(self.failed), len(self._slow))

    def errors(self) -> tuple[BaseException, ...]:
        """Return the errors of the latest failures in the window, oldest first."""
        return tuple(error for _, error in self._errors)


@dataclass(slots=True)
class _Bucket:
    index: int
    calls: int = 0
    failed: int = 0
    slow: int = 0
    errors: deque[BaseException] = field(default_factory=lambda: deque(maxlen=_ERRORS_KEPT))


class TimeWindow:
    """
    The calls that ended in the last ``seconds``, in ten buckets: what is older than that by a tenth is gone for sure.

    It takes as much room as eleven buckets do, the one that is being filled included, however many calls there are.
    """

    __slots__ = ("_buckets", "_width")

    def __init__(self, seconds: float) -> None:
        self._width = seconds / _BUCKETS
        self._buckets: deque[_Bucket] = deque()

    def record(self, now: float, error: BaseException | None, is_slow: bool) -> None:
        """Count one more call, which ended at ``now``: with its error where it failed."""
        bucket = self._bucket_of(now)
        bucket.calls += 1
        bucket.slow += is_slow
        if error is not None:
            bucket.failed += 1
            bucket.errors.append(error)

    def tally(self, now: float) -> Tally:
        """Return what is in the window at ``now``."""
        self._forget(int(now / self._width))
        return Tally(
            sum(bucket.calls for bucket in self._buckets),
            sum(bucket.failed for bucket in self._buckets),
            sum(bucket.slow for bucket in self._buckets),
        )

    def errors(self) -> tuple[BaseException, ...]:
        """Return the errors of the latest failures in the window, oldest first."""
        return tuple(error for bucket in self._buckets for error in bucket.errors)[-_ERRORS_KEPT:]

    def _bucket_of(self, now: float) -> _Bucket:
        index = int(now / self._width)
        if not self._buckets or self._buckets[-1].index < index:
            self._forget(index)
            self._buckets.append(_Bucket(index))
        return self._buckets[-1]

    def _forget(self, index: int) -> None:
        # the bucket that is being filled makes eleven, ten of which are full
        while self._buckets and self._buckets[0].index < index - _BUCKETS:
            self._buckets.popleft()


Window: TypeAlias = CountWindow | TimeWindow

"""A switch for all retries, after the one that ``stamina`` has."""

from __future__ import annotations

from types import TracebackType

from unlost.errors import UsageError
from unlost.policies import Switch, attempts_cap, switch_retries


class RetrySwitch:
    """What a ``with`` block asks of every ``Retry``; ``retries`` and ``without_waits`` make it, for one block each."""

    # no ContextDecorator: above an async def that would switch back before the first step
    __slots__ = ("_attempts", "_before", "_is_cap_kept")

    def __init__(self, attempts: int | None, *, is_cap_kept: bool) -> None:
        self._attempts = attempts
        self._is_cap_kept = is_cap_kept
        self._before: Switch | None = None

    def __enter__(self) -> None:
        if self._before is not None:
            raise UsageError(f"{self!r} is entered already. Write with unlost.testing.{self!r}: for each block.")
        self._before = switch_retries((attempts_cap() if self._is_cap_kept else self._attempts, True))

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if self._before is not None:
            switch_retries(self._before)
            self._before = None

    def __repr__(self) -> str:
        return "without_waits()" if self._is_cap_kept else f"retries(attempts={self._attempts!r})"


def retries(attempts: int = 1) -> RetrySwitch:
    """
    In the ``with`` block, let every ``Retry`` try so often at most, and never wait.

        with unlost.testing.retries(attempts=2):
            ...

    It holds in the whole process, for tasks and threads that started before the block too. Of nested blocks, the inner
    one holds. What a wait leaves behind is 0 seconds long and still a point of cancellation; a server's hint beyond
    ``hint_cap`` still ends the retry. Limits, breakers and hedges are left as they are.

    Args:
        attempts: At least 1, the first time included. A ``Retry`` that tries less often keeps its own number.

    Raises:
        UsageError: ``attempts`` is no int of 1 or more.
    """
    _check(attempts)
    return RetrySwitch(attempts, is_cap_kept=False)


def without_waits() -> RetrySwitch:
    """In the ``with`` block, let no ``Retry`` wait; how often each tries stays. See ``retries``."""
    return RetrySwitch(None, is_cap_kept=True)


def _check(attempts: object) -> None:
    if not isinstance(attempts, int) or isinstance(attempts, bool) or attempts < 1:
        raise UsageError(f"retries(attempts={attempts!r}): expected an int of 1 or more. Write retries(attempts=2).")

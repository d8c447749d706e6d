"""
Who is restarted, and when that is too often: the rules of Erlang/OTP's ``supervisor``, as pure functions.

What a child's end leads to (``ended well``: it returned; everything else is a crash, a cancellation from elsewhere
included):

=============  ================  ==================
restart        ended well        crashed
=============  ================  ==================
permanent      started again     started again
transient      done              started again
temporary      done              done, and reported
=============  ================  ==================

Who is stopped and started again with it: nobody (one-for-one), those behind it in the order of their starts
(rest-for-one), all (one-for-all). What is temporary is stopped with them and not started again; a transient child that
was done is started again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias, TypeVar, assert_never

Strategy: TypeAlias = Literal["one_for_one", "rest_for_one", "one_for_all"]
Restart: TypeAlias = Literal["permanent", "transient", "temporary"]


class _Restartable(Protocol):
    @property
    def restart(self) -> Restart: ...


C = TypeVar("C", bound=_Restartable)


def starts_again(restart: Restart, ended_well: bool) -> bool:
    """Say whether a child that ended by itself is started again."""
    return restart == "permanent" or (restart == "transient" and not ended_well)


def falls_with(strategy: Strategy, order: Sequence[C], crashed: C) -> Sequence[C]:
    """Return who is stopped because one child is started again, that one included, in the order of their starts."""
    match strategy:
        case "one_for_one":
            return [crashed]
        case "rest_for_one":
            return order[order.index(crashed) :]
        case "one_for_all":
            return order
    assert_never(strategy)


def rises_again(group: Sequence[C]) -> list[C]:
    """Return who of those that were stopped together is started again."""
    return [child for child in group if child.restart != "temporary"]


class RestartWindow:
    """
    The crashes that led to restarts not longer than ``period`` seconds ago, oldest first.

    Attributes:
        crashes: At most ``intensity`` + 1 of them.
        since: Seconds from the first of them to the last.
    """

    def __init__(self, intensity: int, period: float) -> None:
        self.intensity = intensity
        self.period = period
        self._crashes: deque[tuple[float, Exception]] = deque()

    def add(self, now: float, crash: Exception) -> bool:
        """Count one more; return whether there are more than ``intensity``."""
        self._crashes.append((now, crash))
        while self._crashes[0][0] < now - self.period:
            self._crashes.popleft()
        return len(self._crashes) > self.intensity

    @property
    def crashes(self) -> list[Exception]:
        return [crash for _, crash in self._crashes]

    @property
    def since(self) -> float:
        return self._crashes[-1][0] - self._crashes[0][0]

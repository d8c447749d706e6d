"""The policies that a task group comes with."""

from __future__ import annotations

from typing import Any

from unlost._core._outcome import Failure, Outcome, Value
from unlost._core._outcomes import Outcomes
from unlost._core._usage import is_number, is_whole
from unlost._core.groups._ending import MESSAGE
from unlost._core.groups._policy import CONTINUE, Decision, Policy, Stop
from unlost.errors import UsageError, headline


def fail_fast() -> Policy[list[Any]]:  # Any, here and below: a group's children may be of any type
    """
    Stop at the first failure; raise one group of all failures. ``result`` is the list of values.

    This is what ``asyncio.TaskGroup`` does. A cancelled child is no failure and has no value.
    """
    return _FailFast()


def wait_all() -> Policy[list[Any]]:
    """Let every child come to its end, then raise one group of all failures. ``result`` is the list of values."""
    return _WaitAll()


def collect() -> Policy[Outcomes[Any]]:
    """Let every child come to its end and raise nothing: ``result`` is all outcomes, which are yours to look at."""
    return _Collect()


def tolerate(*, failures: int | None = None, ratio: float | None = None, minimum: int = 20) -> Policy[list[Any]]:
    """
    Go on until more than so many children have failed; then stop and raise one group of all failures.

    ``result`` is the list of values; the failures that were tolerated are in ``outcomes``, and in the receipt.

    Args:
        failures: How many may fail; 0 is none.
        ratio: Which part of those that ended may fail, from 0 to 1.
        minimum: How many must have ended before ``ratio`` stops the group early; at the end, one is enough.

    Raises:
        UsageError: Neither limit was given, or one cannot be right.
    """
    if failures is None and ratio is None:
        raise UsageError("tolerate() got no limit.\nWrite tolerate(failures=3), or tolerate(ratio=0.1), or both.")
    if not (is_whole(minimum) and minimum >= 1):
        raise UsageError(f"tolerate() got minimum={minimum!r}. Write a whole number of at least 1.")
    if failures is not None and not (is_whole(failures) and failures >= 0):
        raise UsageError(f"tolerate() got failures={failures!r}. Write a whole number, 0 or more.")
    if ratio is not None and not (is_number(ratio) and 0 <= ratio <= 1):
        raise UsageError(f"tolerate() got ratio={ratio!r}. Write a number from 0 to 1: 0.1 is one in ten.")
    return _Tolerate(failures, ratio, minimum)


def quorum(needed: int) -> Policy[list[Any]]:
    """
    Stop as soon as ``needed`` children have returned a value; ``result`` is those values, in the order of their ends.

    If fewer did, one group of all failures is raised. The failures of a quorum that was reached are in ``outcomes``,
    and in the receipt.

    Raises:
        UsageError: ``needed`` is no whole number of at least 1.
    """
    if not (is_whole(needed) and needed >= 1):
        raise UsageError(f"quorum() got {needed!r}. Write a whole number of at least 1.")
    return _Quorum(needed)


class _WaitAll:
    def on_start(self, index: int, /) -> None:
        """Nothing to count."""

    def on_outcome(self, _outcome: Outcome[Any], /) -> Decision:
        return CONTINUE

    def result(self, outcomes: Outcomes[Any], /) -> list[Any]:
        return _values_or_raise(outcomes, MESSAGE)


class _FailFast(_WaitAll):
    def on_outcome(self, outcome: Outcome[Any], /) -> Decision:
        if isinstance(outcome, Failure):
            return Stop(f"a sibling failed: {headline(outcome.error)}")
        return CONTINUE


class _Collect:
    def on_start(self, index: int, /) -> None:
        """Nothing to count."""

    def on_outcome(self, _outcome: Outcome[Any], /) -> Decision:
        return CONTINUE

    def result(self, outcomes: Outcomes[Any], /) -> Outcomes[Any]:
        return outcomes


class _Tolerate:
    def __init__(self, failures: int | None, ratio: float | None, minimum: int) -> None:
        self._failures, self._ratio, self._minimum = failures, ratio, minimum
        self._ended = self._failed = 0

    def on_start(self, index: int, /) -> None:
        if index == 0 and self._ended:
            raise _used_before("tolerate(...)")

    def on_outcome(self, outcome: Outcome[Any], /) -> Decision:
        self._ended += 1
        if isinstance(outcome, Failure):
            self._failed += 1
            if self._is_too_many(self._minimum):
                return Stop(f"{self._failed} of {self._ended} failed, which is more than is tolerated")
        return CONTINUE

    def result(self, outcomes: Outcomes[Any], /) -> list[Any]:
        if self._is_too_many(1):
            return _values_or_raise(outcomes, f"{self._failed} of {self._ended} failed, more than is tolerated")
        return _values(outcomes)

    def _is_too_many(self, minimum: int) -> bool:
        if self._failures is not None and self._failed > self._failures:
            return True
        return self._ratio is not None and self._ended >= minimum and self._failed > self._ratio * self._ended


class _Quorum:
    def __init__(self, needed: int) -> None:
        self._needed = needed
        self._values: list[Any] = []
        self._is_used = False

    def on_start(self, index: int, /) -> None:
        if index == 0 and self._is_used:
            raise _used_before("quorum(...)")
        self._is_used = True

    def on_outcome(self, outcome: Outcome[Any], /) -> Decision:
        if isinstance(outcome, Value) and len(self._values) < self._needed:
            self._values.append(outcome.value)
            if len(self._values) == self._needed:
                return Stop(f"{self._needed} have returned a value")
        return CONTINUE

    def result(self, outcomes: Outcomes[Any], /) -> list[Any]:
        if len(self._values) == self._needed:
            return self._values
        message = f"{len(self._values)} of the {self._needed} values that were needed came in"
        if not outcomes.failures:
            raise UsageError(f"{message}: only {len(outcomes)} were started.\nStart more, or ask for fewer.")
        raise outcomes.as_group(message)


def _used_before(policy: str) -> UsageError:
    return UsageError(f"this {policy} has judged another group.\nWrite TaskGroup({policy}) anew for each group.")


def _values(outcomes: Outcomes[Any]) -> list[Any]:
    return [outcome.value for outcome in outcomes if isinstance(outcome, Value)]


def _values_or_raise(outcomes: Outcomes[Any], message: str) -> list[Any]:
    """A cancelled child is no failure here: somebody asked for it."""
    failures: Outcomes[Any] = Outcomes(outcome for outcome in outcomes if isinstance(outcome, Failure))
    if failures:
        raise failures.as_group(message, outcomes)
    return _values(outcomes)

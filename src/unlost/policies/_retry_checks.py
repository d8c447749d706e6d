"""What a ``Retry`` may be told."""

from __future__ import annotations

from typing import Protocol

from unlost._core import Backoff
from unlost.errors import UsageError
from unlost.policies._budget import RetryBudget
from unlost.policies._checks import check_count, check_seconds
from unlost.policies._cooldown import Cooldown, KeyCooldown
from unlost.policies._retry_course import Rules


class Given(Rules, Protocol):
    """All that a ``Retry`` is told."""

    @property
    def base(self) -> float: ...
    @property
    def cap(self) -> float: ...
    @property
    def backoff(self) -> Backoff | None: ...


def check_rules(rules: Given) -> None:
    """Raise ``UsageError`` for the first of them that cannot be."""
    check_count("Retry", "attempts", rules.attempts)
    check_seconds("Retry", "base", rules.base, zero=True)
    check_seconds("Retry", "cap", rules.cap, zero=True)
    if rules.total is not None:
        check_seconds("Retry", "total", rules.total)
    if rules.hint_cap is not None:
        check_seconds("Retry", "hint_cap", rules.hint_cap, zero=True)
    _check_callable("on_result", rules.on_result, "lambda response: response.status_code == 202")
    _check_callable("backoff", rules.backoff, "unlost.constant(1)")
    _check_type("budget", rules.budget, RetryBudget)
    _check_type("cooldown", rules.cooldown, Cooldown, KeyCooldown)


def _check_callable(name: str, given: object, example: str) -> None:
    if given is not None and not callable(given):
        raise UsageError(f"Retry({name}={given!r}): expected a function. Write Retry({name}={example}).")


def _check_type(name: str, given: object, *types: type) -> None:
    if given is not None and not isinstance(given, types):
        made = types[0].__name__
        raise UsageError(f"Retry({name}={given!r}): expected a {made}. Write Retry({name}={made}()), and share it.")

"""What ``--explain`` prints: each option with its value and its origin, and the longest that one item can take."""

from __future__ import annotations

from collections.abc import Callable

from unlost._core import exponential
from unlost.batch.options._durations import spelled
from unlost.batch.options._options import Options, Resolved

_NOTHING_SAID = {
    "timeout": "no limit",
    "deadline": "no limit",
    "key": "hash of the input",
    "first": "all",
    "limit_key": "one for all",
    "halt": "never",
    "outage": "for ever",
    "tag": "none",
}


def explain(resolved: Resolved, schedule: Callable[[int], float] | None = None) -> str:
    """
    Return one aligned line for each option, then the worst case of one item.

    Args:
        resolved: What holds.
        schedule: The longest wait after each failed attempt, counted from 1; by default that of ``Retry``.
    """
    values = {name: _shown(name, value) for name, value in resolved.options.to_json().items()}
    name_width = max(map(len, values))
    value_width = max(map(len, values.values()))
    lines = [
        f"{name.replace('_', '-'):<{name_width}}  {value:<{value_width}}  {resolved.origins[name]}"
        for name, value in values.items()
    ]
    return "\n".join([*lines, f"one item takes {_worst_case(resolved.options, schedule or exponential())}"])


def worst_seconds(options: Options, schedule: Callable[[int], float]) -> float | None:
    """Return the most seconds that an item can take; None without a limit. A Retry-After hint can add to it."""
    if options.timeout is None:
        return options.deadline
    waits = sum(schedule(attempt) for attempt in range(1, options.attempts))
    longest = options.attempts * options.timeout + waits
    return longest if options.deadline is None else min(longest, options.deadline)


def _worst_case(options: Options, schedule: Callable[[int], float]) -> str:
    worst = worst_seconds(options, schedule)
    if worst is None:
        return "as long as it likes; set a limit with --timeout or --deadline"
    if worst == options.deadline:
        return f"{spelled(worst)} at most: its deadline"
    attempts = f"{options.attempts} attempts" if options.attempts > 1 else "1 attempt"
    waits = worst - options.attempts * (options.timeout or 0)
    between = f", waits of up to {spelled(waits)} in all; longer where a server's Retry-After says so" if waits else ""
    return f"{spelled(worst)} at most: {attempts} of {spelled(options.timeout or 0)}{between}"


def _shown(name: str, value: object) -> str:
    if value is None:
        return _NOTHING_SAID[name]
    if name in ("timeout", "deadline", "grace", "outage", "max_hold") and isinstance(value, float):
        return spelled(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (", ".join(value) or "no limit") if isinstance(value, list) else str(value)

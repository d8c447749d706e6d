"""
What a test asks of every ``Retry``: how often to try at most, and not to wait. ``unlost.testing`` sets it.

A global, no context variable: it holds for tasks and threads that started before the block too, and the context of a
pytest fixture is not that of its test.
"""

from __future__ import annotations

from typing import TypeAlias

# how often to try at most, None being as often as it says itself; whether no retry waits
Switch: TypeAlias = tuple[int | None, bool]

_switch: Switch = (None, False)


def attempts_cap() -> int | None:
    """Return how often a retry may try at most, the first time included; None outside of tests."""
    return _switch[0]


def waits_removed() -> bool:
    """Tell whether a retry goes on at once: each wait is then 0 seconds, and still a point of cancellation."""
    return _switch[1]


def switch_retries(wanted: Switch) -> Switch:
    """Set both for all retries of this process, and return what they were before."""
    global _switch
    before, _switch = _switch, wanted
    return before

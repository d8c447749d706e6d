"""What a retry does, in words and in seconds."""

from __future__ import annotations

from typing import Final, Protocol

from unlost._core import Backoff, bounds

_SHOWN: Final = 200

# waits beyond this one are taken to be as long as it
_ASKED: Final = 1000


class Described(Protocol):
    """The part of a ``Retry`` that it is told of."""

    @property
    def attempts(self) -> int: ...
    @property
    def total(self) -> float | None: ...
    @property
    def schedule(self) -> Backoff: ...


def longest_in_all(schedule: Backoff, attempts: int) -> float:
    """Return how many seconds all waits between so many attempts can take together."""
    waits = attempts - 1
    asked = min(waits, _ASKED)
    longest = [bounds(schedule, attempt)[1] for attempt in range(1, asked + 1)]
    return sum(longest) + (waits - asked) * (longest[-1] if longest else 0.0)


def phrase_of(retry: Described) -> str:
    """Return ``try up to 5 times (waiting up to 1.6 s between)``."""
    if retry.attempts == 1:
        return "try once"
    times = "twice" if retry.attempts == 2 else f"{retry.attempts} times"
    within = "" if retry.total is None else f" within {retry.total:g} s"
    longest = max(bounds(retry.schedule, attempt)[1] for attempt in range(1, min(retry.attempts, _ASKED + 1)))
    between = f" (waiting up to {longest:g} s between)" if longest else ""
    return f"try up to {times}{within}{between}"


def shortened(value: object) -> str:
    """Return the ``repr`` of a value, cut; a broken one is named."""
    try:
        text = repr(value)
    except Exception as broken:  # named in the text that is returned  # noqa: BLE001
        return f"a {type(value).__qualname__} (its __repr__ raised {type(broken).__qualname__})"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text)} characters)"

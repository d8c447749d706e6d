"""How long the event loop did not turn, and where in the user's code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

_SECONDS: Final = 1.0
_SHARE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Blocked:
    """
    What a run's watchdog has seen.

    Attributes:
        seconds: How long the loop did not turn, in all; what lasts 0.25 s or longer is seen, below 0.2 s nothing is.
        places: The innermost places in the user's code meanwhile (``jobs.py:12 in parse``) with their seconds, the
            longest first, ten at most; no place where none of it was under way.
    """

    seconds: float = 0.0
    places: tuple[tuple[str, float], ...] = ()

    def is_notable(self, of_seconds: float) -> bool:
        """Tell whether it is worth a line: 1 s, or more than 5% of so many seconds."""
        return self.seconds >= _SECONDS or self.seconds > _SHARE * of_seconds

    def as_json(self) -> dict[str, Any]:  # Any: built-ins that JSON can hold
        return {
            "seconds": round(self.seconds, 3),
            "places": [{"where": where, "seconds": round(seconds, 3)} for where, seconds in self.places],
        }


NEVER: Final = Blocked()
"""The loop turned all the time."""

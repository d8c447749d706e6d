"""What was found that is no exception's end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from unlost.observe.watch._finding import Origin, Site

NEVER_AWAITED: Final = "never awaited"
DESTROYED: Final = "destroyed while pending"
DIED: Final = "died unasked"
TERMINATED: Final = "terminated"
HANGS: Final = "hangs"
LOOP_ERROR: Final = "loop error"
LEAKED: Final = "leaked task"


@dataclass(frozen=True, slots=True)
class Notice:
    """
    Something that may have lost an outcome without any exception that could be followed.

    Attributes:
        kind: In a word: ``never awaited``, ``destroyed while pending``, ``died unasked``, ``terminated``, ``hangs``,
            ``loop error``, ``leaked task``.
        text: In a sentence.
        site: Where to look: where a coroutine was made or dropped, where a task was started or stood; None where that
            is not known.
        origin: The task that it is about, or in which it happened; None where there is none.
        at: When it was noted, in seconds since the epoch; 0 where it was not yet.
        process: The number of the process that it came up in; 0 is this one.
        during: What it came up in, such as a process that the program started; empty where there was nothing.
    """

    kind: str
    text: str
    site: Site | None = None
    origin: Origin | None = None
    at: float = field(default=0.0, compare=False)
    process: int = field(default=0, compare=False)
    during: str = ""

    def __str__(self) -> str:
        return f"{self.text} ({self.site})" if self.site else self.text

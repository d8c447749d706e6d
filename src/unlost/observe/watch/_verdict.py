"""What became of an exception."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """
    What became of an exception, by the evidence that there was when nobody could see it any more.

    Members:
        REPORTED: A log record, a hook, a loop's handler or a reporter was given it.
        HANDLED: Who caught it last meant it, or looked at it.
        CONVERTED: It is the cause or context of another.
        SWALLOWED: Who caught it last would have caught anything, and never looked at it.
        RETURNED: It was handed over as a value, and never raised or logged after.
        ABSORBED: What had waited for its task took it, and it died unseen.
        LOST: Nobody ever took it.
        UNDELIVERED: It was still held when the program ended.
        UNKNOWN: It cannot be told.
    """

    REPORTED = "reported"
    HANDLED = "handled"
    CONVERTED = "converted"
    SWALLOWED = "swallowed"
    RETURNED = "returned"
    ABSORBED = "absorbed"
    LOST = "lost"
    UNDELIVERED = "undelivered"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Site:
    """
    A place in the program.

    Attributes:
        file: As its code object spells it.
        line: Counted from 1; 0 where the code has none.
        function: The qualified name.
        app: Whether it is the user's own code.
    """

    file: str
    line: int
    function: str
    app: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line} in {self.function}"


@dataclass(frozen=True, slots=True)
class Origin:
    """
    The task that an exception left.

    Attributes:
        task: Its name.
        spawned: Where it was started, innermost first: its own place, then that of the task that started it.
    """

    task: str
    spawned: tuple[Site, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One exception, and what became of it.

    Attributes:
        verdict: In a word.
        type: The class, as ``module.qualname``.
        text: What it says; empty where nobody had to know.
        frames: Where it was raised, and through which frames it came, outermost first.
        site: Where it ended: who swallowed it; None where nobody did.
        by: Who took it, in words: ``gather``, ``TaskGroup``; empty where nobody did.
        origin: The task that it left last; None where it left none.
    """

    verdict: Verdict
    type: str
    text: str
    frames: tuple[Site, ...]
    site: Site | None = None
    by: str = ""
    origin: Origin | None = None

    @property
    def raised(self) -> Site | None:
        """The innermost frame of the user's own; the innermost of all where none is."""
        own = [frame for frame in self.frames if frame.app]
        return own[-1] if own else self.frames[-1] if self.frames else None

"""Why a task was cancelled: who asked, why and when, on the ``CancelledError`` itself."""

from __future__ import annotations

from asyncio import CancelledError
from typing import Self

from unlost._core._clock import monotonic


class Reason(str):
    """
    The message of a cancellation: plain text that knows where it came from.

    It is given to ``Task.cancel`` as the message, so that asyncio carries it to wherever the ``CancelledError`` comes
    out. It pickles to a ``str``.

    Attributes:
        who: What asked for the cancellation, a call or a task by name; empty where that is not known.
        asked_at: When it was asked for, in seconds of ``time.monotonic``; 0.0 where that is not known.
    """

    __slots__ = ("asked_at", "who")

    who: str
    asked_at: float

    def __new__(cls, why: str, who: str = "", asked_at: float = 0.0) -> Self:
        reason = super().__new__(cls, why)
        reason.who = who
        reason.asked_at = asked_at
        return reason

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)


def asked_now(why: str, who: str) -> Reason:
    """Return the reason for a cancellation that is asked for in this moment."""
    return Reason(why, who, monotonic())


def passed_on(what: str, cancellation: CancelledError) -> str:
    """Return the reason for a cancellation that follows from another one: ``what`` happened, and why."""
    why = cancel_reason(cancellation)
    if why.startswith(what):  # through many nested blocks the root matters, not the way
        return str(why)
    return f"{what}: {why}" if why else what


def cancel_reason(error: CancelledError) -> Reason:
    """
    Return why ``error`` was raised: its text is empty where nobody gave a reason.

    What cancelled without this library gave at most a text; ``who`` is empty then.
    """
    message = error.args[0] if error.args else ""
    if isinstance(message, Reason):
        return message
    return Reason("" if message is None else str(message))

"""What listeners are told of a retry, beside ``AttemptFailed``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from unlost._core import Event

Why: TypeAlias = Literal["attempts", "total", "budget", "hint", "not wanted", "cancelled"]


@dataclass(frozen=True, slots=True)
class GaveUp(Event):
    """
    An attempt failed and none follows: ``error`` comes out.

    Attributes:
        error: What the last attempt raised; the earlier errors are attached when it comes out.
        attempt: Which attempt it was, counted from 1.
        why: "attempts": all were made. "total": the next one would start too late. "budget": it was empty. "hint": the
            server asked for a longer wait than is honoured. "not wanted": ``on`` does not name the error. "cancelled":
            the task was cancelled, and the function made another error of that.
        name: What was attempted.
    """

    error: BaseException
    attempt: int
    why: Why
    name: str

"""What became of an exception, in a word."""

from __future__ import annotations

from enum import Enum
from typing import Final


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
        UNDELIVERED: Its task or future was still held, and had never been asked, when the watching ended.
        UNKNOWN: It cannot be told: it was raised on, and nothing was seen of it after.
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

    __hash__ = object.__hash__  # that of Enum is a function of Python, and each exception's end hashes a few times


COUNTED: Final = frozenset({Verdict.REPORTED, Verdict.HANDLED, Verdict.CONVERTED, Verdict.UNKNOWN})
"""Verdicts that are counted only: there is nothing to put right, or nothing to say."""

"""Names that a job gives to what it keeps, and a service to what it charges."""

from __future__ import annotations

from typing import TypeGuard

MOST_NAME = 200
"""Characters."""


def is_name(given: object) -> TypeGuard[str]:
    """Tell whether it is a text of 1 to ``MOST_NAME`` characters that the journal can store."""
    if not isinstance(given, str) or not 0 < len(given) <= MOST_NAME:
        return False
    try:
        given.encode()
    except UnicodeEncodeError:  # half a surrogate pair
        return False
    return True

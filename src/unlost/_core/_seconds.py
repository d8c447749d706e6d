"""Bounds that are given in seconds."""

from __future__ import annotations

import math

from unlost.errors import UsageError


def check_seconds(call: str, name: str, value: object) -> float:
    """Refuse anything but a number of seconds that is not negative; infinity is one."""
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value) or value < 0:
        raise UsageError(
            f"{call}() got {name}={value!r}: expected seconds, 0 or more.\n"
            f"Write {name}=5.0, or {name}=math.inf to wait for ever."
        )
    return value

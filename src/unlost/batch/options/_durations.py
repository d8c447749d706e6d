"""Seconds as people write them: ``10``, ``10s``, ``500ms``, ``2m``, ``1.5h``."""

from __future__ import annotations

import math
import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}
_DURATION = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(ms|s|m|h|)\s*", re.ASCII)


def seconds(value: object) -> float:
    """
    Read a duration: a number of seconds, or a text of a number and ``ms``, ``s``, ``m`` or ``h``.

    Raises:
        ValueError: It is neither, or is negative or not finite.
    """
    if isinstance(value, str):
        match = _DURATION.fullmatch(value)
        read = float(match[1]) * _UNITS[match[2]] if match else math.nan
    else:
        read = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if not 0 <= read < math.inf:
        raise ValueError("expected a duration such as 10, 10s, 500ms, 2m or 1.5h")
    return read


def spelled(duration: float) -> str:
    """Write seconds as ``seconds`` reads them, in the largest unit that leaves a number of at least 1."""
    for unit in ("h", "m"):
        if duration >= _UNITS[unit]:
            return f"{duration / _UNITS[unit]:.4g}{unit}"
    return f"{duration:.4g}s" if duration >= 1 or duration == 0 else f"{duration * 1000:.4g}ms"

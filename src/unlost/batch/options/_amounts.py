"""Amounts as people write them: ``50``, ``0.5``, ``200k``, ``2M``."""

from __future__ import annotations

import math
import re

_FACTORS = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}
_AMOUNT = re.compile(r"\s*(\d[\d_]*(?:\.\d*)?|\.\d+)\s*(k|M|G|)\s*", re.ASCII)


def amount(value: object) -> float:
    """
    Read an amount above 0.

    Raises:
        ValueError: It is none.
    """
    if isinstance(value, str):
        match = _AMOUNT.fullmatch(value)
        read = float(match[1].replace("_", "")) * _FACTORS[match[2]] if match else math.nan
    else:
        read = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if not 0 < read < math.inf:
        raise ValueError(f"expected an amount above 0, such as 50, 200k or 2M, got {value!r}")
    return read

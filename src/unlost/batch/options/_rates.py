"""Rates as people write them: ``50/s``, ``600/min``, ``tokens=2M/min``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from unlost.batch.options._amounts import amount

Unit: TypeAlias = Literal["calls", "tokens", "input_tokens", "output_tokens"]

UNITS: tuple[Unit, ...] = ("calls", "tokens", "input_tokens", "output_tokens")
_PERIODS = {"s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "hour": 3600.0, "d": 86400.0, "day": 86400.0}
_RATE = re.compile(r"\s*(?:(?P<unit>\w+)\s*=)?\s*(?P<count>[^/=]+)/\s*(?P<period>[a-z]+)\s*")


@dataclass(frozen=True, slots=True)
class Rate:
    """
    At most so many in so much time.

    Attributes:
        unit: What is counted: calls (attempts), or the tokens that they use.
        count: How many, above 0.
        per: Seconds.
    """

    unit: Unit
    count: float
    per: float


def rate_of(text: str) -> Rate:
    """
    Read one rate.

    Raises:
        ValueError: It is none.
    """
    match = _RATE.fullmatch(text)
    unit = (match["unit"] or "calls") if match else ""
    if match is None or unit not in UNITS or match["period"] not in _PERIODS:
        raise ValueError(f"expected a rate such as 50/s, 600/min or tokens=2M/min ({', '.join(UNITS)}), got {text!r}")
    return Rate(cast("Unit", unit), amount(match["count"]), _PERIODS[match["period"]])


def read_rates(value: object) -> tuple[str, ...]:
    """
    Check one text or several, each unit at most once; return them.

    Raises:
        ValueError: One of them is no rate, or two are of one unit.
    """
    texts = [value] if isinstance(value, str) else list(value) if isinstance(value, Iterable) else [str(value)]
    rates = [rate_of(str(text)) for text in texts]
    if len({rate.unit for rate in rates}) < len(rates):
        raise ValueError("expected one rate for each unit; two of them count the same")
    return tuple(str(text) for text in texts)

"""Whose rates and rests an item shares, and how much it is going to use: what the options say, as functions of it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from unlost.batch.gate._need import NOTHING, Amounts
from unlost.batch.options._options import Resolved
from unlost.batch.options._rates import UNITS
from unlost.batch.source._keys import MISSING, find
from unlost.errors import UsageError

KeyOf: TypeAlias = Callable[[Any], Hashable]  # Any: an item, whatever the input holds
EstimateOf: TypeAlias = Callable[[Any], Amounts]  # Any: likewise

_TOKENS: Final = frozenset(UNITS) - {"calls"}


def key_function(resolved: Resolved) -> KeyOf | None:
    """
    Return what says whose rates and rests an item shares; None where all items share the same.

    A field that an item does not have, or whose value is null, an object or an array, is the key None; so is a URL
    without a host. What a function of the user's raises, or returns that cannot be hashed, is the caller's to handle.
    """
    if resolved.limit_key is not None:
        return resolved.limit_key
    field = resolved.options.limit_key
    if field is None:
        return None
    if field == "host":
        return host_of
    return lambda item: _plain(find(item, field))


def estimate_function(resolved: Resolved) -> EstimateOf | None:
    """
    Return what says how many tokens an item's call will use; None where nothing does.

    It raises what the user's function raises, and ``UsageError`` where that returns no estimate.
    """
    estimate = resolved.estimate
    if estimate is None:
        return None
    return lambda item: _amounts(estimate(item))


def host_of(item: object) -> str | None:
    """Return the host of a URL, or of the field ``url`` of an object, in lower case; None where there is none."""
    url = find(item, "url") if isinstance(item, dict) else item
    if not isinstance(url, str):
        return None
    try:
        return urlsplit(url).hostname
    except ValueError:  # brackets that hold no address: the call will say what is wrong
        return None


def _plain(value: object) -> Hashable:
    if value is MISSING or value is None or isinstance(value, dict | list):
        return None
    return value if isinstance(value, str) else json.dumps(value)  # as in --key: 1 and true are equal in Python


def _amounts(estimate: object) -> Amounts:
    # Any: the user's; checked by the next line
    given: Mapping[Any, Any] = estimate if isinstance(estimate, Mapping) else {"tokens": estimate}
    if not set(given) <= _TOKENS or not all(map(_is_amount, given.values())):
        raise UsageError(
            f"the job's estimate returned {estimate!r}: expected a number of tokens, 0 or more.\n"
            'Return one number, or {"input_tokens": 1200, "output_tokens": 300}'
        )
    return given or NOTHING


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf

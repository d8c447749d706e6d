"""
The attributes of an error that may be stored.

A name is on the list because it tells one failure from another and is no data of the user's. Values are scalars only;
each is read under guard, since an attribute may be a property that raises (``httpx.HTTPError.request``).
"""

from __future__ import annotations

import errno
import math
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Final

from unlost.errors import retry_after, status_of
from unlost.observe._schema import Scalar
from unlost.observe._text import cut_redacted, guarded, text_of

_NAMES: Final = (
    *("errno", "winerror", "code", "type", "param", "request_id", "method", "reason"),
    *("filename", "filename2", "lineno", "colno", "offset", "pos", "start", "end", "encoding"),
    *("key", "name", "seconds", "elapsed", "expected", "returncode"),
    *("sqlstate", "pgcode", "constraint_name", "table_name", "column_name", "sqlite_errorcode", "sqlite_errorname"),
)
_REQUESTS: Final = ("request", "request_info", "response")
_URLS: Final = ("real_url", "url")


def attributes_of(
    error: BaseException, redact: Callable[[str], str], *, hints: bool = True, width: int = 300
) -> dict[str, Scalar]:
    """
    Return the listed attributes that ``error`` has, each text redacted and cut to ``width`` characters.

    ``hints`` adds the status and ``retry_after`` of the error or its nearest cause.
    """
    found: dict[str, Scalar] = {}
    candidates = chain(_hints(error), _listed(error)) if hints else _listed(error)
    for name, value in candidates:
        scalar = _scalar(value)
        if scalar is not None:
            found[name] = cut_redacted(scalar, width, redact) if isinstance(scalar, str) else scalar
    return found


def _hints(error: BaseException) -> Iterator[tuple[str, object]]:
    yield "status", guarded(lambda: status_of(error), _nothing)
    yield "retry_after", guarded(lambda: retry_after(error), _nothing)


def _listed(error: BaseException) -> Iterator[tuple[str, object]]:
    for name in _NAMES:
        yield name, _read(error, name)
    number = _read(error, "errno")
    if isinstance(number, int):
        yield "errno_name", errno.errorcode.get(number)
    yield from _request(error)


def _request(error: BaseException) -> Iterator[tuple[str, object]]:
    """Find method and URL where httpx, aiohttp, requests and openai keep them."""
    for holder in (error, *(_read(error, name) for name in _REQUESTS)):
        if holder is None:
            continue
        for name in _URLS:
            url = _read(holder, name)
            # aiohttp's and httpx's are objects; what only pretends to be one (a mock) has no "://" in its text
            if url is not None and "://" in (text := text_of(url)):
                yield "method", _read(holder, "method")
                yield "url", text
                return


def _read(holder: object, name: str) -> object:
    return guarded(lambda: getattr(holder, name, None), _nothing)


def _nothing(_error: BaseException) -> None:
    """An attribute that cannot be read is one that the error does not have."""


def _scalar(value: object) -> Scalar | None:
    """Return ``value`` as an exact built-in that JSON can hold, None where it is no scalar."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return text_of(str.__str__(value))
    if isinstance(value, int):
        number = int.__int__(value)
        return number if number.bit_length() < 64 else f"<an integer of {number.bit_length():,} bits>"
    if isinstance(value, float):
        seconds = float.__float__(value)
        return seconds if math.isfinite(seconds) else float.__repr__(seconds)
    return None

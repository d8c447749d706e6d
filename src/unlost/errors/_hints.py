"""
What an error says about the server's answer: its status and when to come back.

Everything is read by the shape of the objects, so that no client library is imported: ``error.response.status_code``
(httpx, requests, openai, anthropic), ``error.status`` (aiohttp), ``error.response["ResponseMetadata"]`` (botocore),
``error.code`` (urllib). Whatever hangs there, reading it raises nothing.
"""

from __future__ import annotations

import builtins
import math
import re
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from unlost.errors._private import dictionary_of

cause_of: Final[Callable[[BaseException], BaseException | None]] = BaseException.__dict__["__cause__"].__get__
"""Return the error's cause, whatever a subclass calls by that name."""

_BUILT_IN: Final = frozenset(
    kind for kind in vars(builtins).values() if isinstance(kind, type) and issubclass(kind, Exception)
)
_NAMES: Final = frozenset({"response", "status_code", "status", "code"})

_NUMBER: Final = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*", re.ASCII)


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status (100 to 599) that the error or the nearest of its causes carries, or None."""
    for link in causes(error):
        if (status := own_status(link)) is not None:
            return status
    return None


def retry_after(error: BaseException, now: Callable[[], float] | None = None) -> float | None:
    """
    Return how many seconds the server asks to wait, or None where it does not say.

    Reads ``retry-after-ms`` and ``Retry-After`` (seconds, or a date: a date in the past is 0), or else a number that
    is the error's own ``retry_after``, of the error or the nearest of its causes; of a group, the longest that a member
    asks for. The result is finite and not negative. It is as large as the server likes: the caller bounds it.

    Args:
        error: Any exception.
        now: The wall clock, in seconds since 1970, for dates in answers that have no ``Date`` of their own; without
            it such a date is no hint. The answer's own ``Date`` is preferred: it cannot be skewed against itself.
    """
    waits: list[float] = []
    seen: set[int] = set()
    pending = [error]
    while pending:
        link = pending.pop()
        if id(link) in seen:
            continue
        seen.add(id(link))
        own = _own_wait(link, now)
        if own is not None:
            waits.append(own)
            continue
        if isinstance(link, BaseExceptionGroup):
            pending.extend(link.exceptions)
        if (cause := cause_of(link)) is not None:
            pending.append(cause)
    return max(waits, default=None)


def own_status(error: BaseException) -> int | None:
    """Return the status that the error itself carries, not its causes; see ``status_of``."""
    if not isinstance(error, Exception) or isinstance(error, BaseExceptionGroup):
        return None  # SystemExit has a code, too
    if type(error) in _BUILT_IN and _NAMES.isdisjoint(dictionary_of(error)):
        return None  # the usual case, without a look at each
    response = _attribute(error, "response")
    found = (
        _attribute(response, "status_code"),
        _attribute(response, "status"),
        _entry(_entry(response, "ResponseMetadata"), "HTTPStatusCode"),
        _attribute(error, "status_code"),
        _attribute(error, "status"),
        _attribute(error, "code"),
    )
    return next((status for status in map(_as_status, found) if status is not None), None)


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error, its cause, that one's cause and so on, each once, whatever a subclass calls ``__cause__``."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = cause_of(link)


def _as_status(value: object) -> int | None:
    # type() and not isinstance(), which asks the object what it is
    if not issubclass(type(value), int):
        return None
    number = int.__index__(value)  # type: ignore[arg-type]  # an int, as the line above found
    return number if 100 <= number <= 599 else None


def _own_wait(error: BaseException, now: Callable[[], float] | None) -> float | None:
    response = _attribute(error, "response")
    for headers in (
        _attribute(response, "headers"),
        _entry(_entry(response, "ResponseMetadata"), "HTTPHeaders"),
        _attribute(error, "headers"),
    ):
        found = _wanted(headers)
        milliseconds = _seconds(found.get("retry-after-ms", ""))
        if milliseconds is not None:
            return milliseconds / 1000
        text = found.get("retry-after", "")
        wait = _seconds(text)
        if wait is None and text:
            wait = _until(text, found.get("date", ""), now)
        if wait is not None:
            return wait
    return _as_wait(_attribute(error, "retry_after"))


def _as_wait(value: object) -> float | None:
    # exactly these: a class of the user's own may raise when it is compared
    if type(value) is not int and type(value) is not float:
        return None
    return float(value) if 0 <= value <= sys.float_info.max else None


def _seconds(text: str) -> float | None:
    if not (matched := _NUMBER.fullmatch(text)):
        return None
    number = float(matched[1])
    return number if math.isfinite(number) else None


def _until(text: str, answered_at: str, now: Callable[[], float] | None) -> float | None:
    moment = _date(text)
    answered = _date(answered_at)
    if answered is None and now is not None:
        answered = now()
    if moment is None or answered is None:
        return None
    return max(0.0, moment - answered)


def _date(text: str) -> float | None:
    from email.utils import parsedate_to_datetime  # loads a dozen modules, and most programs never meet a date

    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return None


def _wanted(headers: object) -> dict[str, str]:
    """Return the headers of interest with lower-case names; the first of several wins."""
    found: dict[str, str] = {}
    try:
        for name, value in islice(headers.items(), 1000):  # type: ignore[attr-defined]  # or the handler's business
            plain = _as_text(name).lower()
            if plain in ("retry-after", "retry-after-ms", "date"):
                found.setdefault(plain, _as_text(value))
    except Exception:  # a hint that cannot be read is no hint; the error itself is in the caller's hands  # noqa: BLE001
        return found
    return found


def _as_text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return str(value) if isinstance(value, str | int | float) else ""


def _attribute(holder: object, name: str) -> object:
    try:
        return getattr(holder, name, None)
    except Exception:  # a property that raises says nothing of the error, which is in the caller's hands  # noqa: BLE001
        return None


def _entry(holder: object, key: str) -> object:
    return holder.get(key) if type(holder) is dict else None

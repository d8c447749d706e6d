"""Text out of foreign objects: guarded, encodable, of bounded length."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_TAIL = 256  # a secret that a cut splits is shorter than this, or its pattern needs no end


def guarded(read: Callable[[], T], otherwise: Callable[[BaseException], T]) -> T:
    """
    Return what ``read`` returns, or what ``otherwise`` makes of what it raised.

    ``KeyboardInterrupt`` and ``SystemExit`` pass: they may be a signal's, and no business of the object that is read.
    A ``CancelledError`` does not: nothing is awaited here, so the object itself raised it.
    """
    try:
        return read()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as reading_error:  # handed on  # noqa: BLE001
        return otherwise(reading_error)


def text_of(value: object) -> str:
    """Return ``str(value)`` as an exact, UTF-8-encodable ``str``; where that fails, say so in its place."""
    # an override of __str__ may return a subclass of str; str.__str__ makes it an exact one
    return encodable(
        guarded(lambda: str.__str__(str(value)), lambda error: f"<__str__ raised {type_name(type(error))}>")
    )


def type_name(cls: type) -> str:
    """Return the qualified name of a class, whatever its metaclass makes of that attribute."""
    name: str = type.__dict__["__qualname__"].__get__(cls)
    return encodable(name)


def module_of(cls: type) -> str:
    """Return the module of a class; empty where its ``__module__`` is missing or no string."""
    module = guarded(lambda: type.__dict__["__module__"].__get__(cls), lambda _error: "")
    return encodable(str.__str__(module)) if isinstance(module, str) else ""


def encodable(text: str) -> str:
    """Return ``text`` with each lone surrogate spelled out, so that UTF-8 can hold it."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def cut(text: str, limit: int) -> str:
    """Return the first ``limit`` characters, followed by how many more there were."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}... [{len(text) - limit:,} more characters]"


def cut_front(text: str, limit: int) -> str:
    """Return the last ``limit`` characters: the end of a path tells more than its beginning."""
    return text if len(text) <= limit else "..." + text[len(text) - limit :]


def cut_redacted(text: str, limit: int, redact: Callable[[str], str]) -> str:
    """
    Redact, then cut to ``limit`` characters, without looking at what lies far beyond the cut.

    What is cut off first takes a secret that it may have split along with it.
    """
    if len(text) <= limit:
        return cut(redact(text), limit)
    window = redact(text[: limit + 4 * _TAIL])
    whole = len(text) <= limit + 4 * _TAIL
    kept = window[: min(limit, len(window) if whole else max(0, len(window) - _TAIL))]
    return f"{kept}... [{len(text) - len(kept):,} more characters]"


def printable(text: str) -> str:
    """Return ``text`` with control characters (but tab and newline) escaped: a message must not drive a terminal."""
    return _UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)

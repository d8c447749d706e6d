"""Texts that leave the process: redacted first and cut afterwards, so that no cut hides half of a secret."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from typing import Final

from unlost.errors import headline
from unlost.observe._patterns import MASK, NAME
from unlost.observe._redact import redact

TEXT: Final = 500
"""Characters of an error's text that are told."""

_TAIL: Final = 256  # a secret that a cut splits is shorter than this, or its pattern needs no end
KEPT: Final = TEXT + 4 * _TAIL
"""Characters of it that are kept until then: what begins before the end of what is told can be recognised."""

LINE: Final = 200
"""Characters of it that stand in a line beside other things."""

_OPTION: Final = re.compile(rf"--?(?:[\w-]*(?:{NAME})|(?:[\w-]*[-_])?(?:pass|auth))", re.IGNORECASE)


def leaving(text: str, mask: Callable[[str], str] = redact, limit: int = TEXT) -> str:
    """
    Return a text as it may leave: redacted, then cut to ``limit`` characters.

    Args:
        text: Whole, or what is left of it after a cut at ``KEPT`` or beyond.
        mask: Masks the secrets.
        limit: At most ``TEXT``.
    """
    masked = mask(text[:KEPT])
    return masked[:limit] if len(text) < KEPT else masked[: len(masked) - _TAIL][:limit]


def line_of(error: BaseException) -> str:
    """Return ``Type: message`` as it may leave, in one line; see ``in_line``."""
    return in_line(headline(error, KEPT))


def in_line(text: str) -> str:
    """Return a text, such as ``headline(error, KEPT)``, as it may leave: at most ``LINE`` characters, then dots."""
    said = leaving(text, limit=LINE)
    return said if len(said) < LINE else f"{said}..."


def command_of(words: Sequence[str]) -> str:
    """Return a command line as it may leave: without the values of options whose names say that they are secret."""
    told: list[str] = []
    for word in words:
        is_value = bool(told) and _OPTION.fullmatch(told[-1]) is not None and not word.startswith("-")
        told.append(MASK if is_value else redact(word))
    return shlex.join(told)

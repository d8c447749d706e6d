"""A message without what varies: two occurrences of one bug have the same template."""

from __future__ import annotations

import re
from typing import Final

_LENGTH: Final = 300  # characters of a message that tell bugs apart; below what the smallest record keeps

_VARYING: Final = re.compile(
    r"""
      (?P<url>[a-zA-Z][a-zA-Z0-9+.-]{0,20}://[^\s"'<>]*)
    | (?P<email>(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+)
    | (?P<uuid>\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b)
    | (?P<date>\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?)
    | (?P<time>\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b)
    | (?P<path>(?:(?<=\s)|(?<=["'(=])|^)(?:~?/|\.{1,2}/|[A-Za-z]:[\\/])[^\s"'<>:,)]+)
    | (?P<str>(?<!\w)'(?P<single>[^'\n]*)'(?!\w)|(?<!\w)"(?P<double>[^"\n]*)")
    | (?P<hex>\b0x[0-9a-fA-F]+\b|\b(?=[a-f]*\d)[0-9a-f]{8,}\b|\b(?=[A-F]*\d)[0-9A-F]{8,}\b)
    | (?P<ip>\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b)
    | (?P<n>(?<![\w.])[+-]?\d[\d,_]*(?:\.\d+)?(?:[eE][+-]?\d+)?|\d+)
    """,
    re.VERBOSE,
)
_IDENTIFIER: Final = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*", re.ASCII)


def template(message: str, *, names_matter: bool) -> str:
    """
    Replace URLs, addresses, dates, paths, quoted text and numbers by what they are.

    Args:
        message: A recorded message; its first 300 characters count.
        names_matter: Quoted identifiers stay: in ``KeyError: 'price'`` or ``no attribute 'foo'`` the name is the bug.
            Digits in them do not.
    """

    def placeholder(match: re.Match[str]) -> str:
        quoted = match["single"] or match["double"]
        if quoted and names_matter and _IDENTIFIER.fullmatch(quoted):
            return "'" + re.sub(r"\d+", "<n>", quoted) + "'"
        return f"<{match.lastgroup}>"

    return _VARYING.sub(placeholder, message[:_LENGTH])

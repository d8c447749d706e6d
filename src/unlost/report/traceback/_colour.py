"""Whether there are colours, and which: by the same rules as Python's own tracebacks have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from unlost.observe import Line

_RESET: Final = "\x1b[0m"
_BY_ROLE: Final = {
    "own": "\x1b[1m",
    "error": "\x1b[1;31m",
    "folded": "\x1b[2m",
    "fact": "\x1b[2m",
    "head": "\x1b[2m",
    "link": "\x1b[36m",
    "branch": "\x1b[36m",
}


def wants_colour(environ: Mapping[str, str], *, is_terminal: bool) -> bool:
    """
    Say whether to write colours.

    Args:
        environ: ``NO_COLOR`` refuses them, then ``FORCE_COLOR`` asks for them, whatever is at the other end; an empty
            value counts as none. ``TERM=dumb`` is a terminal without.
        is_terminal: What there is at the other end.
    """
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return is_terminal and environ.get("TERM") != "dumb"


def coloured(line: Line, text: str) -> str:
    """Return a piece of the line's text in the colour of its role."""
    colour = _BY_ROLE.get(line.role)
    return f"{colour}{text}{_RESET}" if colour and text else text

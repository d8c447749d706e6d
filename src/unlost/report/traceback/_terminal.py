"""The lines of a traceback on a terminal: as wide as that is, in its colours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from unlost.observe import Line
from unlost.report._text import width
from unlost.report.traceback._colour import coloured

_HANGING: Final = 4  # cells by which what goes on in the next line is indented more
_LEAST: Final = 20  # cells; in less than these nothing is broken: the terminal does that as well


class Look(NamedTuple):
    """
    How lines are to look.

    Attributes:
        cells: Of the terminal; None where there is none: then no line is broken.
        colours: Whether it has them.
    """

    cells: int | None = None
    colours: bool = False


def for_terminal(lines: Iterable[Line], look: Look) -> Iterator[str]:
    """
    Yield the lines as they are printed.

    A line is broken at spaces, in a branch below its branch. A word that is too long stays whole: a path that is
    broken could not be opened.
    """
    for line in lines:
        for number, (tree, text) in enumerate(_broken(line, look.cells)):
            before, piece = _below(tree) if number else tree, text.rstrip()
            yield (before + (coloured(line, piece) if look.colours else piece)).rstrip()


def _broken(line: Line, cells: int | None) -> Iterator[tuple[str, str]]:
    text = line.text.expandtabs(8)
    indent = len(text) - len(text.lstrip(" "))
    room = None if cells is None else cells - width(line.tree)
    if room is None or width(text) <= room or room - indent - _HANGING < _LEAST:
        yield line.tree, text
        return
    begin = " " * indent
    for piece in _pieces(text.split(" ")[indent:], room - indent, room - indent - _HANGING):
        yield line.tree, begin + piece
        begin = " " * (indent + _HANGING)


def _pieces(words: Iterable[str], first: int, others: int) -> Iterator[str]:
    """Yield the words, as many at a time as fit: into ``first`` cells, then into ``others``."""
    piece, room = "", first
    for word in words:
        if piece and width(piece) + 1 + width(word) > room:
            yield piece
            piece, room = word, others
        else:
            piece = f"{piece} {word}" if piece else word
    yield piece


def _below(tree: str) -> str:
    """Return what stands before the second piece of a line: a branch begins once."""
    return tree.replace("├─", "│ ").replace("└─", "  ")

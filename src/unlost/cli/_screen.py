"""
A few lines at the end of a terminal that are drawn over and over, with whatever else is printed above them.

Between two drawings the cursor stands at the beginning of an empty line above the drawn ones. So what somebody prints
past us (a logger that holds the terminal, a program in C) begins on that line and is not lost: the next drawing begins
where it ended. The cursor is never hidden and no mode of the terminal is changed: a process that is killed leaves
nothing to repair. A drawing is one write that erases only what it does not fill, so nothing flickers.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Final, TextIO

from unlost.cli._streams import write

ERASE: Final = "\r\x1b[J"
"""Erases the line of the cursor and all below it."""

_SMALL: Final = (24, 80)


class Screen:
    """
    The drawn lines of one terminal; safe to be used by several threads.

    Args:
        stream: Text to the terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._frame = ""
        self._lock = threading.RLock()  # a signal handler may print while its own thread draws

    @property
    def size(self) -> tuple[int, int]:
        """How many lines of how many cells fit: what the terminal would wrap or scroll away could not be erased."""
        try:
            terminal = os.get_terminal_size(self._stream.fileno())
        except OSError:  # the terminal is gone
            return _SMALL
        lines, cells = terminal.lines or _SMALL[0], terminal.columns or _SMALL[1]  # 0: one that does not say
        return max(1, lines - 2), max(1, cells - 1)

    def draw(self, lines: Sequence[str]) -> None:
        """Draw these lines in place of those that are there; each and all of them must fit into ``size``."""
        drawn = "".join(f"\r\n{line}\x1b[K" for line in lines)
        with self._lock:
            self._frame = f"\r\x1b[K{drawn}\x1b[J\x1b[{len(lines)}A\r" if lines else ERASE
            write(self._stream, self._frame)

    def above(self, text: str) -> None:
        """Print text, which ends a line, above what is drawn."""
        with self._lock:
            write(self._stream, f"{ERASE}{text}{self._frame}")

    def clear(self) -> None:
        """Erase what is drawn."""
        self.draw(())

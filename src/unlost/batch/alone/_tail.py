"""What a child process prints: passed on to standard error as it comes, its last lines kept."""

from __future__ import annotations

import codecs
import os
import sys
from collections import deque
from typing import IO, Final

from unlost.observe import redact

LINES: Final = 50
WIDTH: Final = 500  # characters of a line that are kept: its last ones
_BLOCK: Final = 1 << 16


class Tail:
    """The last lines that were printed."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=LINES)
        self._line = ""  # the one that has not ended
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def follow(self, pipe: IO[bytes]) -> None:
        """Take what comes until the pipe is closed; blocks for that long."""
        with pipe:
            while block := os.read(pipe.fileno(), _BLOCK):
                self.take(block)

    def take(self, block: bytes) -> None:
        """Pass it on, and keep its last lines."""
        text = self._decoder.decode(block)
        _pass_on(text)
        *whole, self._line = (self._line + text).split("\n")
        self._lines.extend(line[-WIDTH:] for line in whole[-LINES:])
        self._line = self._line[-WIDTH:]

    def redacted(self) -> str:
        lines = [*self._lines, self._line] if self._line else [*self._lines]
        return redact("\n".join(line.rstrip() for line in lines[-LINES:]).strip())


def _pass_on(text: str) -> None:
    stream = sys.stderr
    if stream is None:  # pythonw.exe and daemons that closed it
        return
    try:
        stream.write(text)
        stream.flush()
    except (OSError, ValueError):  # nobody reads it, or it was closed: there is nowhere else, and the lines are kept
        return

"""What a job prints while a display is drawn: it goes above the drawn lines, a whole line at a time."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import TextIOBase
from typing import Any, Final, TextIO, cast

from unlost.cli._screen import Screen
from unlost.cli._streams import write

_LONGEST: Final = 10_000  # characters without a line end that are kept


@contextmanager
def printed_above(screen: Screen, stderr: TextIO) -> Iterator[None]:
    """
    Send above ``screen`` what goes to ``stderr``, its terminal, until the block ends.

    That is ``sys.stderr``, ``sys.stdout`` if it is the same terminal, and logging handlers that hold either of them.
    """
    stdout = sys.stdout
    streams = [stderr] if stdout is stderr or not _same_terminal(stdout, stderr) else [stderr, stdout]
    above = {id(stream): _Above(stream, screen) for stream in streams}
    handlers = [handler for handler in _stream_handlers() if id(handler.stream) in above]
    with (
        redirect_stderr(cast("TextIO", above[id(stderr)])),
        redirect_stdout(cast("TextIO", above.get(id(stdout), stdout))),
    ):
        for handler in handlers:
            handler.setStream(above[id(handler.stream)])
        try:
            yield
        finally:
            screen.clear()
            for stream in above.values():
                stream.end()
            for handler in handlers:
                if isinstance(handler.stream, _Above):  # nobody has given it another one meanwhile
                    handler.setStream(handler.stream.instead_of)


class _Above(TextIOBase):
    """
    Stands for a stream while a screen is drawn; after ``end`` it is that stream again, for whoever still holds it.

    Attributes:
        instead_of: The stream.
    """

    def __init__(self, instead_of: TextIO, screen: Screen) -> None:
        super().__init__()
        self.instead_of = instead_of
        self._screen: Screen | None = screen
        self._process = os.getpid()
        self._begun = ""

    def write(self, text: str, /) -> int:
        if self._screen is None or os.getpid() != self._process:  # a fork has the screen as it was, and draws nothing
            return self.instead_of.write(text)
        whole, line_end, begun = f"{self._begun}{text}".rpartition("\n")
        begun = begun[begun.rfind("\r", 0, -1) + 1 :]  # what a terminal would have written over
        if len(begun) > _LONGEST:
            whole, line_end, begun = f"{whole}{line_end}{begun}", "\n", ""
        self._begun = begun
        if line_end:
            self._screen.above(f"{whole}\n")
        return len(text)

    def end(self) -> None:
        """Print what had no line end, and stand aside."""
        self._screen = None
        write(self.instead_of, self._begun)

    def close(self) -> None:
        """Do nothing: the stream is not ours, and the collector calls this."""

    def flush(self) -> None:
        self.instead_of.flush()

    def isatty(self) -> bool:
        return self.instead_of.isatty()

    def fileno(self) -> int:
        return self.instead_of.fileno()

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a plain attribute there
        return self.instead_of.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]  # likewise
        return self.instead_of.errors

    def __getattr__(self, name: str) -> Any:  # Any: whatever else a stream has: buffer, name, reconfigure
        return getattr(self.instead_of, name)


def _same_terminal(one: TextIO | None, other: TextIO) -> bool:
    try:
        return one is not None and os.path.sameopenfile(one.fileno(), other.fileno())
    except (OSError, ValueError):  # one of them is closed, or has no number: io.UnsupportedOperation is both
        return False


def _stream_handlers() -> Iterator[logging.StreamHandler[Any]]:  # Any: whatever stream it writes to
    """Yield the handlers of all loggers, each once: ``logging.basicConfig()`` in a job's module makes one, say."""
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    found = {id(handler): handler for logger in loggers for handler in getattr(logger, "handlers", ())}
    for handler in found.values():
        if isinstance(handler, logging.StreamHandler):
            yield handler

"""A pseudo-terminal, and what a terminal emulator shows of what was written to it."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyte


class Terminal:
    """
    The terminal's end of a pseudo-terminal.

    Args:
        columns: Cells of a line.
        rows: Lines of the window; ``lines`` has also those that have scrolled out of it.

    Attributes:
        stream: What a program has as its standard error.
        fd: The same as a number.
    """

    def __init__(self, columns: int = 100, rows: int = 24) -> None:
        self.own, self.fd = os.openpty()
        os.set_blocking(self.own, False)
        self.stream = os.fdopen(os.dup(self.fd), "w", encoding="utf-8")
        self._screen = pyte.HistoryScreen(columns, rows, history=10_000, ratio=0.01)
        self._emulator = pyte.ByteStream(self._screen)
        self._set_size(columns, rows)

    def written(self) -> str:
        """Return what was written since the last call; ``lines`` shows it."""
        parts = []
        try:
            while part := os.read(self.own, 65_536):
                parts.append(part)
        except (BlockingIOError, OSError):  # nothing more; nobody holds the other end any more
            pass
        data = b"".join(parts)
        self._emulator.feed(data)
        return data.decode(errors="replace").replace("\r\n", "\n")  # the terminal itself adds the CR

    def lines(self) -> list[str]:
        """Return the lines that somebody sees who scrolls up to the beginning, without empty ones at the end."""
        self.written()
        columns = self._screen.columns
        above = ["".join(line[x].data for x in range(columns)) for line in self._screen.history.top]
        shown = [line.rstrip() for line in [*above, *self._screen.display]]
        while shown and not shown[-1]:
            shown.pop()
        return shown

    @property
    def cursor_is_hidden(self) -> bool:
        self.written()
        return bool(self._screen.cursor.hidden)

    def resize(self, columns: int, rows: int = 24) -> None:
        self.written()
        self._set_size(columns, rows)
        self._screen.resize(rows, columns)

    def start(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start a command whose controlling terminal this is: Ctrl-C reaches it."""
        return subprocess.Popen(
            command, cwd=folder, env=environment, stdin=self.fd, stdout=self.fd, stderr=self.fd,
            start_new_session=True, preexec_fn=_take_terminal,
        )  # fmt: skip

    def type(self, text: str) -> None:
        os.write(self.own, text.encode())

    def until(self, seen: Callable[[list[str]], bool], seconds: float = 30) -> list[str]:
        """Return the lines once ``seen`` is true of them, however they change until then."""
        end = time.monotonic() + seconds
        while not seen(lines := self.lines()):
            assert time.monotonic() < end, "\n".join(lines)
            select.select([self.own], [], [], 0.05)
        return lines

    def wait(self, process: subprocess.Popen[bytes], seconds: float = 30) -> int:
        """Return the exit code; what is written meanwhile is read, or the process could not go on."""
        end = time.monotonic() + seconds
        while process.poll() is None:
            assert time.monotonic() < end, "\n".join(self.lines())
            self.written()
            select.select([self.own], [], [], 0.05)
        return process.wait()

    def close(self) -> None:
        self.stream.close()
        os.close(self.fd)
        os.close(self.own)

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)

"""
Standard output and standard error, whatever is at their other end: nobody, a full disk, a terminal without Unicode.

What a command did is in the journal and in its exit code; that its words reach nobody must change neither.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import IO, AnyStr, Final, TextIO

UNWRITABLE = 2
"""Exit code of a command that has nothing to do but to print, and could not."""

_ERROR: Final = 2


def prepare() -> None:
    """Make the three standard streams safe to have; called once, before any file is opened."""
    global _first  # there is one for each process
    _occupy()
    _first = os.fstat(_ERROR)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # not every object that is put in their place has it
        if reconfigure is not None:
            reconfigure(errors="replace")  # a terminal that lacks a character must not end a run


def out(*lines: str) -> bool:
    """Print to standard output; return as ``out_lines`` does."""
    return out_lines(lines)


def out_lines(lines: Iterable[str]) -> bool:
    """
    Print lines to standard output as they come; return False where it cannot be written, which is then said.

    A reader who left (``| head``) had what it wanted: that is True.
    """
    stream = sys.stdout
    return stream is None or _written(stream, stream, (f"{line}\n" for line in lines))


def out_bytes(lines: Iterable[bytes]) -> bool:
    """Write lines of UTF-8, line ends included, to standard output whatever its encoding; return as ``out_lines``."""
    stream = sys.stdout
    return stream is None or _written(stream, stream.buffer, lines)


def _written(stream: TextIO, sink: IO[AnyStr], lines: Iterable[AnyStr]) -> bool:
    try:
        for line in lines:
            sink.write(line)
        stream.flush()
    except BrokenPipeError:
        _to_nowhere(stream)
    except OSError as unwritable:
        _to_nowhere(stream)
        say(f"unlost: standard output cannot be written: {unwritable.strerror}")
        return False
    return True


def say(text: str) -> None:
    """Print to standard error; where a program closed that, or put there what takes nothing, on what it was given."""
    line = f"{text}\n"
    if not any(stream is not None and write(stream, line) for stream in (sys.stderr, sys.__stderr__)):
        _write_below(line)


def write(stream: TextIO | None, text: str) -> bool:
    """Write and flush; what cannot be written is gone. Return False where it takes nothing: it is closed, say."""
    if stream is None:
        return True
    try:
        stream.write(text)
        stream.flush()
    except OSError:
        _to_nowhere(stream)
    except Exception:  # closed, or an object of the program's own: the caller has others  # noqa: BLE001
        return False
    return True


def flush() -> None:
    """Write what is in the buffers, or forget it: python would exit with a code of its own."""
    for stream in (sys.stdout, sys.stderr):
        write(stream, "")


def _write_below(line: str) -> None:
    """
    Write to the file below standard error, which is open though the stream was closed.

    Not if it is another one by now: that may be any file of the program's, and have the number by chance.
    """
    try:
        if _first is not None and os.path.samestat(_first, os.fstat(_ERROR)):
            with open(_ERROR, "w", encoding="utf-8", errors="replace", closefd=False) as stream:
                stream.write(line)
    except OSError:  # it was closed, too, or nobody reads: there is nowhere left
        return


def _occupy() -> None:
    """
    Open what was closed (``>&-``) on the null device.

    Else the next file to be opened, be it the results file, gets the number of standard output or standard error, and
    whatever a library writes there goes into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one


def _to_nowhere(stream: TextIO) -> None:
    """Let what is still in the buffer vanish: python would stumble over it at exit, and change the exit code."""
    try:
        number = stream.fileno()
    except (AttributeError, OSError, ValueError):  # of a program's own, without a file: python does not know of it
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, number)
    os.close(null)


_first: os.stat_result | None = None  # what standard error was, where ``prepare`` was called

"""
The reporters: where an error goes that no owner can take.

The default one writes to standard error, without ``logging``, so that it works while the interpreter exits. A reporter
must not fail: where the error itself cannot be printed (a broken ``__str__``), its type is.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from unlost.errors import UsageError

Reporter: TypeAlias = Callable[[BaseException, str], object]

_reporters: list[Reporter] = []
_watchers: list[Callable[[BaseException], object]] = []


def report(error: BaseException, what: str) -> None:
    """
    Tell every reporter, or where there is none, print ``error`` with its traceback under one line.

    Args:
        error: What nobody else can be told.
        what: In which operation, and why no owner could take it.
    """
    for watcher in tuple(_watchers):
        watcher(error)
    for reporter in tuple(_reporters):
        try:
            reporter(error, what)
        except Exception as reporter_error:  # printed, and so is what it was given  # noqa: BLE001
            _print(reporter_error, f"reporter {reporter!r} failed on what follows")
            _print(error, what)
    if not _reporters:
        _print(error, what)


@contextmanager
def report_to(reporter: Reporter) -> Iterator[Reporter]:
    """
    Call ``reporter(error, what)`` in place of printing, until the block ends, with each error that no owner can take.

    It is called wherever the error turns up, in any thread. An error of its own is printed, with what it was given.
    """
    if not callable(reporter):
        raise UsageError(f"report_to() got {reporter!r}. Write report_to(lambda error, what: ...).")
    _reporters.append(reporter)
    try:
        yield reporter
    finally:
        _reporters.remove(reporter)


def on_reports(watcher: Callable[[BaseException], object]) -> Callable[[], None]:
    """
    Call ``watcher`` with each error that is reported, before the reporters are; return what takes it away again.

    It must not raise: it is called where an error has nowhere else to go.
    """
    _watchers.append(watcher)

    def undo() -> None:
        if watcher in _watchers:
            _watchers.remove(watcher)

    return undo


def tell(text: str) -> None:
    """Write ``text`` as it is to standard error, if there is one."""
    stream = sys.stderr
    if stream is None:  # pythonw.exe and daemons that closed it: there is nowhere left
        return
    try:
        stream.write(text)
        stream.flush()
    except (OSError, ValueError):  # a full disk, nobody reads, or it was closed: there is nowhere left
        return


def _print(error: BaseException, what: str) -> None:
    try:
        text = "".join(traceback.format_exception(error))
    except Exception as printing_error:  # named in the text that is printed instead  # noqa: BLE001
        text = f"{type(error).__qualname__} (printing it raised {type(printing_error).__qualname__})\n"
    tell(f"unlost: {what}\n{text}")

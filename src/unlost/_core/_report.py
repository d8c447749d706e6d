"""
The default reporter: where an error goes that no owner can take.

It writes to standard error, without ``logging``, so that it works while the interpreter exits. A reporter must not
fail: where the error itself cannot be printed (a broken ``__str__``), its type is.
"""

from __future__ import annotations

import sys
import traceback


def report(error: BaseException, what: str) -> None:
    """
    Print ``error`` with its traceback under one line that says what happened.

    Args:
        error: What nobody else can be told.
        what: In which operation, and why no owner could take it.
    """
    try:
        text = "".join(traceback.format_exception(error))
    except Exception as printing_error:  # named in the text that is printed instead  # noqa: BLE001
        text = f"{type(error).__qualname__} (printing it raised {type(printing_error).__qualname__})\n"
    tell(f"unlost: {what}\n{text}")


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

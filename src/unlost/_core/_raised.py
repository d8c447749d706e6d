"""Raising a child's failure to whoever awaits the child."""

from __future__ import annotations

import sys
from typing import NoReturn

from unlost._core._outcome import Failure
from unlost._core._reraise import reraise
from unlost.errors import ChildFailed, headline


def raise_to_waiter(failure: Failure, name: str) -> NoReturn:
    """
    Raise the original; inside of an ``except`` or ``finally`` that handles another error, a ``ChildFailed`` from it.

    There, Python would make the error that is being handled the original's context, in place of its own (anyio#1098).
    """
    try:
        if sys.exception() is None:
            reraise(failure.error)
        raise ChildFailed(f"{name} failed: {headline(failure.error)}") from failure.error
    finally:
        del failure  # the error's traceback refers to this frame

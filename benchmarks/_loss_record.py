"""
The record of one cell: what was raised, handed over and reported, line by line in a file.

Each line is written at once and to the file's descriptor, so that it also works while the interpreter exits. Exceptions
are told by a token in their text; no reference to one is kept, since that would keep it from being collected.
"""

from __future__ import annotations

import os
import re
from itertools import count
from typing import Final, NoReturn

TOKEN: Final = re.compile(r"<[a-z][a-z0-9 ]*#\d+>")

_numbers = count(1)
_descriptor: int | None = None


class Marked:
    """Told from all other exceptions by its token, which is its whole text."""

    def __init__(self, token: str) -> None:
        super().__init__(token)
        self.token = token


class Boom(Marked, Exception):
    """Something failed."""


class BoomExit(Marked, SystemExit):
    """Something called ``sys.exit``."""


class BoomInterrupt(Marked, KeyboardInterrupt):
    """Ctrl-C, as it comes out of an operation."""


def open_record(path: str) -> None:
    global _descriptor  # one cell for each process
    _descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def write(word: str, token: str = "") -> None:
    if _descriptor is None:
        raise RuntimeError("no record is open")
    os.write(_descriptor, f"{word} {token}\n".encode())


def raise_(label: str, kind: type[Marked] = Boom) -> NoReturn:
    """Raise a new exception, written down; the only way in which a scenario raises."""
    token = f"<{label}#{next(_numbers)}>"
    write("raised", token)
    raise kind(token)

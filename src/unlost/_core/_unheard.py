"""
What bare values survived while nobody listened: counted for each name, and told once, when the interpreter exits.

A value that carries its errors is not counted, nor an error that a listener was told of. Memory is bounded: only the
last error of a name is kept, as one line, and beyond 100 names all others are one.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import Final

from unlost._core._hooks import at_exit
from unlost._core._report import tell
from unlost.errors import headline

_NAMES: Final = 100
_OTHERS: Final = "(others)"
_LONGEST: Final = 200
_HINT: Final = "to have them: with unlost.receipt() as survived: ..., or unlost.listen(...)"


@dataclass(slots=True)
class _Count:
    errors: int = 0
    calls: int = 0
    last: str = ""


_counts: dict[str, _Count] = {}
_lock = Lock()  # loops in several threads
_registered = False


def count_unheard(name: str, errors: int, last: BaseException) -> None:
    """Count one call that returned a bare value after so many ``errors``, 1 or more, that no listener was told of."""
    global _registered  # once for each process, on first use
    name = name[:_LONGEST]
    line = headline(last)  # outside the lock: it runs the user's __str__
    with _lock:
        count = _counts.setdefault(name if name in _counts or len(_counts) < _NAMES else _OTHERS, _Count())
        count.errors += errors
        count.calls += 1
        count.last = line
        register, _registered = not _registered, True
    if register:
        at_exit(_tell)


def take_unheard() -> list[str]:
    """Return one line for each name, in the order of their first errors, and forget them."""
    with _lock:
        counts = dict(_counts)
        _counts.clear()
    return [
        f"survived without a listener: {name}: {_some(count.errors, 'error')} in {_some(count.calls, 'call')} "
        f"(last: {count.last})"
        for name, count in counts.items()
    ]


def _tell() -> None:
    if lines := take_unheard():
        tell("".join(f"unlost: {line}\n" for line in [*lines, _HINT]))


def _some(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

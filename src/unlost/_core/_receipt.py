"""
What a bare value survived: a call that returns nothing but a value writes it down here.

The receipt is ambient (a context variable), so that it also gets what happens in tasks that are started inside of the
block. The innermost receipt that is still open takes an entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from unlost._core._events import Event, emit
from unlost._core._unheard import count_unheard


@dataclass(frozen=True, slots=True)
class Survived(Event):
    """
    A call returned a bare value although something had failed.

    Attributes:
        name: The call, for example ``unlost.race``, or the function that was tried again.
        errors: What had failed, oldest first.
        values: Values that were not wanted, of a race's losers for example.
    """

    name: str
    errors: tuple[BaseException, ...]
    values: tuple[object, ...] = ()


class Receipt:
    """
    What was survived while the block ran.

    Attributes:
        entries: One for each call that returned a bare value although something had failed, in the order of their ends.
    """

    def __init__(self, outer: Receipt | None) -> None:
        self.entries: list[Survived] = []
        self._outer = outer
        self._is_open = True

    @property
    def errors(self) -> tuple[BaseException, ...]:
        """All errors of all entries."""
        return tuple(error for entry in self.entries for error in entry.errors)

    def __bool__(self) -> bool:
        return bool(self.entries)

    def __repr__(self) -> str:
        return f"<Receipt of {len(self.entries)} entries, {len(self.errors)} errors>"

    def _write(self, entry: Survived) -> bool:
        receipt: Receipt | None = self
        while receipt is not None and not receipt._is_open:  # a task outlived the block that it was started in
            receipt = receipt._outer
        if receipt is None:
            return False
        receipt.entries.append(entry)
        return True


_current: ContextVar[Receipt | None] = ContextVar("unlost.receipt", default=None)


@contextmanager
def receipt() -> Iterator[Receipt]:
    """
    Collect what the calls in this block survived and their bare values cannot tell.

        with unlost.receipt() as survived:
            price = await unlost.race(fetch(a), fetch(b))
        for error in survived.errors: ...

    Tasks that are started inside write into it too, until the block ends. It keeps the errors, with the frames of their
    tracebacks, for as long as it is kept.
    """
    opened = Receipt(_current.get())
    token = _current.set(opened)
    try:
        yield opened
    finally:
        opened._is_open = False
        _current.reset(token)


def survive(
    name: str, errors: tuple[BaseException, ...], values: tuple[object, ...] = (), already_heard: int = 0
) -> None:
    """
    Write down what a call survived: into the receipt, and as an event; where nobody listens, count it.

    Args:
        name: The call.
        errors: What failed, oldest first.
        values: What came out and was not wanted.
        already_heard: Of how many of the errors a listener was told before.
    """
    unheard = len(errors) - already_heard
    if not tell_survived(name, errors, values) and unheard > 0:
        count_unheard(name, unheard, errors[-1])


def tell_survived(name: str, errors: tuple[BaseException, ...], values: tuple[object, ...] = ()) -> bool:
    """Do as ``survive``, and count nothing; return whether there was somebody to tell, or nothing to be told."""
    if not errors and not values:
        return True
    entry = Survived(name, errors, values)
    current = _current.get()
    is_written = current is not None and current._write(entry)
    return emit(entry) or is_written

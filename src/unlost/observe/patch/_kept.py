"""Where an error goes that asyncio would drop."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, Final

from unlost._core._report import report
from unlost.errors import attached, recall, remember
from unlost.errors._attached import attach_errors
from unlost.observe._leaving import line_of
from unlost.observe.watch import left_to_asyncio

_KEY: Final = "dropped"
_IN_FUTURE: Final = "_unlost_dropped"
_FARTHEST: Final = 1_000


class Kept:
    """
    What was kept, in numbers.

    Attributes:
        attached: How many errors were attached to the one that came out.
        reported: How many were given to the reporters.
        left: How many operations were left to asyncio, which tells of their errors itself if nobody looks at them.
        faults: How often something of ours failed; the program was not told.
        last_fault: The last of these, on one line.
    """

    def __init__(self) -> None:
        self.attached = 0
        self.reported = 0
        self.left = 0
        self.faults = 0
        self.last_fault = ""

    def attach(self, carrier: BaseException, errors: list[BaseException], what: str) -> None:
        """
        Let ``errors`` travel with ``carrier``, which is about to come out.

        A cancellation is mostly dropped by whoever asked for it: what travels with one is reported too, once that is
        gone. What ``carrier`` is already a cause or context of is reported at once: it would hold itself otherwise.
        """
        present = {id(carrier), *map(id, attached(carrier))}
        new = {id(error): error for error in errors if id(error) not in present}
        cyclic = [error for error in new.values() if _leads_to(error, carrier)]
        free = tuple(error for error in new.values() if not any(error is one for one in cyclic))
        if free:
            attach_errors(carrier, free)
            self.attached += len(free)
            if isinstance(carrier, CancelledError):
                # in a tuple with the one before: a cancellation may come through several calls
                remember(carrier, _KEY, (recall(carrier, _KEY), _Last(self, free, what)))
        for error in cyclic:
            self.report(error, what)

    def hang_on(self, future: Future[Any], error: BaseException, what: str) -> None:  # Any: of every result
        """Report an error once the future that has it is gone, unless somebody asks that before."""
        future.__dict__[_IN_FUTURE] = _Last(self, (error,), what)

    def asked(self, future: Future[Any]) -> None:  # Any: as above
        """Note that somebody asks a future: it is theirs now."""
        last = future.__dict__.pop(_IN_FUTURE, None)
        if isinstance(last, _Last):
            last.forget()

    def leave_to_asyncio(self, error: BaseException | None) -> None:
        """Let asyncio tell of an error, if there is one and nobody asks, for which all that is needed was done."""
        if error is not None:
            left_to_asyncio(error)

    def report(self, error: BaseException, what: str) -> None:
        """Give an error to the reporters."""
        self.reported += 1
        report(error, what)

    def guard(self, call: Callable[[], object]) -> None:
        """Call what must not raise into a program that has not called it."""
        try:
            call()
        except Exception as fault:  # counted, and told by whoever shows the numbers  # noqa: BLE001
            self.faults += 1
            self.last_fault = line_of(fault)


class _Last:
    """Reports errors when it dies, and so does whoever could have shown them."""

    __slots__ = ("_errors", "_kept", "_what")

    def __init__(self, kept: Kept, errors: tuple[BaseException, ...], what: str) -> None:
        self._kept = kept
        self._errors = errors
        self._what = what

    def forget(self) -> None:
        self._errors = ()

    def __del__(self) -> None:
        if self._errors:
            self._kept.guard(self._report)

    def _report(self) -> None:
        errors, self._errors = self._errors, ()
        for error in errors:
            self._kept.report(error, self._what)


def _leads_to(error: BaseException, target: BaseException) -> bool:
    pending, seen = [error], {id(error)}
    while pending and len(seen) < _FARTHEST:
        for one in _held_by(pending.pop()):
            if one is target:
                return True
            if id(one) not in seen:
                seen.add(id(one))
                pending.append(one)
    return False


def _held_by(error: BaseException) -> Iterator[BaseException]:
    if error.__cause__ is not None:
        yield error.__cause__
    if error.__context__ is not None:
        yield error.__context__
    if isinstance(error, BaseExceptionGroup):
        yield from error.exceptions
    yield from attached(error)

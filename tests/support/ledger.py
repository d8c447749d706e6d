"""
The books of a scenario: which operation raised what, and in which state of the law it ended.

    ledger = Ledger()
    with ledger.listening():
        with pytest.raises(ExceptionGroup) as caught:
            await scenario(ledger)  # it says ``raise ledger.raising("child 1", ValueError())``
    ledger.give(caught.value)
    ledger.check({"child 1": State.ATTACHED})

States are of operations: where one exception object comes out of two, each has the state of the object. What only the
loop's exception handler was told of is lost: it is nobody's owner.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, TypeVar

from unlost._core._events import AttemptFailed, Event, listen
from unlost._core._forgiven import Forgiven
from unlost._core._outcome import Cancelled, Failure, Outcome
from unlost._core._outcomes import partial
from unlost._core._receipt import Receipt, Survived, receipt
from unlost._core._report import report_to
from unlost.errors import attached, attempts

E = TypeVar("E", bound=BaseException)


class State(IntEnum):
    """What became of an exception, the strongest first."""

    DELIVERED = 1
    ATTACHED = 2
    REPORTED = 3
    FORGIVEN = 4
    LOST = 5


@dataclass(frozen=True, slots=True)
class Raised:
    """
    One exception of one operation.

    Attributes:
        label: The operation's.
        error: What it raised.
        at: ``file.py:12 in function``.
    """

    label: str
    error: BaseException
    at: str


class Ledger:
    """Who raised what, and who was told."""

    def __init__(self) -> None:
        self.raised: list[Raised] = []
        self.receipt: Receipt | None = None
        self._states: dict[int, set[State]] = {}
        self._found: list[BaseException] = []  # keeps the ids valid

    def raising(self, label: str, error: E) -> E:
        """Write down that the operation ``label`` raises ``error``, which is returned."""
        self.raised.append(Raised(label, error, _caller()))
        return error

    @contextmanager
    def listening(self) -> Iterator[Ledger]:
        """Be the reporter, a listener and the receipt, until the block ends."""
        with report_to(self._reported), listen(self._heard), receipt() as self.receipt:
            yield self
        for error in self.receipt.errors:
            self._mark(error, State.ATTACHED, State.ATTACHED)

    def give(self, *things: object) -> None:
        """Write down what the owner was handed: exceptions, outcomes, lists of these, values; None is nothing."""
        for thing in things:
            if isinstance(thing, BaseException):
                self._mark(thing, State.DELIVERED, State.ATTACHED)
            elif isinstance(thing, Outcome):
                self._give_outcome(thing)
            elif isinstance(thing, list | tuple):
                self.give(*thing)

    def states(self, label: str) -> set[State]:
        """Return every state that the exceptions of one operation have come to; empty is lost."""
        return set().union(*(self._states.get(id(entry.error), ()) for entry in self.raised if entry.label == label))

    def outcome(self) -> dict[str, State]:
        """Return the state of each operation that raised: of its strongest, or where one is lost, ``LOST``."""
        found: dict[str, State] = {}
        for entry in self.raised:
            state = self._state_of(entry)
            found[entry.label] = max(state, found.get(entry.label, state))
        return found

    def check(self, expected: Mapping[str, State | Collection[State]]) -> None:
        """
        Assert that each operation's exception has come to the state that is expected, and that no other one raised.

        Args:
            expected: For each label one state, or several that would do. ``LOST`` never does.
        """
        assert not (wrong := self.problems(expected)), "\n".join(["the books do not balance:", *wrong])

    def problems(self, expected: Mapping[str, State | Collection[State]]) -> list[str]:
        """Return one line for each operation whose state is not as expected."""
        wrong = []
        for entry in self.raised:
            state = self._state_of(entry)
            wanted = expected.get(entry.label, ())
            allowed = (wanted,) if isinstance(wanted, State) else wanted
            if state is State.LOST or state not in allowed:
                wrong.append(f"{_line(entry)}: {state.name.lower()}, expected {_names(allowed)}")
        for label in expected.keys() - {entry.label for entry in self.raised}:
            wrong.append(f"{label}: raised nothing, expected to")
        return wrong

    def _state_of(self, entry: Raised) -> State:
        return min(self._states.get(id(entry.error), (State.LOST,)))

    def _give_outcome(self, outcome: Outcome[Any]) -> None:  # Any: values are not looked at
        if isinstance(outcome, Failure | Cancelled):
            self._mark(outcome.error, State.DELIVERED, State.ATTACHED)
        for error in outcome.survived:
            self._mark(error, State.ATTACHED, State.ATTACHED)

    def _reported(self, error: BaseException, _what: str) -> None:
        self._mark(error, State.REPORTED, State.REPORTED)

    def _heard(self, event: Event) -> None:
        match event:
            case Forgiven(error=error):
                self._mark(error, State.FORGIVEN, State.FORGIVEN)
            case AttemptFailed(error=error):
                self._mark(error, State.REPORTED, State.REPORTED)
            case Survived(errors=errors):
                for error in errors:
                    self._mark(error, State.REPORTED, State.REPORTED)

    def _mark(self, error: BaseException, itself: State, behind_it: State) -> None:
        self._states.setdefault(id(error), set()).add(itself)
        for found in reachable(error):
            self._found.append(found)
            if found is not error:
                self._states.setdefault(id(found), set()).add(behind_it)


def reachable(error: BaseException) -> Iterator[BaseException]:
    """Yield ``error`` and all that hangs on it: members, causes, contexts, and what this library keeps with it."""
    seen: set[int] = set()
    ahead = [error]
    while ahead:
        found = ahead.pop()
        if id(found) not in seen:
            seen.add(id(found))
            yield found
            ahead += _next_to(found)


def _next_to(error: BaseException) -> list[BaseException]:
    found = [chained for chained in (error.__cause__, error.__context__) if chained is not None]
    if isinstance(error, BaseExceptionGroup):
        found += error.exceptions
    found += attached(error)
    found += attempts(error)
    for outcome in partial(error) or ():
        found += outcome.survived
        if isinstance(outcome, Failure | Cancelled):
            found.append(outcome.error)
    errors = getattr(error, "errors", ())  # of a channel's other side
    if isinstance(errors, tuple):
        found += [other for other in errors if isinstance(other, BaseException)]
    return found


_LONGEST: Final = 100


def _line(entry: Raised) -> str:
    return f"{entry.label}: {repr(entry.error)[:_LONGEST]} raised at {entry.at}"


def _names(states: Collection[State]) -> str:
    return " or ".join(state.name.lower() for state in states) or "nothing"


def _caller() -> str:
    frame = sys._getframe(2)
    code = frame.f_code
    return f"{os.path.basename(code.co_filename)}:{frame.f_lineno} in {code.co_qualname}"

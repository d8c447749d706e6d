"""
What must come out of ``gather``, ``settle``, ``race`` and ``as_completed``, worked out on paper.

It knows nothing of the library's code. Time is as in ``support.group_model``, whose operations these are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

from support.group_model import CHILDREN_END, CLEANUP, Child

Call: TypeAlias = Literal[
    "gather", "settle", "race", "race_outcome",
    "as_completed", "as_completed, left after one", "as_completed, broken after one", "as_completed, left at once",
]  # fmt: skip
Form: TypeAlias = Literal["coroutine", "function", "task"]
Cancellation: TypeAlias = Literal["none", "before start", "while it runs", "with the first failure", "twice"]

CALLS: Final[tuple[Call, ...]] = get_args(Call)
FORMS: Final[tuple[Form, ...]] = get_args(Form)
CANCELLATIONS: Final[tuple[Cancellation, ...]] = get_args(Cancellation)

CANCELLED_AT: Final[dict[Cancellation, tuple[float, ...]]] = {
    "none": (),
    "before start": (),
    "while it runs": (0.5,),
    "with the first failure": (CHILDREN_END,),
    "twice": (0.5, 0.52),
}

Ended: TypeAlias = Literal["value", "failure", "cancelled", "stopped", "unstarted", "exit"]
Leaves: TypeAlias = Literal["value", "group", "CancelledError", "SystemExit", "body"]


@dataclass(frozen=True, slots=True)
class Combination:
    call: Call
    operations: tuple[Child, ...]
    cancellation: Cancellation
    form: Form

    def __str__(self) -> str:
        return f"{self.call} of {' | '.join(self.operations)} as {self.form}; cancelled {self.cancellation}"


@dataclass(slots=True)
class Expected:
    """
    What must come out.

    Attributes:
        leaves: What the call returns or raises; "body" is the error of the block itself. A block of ``as_completed``
            that is left early raises a group in the place of "value" if it did not take every failure.
        operations: How each has ended: "cancelled" from elsewhere, "stopped" by the call, "unstarted" before that.
        cancelling: ``task.cancelling()`` after the call.
        is_cancelled_next: Whether the next await raises ``CancelledError``; None where both would do.
        unsure: Which of them may have been "stopped" instead: in the tick of a SystemExit, which stops at once what has
            not had its turn yet.
        ends: False for what waits for ever.
    """

    leaves: Leaves = "value"
    operations: list[Ended] = field(default_factory=list)
    cancelling: int = 0
    is_cancelled_next: bool | None = False
    unsure: set[int] = field(default_factory=set)
    ends: bool = True


def expect(combination: Combination, *, is_eager: bool) -> Expected:
    """Return what must come out; ``is_eager``: tasks run to their first suspension while they are started."""
    return _Simulation(combination, is_eager).run()


_OWN_END: Final[dict[Child, Ended]] = {
    "returns": "value",
    "fails later": "failure",
    "cancelled from elsewhere": "cancelled",
    "raises SystemExit": "exit",
}


@dataclass(slots=True)
class _Operation:
    kind: Child
    ended: Ended | None = None
    has_begun: bool = False
    is_told: bool = False
    is_cleaning: bool = False
    ends_at: float | None = None

    def begin(self) -> None:
        self.has_begun = True
        if self.kind == "fails at once":
            self.ended = "failure"

    def reach(self, now: float) -> None:
        if self.ended is not None:
            return
        if self.ends_at is not None:
            self.ended = "failure" if self.ends_at == now else None
        elif now == CHILDREN_END:
            self.ended = _OWN_END.get(self.kind)

    def cancel(self, now: float) -> None:
        if self.ended is not None:
            return
        if not self.has_begun:
            self.ended = "unstarted"
        elif self.ends_at is not None:
            self.ended = "failure"  # a second cancellation cuts its cleanup short
        elif self.kind == "swallows its cancellation":
            self.ended = "value"
        elif self.kind == "fails in its cleanup":
            self.ends_at = now + CLEANUP
        else:
            self.ended = "stopped"


class _Simulation:
    def __init__(self, combination: Combination, is_eager: bool) -> None:
        self.of = combination
        self.is_eager = is_eager
        self.now = 0.0
        self.operations = [_Operation(kind) for kind in combination.operations]
        self.is_stopping = False
        self.is_left = False  # the body of as_completed
        self.body_failed = False
        self.count = 1 if combination.cancellation == "before start" else 0
        self.is_pending = self.count > 0
        self.is_outside_seen = False

    def run(self) -> Expected:
        self.enter()
        while not self.is_over():
            ahead = [moment for moment in self.moments() if moment > self.now]
            if not ahead:
                return Expected(ends=False)
            self.now = min(ahead)
            self.pass_moment()
        return self.come_out()

    def is_over(self) -> bool:
        return all(operation.is_told for operation in self.operations)

    def enter(self) -> None:
        given_running = self.of.form == "task"
        for operation in self.operations:
            if given_running and self.is_eager:
                operation.begin()
        for operation in self.operations:
            if self.is_stopping and not operation.has_begun:
                operation.ended = "unstarted"
            elif self.is_eager:
                if not operation.has_begun:
                    operation.begin()
                if operation.ended == "failure" and self.of.form != "task":  # anything else takes a turn of the loop
                    self.tell(only=operation)
        for operation in self.operations:
            operation.is_told = operation.is_told or operation.ended == "unstarted"
        if self.of.call == "as_completed, left at once":
            self.leave()
        elif self.is_eager:
            self.body_reads()
        for operation in self.operations:
            if not operation.has_begun and operation.ended is None:
                operation.begin()
        if self.is_pending and not self.is_over():
            self.is_pending = False
            self.cancel_outside()
        self.tell()
        self.body_reads()
        self.tell()

    def moments(self) -> list[float]:
        alive = [operation for operation in self.operations if operation.ended is None]
        moments = [operation.ends_at for operation in alive if operation.ends_at is not None]
        moments += [CHILDREN_END for operation in alive if operation.kind in _OWN_END]
        return [*moments, *CANCELLED_AT[self.of.cancellation]]

    def pass_moment(self) -> None:
        for operation in self.operations:
            operation.reach(self.now)
        self.tell()
        if self.now in CANCELLED_AT[self.of.cancellation]:
            self.count += 1
            self.cancel_outside()
        self.tell()
        self.body_reads()
        self.tell()

    def tell(self, only: _Operation | None = None) -> None:
        """The call learns who has ended; it may stop then, and that may end others."""
        while untold := [
            operation
            for operation in self.operations
            if operation.ended is not None and not operation.is_told and only in (None, operation)
        ]:
            for operation in untold:
                operation.is_told = True
                if self.stops_at(operation.ended):
                    self.stop()

    def stops_at(self, ended: Ended | None) -> bool:
        if ended == "exit":
            return True
        if self.of.call == "gather":
            return ended not in ("value", "unstarted")
        return self.of.call in ("race", "race_outcome") and ended == "value"

    def body_reads(self) -> None:
        """The block of ``as_completed`` takes one outcome, if there is one, and goes."""
        if self.is_left or not self.of.call.endswith("after one"):
            return
        if any(operation.is_told for operation in self.operations) and not self.has_exit():
            self.body_failed = self.of.call == "as_completed, broken after one"
            self.leave()

    def has_exit(self) -> bool:
        return any(operation.ended == "exit" for operation in self.operations)

    def leave(self) -> None:
        self.is_left = True
        self.stop()

    def stop(self) -> None:
        if not self.is_stopping:
            self.is_stopping = True
            for operation in self.operations:
                operation.cancel(self.now)

    def cancel_outside(self) -> None:
        self.is_outside_seen = True
        self.is_left = True
        self.is_stopping = True
        for operation in self.operations:
            operation.cancel(self.now)

    def come_out(self) -> Expected:
        endings = [operation.ended for operation in self.operations if operation.ended is not None]
        if self.of.form == "task":  # it was started before the call
            endings = ["stopped" if ended == "unstarted" else ended for ended in endings]
        expected = Expected("value", endings, self.count, self.is_pending)
        if self.has_exit():
            expected.leaves, expected.is_cancelled_next = "SystemExit", None
            expected.unsure = {number for number, of in enumerate(self.operations) if of.kind in _OWN_END}
        elif self.is_outside_seen:
            expected.leaves = "CancelledError"
        elif self.body_failed:
            expected.leaves = "body"
        elif self.raises_group(endings):
            expected.leaves = "group"
        return expected

    def raises_group(self, endings: list[Ended]) -> bool:
        if self.of.call == "gather":
            return "failure" in endings or "cancelled" in endings
        return self.of.call.startswith("race") and "value" not in endings

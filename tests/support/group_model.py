"""
What must come out of a task group, worked out on paper: a small simulation that knows nothing of the library's code.

Time is in seconds from the block's beginning. Children come to their own end at 1, all in one tick; the body ends at 2;
cleanup takes 0.1. What happens in one tick does not influence each other; what follows from it takes no time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

Body: TypeAlias = Literal[
    "ends at once", "awaits", "fails at once", "fails later",
    "swallows its cancellation", "starts another in finally", "cancels the group",
]  # fmt: skip
Child: TypeAlias = Literal[
    "returns", "fails at once", "fails later", "waits for ever",
    "cancelled from elsewhere", "swallows its cancellation", "fails in its cleanup", "raises SystemExit",
]  # fmt: skip
Cancellation: TypeAlias = Literal[
    "none", "before start", "while the body runs", "with the first failure", "while the exit waits", "twice"
]
Policy: TypeAlias = Literal["default", "fail_fast", "wait_all", "collect", "tolerate(1)", "quorum(1)"]
Start: TypeAlias = Literal["start_soon", "create_task"]

BODIES: Final[tuple[Body, ...]] = get_args(Body)
CHILDREN: Final[tuple[Child, ...]] = get_args(Child)
CANCELLATIONS: Final[tuple[Cancellation, ...]] = get_args(Cancellation)
POLICIES: Final[tuple[Policy, ...]] = get_args(Policy)
STARTS: Final[tuple[Start, ...]] = get_args(Start)

CHILDREN_END: Final = 1.0
BODY_ENDS: Final = 2.0
GROUP_CANCELLED: Final = 0.45
CLEANUP: Final = 0.1
CANCELLED_AT: Final[dict[Cancellation, tuple[float, ...]]] = {
    "none": (),
    "before start": (),
    "while the body runs": (0.5,),
    "with the first failure": (CHILDREN_END,),
    "while the exit waits": (3.0,),
    "twice": (0.5, 0.52),
}
LAST: Final = "child 3"  # the one that is started in finally

Ended: TypeAlias = Literal["value", "failure", "cancelled", "exit"]
Leaves: TypeAlias = Literal["nothing", "group", "CancelledError", "SystemExit"]


@dataclass(frozen=True, slots=True)
class Combination:
    body: Body
    children: tuple[Child, Child]
    cancellation: Cancellation
    policy: Policy
    start: Start

    def __str__(self) -> str:
        first, second = self.children
        return (
            f"{self.policy}, {self.start}: body {self.body}; child 1 {first}; child 2 {second}; "
            f"cancelled {self.cancellation}"
        )


@dataclass(slots=True)
class Expected:
    """
    What must come out.

    Attributes:
        leaves: What leaves the block; "SystemExit" is bare.
        members: Who is in the group that leaves it.
        cancelled_members: How many ``ChildCancelled`` are in it besides.
        children: How each child that was started has ended.
        failed: Who raised: children, "body", or "refused", which is the group's own error inside of the body.
        cancelling: ``task.cancelling()`` after the block.
        is_cancelled_next: Whether the next await raises ``CancelledError``; None where both would do.
        ends: False for what waits for ever.
    """

    leaves: Leaves = "nothing"
    members: set[str] = field(default_factory=set)
    cancelled_members: int = 0
    children: dict[str, Ended] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    cancelling: int = 0
    is_cancelled_next: bool | None = False
    ends: bool = True


def expect(combination: Combination, *, is_eager: bool) -> Expected:
    """Return what must come out; ``is_eager``: tasks run to their first suspension while they are started."""
    return _Simulation(combination, is_eager).run()


@dataclass(slots=True)
class _Child:
    kind: Child
    ended: Ended | None = None
    has_begun: bool = False
    is_told: bool = False
    cleans_until: float | None = None

    def begin(self) -> None:
        self.has_begun = True
        if self.kind == "fails at once":
            self.ended = "failure"

    def reach(self, now: float) -> None:
        """Come to its own end, if it is the time for it."""
        if self.ended is None and self.cleans_until == now:
            self.ended = "failure"
        elif self.ended is None and self.cleans_until is None and now == CHILDREN_END:
            self.ended = _OWN_END.get(self.kind)

    def cancel(self, now: float) -> None:
        if self.ended is not None or self.cleans_until is not None:
            return
        if self.has_begun and self.kind == "swallows its cancellation":
            self.ended = "value"
        elif self.has_begun and self.kind == "fails in its cleanup":
            self.cleans_until = now + CLEANUP
        else:
            self.ended = "cancelled"


_OWN_END: Final[dict[Child, Ended]] = {
    "returns": "value",
    "fails later": "failure",
    "cancelled from elsewhere": "cancelled",
    "raises SystemExit": "exit",
}


class _Simulation:
    def __init__(self, combination: Combination, is_eager: bool) -> None:
        self.of = combination
        self.is_eager = is_eager
        self.now = 0.0
        self.children: list[_Child] = []
        self.is_stopping = False
        self.is_body_running = True
        self.exit_waits = False
        self.body_is_to_be_cancelled = False
        self.body_error: str | None = None
        self.count = 1 if combination.cancellation == "before start" else 0
        self.is_pending = combination.cancellation == "before start"
        self.was_swallowed = False
        self.is_outside_seen = False  # by the group, rather than swallowed by the body

    def run(self) -> Expected:
        self.enter()
        while self.is_body_running or self.exit_waits:
            ahead = [moment for moment in self.moments() if moment > self.now]
            if not ahead:
                return Expected(ends=False)
            self.now = min(ahead)
            self.pass_moment()
        return self.come_out()

    def enter(self) -> None:
        for kind in self.of.children:
            if not self.start(kind):
                self.end_body("refused")
                break
        else:
            if self.of.body == "ends at once":
                self.end_body()
            elif self.of.body == "fails at once":
                self.end_body("body")
        self.begin()
        if self.is_pending and (self.is_body_running or self.exit_waits):
            self.is_pending = False
            self.cancel_outside()
            self.body_wakes()
        self.tell()
        self.body_wakes()

    def moments(self) -> list[float]:
        """When something may happen: what already has is passed over by the caller."""
        alive = [child for child in self.children if child.ended is None]
        moments = [child.cleans_until for child in alive if child.cleans_until is not None]
        moments += [CHILDREN_END for child in alive if child.kind in _OWN_END]
        moments += CANCELLED_AT[self.of.cancellation]
        if self.is_body_running:
            moments += [GROUP_CANCELLED] * (self.of.body == "cancels the group") + [BODY_ENDS]
        return moments

    def pass_moment(self) -> None:
        for child in self.children:
            child.reach(self.now)
        if self.is_body_running and self.of.body == "cancels the group" and self.now == GROUP_CANCELLED:
            self.stop()
        self.tell()
        if self.now in CANCELLED_AT[self.of.cancellation]:
            self.cancel_outside()
        self.body_wakes()
        if self.is_body_running and self.now == BODY_ENDS:
            self.body_comes_to_its_end()
        self.begin()
        self.tell()

    def start(self, kind: Child) -> bool:
        if self.is_stopping:
            return False
        child = _Child(kind)
        self.children.append(child)
        if self.is_eager:
            child.begin()
            self.tell()
        return True

    def begin(self) -> None:
        """Let those have their first step that were not cancelled before it."""
        for child in self.children:
            if not child.has_begun and child.ended is None:
                child.begin()

    def tell(self) -> None:
        """The group learns who has ended; it may stop then, and that may end others."""
        while untold := [child for child in self.children if child.ended is not None and not child.is_told]:
            for child in untold:
                child.is_told = True
            if any(child.ended == "exit" for child in untold) or self.policy_stops():
                self.stop()
        if self.exit_waits and all(child.is_told for child in self.children):
            self.exit_waits = False

    def policy_stops(self) -> bool:
        told = [child.ended for child in self.children if child.is_told]
        match self.of.policy:
            case "default" | "fail_fast":
                return "failure" in told
            case "tolerate(1)":
                return told.count("failure") > 1
            case "quorum(1)":
                return "value" in told
            case "wait_all" | "collect":
                return False

    def stop(self) -> None:
        if not self.is_stopping:
            self.abort()
            self.body_is_to_be_cancelled = self.is_body_running

    def abort(self) -> None:
        self.is_stopping = True
        for child in self.children:
            child.cancel(self.now)

    def cancel_outside(self) -> None:
        if self.now:
            self.count += 1
        if self.is_body_running:
            self.body_is_to_be_cancelled = True
            if self.of.body == "swallows its cancellation":
                self.was_swallowed = True
            else:
                self.is_outside_seen = True
        else:
            self.is_outside_seen = True
            if not self.is_stopping:
                self.abort()

    def body_wakes(self) -> None:
        """The body is given the cancellation that was asked for."""
        if not (self.body_is_to_be_cancelled and self.is_body_running):
            return
        if self.of.body == "swallows its cancellation":
            self.end_body()
        elif self.of.body == "starts another in finally" and not self.start("fails at once"):
            self.end_body("refused")
        else:
            self.end_body(is_cancelled=True)

    def body_comes_to_its_end(self) -> None:
        if self.of.body == "starts another in finally":
            self.start("fails at once")
        self.end_body("body" if self.of.body == "fails later" else None)

    def end_body(self, error: str | None = None, *, is_cancelled: bool = False) -> None:
        self.is_body_running = False
        self.body_error = error
        self.exit_waits = any(not child.is_told for child in self.children)
        if (error is not None or is_cancelled) and not self.is_stopping:
            self.abort()

    def come_out(self) -> Expected:
        labels = {f"child {number}": child for number, child in enumerate(self.children, 1)}
        endings = {label: child.ended for label, child in labels.items() if child.ended is not None}
        failed = {label for label, ended in endings.items() if ended == "failure"}
        expected = Expected(children=endings, failed=set(failed), cancelling=self.count)
        if self.body_error is not None:
            expected.failed.add(self.body_error)
        exits = {label for label, ended in endings.items() if ended == "exit"}
        expected.failed |= exits
        if exits:
            expected.leaves = "SystemExit"
            expected.is_cancelled_next = None
            return expected
        self.add_members(expected, failed, list(endings.values()))
        if expected.members or expected.cancelled_members:
            expected.leaves = "group"
            expected.is_cancelled_next = self.count > 0
            if self.was_swallowed and self.of.cancellation == "before start":
                expected.is_cancelled_next = None
        elif self.is_outside_seen:
            expected.leaves = "CancelledError"
        else:
            expected.is_cancelled_next = self.is_pending
        return expected

    def add_members(self, expected: Expected, failed: set[str], endings: list[Ended]) -> None:
        match self.of.policy:
            case "default" | "fail_fast" | "wait_all":
                expected.members |= failed
            case "tolerate(1)" if len(failed) > 1:
                expected.members |= failed
            case "quorum(1)" if "value" not in endings and (failed or not self.is_outside_seen):
                expected.members |= failed
                expected.cancelled_members = endings.count("cancelled")
            case _:
                pass
        if self.body_error is not None:
            expected.members.add(self.body_error)

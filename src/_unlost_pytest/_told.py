"""What is said at the end of a session; under xdist the controller says it for all workers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, TypeAlias

import pytest

from _unlost_pytest._idle import Idle
from unlost.observe.install._by_key import ByKey
from unlost.observe.install._summary import BY_MODE

Late: TypeAlias = tuple[str, str]
"""A test, and what came up after its end."""


class Told:
    """
    Attributes:
        count: How many were told in tests.
        late: What came up after the ends of tests.
        forgiven: How many marks forgave.
        idle: Which marks forgave nothing.
        others: How many ended badly in code that is not the user's.
        passed: What was found where nothing fails.
        why: Why not all could be seen, a sentence for each way of that.
        unseen: How much else could not be seen, by the sentence that says so.
    """

    def __init__(self) -> None:
        self.count = 0
        self.late: list[Late] = []
        self.forgiven = 0
        self.idle = Idle()
        self.others = 0
        self.passed = ByKey()
        self.why: list[str] = []
        self.unseen: Counter[str] = Counter()

    def __bool__(self) -> bool:
        found = self.late or self.count or self.forgiven or self.idle or self.others
        return bool(found) or any(text != BY_MODE for text in self.unseen)

    def sent(self) -> dict[str, Any]:  # Any: what xdist can send
        """Return all of it for the controller."""
        return {
            "count": self.count, "late": self.late, "forgiven": self.forgiven, "passed": self.passed.sent(),
            "idle": self.idle.sent(), "others": self.others, "why": self.why, "unseen": dict(self.unseen),
        }  # fmt: skip

    def receive(self, sent: dict[str, Any]) -> None:  # Any: as above
        """Add what a worker has sent."""
        self.count += sent["count"]
        self.late += [(test, text) for test, text in sent["late"]]
        self.forgiven += sent["forgiven"]
        self.idle.receive(sent["idle"])
        self.others += sent["others"]
        self.passed.receive(*sent["passed"])
        self.why += [why for why in sent["why"] if why not in self.why]
        self.unseen.update(sent["unseen"])

    def lines(self) -> Iterator[str]:
        """Yield what was found where nothing fails, and how much in all."""
        yield from self.passed.lines()
        yield f"{self.count} found in tests, {len(self.late)} after their ends"
        if self.forgiven:
            yield f"{self.forgiven} forgiven by marks"
        yield from self.idle.lines()
        if self.others:
            yield f"{self.others:,} ended in the code of Python or of installed packages, and are not told here."
            yield "UNLOST_OWN=PACKAGE in the environment counts an installed package as yours."


def report_of(late: Late) -> pytest.TestReport:
    """Return what lets pytest name, in its short summary, what was found after a test had reported itself."""
    test, text = late
    said: Any = SimpleNamespace(  # Any: it asks for no more than this
        reprcrash=SimpleNamespace(message=f"unlost: {text.partition(chr(10))[0]}")
    )
    return pytest.TestReport(test, (test.partition("::")[0], None, test), {}, "failed", said, "teardown")

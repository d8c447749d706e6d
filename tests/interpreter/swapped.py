"""
Runs a test suite of asyncio that ships with the interpreter, with our task group and our limits in asyncio's place.

    python swapped.py test_timeouts ours       (or: theirs, to see what the suite says of the originals)

It writes one JSON object to standard output: which names the suite's module reaches and whether they are ours, how many
blocks of ours were entered, and how each test ended.
"""

import importlib
import io
import json
import sys
import unittest
from typing import Any

from unlost._core.groups._group import TaskGroup
from unlost.policies import Deadline, timeout, timeout_at

SWAPPED: dict[str, Any] = {
    "asyncio.TaskGroup": TaskGroup,
    "asyncio.taskgroups.TaskGroup": TaskGroup,
    "asyncio.Timeout": Deadline,
    "asyncio.timeout": timeout,
    "asyncio.timeout_at": timeout_at,
    "asyncio.timeouts.Timeout": Deadline,
    "asyncio.timeouts.timeout": timeout,
    "asyncio.timeouts.timeout_at": timeout_at,
}
BLOCKS: dict[str, type[Any]] = {"test_timeouts": Deadline, "test_taskgroups": TaskGroup}


class Result(unittest.TestResult):
    """Keeps the names of all tests that were run, those that end well included."""

    def __init__(self) -> None:
        super().__init__()
        self.ran: list[str] = []

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802  # unittest's name
        super().startTest(test)
        self.ran.append(test.id())


def swap() -> None:
    for name, ours in SWAPPED.items():
        module, _, attribute = name.rpartition(".")
        setattr(sys.modules[module], attribute, ours)


def reached_by(module: Any) -> dict[str, bool]:
    """Return of each name that the module can reach by its ``asyncio`` and its ``taskgroups`` whether it is ours."""
    found = {}
    for name, ours in SWAPPED.items():
        first, *rest = name.removeprefix("asyncio.").split(".")
        start = getattr(module, first, None) if rest else getattr(getattr(module, "asyncio", None), first, None)
        value = getattr(start, rest[0], None) if rest else start
        if value is not None:
            found[name] = value is ours
    return found


def count_entered(block: type[Any]) -> list[int]:
    """Let ``block`` count how often it is entered."""
    count = [0]
    enter = block.__aenter__

    async def counting(self: Any) -> Any:
        count[0] += 1
        return await enter(self)

    block.__aenter__ = counting
    return count


def run(suite_name: str, whose: str) -> dict[str, object]:
    if whose == "ours":
        swap()
    try:
        module = importlib.import_module(f"test.test_asyncio.{suite_name}")
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.partition(".")[0] != "test":
            raise
        return {"missing": f"{sys.executable} comes without its tests: {missing}"}
    entered = count_entered(BLOCKS[suite_name])
    result = Result()
    unittest.defaultTestLoader.loadTestsFromModule(module).run(result)
    return {
        "is ours": reached_by(module),
        "entered": entered[0],
        "run": result.testsRun,
        "ran": result.ran,
        "failed": {test.id(): text for test, text in [*result.failures, *result.errors]},
        "skipped": {test.id(): reason for test, reason in result.skipped},
        "unexpected": [test.id() for test in result.unexpectedSuccesses],
    }


if __name__ == "__main__":
    # what a test prints must not get in between; the report comes alone
    report, sys.stdout = sys.stdout, io.StringIO()
    json.dump(run(sys.argv[1], sys.argv[2]), report)

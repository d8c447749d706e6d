"""What was found in a session of tests, gathered from all of its processes, as a report."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from unlost.observe._leaving import command_of
from unlost.observe.install import sentences
from unlost.observe.watch import Collector, Finding, Notice, Verdict
from unlost.report._report import Report
from unlost.report.found._of_findings import report_of_findings

MOST: Final = 10_000
"""Findings that are kept; further ones are counted."""

_COMMAND: Final = 380  # bytes of a command that the page shows whole


class FoundInTests:
    """What was found so far, by test."""

    def __init__(self) -> None:
        self._found: list[tuple[str, Finding | Notice]] = []
        self._counts: Counter[Verdict] = Counter()
        self._noted: Counter[str] = Counter()
        self._unseen: Counter[str] = Counter()
        self._dropped = 0

    def add(self, test: str, found: Iterable[Finding | Notice]) -> None:
        """Keep what a test was told; the empty test is outside of all."""
        for one in found:
            if len(self._found) < MOST:
                self._found.append((test, one))
            else:
                self._dropped += 1

    def count(self, total: Collector, unseen: Mapping[str, int]) -> None:
        """Add what a process counted, and how much it could not see, by the sentence that says so (``sentences``)."""
        self._counts.update(total.counts)
        self._noted.update(total.noted)
        self._unseen.update(unseen)

    def could_not_see(self, sentence: str) -> None:
        """Add one such sentence."""
        self._unseen[sentence] = 1

    def sent(self) -> bytes:
        """Return all of it for another process of the session."""
        return pickle.dumps((self._found, self._counts, self._noted, self._unseen, self._dropped))

    def receive(self, sent: bytes) -> None:
        """Add what another process of this session has sent."""
        found, counts, noted, unseen, dropped = pickle.loads(sent)
        self._dropped += dropped
        for test, one in found:
            self.add(test, [one])
        self._counts.update(counts)
        self._noted.update(noted)
        self._unseen.update(unseen)

    def report(self, title: str, typed: Sequence[str]) -> Report:
        """
        Return the report.

        Args:
            title: The session's name.
            typed: The arguments of pytest, as they were typed.
        """
        tests = {id(one): test for test, one in self._found}
        return report_of_findings(
            [one for _, one in self._found], self._counts, title,
            subtitle="what became of the exceptions of its tests",
            besides="of libraries' own code, forgiven, or no reason to fail",
            noted=self._noted, unseen=self._sentences(),
            command=command_of(["pytest", *typed]),
            rerun=lambda found: _command(list(dict.fromkeys(tests[id(one)] for one in found)), typed),
            example=lambda one: tests[id(one)] or "outside of all tests",
        )  # fmt: skip

    def _sentences(self) -> list[str]:
        return sentences(self._unseen) + (
            [f"{self._dropped:,} findings were let go, for want of room."] if self._dropped else []
        )


def _command(tests: Sequence[str], typed: Sequence[str]) -> str:
    """Return what runs these tests; their files where that would be too long, and nothing where that is too."""
    mode = next((option for option in typed if option.startswith("--unlost=")), "--unlost")
    inside = [test for test in tests if test]
    for wanted in (inside, list(dict.fromkeys(test.partition("::")[0] for test in inside))):
        command = command_of(["pytest", mode, *wanted])
        if wanted and len(command.encode()) <= _COMMAND:
            return command
    return ""

"""What was found in tests that fail for nothing, each bug once with its tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

Sent: TypeAlias = dict[str, tuple[str, list[str], int]]

KEYS: Final = 50
"""Bugs that are told in full; more are counted."""

TESTS: Final = 5
"""Tests that are named with each."""


class ByKey:
    """Bounded by the number of bugs, however many tests they come up in."""

    def __init__(self) -> None:
        self._found: Sent = {}
        self._more: set[str] = set()

    def add(self, key: str, text: str, test: str) -> None:
        """Note that a test had this."""
        self.receive({key: (text, [test], 1)})

    def sent(self) -> tuple[Sent, list[str]]:
        """Return all of it for another process."""
        return self._found, sorted(self._more)

    def receive(self, sent: Sent, more: list[str] | None = None) -> None:
        """Add what another process had."""
        self._more.update(more or ())
        for key, (text, tests, count) in sent.items():
            if key not in self._found and len(self._found) >= KEYS:
                self._more.add(key)
                continue
            first, known, before = self._found.get(key, (text, [], 0))
            self._found[key] = (first, [*known, *tests][:TESTS], before + count)

    def lines(self) -> Iterator[str]:
        """Yield it as text."""
        for text, tests, count in self._found.values():
            yield text
            more = f" and {count - len(tests):,} more" if count > len(tests) else ""
            yield f"  {'in':<13} {', '.join(tests)}{more}"
            yield ""
        if others := self._more - self._found.keys():
            yield f"and {len(others):,} more; --unlost-report FILE has all"

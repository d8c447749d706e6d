"""Marks that forgave nothing: what they were for is mended, or comes up elsewhere by now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

Sent: TypeAlias = tuple[list[str], list[str], list[str]]

_MOST: Final = 5  # told one by one


class Idle:
    """
    Which marks did what, by their names.

    One mark may be of many tests, in several workers. It is idle where all of them passed, and it forgave nothing.
    """

    def __init__(self) -> None:
        self._met: set[str] = set()
        self._passed: set[str] = set()
        self._unsure: set[str] = set()

    def met(self, marks: Iterable[str]) -> None:
        """Note that marks forgave something."""
        self._met.update(marks)

    def ended(self, marks: Iterable[str], *, passed: bool) -> None:
        """Note how a phase of a test with these marks ended: what would have come up in one that did not pass?"""
        (self._passed if passed else self._unsure).update(marks)

    def sent(self) -> Sent:
        """Return all of it for another process."""
        return sorted(self._met), sorted(self._passed), sorted(self._unsure)

    def receive(self, sent: Sent) -> None:
        """Add what another process had."""
        for there, names in zip((self._met, self._passed, self._unsure), sent, strict=True):
            there.update(names)

    def __bool__(self) -> bool:
        return bool(self._names())

    def lines(self) -> Iterator[str]:
        """Yield how many there are, and their names."""
        names = sorted(self._names())
        if not names:
            return
        yield f"{len(names):,} {'mark' if len(names) == 1 else 'marks'} forgave nothing in these tests, which passed"
        yield from (f"  not met: {name}" for name in names[:_MOST])
        if len(names) > _MOST:
            yield f"  and {len(names) - _MOST:,} more"

    def _names(self) -> set[str]:
        return self._passed - self._met - self._unsure

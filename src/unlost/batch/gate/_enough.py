"""Outcomes that stop a run: the first ones that are all one defect, and as many failures as ``--halt`` names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from unlost.batch.gate._self_stop import SelfStop
from unlost.batch.options._halts import Halt
from unlost.errors import Kind

SAME: Final = 20
"""Items that fail by one defect, before any other outcome, before the run stops."""


class FirstOutcomes:
    """
    Tells whether the first outcomes of an opening are all one and the same defect.

    Args:
        keep_going: Never say so.

    Attributes:
        is_over: Whether that is known.
    """

    __slots__ = ("_count", "_fingerprint", "is_over")

    def __init__(self, *, keep_going: bool) -> None:
        self.is_over = keep_going
        self._count = 0
        self._fingerprint: str | None = None

    def judge(self, kind: str | None, fingerprint: str | None, title: Callable[[], str]) -> SelfStop | None:
        """Hear of an outcome; ``kind`` is None of a value. Return why to stop, once, if so."""
        if self.is_over:
            return None
        if kind != Kind.DEFECT.value or self._fingerprint not in (None, fingerprint):
            self.is_over = True
            return None
        self._fingerprint = fingerprint
        self._count += 1
        if self._count < SAME:
            return None
        self.is_over = True
        text = f"the first {SAME} items all failed by one defect, {title()}; --keep-going runs the others all the same"
        return SelfStop("defect", text)


class Failures:
    """
    Tells whether so many items of an opening failed that ``--halt`` applies.

    Args:
        halt: When; None: never.
        spelling: What the user wrote.

    Attributes:
        is_over: Whether that is known.
    """

    __slots__ = ("_failed", "_finished", "_halt", "_spelling", "is_over")

    def __init__(self, halt: Halt | None, spelling: str) -> None:
        self._halt = halt
        self.is_over = halt is None
        self._spelling = spelling
        self._failed = 0
        self._finished = 0

    @property
    def now(self) -> bool:
        """Whether what runs is to be cancelled."""
        return self._halt is not None and self._halt.now

    def judge(self, *, ok: bool) -> SelfStop | None:
        """Hear of an outcome; return why to stop, once, if so."""
        if self.is_over or self._halt is None:
            return None
        self._finished += 1
        self._failed += not ok
        if not self._halt.applies(self._failed, self._finished):
            return None
        self.is_over = True
        return SelfStop("failures", f"{self._failed:,} of {self._finished:,} items failed: --halt {self._spelling}")

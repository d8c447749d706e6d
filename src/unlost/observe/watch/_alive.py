"""Whether anything is followed just now: where nothing is, what exceptions do needs no look."""

from __future__ import annotations

from typing import Final

alive: Final[set[int]] = set()
"""The ids of all evidence that exists. A set and no number: it is added to and taken from in any thread."""

inherited: Final[set[int]] = set()
"""In a forked process, the ids of what was there before: the verdicts are the parent's to give."""

"""The most frequent errors so far, counted in little memory while a run goes on."""

from __future__ import annotations

import heapq
import json
from dataclasses import dataclass
from typing import Final

from unlost.batch.journal._journal import Ended
from unlost.observe import Headline, headline

_ROOM: Final = 200


@dataclass(slots=True)
class TopError:
    """
    Failed items with one fingerprint.

    Attributes:
        fingerprint: In full.
        error: JSON: the record of the error of the first of them.
        count: How many items; at least so many, where there were very many fingerprints.
    """

    fingerprint: str
    error: str
    count: int = 0
    _headline: Headline | None = None

    @property
    def headline(self) -> Headline:
        """The first of the errors in one line; made when it is first asked for, and once."""
        if self._headline is None:
            self._headline = headline(json.loads(self.error))
        return self._headline


class TopErrors:
    """
    Counts failed items by fingerprint; the journal has them all, this has what a display wants.

    At most 200 fingerprints are known at a time. For a new one the least frequent leaves, of which the oldest: should
    that come back, it is counted from 1 again.
    """

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[str, TopError] = {}

    def count(self, ended: Ended) -> None:
        """Count an outcome that is a failure; one of no fingerprint has no error to show."""
        if ended.fingerprint is None or ended.error is None:
            return
        known = self._known.get(ended.fingerprint)
        if known is None:
            known = self._enter(ended.fingerprint, ended.error)
        known.count += 1

    def most(self, number: int = 3) -> list[TopError]:
        """Return so many of the most frequent, the most frequent first; of equals the one that came first."""
        return heapq.nlargest(number, self._known.values(), key=lambda error: error.count)

    def _enter(self, fingerprint: str, error: str) -> TopError:
        if len(self._known) >= _ROOM:
            rarest = min(self._known.values(), key=lambda error: error.count)
            del self._known[rarest.fingerprint]
        entered = TopError(fingerprint, error)
        self._known[fingerprint] = entered
        return entered

"""
The few calls that a half-open breaker lets through: each holds a place for as long as it runs.

A place comes back in whichever way its probe ends: by a result, by a cancellation, by the garbage collector. What never
ends gives it back too: a probe of a loop that was closed, and one that takes longer than its term.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from weakref import ref

from unlost.policies._timeline import running_loop


class Probation:
    """
    One time of being half-open.

    Args:
        places: How many probes may run at once; 1 or more.
        term: Seconds after which a probe loses its place; what comes of it counts all the same.

    Attributes:
        succeeded: How many probes have.
    """

    __slots__ = ("__weakref__", "_leases", "_places", "_term", "succeeded")

    def __init__(self, places: int, term: float) -> None:
        self._places = places
        self._term = term
        self._leases: set[Lease] = set()
        self.succeeded = 0

    def lease(self, now: float) -> Lease | None:
        """Return a place for a probe, or None if all are taken."""
        if len(self._leases) >= self._places:
            self._take_back(now)
        if len(self._leases) >= self._places:
            return None
        lease = Lease(self, now + self._term)
        self._leases.add(lease)
        return lease

    def give_back(self, lease: Lease) -> None:
        """Take one place back: no lock is needed, since the garbage collector may call this at any moment."""
        self._leases.discard(lease)

    def under_way(self) -> int:
        """Return how many places are taken."""
        return len(self._leases)

    def _take_back(self, now: float) -> None:
        for lease in tuple(self._leases):
            if lease.is_lost(now):
                self._leases.discard(lease)


class Lease:
    """One place for a probe."""

    __slots__ = ("_ends", "_loop", "probation")

    def __init__(self, probation: Probation, ends: float) -> None:
        loop = running_loop()
        self.probation = probation
        self._ends = ends
        self._loop: ref[AbstractEventLoop] | None = None if loop is None else ref(loop)

    def is_lost(self, now: float) -> bool:
        """Whether nobody will come to give it back, or its term is over."""
        if now >= self._ends:
            return True
        if self._loop is None:  # driven by hand: nothing can be told
            return False
        loop = self._loop()
        return loop is None or loop.is_closed()

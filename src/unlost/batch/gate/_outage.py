"""
Outages: when what is called is not there at all, no item is to blame.

A call that fails by a transient error is *parked*: what that means for its item is open until something else happens.

- A call that began after it succeeds, or fails by no transient error: the failures before that *stand*, as attempts and
  outcomes. One that began earlier shows only that it was no outage then; its answer may have been under way already
  when a network was lost.
- ``SUSPECTS`` items of one fingerprint are parked, none of which has failed before, or ``SUSPECTS_OF_ANY`` of any: an
  *outage*. All of them get their attempt back. Nothing new starts; one call after another, from those parked, tries
  whether it is over: after 1 s, then after twice as long each time, up to a minute, less a random part (Brooker,
  'Exponential Backoff And Jitter', 2015). The first that comes to anything else ends it, and what waits goes on. (Items
  that have failed before do not make one: at the end of a run those that always fail are left among themselves.)
- Another transient error is no news: when a network is lost, what was under way is reset, what starts is refused, and
  later no name is found. So failures of several fingerprints are parked side by side, and none of them ends an outage.
- Each ``NEW``-th look is an item that was not parked, where there is one: those that are may fail for a reason of their
  own, as the inputs of one dead host do. Where such a call ends it, they get their attempt back once and no more.
- Nothing else can happen, since no other item is left: the failures stand. So does the oldest of an item that has
  failed before, when more than ``SUSPECTS`` are parked.

It lives on one event loop; all of it is called from there.
"""

from __future__ import annotations

import asyncio
import enum
import math
import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

SUSPECTS: Final = 20
"""Items that fail by one fingerprint and nothing else happens, before it is an outage."""

SUSPECTS_OF_ANY: Final = 2 * SUSPECTS - 1
"""Items that fail by any transient error and nothing else happens, before it is an outage."""

MOST: Final = 3 * SUSPECTS - 1
"""Failures that are parked at most; of more, the oldest that is no suspect stands."""

NEW: Final = 3
"""Each so-many-th probe is an item that was not among those that failed."""

FIRST: Final = 1.0
LONGEST: Final = 60.0
"""Seconds before the first probe, and between two at most."""


class Verdict(enum.Enum):
    """What becomes of a call that was parked."""

    STANDS = "it has failed"
    AGAIN = "it is made again, as if it had not been made"
    ONCE_MORE = "likewise, but it was not the service that failed: next time it stands"
    PROBE = "it is made again, to see whether the outage is over"
    GIVEN_BACK = "the run stops: it is as if it had not been made"


@dataclass(slots=True, eq=False)
class Trouble:
    """
    An outage.

    Attributes:
        fingerprint: Of its error, when it began.
        error: One of them.
        failed: How many calls failed since the last that did not.
        began: When the last call failed that made it one, by the loop's clock.
        next_probe: When it is looked at again, by the loop's clock; None while that is done.
    """

    fingerprint: str
    error: BaseException
    failed: int
    began: float
    next_probe: float | None = None


class Watcher(Protocol):
    """Who is told."""

    def outage_began(self, trouble: Trouble) -> None: ...

    def outage_goes_on(self, trouble: Trouble) -> None:
        """It was looked at, and will be again; or nothing is parked that could look: the next call is the probe."""

    def outage_ended(self, trouble: Trouble) -> None: ...

    def outage_too_long(self, trouble: Trouble) -> None:
        """It lasted for longer than is waited for."""

    def alone(self) -> bool:
        """Tell whether nothing else can happen: all that is under way is parked, and nothing more will start."""
        ...

    def has_more(self) -> bool:
        """Tell whether there may be items that were not started."""
        ...


class _Parked:
    __slots__ = ("at", "error", "fingerprint", "is_first", "is_suspect", "verdict")

    def __init__(self, error: BaseException | None, *, is_first: bool = True) -> None:
        loop = asyncio.get_running_loop()
        self.at = loop.time()
        self.error = error
        self.is_first = is_first  # no call of the item has failed before
        self.is_suspect = is_first  # and nothing has succeeded since
        self.fingerprint: str | None = None  # not asked for yet, or of no failure
        self.verdict: asyncio.Future[Verdict] = loop.create_future()


class Outage:
    """
    Args:
        watcher: Is told.
        fingerprint_of: Of an error.
        longest: Seconds for which an outage is waited for; None: for ever.
        chance: A random number from 0 to 1.

    Attributes:
        trouble: The outage that there is now.
        wants_probe: Whether it is time to look, and nothing parked could.
        is_granted: Whether the next call that arrives is to look.
    """

    def __init__(
        self,
        watcher: Watcher,
        fingerprint_of: Callable[[BaseException], str],
        longest: float | None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.trouble: Trouble | None = None
        self.wants_probe = False
        self.is_granted = False
        self._watcher = watcher
        self._fingerprint_of = fingerprint_of
        self._longest = longest
        self._chance = chance
        self._loop = asyncio.get_running_loop()
        self._parked: deque[_Parked] = deque()
        self._wait = FIRST
        self._looks = 0
        self._is_new = False  # whether the call that looks was not among those that failed
        self._is_doubtful = False  # whether calls that began before it came to something good
        self._timer: asyncio.TimerHandle | None = None
        self._limit: asyncio.TimerHandle | None = None
        self._is_stopped = False

    @property
    def is_calm(self) -> bool:
        """Whether nothing is parked and there is no outage: then there is nothing to tell of a success."""
        return not self._parked and self.trouble is None

    @property
    def parked(self) -> int:
        return len(self._parked)

    async def failed(self, error: BaseException, *, was_probe: bool, is_first: bool = True) -> Verdict:
        """
        Return what becomes of a call that failed by a transient error, when that is known.

        Args:
            error: Which.
            was_probe: Whether the call was to look whether the outage is over.
            is_first: Whether none of the item's calls has failed before.
        """
        if self._is_stopped:
            return Verdict.STANDS if self.trouble is None else Verdict.GIVEN_BACK
        parked = _Parked(error, is_first=is_first)
        if self.trouble is None:
            self._suspect(parked)
        else:
            self.trouble.failed += 1
            if was_probe and self._is_doubtful and not self._watcher.has_more():
                # others have been answered meanwhile, and no new item could show it: those left fail by themselves
                self._over(was_new=True)
                return Verdict.ONCE_MORE
            if was_probe:
                self._look_later()
            self._parked.append(parked)
        return await self._judged(parked)

    async def arrived(self) -> Verdict:
        """Return when a call may be made that comes during an outage."""
        if self.wants_probe or self.is_granted:
            self.wants_probe = self.is_granted = False
            self._is_new = True
            return Verdict.PROBE
        parked = _Parked(None)
        self._parked.append(parked)
        return await self._judged(parked)

    def succeeded(self, *, began: float = math.inf, was_probe: bool = False, is_answer: bool = True) -> None:
        """
        Hear that a call came to something else than a transient failure.

        Args:
            began: When the call did, by the loop's clock.
            was_probe: Whether the call was to look whether the outage is over.
            is_answer: A value, or an answer of the service: that ends an outage as well. Another failure shows no more
                than that those before it were not all there is.
        """
        if self.trouble is None:
            self._let_go(Verdict.STANDS, began)
            for parked in self._parked:
                parked.is_suspect = False
        elif is_answer and (was_probe or began >= self.trouble.began):
            self._over(was_new=self._is_new or not was_probe)
        elif is_answer:
            self._is_doubtful = True

    def grant(self) -> None:
        """Let the next call that arrives look: an item is started for that."""
        self.wants_probe, self.is_granted = False, True

    def exhausted(self) -> None:
        """Hear that there are no more items: none of them can be the probe."""
        if self.wants_probe and self._parked:
            self.wants_probe = False
            self._look_among_parked()

    def unanswered(self) -> None:
        """Hear that a probe came to nothing: its call was cancelled, or never made."""
        self.is_granted = False
        if self.trouble is not None:
            self._look_later()

    def look_around(self) -> None:
        """Let the failures stand, if nothing else can happen any more."""
        if self.trouble is None and self._parked and self._watcher.alone():
            self._let_go(Verdict.STANDS)

    def stop(self) -> None:
        """Nothing more is to start: what waits is given back."""
        self._is_stopped = True
        self._disarm()
        self._let_go(Verdict.GIVEN_BACK)

    def close(self) -> None:
        """End the outage that there is, and all timers."""
        self.stop()
        if self.trouble is not None:
            self._ended()

    async def _judged(self, parked: _Parked) -> Verdict:
        self.look_around()
        try:
            return await parked.verdict
        except BaseException:
            if parked in self._parked:
                self._parked.remove(parked)
                self.look_around()
            elif parked.verdict.done() and parked.verdict.result() is Verdict.PROBE:
                self.unanswered()
            raise
        finally:
            parked.error = None  # its traceback may hold this frame

    def _suspect(self, parked: _Parked) -> None:
        """Park a failure, which may be the one that makes an outage."""
        self._parked.append(parked)
        if len(self._parked) > SUSPECTS:
            self._let_one_stand(lambda known: not known.is_first)
        if len(self._parked) > MOST:
            self._let_one_stand(lambda known: not known.is_suspect)
        suspects = [known for known in self._parked if known.is_suspect]
        if len(suspects) >= SUSPECTS_OF_ANY or self._most_common(suspects) >= SUSPECTS:
            self._begin(parked)

    def _let_one_stand(self, is_such: Callable[[_Parked], bool]) -> None:
        oldest = next(filter(is_such, self._parked), None)
        if oldest is not None:
            self._parked.remove(oldest)
            if not oldest.verdict.done():
                oldest.verdict.set_result(Verdict.STANDS)

    def _most_common(self, suspects: list[_Parked]) -> int:
        """Return how many have the most common fingerprint, or fewer than ``SUSPECTS`` where that is certain."""
        if len(suspects) < SUSPECTS:
            return 0
        return max(Counter(map(self._of, suspects)).values())

    def _of(self, parked: _Parked) -> str:
        """Return its fingerprint, made when it is first asked for: most failures are few, and need none."""
        if parked.fingerprint is None:
            assert parked.error is not None
            parked.fingerprint = self._fingerprint_of(parked.error)
        return parked.fingerprint

    def _begin(self, last: _Parked) -> None:
        assert last.error is not None
        self.trouble = Trouble(self._of(last), last.error, len(self._parked), last.at)
        self._wait, self._looks, self._is_doubtful = FIRST, 0, False
        if self._longest is not None:
            self._limit = self._loop.call_later(self._longest, self._too_long)
        self._arm()
        self._watcher.outage_began(self.trouble)

    def _look_later(self) -> None:
        assert self.trouble is not None
        if self._is_stopped:
            return
        self._wait = min(self._wait * 2, LONGEST)
        self._arm()
        self._watcher.outage_goes_on(self.trouble)

    def _arm(self) -> None:
        assert self.trouble is not None
        seconds = self._wait * (1 - self._chance() / 4)
        self.trouble.next_probe = self._loop.time() + seconds
        self._timer = self._loop.call_later(seconds, self._look)

    def _look(self) -> None:
        assert self.trouble is not None
        self.trouble.next_probe = self._timer = None
        self._looks += 1
        # bounded: each that fails is parked as well
        if self._looks % NEW or len(self._parked) >= 2 * SUSPECTS or not self._watcher.has_more():
            self._look_among_parked()
        else:
            self._want_probe()

    def _look_among_parked(self) -> None:
        while self._parked:
            parked = self._parked.popleft()  # and to the end if it fails: one that always does must not block
            if not parked.verdict.done():
                self._is_new = parked.error is None
                parked.verdict.set_result(Verdict.PROBE)
                return
        self._want_probe()

    def _want_probe(self) -> None:
        assert self.trouble is not None
        self.wants_probe = True
        self._watcher.outage_goes_on(self.trouble)

    def _too_long(self) -> None:
        self._limit = None
        if self.trouble is not None:
            self._watcher.outage_too_long(self.trouble)

    def _over(self, *, was_new: bool) -> None:
        self._ended()
        self._let_go(Verdict.ONCE_MORE if was_new else Verdict.AGAIN)

    def _ended(self) -> None:
        trouble, self.trouble = self.trouble, None
        assert trouble is not None
        self.wants_probe = self.is_granted = False
        self._disarm()
        trouble.next_probe = None
        self._watcher.outage_ended(trouble)

    def _disarm(self) -> None:
        for timer in (self._timer, self._limit):
            if timer is not None:
                timer.cancel()
        self._timer = self._limit = None

    def _let_go(self, verdict: Verdict, until: float = math.inf) -> None:
        while self._parked and self._parked[0].at <= until:
            parked = self._parked.popleft()
            if not parked.verdict.done():
                parked.verdict.set_result(verdict)

"""
What stands between the retries of an item and its calls: rates, rests, outages, and what stops the run.

Guarantees:

- A call starts with a seat and a ticket of the throttle, and not during an outage, but for the one that looks.
- A 429, and a failure in an outage, uses up no attempt: the call is made again, in the same attempt.
- Who waits here for others (for an outage to be over, for its limit key) has no seat; the others have one more.
- When the run stops, what waits here is given back at once: its attempt returns ``GIVEN_BACK``.
- Where there are no rates, no rests and no failures, nothing here waits: an item pays for a few attributes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final, Protocol, TypeAlias

from unlost.batch._letters import fingerprint_of, title_of
from unlost.batch.gate._judge import Judge, Stopper
from unlost.batch.gate._lane import SentAway
from unlost.batch.gate._limit_key import estimate_function, key_function
from unlost.batch.gate._outage import MOST, SUSPECTS, Outage, Trouble, Verdict
from unlost.batch.gate._rest import Rest
from unlost.batch.gate._seats import Seats
from unlost.batch.gate._self_stop import SelfStop
from unlost.batch.gate._throttle import Throttle
from unlost.batch.gate._visit import GIVEN_BACK, Visit
from unlost.batch.options._durations import spelled
from unlost.batch.options._options import Resolved
from unlost.batch.options._rates import rate_of
from unlost.errors import attach_attempts

Call: TypeAlias = Callable[[Any, Any], Awaitable[Any]]  # Any: the user's item and value; whatever the call is told

_WAITING_FOR_KEYS: Final = 10  # items for each seat that may wait for their limit key
_MOST_WAITING: Final = 10_000


class Warden(Stopper, Protocol):
    """Who is told what holds the run, and stops it."""

    def rest_changed(self, rest: Rest) -> None: ...

    def outage_changed(self, trouble: Trouble, *, ended: bool = False) -> None: ...


class Gate:
    """
    Args:
        policy: The options that hold.
        own: Top-level packages whose code is the user's.
        warden: Is told.

    Attributes:
        workers: How many items may be under way, those that wait here included.
        throttle: Rates and rests.
        seats: Of those who call.
        is_closed: Whether nothing new starts: all rest, or there is an outage.
        is_stopped: Whether nothing more starts.
        under_way: How many items were handed out and have not ended.
    """

    def __init__(self, policy: Resolved, own: Collection[str], warden: Warden) -> None:
        options = policy.options
        self.is_stopped = self.is_closed = False
        self.under_way = 0
        self.throttle = Throttle([rate_of(text) for text in options.rate], options.max_hold, self._rest_told)
        self.seats = Seats(options.concurrency, self._wake)
        self._outage = Outage(self, lambda error: fingerprint_of(error, own), options.outage)
        self._judge = Judge(self.throttle, self._outage, self.seats, warden, own, keep_going=options.keep_going)
        self._longest_outage = options.outage
        self._key_of = key_function(policy)
        self._estimate_of = estimate_function(policy)
        self._is_plain = self._key_of is None and self._estimate_of is None
        waiting = SUSPECTS if self._key_of is None else options.concurrency * _WAITING_FOR_KEYS
        self.workers = options.concurrency + max(MOST + 1, min(waiting, _MOST_WAITING))
        self._own = own
        self._warden = warden
        self._is_resting = False  # all items
        self._is_entering = False
        self._is_exhausted = False
        self._feeder: asyncio.Future[None] | None = None

    # What hands out items

    @property
    def free(self) -> int:
        """How many more items could start now."""
        return 0 if self.is_closed else self.seats.free

    async def enter(self) -> None:
        """Take a seat for an item that was handed out, when it may start."""
        self._is_entering = True
        try:
            while self.is_closed or not self.seats.try_take():
                if self._outage.wants_probe:
                    self._outage.grant()
                    self.seats.force()
                    return
                await self._changed()
        finally:
            self._is_entering = False

    async def opened(self) -> None:
        """Return when an item could start, or when none is under way: then it has to be seen whether there is one."""
        while self.under_way and not self.is_stopped and not self._outage.wants_probe and not self.free:
            await self._changed()

    def exhausted(self) -> None:
        """Hear that there are no more items."""
        self._is_exhausted = True
        self._outage.exhausted()
        self._outage.look_around()

    def leave(self, visit: Visit) -> None:
        """Hear that an item has ended."""
        self.under_way -= 1
        if visit.is_seated:
            self.seats.leave()
        if not self.under_way:
            self._wake()
        if self._judge.is_alert:
            self._judge.probe_lost(visit)  # it failed before its call
            if self._outage.is_granted:  # it was started to look, and made no call
                self._outage.unanswered()
            self._outage.look_around()

    def stop(self) -> None:
        """Start nothing more, and let go of what waits: nobody has to wait for the end of a rest."""
        if self.is_stopped:
            return
        self.is_stopped = self._is_exhausted = True
        self._outage.stop()
        self.seats.send_away()
        self.throttle.send_away()
        self._wake()

    def close(self) -> None:
        """End what is noted as lasting; nothing is under way any more."""
        self.stop()
        self._outage.close()
        self.throttle.close()

    # What calls

    async def call(self, visit: Visit, call: Call, item: Any, context: Any) -> Any:  # Any: see Call
        """
        Call when that may be; return the value, or ``GIVEN_BACK``.

        Raises:
            BaseException: What the call came to, where that is an attempt that failed.
        """
        if not (self._is_plain or visit.is_known):
            self._know(visit)
        while True:
            if not (visit.is_seated and self._outage.trouble is None) and not await self._seated(visit):
                return GIVEN_BACK
            ticket = self.throttle.try_enter(visit.key, visit.estimate)
            if ticket is None:
                await self._turn(visit)
                if (ticket := visit.ticket) is None:
                    return GIVEN_BACK
            visit.ticket = ticket
            try:
                value = await call(item, context)
            except BaseException as error:
                verdict = self._judge.judged(visit, error)
                if verdict is Verdict.STANDS:
                    raise
                failure = error if verdict is None else None
            else:
                self.throttle.answered(ticket)
                if self._judge.is_alert:
                    self._judge.went_well(visit, ticket.began)
                return value
            if failure is not None:
                # out of the handler: a cancellation of the wait has not the error as its context
                verdict = await self._judge.parked(visit, failure)
                if verdict is Verdict.STANDS:
                    try:
                        raise failure
                    finally:
                        del failure
                failure = None
            if verdict is Verdict.GIVEN_BACK:
                return GIVEN_BACK
            visit.is_probe = verdict is Verdict.PROBE

    def _know(self, visit: Visit) -> None:
        if self._key_of is not None:
            key = self._key_of(visit.item)
            hash(key)  # here, where no call is counted on yet
            visit.key = key
        if self._estimate_of is not None:
            visit.estimate = self._estimate_of(visit.item)
        visit.is_known = True

    async def _seated(self, visit: Visit) -> bool:
        """Give the item a seat again; during an outage, when it is over or to look; False: the run stops."""
        visit.is_waiting = True
        try:
            if self._outage.trouble is not None and not visit.is_probe:
                if not self._outage.wants_probe:
                    self.seats.stand_up(visit)
                if self.is_stopped:
                    return False
                verdict = await self._outage.arrived()
                if verdict is Verdict.GIVEN_BACK:
                    return False
                visit.is_probe = verdict is Verdict.PROBE
            if not visit.is_seated:
                if visit.is_probe:
                    self.seats.force()
                elif not await self.seats.take():
                    return False
                visit.is_seated = True
        finally:
            visit.is_waiting = not visit.is_seated
        return True

    async def _turn(self, visit: Visit) -> None:
        """Wait for a ticket, without a seat where others could use it; ``visit.ticket`` stays None if the run stops."""
        visit.ticket, visit.is_waiting = None, True
        if self.is_stopped:
            return
        if self._key_of is not None:
            self.seats.stand_up(visit)
        try:
            visit.ticket = await self.throttle.enter(visit.key, visit.estimate)
            if not visit.is_seated and await self.seats.take():
                visit.is_seated = True
        except SentAway:  # ``stop`` did that
            return
        except asyncio.CancelledError as cancelled:
            if visit.refusal is not None:
                attach_attempts(cancelled, (visit.refusal,))
            raise
        finally:
            if visit.ticket is not None and not visit.is_seated:  # cancelled, or sent away
                self.throttle.unused(visit.ticket)
                visit.ticket = None
            visit.is_waiting = visit.ticket is None
            if visit.ticket is None and visit.is_probe:
                self._judge.probe_lost(visit)

    # What is told

    def outage_began(self, trouble: Trouble) -> None:
        self._close_or_open()
        self._warden.outage_changed(trouble)

    def outage_goes_on(self, trouble: Trouble) -> None:
        self._warden.outage_changed(trouble)
        self._wake()

    def outage_ended(self, trouble: Trouble) -> None:
        self._warden.outage_changed(trouble, ended=True)
        self.seats.narrow()
        self._judge.is_alert = True
        self._close_or_open()

    def outage_too_long(self, trouble: Trouble) -> None:
        lasted = spelled(self._longest_outage or 0.0)
        stop = SelfStop(
            "outage",
            f"the outage has lasted for {lasted}: {title_of(trouble.error, self._own)}. Wait longer: --outage 6h",
        )
        stop.__cause__ = trouble.error
        self._warden.halt(stop)

    def alone(self) -> bool:
        return self._is_exhausted and not self._is_entering and self._outage.parked >= self.under_way

    def has_more(self) -> bool:
        return not self._is_exhausted

    def _rest_told(self, rest: Rest) -> None:
        if self._key_of is None:
            self._is_resting = rest.ended is None
            self._close_or_open()
        self._warden.rest_changed(rest)

    def _close_or_open(self) -> None:
        self.is_closed = self._is_resting or self._outage.trouble is not None
        self._wake()

    def _wake(self) -> None:
        if self._feeder is not None:
            if not self._feeder.done():
                self._feeder.set_result(None)
            self._feeder = None

    async def _changed(self) -> None:
        self._feeder = asyncio.get_running_loop().create_future()
        await self._feeder

"""
The calls of one key: who of them goes on, and when.

States: open (nothing was refused yet: a slow start), resting (nobody goes on), paced (after a first refusal: calls
start one by one, at a pace that grows until the next one). Rates that were asked for hold in each.

Guarantees:

- First come, first served.
- Nothing that is known to be refused is tried: nobody goes on during a rest. Where nothing was answered since the rest
  before, one goes on alone, and the others when it was answered.
- All refusals of calls that were under way when a rest began are one event. They can prolong it; the pace hears of one.
- There is one timer: for the end of a rest, or else for the first in line.
- Whoever is cancelled while it waits has reserved nothing, also if its turn came in the same tick.
"""

from __future__ import annotations

import math
from asyncio import AbstractEventLoop, Future, TimerHandle
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from contextvars import Context
from typing import Final

from unlost.batch.gate._need import Amounts, Needs
from unlost.batch.gate._pacer import Pacer
from unlost.batch.gate._reserve import Reserve, Reserved
from unlost.batch.gate._rest import Rest
from unlost.batch.gate._slow_start import SlowStart
from unlost.batch.options._rates import Rate

_LATE: Final = 0.05  # seconds that a late loop makes up for, where somebody waited: the pace is kept in the long run
_LONGEST: Final = 60.0  # a rest of which the server does not say how long
_PATIENCE: Final = 2  # so often in a row is a server's own figure believed, where nothing comes of it

Told = Callable[[Rest], object]


class SentAway(Exception):
    """Nothing more is to be called: who waited for a ticket gets none."""


class Ticket:
    """
    One call that may be made.

    Attributes:
        lane: Whose it is.
        rests: How many rests had begun by then.
        began: When it was given out, by the loop's clock.
        reserved: What it took of the rates; None where there are none.
        is_open: Whether the call has not come to anything yet.
    """

    __slots__ = ("began", "is_open", "lane", "reserved", "rests")

    def __init__(self, lane: Lane, rests: int, began: float, reserved: Reserved | None) -> None:
        self.lane = lane
        self.rests = rests
        self.began = began
        self.reserved = reserved
        self.is_open = True


class Lane:
    """
    Args:
        key: Whose calls.
        loop: Whose clock and timers.
        rates: What was asked for.
        needs: What calls need of them.
        told: Called when a rest begins, when it ends, and again if an answer comes later that belongs to it.

    Attributes:
        under_way: How many calls are.
        line: Who waits, with what it estimates.
        rest: The rest that holds it; None where there is none.
    """

    __slots__ = (
        *("_alone", "_is_open", "_last", "_loop", "_now", "_pacer", "_reserve", "_rests", "_start", "_strikes"),
        *("_time", "_timer", "_told", "key", "line", "rest", "under_way"),
    )

    def __init__(
        self, key: Hashable, loop: AbstractEventLoop, rates: Sequence[Rate], needs: Needs, told: Told | None
    ) -> None:
        self.key = key
        self.under_way = 0
        self.line: OrderedDict[Future[Ticket], Amounts] = OrderedDict()
        self.rest: Rest | None = None
        self._loop = loop
        self._time = loop.time
        self._now = now = loop.time()  # when it was last asked for: near enough for what is counted by the minute
        self._told = told
        self._reserve = Reserve(rates, needs) if rates else None
        self._start = SlowStart(now)
        self._pacer = Pacer(now)
        self._is_open = not rates  # then nobody has to look further than to the slow start
        self._timer: TimerHandle | None = None
        self._last: Rest | None = None
        self._rests = 0
        self._strikes = 0  # rests in a row between which no call was made that was answered
        self._alone = False

    # Going on

    def try_enter(self, estimate: Amounts) -> Ticket | None:
        """Return a ticket if there is nothing to wait for."""
        now = self._now = self._time()
        if self._is_open and not self.line and self.under_way < self._start.window:
            self.under_way += 1
            return Ticket(self, 0, now, None)
        if self.line or self._due(estimate, now) > now:
            return None
        return self._grant(estimate, now, 0.0)

    async def wait(self, estimate: Amounts) -> Ticket:
        """Return a ticket when it is the caller's turn."""
        turn: Future[Ticket] = self._loop.create_future()
        self.line[turn] = estimate
        try:
            if len(self.line) == 1:
                self.serve()
            return await turn
        except BaseException:
            self._leave(turn)
            raise

    def _leave(self, turn: Future[Ticket]) -> None:
        waited = self.line.pop(turn, None) is not None
        if turn.done() and not turn.cancelled():
            if turn.exception() is None:  # its turn came in the same tick
                self.unused(turn.result())
        elif waited and not self._loop.is_closed():
            self.serve()

    def send_away(self) -> None:
        """End the line: who is in it gets ``SentAway``."""
        while self.line:
            turn, _estimate = self.line.popitem(last=False)
            if not turn.done():
                turn.set_exception(SentAway())

    def serve(self, early: float = -math.inf) -> None:
        """Give tickets to those in line, as far as it is their turn; ``early`` is when a timer was to ring."""
        now = self._now = max(self._time(), early)
        at = math.inf
        while self.line:
            turn, estimate = next(iter(self.line.items()))
            if not turn.done():
                at = self._due(estimate, now)
                if at > now:
                    break
                turn.set_result(self._grant(estimate, now, _LATE))
                at = math.inf
            del self.line[turn]
        self._arm(at)

    def _due(self, estimate: Amounts, now: float) -> float:
        """Return when the next caller may go on, at the earliest; infinite where only an answer can let it."""
        if self.rest is not None:
            if self.rest.until > now:
                return self.rest.until
            self._end_rest(now)
        if self._alone and self.under_way:
            return math.inf
        reserve_at = -math.inf if self._reserve is None else self._reserve.due(estimate)
        if not self._pacer.is_pacing:
            return max(reserve_at, self._window_at(now))
        if reserve_at <= self._pacer.due:
            self._pacer.look(now)
        return max(reserve_at, self._pacer.due)

    def _window_at(self, now: float) -> float:
        if self.under_way >= self._start.window:
            self._start.look(now)
        return now if self.under_way < self._start.window else self._start.opens_at()

    def _grant(self, estimate: Amounts, now: float, late: float) -> Ticket:
        self.under_way += 1
        self._pacer.granted(now, late)
        reserved = None if self._reserve is None else self._reserve.take(estimate, now, late)
        return Ticket(self, self._rests, now, reserved)

    def _arm(self, at: float) -> None:
        if self.rest is not None:
            at = self.rest.until
        if self._timer is not None:
            if self._timer.when() == at:
                return
            self._timer.cancel()
            self._timer = None
        if at < math.inf:
            # a context of its own: else the timer kept that of whoever came first
            self._timer = self._loop.call_at(at, self._on_time, at, context=Context())

    def _on_time(self, at: float) -> None:
        # loops let a timer go off early by up to their clock's resolution
        self._timer = None
        if self.rest is not None and self.rest.until <= at:
            self._end_rest(max(at, self._time()))
        self.serve(at)

    # What came of it

    def answered(self, ticket: Ticket) -> None:
        """A call came to something that is no refusal."""
        if not ticket.is_open:
            return
        self._close(ticket, silent_is_all=True)
        self._pacer.answered(self._now)
        if ticket.rests == self._rests:  # what was under way before tells nothing about after
            self._alone = False
            self._strikes = 0
        if not self._pacer.is_pacing:
            self._start.answered()
        if self.line:
            self.serve()

    def unused(self, ticket: Ticket) -> None:
        """The call was not made after all: what it took is there for the next."""
        if not ticket.is_open:
            return
        self._close(ticket, silent_is_all=False)
        if self._reserve is not None:
            self._reserve.give_back_call()
        if not self._loop.is_closed():
            self._pacer.unused(self._time())
            self.serve()

    def use(self, ticket: Ticket, told: Amounts) -> None:
        """A call used so much, besides what it told before."""
        if self._reserve is not None and ticket.reserved is not None:
            self._reserve.use(ticket.reserved, told, self._time())

    def refused(self, ticket: Ticket, error: BaseException, hint: float | None) -> None:
        """A call was refused; the server asks to wait ``hint`` seconds, or says nothing."""
        if not ticket.is_open:
            return
        self._close(ticket, silent_is_all=False)
        now = self._now = self._time()
        if ticket.rests == self._rests:
            self._strike(now, now - ticket.began, error, hint)
        else:
            self._count(now, error, hint)
        self.serve()

    def close(self) -> None:
        """End the rest and the timer: nobody comes any more."""
        if self.rest is not None:
            self._tell_end(self._time())
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def is_idle(self, now: float) -> bool:
        """Tell whether nothing is lost where it is made anew when its key comes again."""
        quiet = not self.line and not self.under_way and self.rest is None and not self._pacer.is_pacing
        return quiet and (self._reserve is None or self._reserve.is_full(now))

    def _close(self, ticket: Ticket, *, silent_is_all: bool) -> None:
        ticket.is_open = False
        self.under_way -= 1
        if self._reserve is not None and ticket.reserved is not None:
            self._reserve.end(ticket.reserved, silent_is_all=silent_is_all)

    # Rests

    def _strike(self, now: float, delay: float, error: BaseException, hint: float | None) -> None:
        """Begin a rest: a call was refused that came after all others."""
        self._is_open = False
        self._rests += 1
        self._strikes += 1
        self._alone = self._strikes > 1
        self._pacer.refused(delay, in_vain=self._alone)
        self._begin_rest(now, now + self._seconds(hint), error)

    def _seconds(self, hint: float | None) -> float:
        doubling = min(_LONGEST, 2.0 ** min(self._strikes - 1, 10))
        if hint is None:
            return doubling
        return hint if self._strikes <= _PATIENCE else max(hint, doubling)

    def _count(self, now: float, error: BaseException, hint: float | None) -> None:
        """Count a refusal of a call that was under way when the last rest began."""
        self._pacer.refused_too()
        if self.rest is not None:
            self.rest.refused += 1
            self.rest.error = error
            self.rest.until = max(self.rest.until, now + (hint or 0.0))
        elif hint:
            self._begin_rest(now, now + hint, error)
        elif self._last is not None:
            self._last.refused += 1
            self._tell(self._last)

    def _begin_rest(self, now: float, until: float, error: BaseException) -> None:
        self.rest = self._last = Rest(self.key, now, until, 1, error)
        self._tell(self.rest)

    def _end_rest(self, now: float) -> None:
        since = self._tell_end(now)
        self._pacer.resume(since, now)

    def _tell_end(self, now: float) -> float:
        """End the rest; return when it began."""
        rest, self.rest = self.rest, None
        assert rest is not None
        rest.ended = now
        self._tell(rest)
        rest.error = None  # its traceback leads to whoever holds the lane: no cycle for longer than a rest
        return rest.since

    def _tell(self, rest: Rest) -> None:
        if self._told is not None:
            self._told(rest)

"""
Who may call, and when: rates that the user asks for, and rests that the server asks for.

Where there is neither, it is a count of what is under way, and nobody waits. All of it is of one event loop, goes by
its clock, and knows nothing of a journal.
"""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import Hashable, Mapping, Sequence
from typing import Final

from unlost._core import wall
from unlost.batch.gate._lane import Lane, Ticket, Told
from unlost.batch.gate._need import NOTHING, Needs
from unlost.batch.gate._rest import HoldTooLong, Rest
from unlost.batch.options._rates import Rate, Unit
from unlost.errors import retry_after

_KEYS: Final = 10_000  # beyond so many, keys of which nothing has to be remembered are dropped


class Throttle:
    """
    Lets calls go on, first come first served within a key; to be made in a running event loop.

        ticket = throttle.try_enter(key) or await throttle.enter(key)
        ... call ...
        throttle.answered(ticket)  # or refused(ticket, error), or unused(ticket)

    Each ticket has to be told what became of it, once; a second time changes nothing. A call whose outcome nobody will
    hear of (it was cancelled) counts as ``answered``; one that was not made after all, as ``unused``.

    Args:
        rates: What each key may do at most; each unit at most once.
        max_hold: The longest rest, in seconds, that a server may ask for; 0 or more. A rest of which the server does
            not say how long it is takes a minute at most, whatever this is.
        told: Called with each rest when it begins, when it has ended (``ended``, with the last ``error`` for the last
            time), and again where an answer comes even later that belongs to it (``refused`` has grown, without
            ``error``). What it raises comes out of ``refused``, or goes to the loop's handler.

    Attributes:
        silent: How many calls ended without a word of their tokens, where a rate of tokens holds, the job estimates
            none and no call had told any: as long as that is so, four are under way at once.
    """

    def __init__(self, rates: Sequence[Rate], max_hold: float, told: Told | None = None) -> None:
        self._loop = get_running_loop()
        self._rates = tuple(rates)
        self._max_hold = max_hold
        self._told = told
        self._needs = Needs([rate.unit for rate in rates])
        self._lanes: dict[Hashable, Lane] = {}
        self._sweep_at = _KEYS
        self.silent = 0

    def try_enter(self, key: Hashable = None, estimate: Mapping[Unit, float] = NOTHING) -> Ticket | None:
        """Return what ``enter`` would, if there is nothing to wait for; None if there is."""
        lane = self._lanes.get(key) or self._lane(key)
        return lane.try_enter(estimate)

    async def enter(self, key: Hashable = None, estimate: Mapping[Unit, float] = NOTHING) -> Ticket:
        """
        Return when a call may be made.

        Args:
            key: Whose rates and rests hold.
            estimate: What it will use of each unit of tokens, as far as that is known. For what is not, the mean of
                the last calls is reserved; while there is none, nothing is, and four calls of a key are under way at
                once. An estimate above what a rate gives in its whole period waits for what was taken before it,
                and those after it for it.

        Raises:
            CancelledError: As it comes; nothing was reserved then.
            SentAway: Likewise: ``send_away`` was called.
        """
        lane = self._lanes.get(key) or self._lane(key)
        return lane.try_enter(estimate) or await lane.wait(estimate)

    def answered(self, ticket: Ticket) -> None:
        """
        Hear that a call came to anything that is no 429: a value, or another error.

        Of what it reserved and did not use, everything is given back; where it did not tell what it used, nothing.
        """
        reserved = ticket.reserved if ticket.is_open else None
        is_news = reserved is not None and bool(reserved.used) and self._needs.learn(reserved.used)
        if reserved is not None and not reserved.used and not reserved.is_known:
            self.silent += 1
        ticket.lane.answered(ticket)
        if is_news:  # what calls of all keys need is known now
            self._serve_all()

    def refused(self, ticket: Ticket, error: BaseException) -> None:
        """
        Hear that a call came to a 429: its key rests, and then goes on more slowly than before.

        The rest takes as long as the server says (``retry-after-ms``, ``Retry-After``); where it does not say, or where
        its word was followed twice and nothing but a 429 came of it, 1 second, twice as long each time up to a minute.

        Raises:
            HoldTooLong: The server asks for more than ``max_hold``. The key rests all the same.
        """
        hint = retry_after(error, wall)
        ticket.lane.refused(ticket, error, hint)
        if hint is not None and hint > self._max_hold:
            raise HoldTooLong(ticket.lane.key, hint, self._max_hold) from error

    def unused(self, ticket: Ticket) -> None:
        """Hear that a call was not made after all: what it reserved is there for others."""
        ticket.lane.unused(ticket)

    def used(self, ticket: Ticket, tokens: Mapping[Unit, float]) -> None:
        """
        Hear what a call used; what it tells at several times adds up.

        What goes beyond the reserved estimate is taken at once, from those that come later; the rest of the estimate is
        given back with ``answered``. ``tokens`` are ``input_tokens`` and ``output_tokens`` where they are not told.
        """
        ticket.lane.use(ticket, tokens)

    @property
    def rests(self) -> tuple[Rest, ...]:
        """The rests that hold keys now."""
        return tuple(lane.rest for lane in self._lanes.values() if lane.rest is not None)

    @property
    def is_waiting(self) -> bool:
        """Whether any call waits."""
        return any(lane.line for lane in self._lanes.values())

    def waiting(self, key: Hashable = None) -> int:
        """Return how many calls of a key wait."""
        lane = self._lanes.get(key)
        return 0 if lane is None else len(lane.line)

    def left(self, key: Hashable = None) -> float:
        """Return for how many seconds a key rests from now on."""
        lane = self._lanes.get(key)
        rest = None if lane is None else lane.rest
        return 0.0 if rest is None else max(0.0, rest.until - self._loop.time())

    def send_away(self) -> None:
        """Let go of everybody who waits: their ``enter`` raises ``SentAway``."""
        for lane in self._lanes.values():
            lane.send_away()

    def close(self) -> None:
        """End all rests (``told`` hears of it) and timers; to be called when nobody waits any more."""
        for lane in self._lanes.values():
            lane.close()

    def _lane(self, key: Hashable) -> Lane:
        lane = self._lanes.get(key)
        if lane is None:
            if len(self._lanes) >= self._sweep_at:
                self._sweep()
            lane = self._lanes[key] = Lane(key, self._loop, self._rates, self._needs, self._told)
        return lane

    def _sweep(self) -> None:
        now = self._loop.time()
        for key in [key for key, lane in self._lanes.items() if lane.is_idle(now)]:
            del self._lanes[key]
        self._sweep_at = max(_KEYS, 2 * len(self._lanes))  # not again before as many have come

    def _serve_all(self) -> None:
        for lane in self._lanes.values():
            if lane.line:
                lane.serve()

"""
What a call that failed means: for its item, for the calls of the others, for the run.

The errors that stop the run are in ``_stops``, rests in ``_throttle``, outages in ``_outage``; which of them one error
is, is decided here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Final, Protocol

from unlost.batch._letters import title_of
from unlost.batch.gate._outage import Outage, Verdict
from unlost.batch.gate._rest import HoldTooLong
from unlost.batch.gate._seats import Seats
from unlost.batch.gate._self_stop import SelfStop
from unlost.batch.gate._stops import stop_of
from unlost.batch.gate._throttle import Throttle
from unlost.batch.gate._visit import Visit, ended_unknown
from unlost.errors import Kind, attach_attempts, classify, leaves, status_of

REFUSALS: Final = 30
"""After so many answers 429, with a rest after each, it is the item: the last of them is an attempt that failed."""


class Stopper(Protocol):
    """Who stops the run."""

    def halt(self, error: Exception, *, now: bool = False) -> None: ...


class Judge:
    """
    Args:
        throttle: Is told of answers and refusals.
        outage: Is told of transient failures, and of what shows that there is none.
        seats: Are widened by each call that was answered.
        stopper: Is told of what no other item needs to be tried after.
        own: Top-level packages whose code is the user's.
        keep_going: Refused credentials and used-up quotas are failures of their items.

    Attributes:
        is_alert: Something is parked, or was, or the seats are narrow: then calls that succeed have to be told.
    """

    def __init__(
        self,
        throttle: Throttle,
        outage: Outage,
        seats: Seats,
        stopper: Stopper,
        own: Collection[str],
        *,
        keep_going: bool,
    ) -> None:
        self.is_alert = False
        self._throttle = throttle
        self._outage = outage
        self._seats = seats
        self._stopper = stopper
        self._own = own
        self._keep_going = keep_going

    def went_well(self, visit: Visit, began: float) -> None:
        """Hear that a call succeeded; where ``is_alert`` is false, it changes nothing."""
        was_probe, visit.is_probe = visit.is_probe, False
        self._outage.succeeded(began=began, was_probe=was_probe)
        self._seats.widen()
        self.is_alert = self._seats.is_narrow or not self._outage.is_calm

    def judged(self, visit: Visit, error: BaseException) -> Verdict | None:
        """Say what a call that failed means; None where that is known later."""
        ticket, visit.ticket = visit.ticket, None
        assert ticket is not None
        if _is_told_to_end(error):
            self._throttle.answered(ticket)
            self.probe_lost(visit)
            return Verdict.STANDS
        stop = stop_of(error, lambda leaf: title_of(leaf, self._own))
        if stop is not None and (stop.reason == "disk" or not self._keep_going):
            self._throttle.answered(ticket)
            return self._stopped_by(visit, stop, error)
        transient = stop is None and _is_transient(error)
        visit.is_unknown = visit.is_unknown or ended_unknown(error)
        if stop is None and _is_refusal(error):
            try:
                self._throttle.refused(ticket, error)
            except HoldTooLong as too_long:
                return self._stopped_by(visit, too_long, error)
            if transient:
                return self._refused(visit, error, ticket.began)
        self._throttle.answered(ticket)
        if transient:
            return None
        was_probe, visit.is_probe = visit.is_probe, False
        if not self._outage.is_calm:
            self._outage.succeeded(began=ticket.began, was_probe=was_probe, is_answer=was_probe)
        self._seats.widen()
        return Verdict.STANDS

    def _stopped_by(self, visit: Visit, stop: Exception, error: BaseException) -> Verdict:
        visit.is_waiting, visit.failures = True, (error,)
        if isinstance(error, BaseExceptionGroup) or (isinstance(stop, SelfStop) and stop.reason == "disk"):
            visit.is_unknown = True  # the service has refused nothing, or one call of several
        self._stopper.halt(stop)
        return Verdict.GIVEN_BACK

    def _refused(self, visit: Visit, error: BaseException, began: float) -> Verdict:
        visit.held += 1
        visit.refusal = error
        if visit.is_probe or not self._outage.is_calm:
            was_probe, visit.is_probe = visit.is_probe, False
            self._outage.succeeded(began=began, was_probe=was_probe)
        return Verdict.AGAIN if visit.held % REFUSALS else Verdict.STANDS  # a rest came before each of them

    async def parked(self, visit: Visit, error: BaseException) -> Verdict:
        """Wait, without a seat, until it is known what a transient failure means; say that."""
        was_probe, visit.is_probe = visit.is_probe, False
        visit.is_waiting, visit.failures, self.is_alert = True, (error,), True
        self._seats.stand_up(visit)
        try:
            verdict = await self._outage.failed(error, was_probe=was_probe, is_first=not visit.has_failed)
        except asyncio.CancelledError as cancelled:
            attach_attempts(cancelled, (error,))
            raise
        if verdict is Verdict.STANDS:
            visit.is_waiting, visit.failures, visit.has_failed = False, (), True
        elif verdict is Verdict.ONCE_MORE:
            visit.has_failed = True
        return verdict

    def probe_lost(self, visit: Visit) -> None:
        """Hear that an item made no call: if it was to show whether an outage is over, another one has to."""
        if visit.is_probe:
            visit.is_probe = False
            self._outage.unanswered()


def _is_refusal(error: BaseException) -> bool:
    return any(status_of(leaf) == 429 for leaf in leaves(error))


def _is_transient(error: BaseException) -> bool:
    try:
        return classify(error) is Kind.TRANSIENT
    except Exception:  # a rule of the user's own that raises: the retry asks it again, and that is the outcome  # noqa: BLE001
        return False


def _is_told_to_end(error: BaseException) -> bool:
    """A cancellation, or the end of the program: nothing that a service said."""
    return not isinstance(error, Exception) and any(not isinstance(leaf, Exception) for leaf in leaves(error))

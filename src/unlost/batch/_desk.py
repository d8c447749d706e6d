"""
What is under way in a run, item by item: handed out, running, waiting for its commit, waiting to be taken.

An item's outcome comes with its item, whatever it is. (The order in which items start is not the order in which they
were handed out, where tasks are eager; and what is marked on an exception is gone where another takes its place.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

from unlost._core import Cancelled, Failure, Outcome, Outcomes, Value, outcome_of
from unlost.batch._letters import survived_as_json
from unlost.batch._perform import Performer, ended_of
from unlost.batch._progress import Progress
from unlost.batch.alone._alone import Alone
from unlost.batch.gate._gate import Gate
from unlost.batch.gate._visit import Visit
from unlost.batch.journal._journal import Claimed, Ended
from unlost.errors import attach_attempts, attempts

# Any: whatever the job returns; no Ended: the item was given back, or was cancelled; whether it is known as not done
Performed: TypeAlias = tuple[Claimed, Ended | None, Outcome[Any], bool]


class Desk:
    """
    Args:
        own: Top-level packages whose code is the user's.
        put: Hands an outcome to the journal.
        doubt: Hands it what the attempts of a cancelled item had failed with, as JSON.

    Attributes:
        progress: The counts.
        waiting: Outcomes that are not acknowledged, or not taken.
        outcomes: What was acknowledged and not yet taken, where somebody iterates.
        unbegun: Items that were handed out and did not start, and such as are known not to have been done: a stop can
            leave some.
    """

    def __init__(self, own: tuple[str, ...], put: Callable[[Ended], None], doubt: Callable[[int, str], None]) -> None:
        self.progress = Progress()
        self.waiting = 0
        self.outcomes: deque[Outcome[Any]] = deque()
        self.unbegun: dict[int, None] = {}
        self._own = own
        self._put = put
        self._doubt = doubt
        self._running: dict[int, Visit] = {}
        self._unacknowledged: dict[int, Outcome[Any]] = {}
        self._kept = False

    def keep(self) -> None:
        """Keep acknowledged outcomes in ``outcomes`` from now on."""
        self._kept = True

    @property
    def at_gate(self) -> int:
        """How many items have started and wait for a rate, a rest or an outage: no call of them is under way."""
        return sum(visit.is_waiting for visit in self._running.values())

    def hand_out(self, claimed: Claimed) -> None:
        """Note that an item is going to start."""
        self.unbegun[claimed.item] = None

    async def perform(self, performer: Performer | Alone, gate: Gate, claimed: Claimed) -> Performed:
        """Perform an item; whatever comes out of that is returned with it."""
        del self.unbegun[claimed.item]
        self._running[claimed.item] = visit = Visit(None)
        self.progress.running += 1
        try:
            ended, live = await performer(claimed, visit)
        except (KeyboardInterrupt, SystemExit):  # of the program: a job's own is its outcome
            raise
        except BaseException as error:  # handed on: it is the item's outcome  # noqa: BLE001
            return claimed, None, _raised(error), visit.is_undone and not _stands(error, visit)
        finally:
            gate.leave(visit)
        is_undone = ended is None and not (live.survived or visit.is_unknown)
        if ended is None:
            live.survived = (*live.survived, *visit.failures)
        return claimed, ended, live, is_undone

    def settle(self, outcome: Outcome[Performed], *, cancelling: bool) -> Ended | None:
        """
        Hand the outcome of an item to the journal, if it was not before; return it as it is stored there.

        Args:
            outcome: As the stream gave it.
            cancelling: Whether the run is: what was cancelled then is in doubt, nobody knows how far it came.
        """
        if not isinstance(outcome, Value):  # not of an item: that of the claims themselves, which comes out elsewhere
            return None
        claimed, ended, live, is_undone = outcome.value
        if self._running.pop(claimed.item, None) is None:
            return None
        self.progress.running -= 1
        if ended is None:
            if isinstance(live, Value) or (isinstance(live, Cancelled) and cancelling):
                self._let_go(claimed, live, is_undone=is_undone)
                return None
            live.key, live.duration = claimed.key, outcome.duration
            ended = ended_of(claimed, live, self._own)
        self.waiting += 1
        self._unacknowledged[ended.item] = live
        self._put(ended)
        return ended

    def _let_go(self, claimed: Claimed, live: Outcome[Any], *, is_undone: bool) -> None:
        """Let an item be as it was before it started, or in doubt, with what its attempts had failed with."""
        if is_undone:
            self.unbegun[claimed.item] = None
        elif survived := survived_as_json(live.survived, self._own):
            self._doubt(claimed.item, survived)

    def acknowledge(self, ended: Ended) -> None:
        """Count an outcome that is durable."""
        self.progress.count(ended)
        live = self._unacknowledged.pop(ended.item, None)
        if live is None:  # a record that was no item
            return
        if self._kept:
            self.outcomes.append(live)
        else:
            self.waiting -= 1

    def unacknowledged(self) -> Outcomes[Any]:
        """Return the outcomes that never became durable."""
        return Outcomes(self._unacknowledged.values())


def _raised(error: BaseException) -> Failure | Cancelled:
    """Return the outcome of an item that raised ``error``, with what its attempts had failed with."""
    outcome = outcome_of(error, -1, 0.0, "")
    outcome.survived = attempts(error)
    if outcome.error is not error:  # what the cancellation carried takes its place
        attach_attempts(outcome.error, outcome.survived)
    return outcome


def _stands(error: BaseException, visit: Visit) -> bool:
    """Tell whether an attempt of a cancelled item had failed for good: not only with what is no attempt."""
    waited_for = (visit.refusal, *visit.failures)
    return any(all(earlier is not other for other in waited_for) for earlier in attempts(error))

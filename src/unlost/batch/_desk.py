"""
What is under way in a run, item by item: handed out, running, waiting for its commit, waiting to be taken.

An item's outcome finds its item by itself: a value comes with it, and an error has it attached. (The order in which
items start is not the order in which they were handed out, where tasks are eager.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from unlost._core import Cancelled, Failure, Outcome, Outcomes, Value
from unlost.batch._letters import survived_as_json
from unlost.batch._perform import Performer, ended_of
from unlost.batch._progress import Progress
from unlost.batch.alone._alone import Alone
from unlost.batch.gate._gate import Gate
from unlost.batch.gate._visit import Visit
from unlost.batch.journal._journal import Claimed, Ended
from unlost.errors import attempts, recall, remember

# Any: whatever the job returns; no Ended: the item was given back
Performed: TypeAlias = tuple[Claimed, Ended | None, Outcome[Any]]

_KEY: Final = "batch-item"


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
        self._running: set[int] = set()
        self._unacknowledged: dict[int, Outcome[Any]] = {}
        self._uncertain: dict[int, tuple[BaseException, ...]] = {}  # given back, and what earlier calls failed with
        self._kept = False

    def keep(self) -> None:
        """Keep acknowledged outcomes in ``outcomes`` from now on."""
        self._kept = True

    def hand_out(self, claimed: Claimed) -> None:
        """Note that an item is going to start."""
        self.unbegun[claimed.item] = None

    async def perform(self, performer: Performer | Alone, gate: Gate, claimed: Claimed) -> Performed:
        """Perform an item; whatever comes out is marked with it."""
        del self.unbegun[claimed.item]
        self._running.add(claimed.item)
        self.progress.running += 1
        visit = Visit(None)
        try:
            ended, live = await performer(claimed, visit)
        except BaseException as error:
            remember(error, _KEY, (claimed, visit.is_undone))  # as settle reads it
            raise
        finally:
            gate.leave(visit)
        if ended is None and visit.is_unknown:
            self._uncertain[claimed.item] = (*live.survived, *visit.failures)
        return claimed, ended, live

    def settle(self, outcome: Outcome[Performed], *, cancelling: bool) -> Ended | None:
        """
        Hand the outcome of an item to the journal, if it was not before; return it as it is stored there.

        Args:
            outcome: As the stream gave it.
            cancelling: Whether the run is: what was cancelled then is in doubt, nobody knows how far it came.
        """
        ended: Ended | None = None
        is_undone = False
        match outcome:
            case Value((claimed, ended, live)):
                is_undone = ended is None
            case Failure(error) | Cancelled(error):
                marked, live = recall(error, _KEY), outcome
                if marked is None:  # not of an item: the outcome of the claims themselves, which comes out elsewhere
                    return None
                claimed, is_undone = marked
        if claimed.item not in self._running:
            return None
        self._running.discard(claimed.item)
        self.progress.running -= 1
        if is_undone and (isinstance(outcome, Value) or cancelling):
            self._give_back(claimed)
            return None
        if isinstance(outcome, Cancelled) and cancelling:
            if survived := survived_as_json(attempts(outcome.error), self._own):
                self._doubt(claimed.item, survived)
            return None
        if ended is None:
            ended = ended_of(claimed, live, self._own)
        self.waiting += 1
        self._unacknowledged[ended.item] = live
        self._put(ended)
        return ended

    def _give_back(self, claimed: Claimed) -> None:
        """Let an item be as it was before it started, or in doubt, where nobody knows how an earlier call ended."""
        errors = self._uncertain.pop(claimed.item, None)
        if errors is None:
            self.unbegun[claimed.item] = None
        elif survived := survived_as_json(errors, self._own):
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

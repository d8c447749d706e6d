"""One item from its claim to its outcome: attempts, deadlines, and the JSON of what came out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from unlost._core import Cancelled, Failure, Outcome, Value
from unlost.batch._context import Context
from unlost.batch._letters import letter_of, survived_as_json
from unlost.batch._values import OutputError, encode
from unlost.batch.gate._gate import Gate
from unlost.batch.gate._metered import metered
from unlost.batch.gate._visit import GIVEN_BACK, Visit
from unlost.batch.journal._journal import Claimed, Ended
from unlost.batch.options._options import Resolved
from unlost.batch.options._rates import rate_of
from unlost.batch.source._reader import Reader
from unlost.batch.target._target import Job
from unlost.errors import DeadlineExceeded, attempts
from unlost.policies import Retry, deadline, timeout


class Performer:
    """
    Calls the job for one item after another, as its policy says; safe to be called concurrently.

    Args:
        job: Called with item and context.
        policy: Attempts, timeout and deadline.
        context_of: Makes what the job is told about an item.
        reader: Reads a claimed record.
        own: Top-level packages whose code is the user's.
        gate: Which each call has to pass.
    """

    def __init__(
        self,
        job: Job,
        policy: Resolved,
        context_of: Callable[[Claimed], Context],
        reader: Reader,
        own: Collection[str],
        gate: Gate,
    ) -> None:
        options = policy.options
        self._job = job
        self._timeout = options.timeout
        self._call: Job = job if options.timeout is None else self._limited
        self._deadline = options.deadline
        self._retry = Retry(attempts=options.attempts, on=policy.retry_on, total=options.deadline)
        self._context_of = context_of
        self._reader = reader
        self._own = own
        self._gate = gate
        self._is_metered = any(rate_of(text).unit != "calls" for text in options.rate)

    async def __call__(self, claimed: Claimed, visit: Visit) -> tuple[Ended | None, Outcome[Any]]:
        """
        Perform the item; whatever the job does is its own outcome.

        Returns:
            The outcome, as the journal stores it and as it is; the former is None where the item was given back: it is
            as if it had not been started.

        Raises:
            CancelledError: The item was cancelled, from inside or outside; it has no outcome yet.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        context = self._context_of(claimed)
        record = self._reader.read(claimed.line, claimed.raw)
        outcome: Outcome[Any]
        if record.error is None:
            visit.item = record.value
            context.mark(visit)
            if self._is_metered:
                context.through(lambda paper: metered(paper, self._gate.throttle, visit))
            outcome = await self._outcome(visit, context)
            if isinstance(outcome, Value) and outcome.value is GIVEN_BACK:
                return None, outcome
        else:  # its input is not kept, and is not where it was
            outcome = Failure(record.error, attempts=0)
        outcome.key = claimed.key
        outcome.duration = loop.time() - started
        if visit.refusal is not None and not isinstance(outcome, Cancelled):
            outcome.survived = (*outcome.survived, visit.refusal)
        return ended_of(claimed, outcome, self._own, held=visit.held), outcome

    async def _outcome(self, visit: Visit, context: Context) -> Outcome[Any]:  # whatever JSON can hold
        try:
            if self._deadline is None:
                return await self._retry.outcome(self._attempt, visit, context)
            async with deadline(self._deadline, name="item deadline"):
                return await self._retry.outcome(self._attempt, visit, context)
        except (DeadlineExceeded, SystemExit, KeyboardInterrupt) as final:
            # A job's SystemExit must not end the run, and its KeyboardInterrupt is not the user's: that is a signal
            return Failure(final, attempts=context.attempt, survived=attempts(final))

    def _attempt(self, visit: Visit, context: Context) -> Awaitable[Any]:  # Any: what the job returns
        visit.attempt += 1
        context.attempt = visit.attempt
        return self._gate.call(visit, self._call, visit.item, context)

    async def _limited(self, item: Any, context: Context) -> Any:
        async with timeout(self._timeout, name="attempt timeout"):
            return await self._job(item, context)


def ended_of(claimed: Claimed, outcome: Outcome[Any], own: Collection[str], *, held: int = 0) -> Ended:
    """Return an outcome as the journal stores it; a value that JSON cannot hold is a failure."""
    ms = round(outcome.duration * 1000)
    if isinstance(outcome, Value):
        try:
            value = encode(outcome.value)
        except OutputError as output_error:
            return _failed(claimed, output_error, outcome.attempts, ms, own, held)
        survived = survived_as_json(outcome.survived, own)
        return Ended(
            claimed.item, claimed.key, claimed.line, True, outcome.attempts, ms, value, survived,
            generation=claimed.generation, held=held,
        )  # fmt: skip
    return _failed(claimed, outcome.error, outcome.attempts, ms, own, held)


def _failed(claimed: Claimed, error: BaseException, attempts: int, ms: int, own: Collection[str], held: int) -> Ended:
    letter = letter_of(error, own)
    return Ended(
        claimed.item, claimed.key, claimed.line, False, attempts, ms,
        kind=letter.kind, fingerprint=letter.fingerprint, error=letter.error,
        generation=claimed.generation, held=held,
    )  # fmt: skip

"""The child process: it performs one item as the run would, says what came of it, and ends."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

from unlost._core import Cancelled, on_signals, run_to_its_end
from unlost.batch._context import Context
from unlost.batch._letters import letter_of, survived_as_json
from unlost.batch._perform import Performer, ended_of
from unlost.batch.alone._pipe import Pipe
from unlost.batch.alone._request import Request
from unlost.batch.gate._gate import Gate
from unlost.batch.gate._visit import Visit
from unlost.batch.journal._journal import Claimed, Ended
from unlost.batch.options._options import Resolved, resolve
from unlost.batch.target._target import Job, Target, load_target, open_target, target_of
from unlost.errors import UsageError, attempts

_MOST_KILLABLE = b"1000"


def main() -> None:
    """Perform what the parent asks for."""
    pipe = Pipe()
    request = Request.from_json(pipe.request().parts[0])
    sys.argv[:] = request.argv
    _be_killed_first()
    worker = _Worker(pipe, request)
    try:
        target = _target(request)
        policy = resolve(request.given, target.options, decorated_at=target.defined_at)
        run_to_its_end(worker.main(target, policy))
    except BaseException as error:  # said to the parent, who reports it  # noqa: BLE001
        worker.say_failure(error)


class _Worker:
    """One item under way."""

    def __init__(self, pipe: Pipe, request: Request) -> None:
        self._pipe = pipe
        self._request = request
        self._has_begun = False

    async def main(self, target: Target, policy: Resolved) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._pipe.listen()
        with on_signals(lambda number: task.cancel(number.name)):
            async with open_target(target) as job:
                # the gate is the parent's, and so are its rates
                policy = replace(policy, options=replace(policy.options, rate=()))
                gate = cast("Gate", _OpenGate())  # a Performer without rates asks it for nothing else
                reader, own = self._request.reader, self._request.own
                await self._perform(Performer(self._told(job), policy, self._context, reader, own, gate))

    def say_failure(self, error: BaseException) -> None:
        """Say what went wrong outside of the item."""
        letter = letter_of(error, self._request.own)
        if self._has_begun:
            self._pipe.say("after", json.loads(letter.error))
        elif isinstance(error, UsageError):
            self._pipe.say("unfit", str(error), True)
        else:
            record = json.loads(letter.error)
            what = f"{record['type']['qualname']}: {record['message']}"
            self._pipe.say("unfit", f"{self._request.spec} could not be opened there: {what}", False)

    async def _perform(self, performer: Performer) -> None:
        self._has_begun = True
        self._pipe.say("began")
        try:
            ended, _live = await performer(self._request.claimed, Visit(None))
        except asyncio.CancelledError as cancelled:  # said to the parent; the target is left in peace
            if _was_asked_to_end():
                self._pipe.say("cancelled", survived_as_json(attempts(cancelled), self._request.own))
                return
            ended = self._ended_by(cancelled)
        assert ended is not None  # only a gate gives back
        self._pipe.say("ended", asdict(ended))

    def _ended_by(self, cancelled: asyncio.CancelledError) -> Ended:
        """Return the outcome of a job that raised this by itself."""
        survived = attempts(cancelled)
        outcome = Cancelled(cancelled, attempts=len(survived) + 1, survived=survived)
        return ended_of(self._request.claimed, outcome, self._request.own)

    def _context(self, claimed: Claimed) -> Context:
        return Context(
            self._request.run_id, claimed.key, claimed.line, claimed.generation,
            item=claimed.item, epoch=self._request.epoch, kept=claimed.kept, paper=self._pipe,
        )  # fmt: skip

    def _told(self, job: Job) -> Job:
        """Return the job with the parent told of each attempt."""

        async def told(item: Any, context: Context) -> Any:  # Any: as Job
            self._pipe.say("attempt", context.attempt)
            with self._raised():
                return await job(item, context)

        return told

    @contextmanager
    def _raised(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self._pipe.say("raised", json.loads(letter_of(error, self._request.own).error))
            raise


class _OpenGate:
    """Lets every call pass: what rests there are is the parent's affair."""

    def call(self, _visit: Visit, call: Callable[..., Awaitable[Any]], item: Any, context: Any) -> Awaitable[Any]:
        return call(item, context)  # Any: as Job


def _was_asked_to_end() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _target(request: Request) -> Target:
    found = load_target(request.spec, Path(sys.path[0]))  # which is searched first in any case
    # by name or by object: the run may have found it either way, and a hash goes by the files that this leads to
    if request.source_hash not in (found.source_hash, target_of(found.func).source_hash):
        raise UsageError(f"the code of {request.spec} has changed since the run began")
    return found


def _be_killed_first() -> None:
    """Tell Linux which process to end where memory runs out: this one, and not that of all the other items."""
    try:
        with open("/proc/self/oom_score_adj", "wb", buffering=0) as file:
            file.write(_MOST_KILLABLE)
    except OSError:  # another system, or one that does not let us: then it goes by size
        return

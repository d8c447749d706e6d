"""
Items that were in doubt twice, performed one to a process: whatever ends that, no other item ends with it.

Who kills the process that it runs in (``os._exit``, a segmentation fault, memory that runs out) leaves everything that
ran with it in doubt, each time that the run is continued. Such an item is not told from its neighbours by one death;
what was under way at two of them is suspect.

Guarantees:

- The outcome is the one that the run itself would have stored: the same attempts, limits, record and fingerprint.
- Where the process ends before it has said what came of the item, that is its outcome: ``WorkerLost``. It is not where
  SIGTERM ended it and came to this process too: the item is in doubt, as at any stop.
- What cannot be started in a process of its own is not started: it stays in doubt, and that is reported.
- Its process ends before, or with, this one.

Rates, rests and outages are not for it: its calls are few, and a 429 is a failure like others.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable
from typing import Any, Final

from unlost._core import Failure, Outcome, Value, report
from unlost.batch._paper import Paper
from unlost.batch._perform import ended_of
from unlost.batch._plan import Plan
from unlost.batch.alone._course import Course
from unlost.batch.alone._fit import unfit
from unlost.batch.alone._lost import AloneFailed, CannotRunAlone, WorkerLost, lost
from unlost.batch.alone._request import Request
from unlost.batch.gate._visit import GIVEN_BACK, Visit
from unlost.batch.journal._journal import Claimed, Ended
from unlost.errors import attach_attempts
from unlost.observe import ErrorRecord, headline

DOUBTS: Final = 2
"""How often an item was started and never heard of again, before it runs alone."""

_PROCESSES: Final = 4
_LATER: Final = 1.0  # seconds within which both processes hear of a signal to their group


def runs_alone(claimed: Claimed) -> bool:
    """Tell whether an item has to be performed in a process of its own."""
    return claimed.doubts >= DOUBTS or claimed.was_lost


class Alone:
    """
    Performs items as a ``Performer`` does, each in a process of its own; at most four at once, one for each processor.

    Args:
        plan: Of the run.
        epoch: Of the journal's opening.
        paper: Takes down what the job spends and keeps.
        doubt: Takes down what the attempts of an item had failed with, as JSON, before it was cancelled.
        is_stopped: Tells whether nothing more is to start.
    """

    def __init__(
        self,
        plan: Plan,
        epoch: int,
        paper: Paper,
        doubt: Callable[[int, str], None],
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._plan = plan
        self._epoch = epoch
        self._paper = paper
        self._doubt = doubt
        self._is_stopped = is_stopped
        self._seats = asyncio.Semaphore(min(_PROCESSES, os.cpu_count() or 1))
        self._unfit = unfit(plan.target)
        self._reported: set[str] = set()

    async def __call__(self, claimed: Claimed, visit: Visit) -> tuple[Ended | None, Outcome[Any]]:
        """
        Perform the item.

        Returns:
            The outcome, as the journal stores it and as it is; the former is None where the item was not started, or
            its process was asked to end together with this one: then it is in doubt.

        Raises:
            CancelledError: The item was cancelled; it has no outcome, and its process has ended.
        """
        visit.is_waiting = True
        async with self._seats:
            if self._is_stopped():
                return None, Value(GIVEN_BACK)
            visit.is_waiting = False
            if self._unfit is not None:
                return self._not_started(claimed, self._unfit)
            request = Request.of(self._plan, self._epoch, claimed)
            course = Course(request, self._plan.policy.options, self._paper)
            try:
                await course.follow()
            except asyncio.CancelledError:
                if course.survived is not None:
                    self._doubt(claimed.item, course.survived)
                raise
            if course.ended is None and await self._ended_with_the_run(course):
                visit.is_unknown = course.began is not None
                if course.survived is not None:
                    self._doubt(claimed.item, course.survived)
                return None, Value(GIVEN_BACK)
            return self._conclude(claimed, course)

    async def _ended_with_the_run(self, course: Course) -> bool:
        """
        Tell whether what ended the process was meant for the whole run.

        systemd, and others who end a group of processes, send SIGTERM to each of them: this one may hear of it later.
        """
        if not (course.was_cancelled or course.gone.returncode == -signal.SIGTERM):
            return False
        if not self._is_stopped():
            await asyncio.sleep(_LATER)
        return self._is_stopped()

    def _conclude(self, claimed: Claimed, course: Course) -> tuple[Ended | None, Outcome[Any]]:
        gone = course.gone
        if course.ended is not None:
            self._report_late(claimed, course)
            return course.ended, _outcome_of(course.ended)
        if gone.error is not None:
            return self._not_started(claimed, f"no process could be started: {gone.error}")
        if course.unfit is not None:
            why, is_final = course.unfit
            self._unfit = why if is_final else None
            return self._not_started(claimed, why)
        if course.began is None:
            return self._not_started(claimed, f"it had not begun, and {_lost(course)}")
        return self._failed(claimed, course, course.began)

    def _failed(self, claimed: Claimed, course: Course, began: float) -> tuple[Ended, Outcome[Any]]:
        error = _lost(course)
        survived = tuple(AloneFailed(_title(record), record) for record in course.raised)
        attach_attempts(error, survived)
        seconds = asyncio.get_running_loop().time() - began
        failure = Failure(error, -1, claimed.key, max(1, course.attempts), seconds, survived)
        return ended_of(claimed, failure, self._plan.own), failure

    def _not_started(self, claimed: Claimed, why: str) -> tuple[None, Outcome[Any]]:
        if why not in self._reported:
            self._reported.add(why)
            times = f"{claimed.doubts} times" if claimed.doubts else "before"
            error = CannotRunAlone(f"{self._plan.target.spec} cannot be run alone: {why}")
            report(
                error,
                f"line {claimed.line} of run {self._plan.run} was started {times}, which its process did not live to "
                "tell of; so it runs only in a process of its own. It was not started, and stays as it is",
            )
        return None, Value(GIVEN_BACK)

    def _report_late(self, claimed: Claimed, course: Course) -> None:
        """Report what went wrong once the outcome was known: it has no other owner."""
        spec = self._plan.target.spec
        if course.after is not None:
            error = AloneFailed(_title(course.after), course.after)
            report(error, f"{spec} failed outside of its item, in the process that ran line {claimed.line} alone")
        elif course.killed is not None or course.gone.returncode not in (0, -signal.SIGTERM):
            report(
                _lost(course), f"line {claimed.line} of run {self._plan.run} has its outcome; after that, {spec} failed"
            )


def _lost(course: Course) -> WorkerLost:
    gone = course.gone
    code = -signal.SIGTERM if course.was_cancelled else gone.returncode
    return lost(code, course.killed, gone.stderr)


def _title(record: ErrorRecord) -> str:
    return headline(record, alone=True).title


def _outcome_of(ended: Ended) -> Outcome[Any]:
    """Return an outcome of another process; exceptions are there as their records."""
    told = json.loads(ended.survived) if ended.survived else []
    survived = tuple(AloneFailed(one["title"]) for one in told)
    details = (-1, ended.key, ended.attempts, ended.ms / 1000, survived)
    if ended.ok:
        return Value(json.loads(ended.value or "null"), *details)
    record: ErrorRecord = json.loads(ended.error or "{}")
    return Failure(AloneFailed(_title(record), record), *details)

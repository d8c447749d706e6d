"""One item in its process, from the start to the end of that: what was heard, and what it comes to."""

from __future__ import annotations

import asyncio
import json

from unlost.batch._paper import Paper
from unlost.batch.alone._limit import Limit
from unlost.batch.alone._process import Gone, Overdue, Process, Said
from unlost.batch.alone._request import Request
from unlost.batch.alone._wire import Frame, unpacked, write_frame
from unlost.batch.journal._journal import Ended
from unlost.batch.journal._kept import Keep
from unlost.batch.journal._spend import Spend
from unlost.batch.journal._writer import JournalError
from unlost.batch.options._options import Options
from unlost.observe import ErrorRecord, digest, headline


class Course:
    """
    Args:
        request: What the process is told.
        options: Timeout, deadline and grace.
        paper: Takes down what the job spends and keeps.

    Attributes:
        began: When the item started, by the loop's clock; None: it did not.
        attempts: How many were started.
        raised: The records of what attempts raised.
        ended: The outcome, if it was heard.
        after: The record of what was raised when the target was left.
        unfit: Why it could not be started there; and whether nothing can.
        was_cancelled: Whether the process said that a signal cancelled its item.
        killed: Why it was killed for being silent, if it was.
        gone: The end of the process; there when ``follow`` has returned.
    """

    gone: Gone

    def __init__(self, request: Request, options: Options, paper: Paper) -> None:
        self.began: float | None = None
        self.attempts = 0
        self.raised: list[ErrorRecord] = []
        self.ended: Ended | None = None
        self.after: ErrorRecord | None = None
        self.unfit: tuple[str, bool] | None = None
        self.was_cancelled = False
        self.killed: str | None = None
        self._told_survived: str | None = None
        self._paper = paper
        self._grace = options.grace
        self._limit = Limit(options)
        self._loop = asyncio.get_running_loop()
        self._due: float | None = None
        self._stops = 0
        self._is_gone = False
        self._process = Process(write_frame("perform", request.to_json()))

    async def follow(self) -> None:
        """
        Return when the process has ended.

        Raises:
            CancelledError: The caller was cancelled: the process was asked to end, then killed; a second one kills at
                once. It comes out when the process has ended, unless that has said what came of the item.
            JournalError: What the job spent cannot be taken down; the process is killed.
        """
        cancelled: asyncio.CancelledError | None = None
        try:
            while not self._is_gone:
                try:
                    await self._heed(await self._process.next())
                except asyncio.CancelledError as asked:
                    cancelled = asked
                    self._stop()
            if cancelled is not None and self.ended is None:
                raise cancelled
        finally:
            if not self._is_gone:
                self._process.kill()
            self._limit_to(None)
            del cancelled  # its traceback holds this frame

    @property
    def survived(self) -> str | None:
        """What attempts had raised, as the journal keeps it of an item in doubt; None: nothing."""
        if self._told_survived is not None or not self.raised:
            return self._told_survived
        lines = [(headline(record), digest(record)) for record in self.raised]
        brief = [{"title": line.title, "where": line.where, "fingerprint": print_} for line, print_ in lines]
        return json.dumps(brief, separators=(",", ":"))

    def _stop(self) -> None:
        self._stops += 1
        if self._stops == 1:
            self._process.terminate()
            self._limit_to(self._loop.time() + self._grace)
        else:
            self._process.kill()

    async def _heed(self, said: Said) -> None:
        match said:
            case Gone():
                self.gone, self._is_gone = said, True
            case Overdue():
                self._end_hanging()
            case Frame():
                await self._hear(said)

    def _limit_to(self, due: float | None) -> None:
        self._due = due
        self._process.limit(due)

    def _end_hanging(self) -> None:
        if self._due is None or self._loop.time() < self._due:  # something was heard just before
            return
        if not self._stops:
            self.killed = self._limit.why
        self._process.kill()

    async def _hear(self, frame: Frame) -> None:
        now = self._loop.time()
        match frame.name, frame.parts:
            case "unfit", [why, is_final]:
                self.unfit = why, is_final
            case "began", _:
                self.began = now
                self._limit.began(now)
            case "attempt", [number]:
                self.attempts = number
                self._limit.attempt(now)
            case "raised", [record]:
                self.raised.append(record)
                self._limit.raised(now)
            case "spend", [fields]:
                self._paper.spend(Spend(*fields))
            case "keep", [number, fields, value]:
                await self._keep(number, Keep(*fields)._replace(value=unpacked(value)))
            case "ended", [fields]:
                self.ended = Ended(**fields)
                self._limit.ended(now)
            case "cancelled", [survived]:
                self.was_cancelled, self._told_survived = True, survived
                self._limit.ended(now)
            case "after", [record]:
                self.after = record
        if not self._stops:  # else the grace holds
            self._limit_to(self._limit.due)

    async def _keep(self, number: int, kept: Keep) -> None:
        refusal = None
        try:
            await self._paper.keep(kept)
        except JournalError as journal_error:  # raised there, where the job awaits it
            refusal = str(journal_error)
        self._process.tell(write_frame("kept", number, refusal))

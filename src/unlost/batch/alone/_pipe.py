"""
The child's end: it says and hears what ``_wire`` lists, and ends with its parent.

What was standard output becomes standard error, so that a job may print what it likes; standard input is empty.
"""

from __future__ import annotations

import asyncio
import ctypes
import itertools
import os
import signal
import sys
import threading
from typing import Final

from unlost.batch.alone._wire import Frame, packed, read_frame, write_frame
from unlost.batch.journal._kept import Keep
from unlost.batch.journal._spend import Spend
from unlost.batch.journal._writer import JournalError

_PR_SET_PDEATHSIG: Final = 1
_ORPHANED: Final = 1


class Pipe:
    """The way to the parent; what a job spends and keeps goes through it (a ``Paper``)."""

    def __init__(self) -> None:
        _die_with_parent()
        self._heard = os.fdopen(os.dup(0), "rb")  # neither of the two is inherited by what the job starts
        self._out = os.dup(1)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        os.dup2(2, 1)
        if sys.stdout is not None:  # the words before its death would be lost in a buffer
            sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # made by Python itself
        self._lock = threading.Lock()  # jobs spend in threads, too
        self._keeping: dict[int, asyncio.Future[None]] = {}
        self._numbers = itertools.count(1)

    def request(self) -> Frame:
        """Return the first frame; blocks until it is there. Without one, there is no parent."""
        _noise, frame = read_frame(self._heard.readline())
        if frame is None:
            os._exit(_ORPHANED)
        return frame

    def listen(self) -> None:
        """Hear, from now on and in a thread, what is durable, and when the parent has died."""
        threading.Thread(target=self._listen, name="unlost-parent", daemon=True).start()

    def say(self, name: str, *parts: object) -> None:
        """Say something; blocks until it is in the pipe."""
        left = memoryview(write_frame(name, *parts))
        with self._lock:
            while left:
                left = left[os.write(self._out, left) :]

    def spend(self, spent: Spend) -> None:
        self.say("spend", spent)

    async def keep(self, kept: Keep) -> None:
        durable: asyncio.Future[None] = (
            asyncio.get_running_loop().create_future()
        )  # a thread of the job may have its own
        number = next(self._numbers)
        self._keeping[number] = durable
        self.say("keep", number, kept._replace(value=""), packed(kept.value))
        await durable

    def _listen(self) -> None:
        for line in self._heard:
            _noise, frame = read_frame(line)
            if frame is not None:
                self._heard_of(*frame.parts)
        os._exit(_ORPHANED)  # nobody is there to be told: whatever runs must not go on behind the back of the books

    def _heard_of(self, number: int, error: str | None) -> None:
        durable = self._keeping.pop(number)
        loop = durable.get_loop()
        try:
            loop.call_soon_threadsafe(_settle, durable, error)
        except RuntimeError:  # it is closed, so nobody waits
            if not loop.is_closed():
                raise


def _settle(durable: asyncio.Future[None], error: str | None) -> None:
    if durable.done():  # who waited was cancelled
        return
    if error is None:
        durable.set_result(None)
    else:
        durable.set_exception(JournalError(error))


def _die_with_parent() -> None:
    """Ask Linux for it: a job that hangs in a C function lets no thread of this process see that the pipe is closed."""
    if sys.platform == "linux":
        prctl = getattr(ctypes.CDLL(None), "prctl", None)
        if prctl is not None:
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

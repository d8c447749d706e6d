"""
A child process, as the event loop sees it: what it says comes into a queue, its end last.

Three threads serve a process, since not every loop can (a selector's on Windows, one outside of the main thread): one
starts it, writes the request and waits for its end, two read its pipes. They end with it.

It has a process group of its own, so that Ctrl-C does not reach it, and no file of this process but three pipes.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import IO, Any, Final, TypeAlias

from unlost.batch.alone._tail import Tail
from unlost.batch.alone._wire import Frame, read_frame

_PATIENCE: Final = 1.0
"""Seconds for which pipes are read after the end: what the process started may hold them open for ever."""

# sys.path first: the child has to find what this process found, unlost included
_START: Final = "import sys; sys.path[:] = sys.argv[1:]; from unlost.batch.alone._child import main; main()"


class Gone:
    """
    The process has ended, or could not be started.

    Attributes:
        returncode: As ``Popen`` has it: a signal is its number, negative.
        stderr: The last lines that it printed, redacted.
        error: Why it could not be started.
    """

    def __init__(self, returncode: int, stderr: str, error: Exception | None = None) -> None:
        self.returncode = returncode
        self.stderr = stderr
        self.error = error


class Overdue:
    """The time that ``limit`` set is over."""


Said: TypeAlias = Frame | Overdue | Gone


class Process:
    """
    Args:
        request: The first frame that it reads.
    """

    def __init__(self, request: bytes) -> None:
        self._loop = asyncio.get_running_loop()
        self._said: asyncio.Queue[Said] = asyncio.Queue()
        self._timer: asyncio.TimerHandle | None = None
        self._popen: subprocess.Popen[bytes] | None = None
        self._signal: signal.Signals | None = None  # the last one that was sent, or is to be once there is a process
        self._lock = threading.Lock()
        self._tail = Tail()
        threading.Thread(target=self._live, args=(request,), name="unlost-alone", daemon=True).start()

    async def next(self) -> Said:
        """Return the next thing said; a cancellation loses none."""
        return await self._said.get()

    def limit(self, due: float | None) -> None:
        """Have ``Overdue`` said at that time by the loop's clock, in place of the time that was set before."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if due is None else self._loop.call_at(due, self._said.put_nowait, Overdue())

    def tell(self, frame: bytes) -> None:
        """Say something; whether the process still lives is heard elsewhere."""
        assert self._popen is not None
        assert self._popen.stdin is not None
        with suppress(OSError, ValueError):  # it is dead; or closed, since that was heard
            self._popen.stdin.write(frame)
            self._popen.stdin.flush()

    def terminate(self) -> None:
        """Ask it to end: it cancels its item."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it, and what it started and left in its process group."""
        self._send(signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)

    def _send(self, number: signal.Signals) -> None:
        with self._lock:
            self._signal = number
            if self._popen is not None:
                self._deliver(self._popen, number)

    def _deliver(self, popen: subprocess.Popen[bytes], number: signal.Signals) -> None:
        if popen.returncode is not None:
            return
        with suppress(ProcessLookupError, PermissionError):  # it has ended: macOS refuses to signal a group of zombies
            if sys.platform == "win32":
                popen.terminate()
            elif number is signal.SIGKILL:
                os.killpg(popen.pid, number)
            else:
                popen.send_signal(number)

    # In the threads

    def _live(self, request: bytes) -> None:
        try:
            popen = _start()
        except (OSError, ValueError) as starting_error:  # ValueError: an argument that cannot be one; handed on
            self._say(Gone(0, "", starting_error))
            return
        readers = [
            threading.Thread(target=read, args=(pipe,), name="unlost-alone-pipe", daemon=True)
            for read, pipe in ((self._listen, popen.stdout), (self._tail.follow, popen.stderr))
        ]
        for reader in readers:
            reader.start()
        with self._lock:
            self._popen = popen
            if self._signal is not None:
                self._deliver(popen, self._signal)
        self.tell(request)
        popen.wait()
        for reader in readers:
            reader.join(_PATIENCE)
        assert popen.stdin is not None
        with suppress(OSError):  # what was not written when it died is nobody's
            popen.stdin.close()
        self._say(Gone(popen.returncode, self._tail.redacted()))

    def _listen(self, pipe: IO[bytes]) -> None:
        with pipe:
            for line in pipe:
                noise, frame = read_frame(line)
                if noise:
                    self._tail.take(noise)
                if frame is not None:
                    self._say(frame)

    def _say(self, said: Said) -> None:
        try:
            self._loop.call_soon_threadsafe(self._said.put_nowait, said)
        except RuntimeError:  # the loop is closed: nobody waits for the item any more, and it is in doubt
            self.kill()


def _start() -> subprocess.Popen[bytes]:
    group: dict[str, Any] = {"process_group": 0}  # Any: arguments of Popen
    if sys.platform == "win32":
        group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return subprocess.Popen(  # pyright: ignore[reportReturnType]  # by what is in group, it cannot know
        # -P: the current folder is found on sys.path where this process has it, and not before
        [sys.executable, "-P", "-X", "faulthandler", *_flags(), "-c", _START, *map(str, sys.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **group,
    )


def _flags() -> list[str]:
    """Return those of the interpreter's options that change what code does."""
    flags = sys.flags
    optimized = [f"-{'O' * flags.optimize}"] if flags.optimize else []
    isolated = [f"-{'E' * flags.ignore_environment}{'s' * flags.no_user_site}"]
    return [*optimized, *(flag for flag in isolated if flag != "-"), *(f"-W{option}" for option in sys.warnoptions)]

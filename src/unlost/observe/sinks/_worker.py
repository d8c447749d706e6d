"""
The thread that does what must not be done where a report is made.

Guarantees:

- ``wake`` waits for nothing and takes no lock: it may be called from a ``__del__``, so in the middle of anything.
  ``put`` waits for the thread to start, ``_START`` seconds at most.
- There is no thread before there is work, none while the process forks unless what is queued outlasts ``_FORK``
  seconds, and it never keeps the process from ending.
"""

from __future__ import annotations

import _thread
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock, Thread, current_thread, get_native_id
from typing import Final, TypeAlias

from unlost._core.hooks import wait_until_gone

_FORK: Final = 0.5
_START: Final = 0.1

Call: TypeAlias = Callable[[], object]


class Worker:
    """
    Args:
        room: Calls that may wait in the queue.
        turn: Called by the thread when it wakes up, and before it sleeps; returns the seconds after which to be called
            again, or None.
    """

    def __init__(self, room: int, turn: Callable[[], float | None]) -> None:
        self._room = room
        self._turn = turn
        # its put() is safe within a __del__, queue.Queue's is not
        self._queue: SimpleQueue[Call | None] = SimpleQueue()
        self._is_woken = False
        self._is_stopping = False
        self._alive = Lock()  # held for as long as there is a thread
        self._launching = Lock()  # held while it is being started
        self._thread: Thread | None = None
        self._native = 0  # the operating system's number of it
        self._launcher = 0  # and of the thread that starts it

    def wake(self) -> bool:
        """Let the thread call ``turn`` soon; return whether there is a thread."""
        if not self._is_woken:
            self._is_woken = True
            self._queue.put(None)
        return self._start()

    def put(self, call: Call, *, always: bool = False) -> bool:
        """Let the thread make a call; return False where there is no room for it."""
        if self._queue.qsize() >= self._room and not always:
            return False
        self._queue.put(call)
        if self._start():
            self._wait_for_launch()  # or the process might end before
        return True

    def stop(self, seconds: float) -> list[Call]:
        """End the thread after what is queued, within so many seconds; return the calls that were not made."""
        self._is_stopping = True
        self._queue.put(None)
        self._wait(seconds)
        left: list[Call] = []
        try:
            while True:
                call = self._queue.get_nowait()
                if call is not None:
                    left.append(call)
        except Empty:
            return left

    @property
    def is_busy(self) -> bool:
        """Whether there is a thread."""
        return self._alive.locked()

    def pause(self) -> None:
        """Let there be no thread, if it comes to the end of what is queued soon."""
        if self.is_busy:
            self._is_stopping = True
            self._queue.put(None)
            self._wait(_FORK)
            wait_until_gone(self._launcher, self._native)

    def resume(self) -> None:
        """Go on after a pause: a thread that is needed is started with the next call."""
        self._is_stopping = False

    def _wait(self, seconds: float) -> None:
        self._wait_for_launch()
        thread = self._thread
        if thread is not current_thread() and self._alive.acquire(timeout=seconds):
            self._alive.release()
            if thread is not None:
                thread.join(seconds)  # it has nothing left to do: the operating system's part of it

    def _wait_for_launch(self) -> None:
        launching = self._launching
        if launching.acquire(timeout=_START):
            launching.release()

    def _start(self) -> bool:
        if not self._is_stopping and self._alive.acquire(blocking=False):
            self._launching = launching = Lock()
            launching.acquire()
            try:
                # Thread.start() takes locks that the code which was interrupted by a __del__ may hold: not here
                _thread.start_new_thread(self._launch, (launching,))
            except RuntimeError:  # the interpreter ends: who closes does the work
                launching.release()
                self._alive.release()
        return self.is_busy

    def _launch(self, launching: Lock) -> None:
        self._launcher = get_native_id()
        thread = self._thread = Thread(target=self._run, name="unlost-sinks", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # as above
            self._thread = None
            self._alive.release()
        finally:
            launching.release()

    def _run(self) -> None:
        self._native = get_native_id()
        try:
            self._work()
        finally:
            self._thread = None
            self._alive.release()
            if not self._queue.empty():  # it came as the thread was ending
                self._start()

    def _work(self) -> None:
        while True:
            self._is_woken = False
            seconds = self._turn()
            if self._is_stopping and self._queue.empty():
                return
            try:
                call = self._queue.get(timeout=seconds)
            except Empty:
                continue
            if call is not None:
                call()

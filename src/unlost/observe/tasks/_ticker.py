"""
A thread that looks around every few seconds.

While the process forks there is none, as that would be warned of (3.12); in the parent it is back soon.
"""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable
from typing import Final
from weakref import WeakSet

from unlost._core import monotonic
from unlost._core.hooks import Undo, on_fork, soon, wait_until_gone

_FORK: Final = 0.5  # seconds that a fork waits for a look to end

_ticking: WeakSet[Ticker] = WeakSet()
_launching = threading.Lock()  # held while paused ones are being started
_launcher = 0  # the operating system's number of the thread that did that last
_unlaunch: Undo | None = None  # calls off what was to start them
_is_fork_watched = False


class Ticker:
    """
    Calls ``look(now)`` every ``seconds``, from a daemon thread, until ``stop``; in a forked child from one of its own,
    unless that is not to be ``in_children``.

    ``look`` must not raise, nor must ``fault``, which is called with an error of our own at a fork.
    """

    def __init__(
        self,
        look: Callable[[float], object],
        seconds: float,
        fault: Callable[[BaseException], object],
        *,
        in_children: bool = True,
    ) -> None:
        global _is_fork_watched  # once for each process: it cannot be taken back
        self.fault = fault
        self._in_children = in_children
        self._look = look
        self._seconds = seconds
        self._is_ended = False
        self._due = monotonic() + seconds
        self._thread: threading.Thread | None = None
        if not _is_fork_watched:
            on_fork(_pause, _resume, _start_again)
        _is_fork_watched = True
        _ticking.add(self)
        self.start()

    @property
    def is_stopping(self) -> bool:
        """Whether a look has to come to its end: somebody forks, or stops this."""
        return self._stopped.is_set()

    def start_in_child(self) -> None:
        """Begin again in a forked process, or end there."""
        if self._in_children:
            self.start()
        else:
            self._is_ended = True
            _ticking.discard(self)

    def start(self) -> None:
        """Begin; again in a child, which has none of its parent's threads, and after a pause."""
        self.is_paused = False
        self._stopped = stopped = threading.Event()
        if self._is_ended:  # meanwhile, in another thread; where that is still to come, it is this one that it stops
            return
        thread = threading.Thread(target=self._run, args=(stopped,), name="unlost-watch", daemon=True)
        thread.start()
        self._thread = thread  # from here on it can be joined

    def stop(self) -> None:
        """Let the thread end; a call from another thread waits for that, as long as one look may take to come."""
        self._is_ended = True
        _ticking.discard(self)
        self._end(self._seconds)

    def pause(self) -> None:
        """Let there be no thread until the next ``start``."""
        self.is_paused = True
        self._end(_FORK)
        if self._thread is not None:
            wait_until_gone(self._thread.native_id or 0)

    def _end(self, seconds: float) -> None:
        self._stopped.set()
        if self._thread is not None and threading.current_thread() is not self._thread:
            self._thread.join(seconds)

    def _run(self, stopped: threading.Event) -> None:
        while not stopped.wait(max(0.0, self._due - monotonic())):
            self._look(monotonic())
            self._due = monotonic() + self._seconds  # though pauses come: who forks often is looked after, too


def _pause() -> None:
    if _unlaunch is not None:
        _unlaunch()
    if _launching.acquire(timeout=_FORK):
        _launching.release()
    _each(Ticker.pause)
    wait_until_gone(_launcher)


def _resume() -> None:
    global _unlaunch  # one for each process, as there is one fork at a time
    if _ticking:
        _unlaunch = soon(_launch)


def _launch() -> None:
    """Start them from a thread of its own: ``Thread.start`` takes locks that the code which is interrupted may hold."""
    if _launching.acquire(blocking=False):
        try:
            _thread.start_new_thread(_start_paused, ())
        except RuntimeError:  # the interpreter ends
            _launching.release()


def _start_paused() -> None:
    global _launcher  # as above
    _launcher = threading.get_native_id()
    try:
        if _unlaunch is not None:
            _unlaunch()
        for ticker in tuple(_ticking):
            if ticker.is_paused:
                ticker.start()
    except RuntimeError:  # as above
        return
    finally:
        _launching.release()


def _start_again() -> None:
    global _launching  # the parent's may be held by a thread that is not here
    _launching = threading.Lock()
    _each(Ticker.start_in_child)


def _each(call: Callable[[Ticker], object]) -> None:
    for ticker in tuple(_ticking):
        try:
            call(ticker)
        except Exception as fault:  # counted: this is somebody's fork  # noqa: BLE001
            ticker.fault(fault)

"""What ends a process or asks it how it is, from outside: signals that nothing else has taken."""

from __future__ import annotations

import _thread
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Final, TypeAlias

from unlost._core.hooks._forks import on_fork
from unlost._core.hooks._replaced import Undo, together

_Handler: TypeAlias = Callable[[int, FrameType | None], None]

LONGEST: Final = 2.0
"""Seconds that speaking may hold up the end of the process."""

_STANDS: Final = 1.0  # the seconds of these in which the main thread stands still
_UNTOLD: Final = "unlost: {} ended the process before what became of its exceptions was told: {}\n"
_LATE: Final = f"that took more than {LONGEST:g} s"
NO_THREAD: Final = "no thread could be started for that"
_kill: Final = os.kill  # as it was before anything of ours stood there

ENDING: Final = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""What asks a process to end: who stops it, and a terminal that goes away, which there is not on Windows."""

_ours: Final[dict[_Handler, int]] = {}
_aside: Final[dict[int, _Handler]] = {}
_is_fork_watched = False


def is_ours(handler: object) -> bool:
    """Tell whether a signal's handler is one of ours, that only speaks before the default action."""
    return any(handler is ours for ours in _ours)


def before_termination(say: Callable[[str], object]) -> Undo:
    """
    Call ``say`` with its name before SIGTERM or SIGHUP ends the process, which it does as ever, by the signal.

    Only from the main thread, and only where nobody handles the signal, nor has it ignored (``nohup``); ``atexit`` does
    not run then. A process that is forked meanwhile has the default action. Where the main thread is in C code that
    does not come back, the end waits for that, which it would not without.

    ``say`` runs in a thread of its own, as the main thread may have been interrupted with any lock in its hands. That
    one stands still meanwhile, but goes on after a second: perhaps a lock is waited for. After ``LONGEST`` seconds the
    process ends all the same, and with another such signal after that first second: until then it changes nothing, as
    who ends processes may send more than one at once.
    """
    return together([_on_default(number, partial(_speak, number, say)) for number in ENDING])


def _speak(number: signal.Signals, say: Callable[[str], object]) -> None:
    signal.signal(number, _change_nothing)
    said = threading.Event()
    late = untold(number.name)
    try:
        aside_from_all(lambda: then(lambda: say(number.name), said.set))
        said.wait(_STANDS)
    except RuntimeError:  # there can be no thread: nothing is said, as this one may have any lock
        late = untold(number.name, NO_THREAD)
    finally:  # Ctrl-C may come meanwhile
        signal.signal(number, signal.SIG_DFL)
        _end_when(number, said, late)


def _end_when(number: signal.Signals, said: threading.Event, late: str) -> None:
    if said.is_set():
        end(number)
        return
    try:
        _thread.start_new_thread(lambda: end(number, "" if said.wait(LONGEST - _STANDS) else late), ())
    except RuntimeError:  # as above
        end(number, untold(number.name, NO_THREAD))


def _change_nothing(_number: int, _frame: FrameType | None) -> None:
    """Be what another one calls."""


def untold(name: str, why: str = _LATE) -> str:
    """Return what there is to say where a signal ended the process too soon for all else."""
    return _UNTOLD.format(name, why)


def end(number: int, text: str = "") -> None:
    """Print it, and send this process the signal, for which the default action stands."""
    print_at_once(text)
    _kill(os.getpid(), number)


def print_at_once(text: str) -> None:
    """Print on standard error, whoever has a lock of that."""
    if text:
        with suppress(OSError):  # standard error was closed: there is nowhere left
            os.write(2, text.encode())  # not sys.stderr: its lock may be the one that is waited for


def then(say: Callable[[], object], finish: Callable[[], object]) -> None:
    """Call one, and after it the other, whatever the first raises."""
    try:
        say()
    finally:
        finish()


def aside_from_all(say: Callable[[], object]) -> None:
    """
    Call it in a thread of its own, started without any lock that the interrupted code may hold.

    ``Thread.start`` takes some, so that is called in another one, which ``threading`` does not know; that one calls it
    itself where it was the last that could be started.

    Raises:
        RuntimeError: There can be no more threads.
    """

    def start() -> None:
        try:
            threading.Thread(target=say, name="unlost-signal", daemon=True).start()
        except RuntimeError:
            say()

    _thread.start_new_thread(start, ())


def hold_up_for(say: Callable[[str], object], name: str) -> threading.Event:
    """
    Call it, aside from all, with the name of what is about to end the process; wait ``LONGEST`` seconds for that.

    Where there can be no thread, as at the end of the interpreter from 3.12 on, it is called in this one: that makes an
    ordinary call.

    Returns:
        What is set once it was called.
    """
    said = threading.Event()
    try:
        aside_from_all(lambda: then(lambda: say(name), said.set))
    except RuntimeError:
        then(lambda: say(name), said.set)
    if not said.wait(LONGEST):
        print_at_once(untold(name))
    return said


def on_request(number: int, say: Callable[[], object]) -> Undo:
    """
    Call ``say`` for each signal of this number (SIGUSR1), unless somebody handles it, in a thread of its own.

    Main thread only.
    """

    def speak() -> None:
        with suppress(RuntimeError):  # there can be no thread: who asks again may be luckier
            aside_from_all(say)

    return _on_default(number, speak)


def _on_default(number: int, say: Callable[[], object]) -> Undo:
    if not is_main_thread() or signal.getsignal(number) is not signal.SIG_DFL or is_taken_in_c(number):
        return lambda: None
    _keep_out_of_forks()

    def handle(_number: int, _frame: FrameType | None) -> None:
        say()

    signal.signal(number, handle)
    _ours[handle] = number

    def undo() -> None:
        if handle in _ours and is_main_thread() and signal.getsignal(number) is handle:
            signal.signal(number, signal.SIG_DFL)
        _ours.pop(handle, None)

    return undo


def is_taken_in_c(number: int) -> bool:
    """Whether a handler was set by other means than ``signal.signal``, as ``faulthandler.register`` does; on Linux."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            caught = next((line.split()[1] for line in status if line.startswith("SigCgt:")), "0")
    except OSError:
        return False
    return bool(int(caught, 16) >> (number - 1) & 1)


def is_main_thread() -> bool:
    """Say whether this is the thread that may set handlers, and in which they run."""
    return threading.current_thread() is threading.main_thread()


def _keep_out_of_forks() -> None:
    """
    Give a forked child the default actions, from its first instruction on.

    Not only once it runs: Python forgets a signal that comes before that, and the child would live on.
    """
    global _is_fork_watched  # once for each process: it cannot be taken back
    if not _is_fork_watched:
        on_fork(_step_aside, _step_back, _leave)
    _is_fork_watched = True


def _step_aside() -> None:
    if is_main_thread():
        for handler, number in _ours.items():
            if signal.getsignal(number) is handler:
                signal.signal(number, signal.SIG_DFL)
                _aside[number] = handler


def _step_back() -> None:
    for number, handler in _aside.items():
        signal.signal(number, handler)
    _aside.clear()


def _leave() -> None:
    for handler, number in _ours.items():  # what was forked in another thread has that for its main one
        if signal.getsignal(number) is handler:
            signal.signal(number, signal.SIG_DFL)
    _ours.clear()
    _aside.clear()

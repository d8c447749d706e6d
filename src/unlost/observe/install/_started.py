"""
The processes that tests, or a watched program, start.

What ``multiprocessing`` or ``os.fork`` makes is watched as well. A forked process has all that it takes; with a spawned
one travels, in what ``multiprocessing`` sends it anyway, what begins to watch there (coverage.py does likewise). A
program that ``subprocess`` starts is only counted.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import Any, Final

from unlost._core.hooks import Switch, Undo, on_fork, on_import, on_lookup, replace, together
from unlost.observe.install._letters import NOT_STARTED, PROGRAM, STARTED

_PYTHONS: Final = ("python", "pypy", "unlost")

# It must not fail, wherever that process finds its modules: who begins nothing is not heard of, and that is told.
_STOWAWAY: Final = """\
try:
    from {module} import begin
    begin({folder!r}, {test!r})
except Exception:
    pass
"""

_current: Starts | None = None  # one for each process; forks are heard of for good
_is_fork_watched = False


class Starts:
    """
    What to do about each.

    Args:
        folder: For the letters.
        before: Called before a process is started.
        count: Called with the kind of letter that says what was started.
        forked: Called in a forked process.
        fault: Called with an error of our own.
        module: Whose ``begin`` is called in a spawned process, with the folder and the test.

    Attributes:
        test: Which test runs, that they belong to; empty between tests, and where there are none.
    """

    def __init__(
        self,
        folder: str,
        before: Callable[[], object],
        count: Callable[[str], object],
        forked: Callable[[], object],
        fault: Callable[[BaseException], object],
        module: str = "unlost.observe.install._spawned",
    ) -> None:
        self.test = ""
        self.folder = folder
        self.before = before
        self.count = count
        self.forked = forked
        self._spawning: list[dict[str, object]] = []  # what is known of each that may yet fail to start
        self._is_over = False
        self._outer: Starts | None = None
        self.fault = fault
        self.module = module

    def watch(self) -> Undo:
        """Begin to hear of them; return what ends that."""
        global _current, _is_fork_watched  # as above
        self._outer, _current = _current, self
        if not _is_fork_watched:
            on_fork(_before, _in_parent, _in_child)
        _is_fork_watched = True
        return together(
            [
                self._end,
                on_import("multiprocessing.spawn", self._met),
                on_lookup(subprocess.Popen, "_execute_child", self._program),
            ]
        )

    def _end(self) -> None:
        """Let an outer session, in whose test this one ran, hear of them again."""
        global _current  # as above
        for _ in self._not_spawned():
            self.count(NOT_STARTED)
        self._spawning.clear()
        self._is_over = True
        while _current is not None and _current._is_over:
            _current = _current._outer

    def _met(self, spawn: ModuleType) -> Undo:
        return replace(spawn, "get_preparation_data", self._preparing)

    def _preparing(self, original: Callable[..., Any], switch: Switch) -> Callable[..., Any]:
        # Any, above: a dictionary of the interpreter's own
        def get_preparation_data(*args: Any, **kwargs: Any) -> Any:  # Any: as above
            data = original(*args, **kwargs)
            if switch.on and isinstance(data, dict):
                data["unlost"] = _Stowaway(self)
            return data

        return get_preparation_data

    def spawning(self) -> None:
        """Count a process that is about to be spawned; what belongs to it is pickled yet, which may fail."""
        self.before()
        self.count(STARTED)
        popen = sys.modules["multiprocessing.context"].get_spawning_popen()
        self._spawning = [*self._not_spawned(), vars(popen)]  # not the object: files are closed when that goes

    def forget(self) -> None:
        """Leave what was about to be spawned to the parent, in a forked process."""
        self._spawning = []

    def _not_spawned(self) -> list[dict[str, object]]:
        return [known for known in self._spawning if known.get("pid") is None]

    def _program(self, popen: subprocess.Popen[Any]) -> None:  # Any: text or bytes
        try:
            if is_python(popen.args):
                self.count(PROGRAM)
        except Exception as fault:  # counted: this is somebody's Popen  # noqa: BLE001
            self.fault(fault)


class _Stowaway:
    """Begins to watch in the process where it is unpickled; that a process was started is known when it is pickled."""

    def __init__(self, starts: Starts) -> None:
        self._starts = starts

    def __reduce__(self) -> tuple[object, tuple[str, dict[str, object]]]:
        starts = self._starts
        starts.spawning()
        return exec, (_STOWAWAY.format(module=starts.module, folder=starts.folder, test=starts.test), {})


def is_python(arguments: Any) -> bool:  # Any: as subprocess takes them
    """Say whether a command starts a Python; one that is given by an iterator is not looked at, as that uses it up."""
    first = arguments[0] if isinstance(arguments, list | tuple) and arguments else arguments
    if not isinstance(first, str | bytes | os.PathLike):
        return False
    word = os.fsdecode(first)
    if isinstance(arguments, str):
        word = next(iter(shlex.split(word)), "")
    return word == sys.executable or os.path.basename(word).startswith(_PYTHONS)


def _before() -> None:
    starts = _current
    if starts is not None and not is_anothers(sys._getframe(1)):
        try:
            starts.before()
        except Exception as fault:  # counted: this is somebody's fork  # noqa: BLE001
            starts.fault(fault)


def _in_parent() -> None:
    starts = _current
    if starts is not None and not is_anothers(sys._getframe(1)):
        try:
            starts.count(STARTED)
        except Exception as fault:  # as above  # noqa: BLE001
            starts.fault(fault)


def _in_child() -> None:
    starts = _current
    if starts is not None and not is_anothers(sys._getframe(1)):
        try:
            starts.forget()
            starts.forked()
        except Exception as fault:  # as above  # noqa: BLE001
            starts.fault(fault)


def is_anothers(frame: FrameType) -> bool:
    """Say whether ``subprocess`` forks, with a ``preexec_fn``: what is forked becomes another program at once."""
    return frame.f_code.co_filename == subprocess.__file__

"""The processes that a program starts, and of which nothing is heard here: counted, and told with what was not seen."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from unlost._core.hooks import Switch, Undo, on_fork, on_import, on_lookup, replace, together
from unlost.observe.install._started import is_anothers, is_python
from unlost.observe.install._summary import NUMBER

FORKED: Final = (
    f"Processes that were forked: {NUMBER}. Each tells by itself what it loses, when it ends; one that is killed or "
    "ends by os._exit does not, and none of that is counted here."
)
SPAWNED: Final = (
    f"Processes that multiprocessing spawned: {NUMBER}. They are not watched: `unlost.install()` in the module of "
    "their function does that."
)
PROGRAMS: Final = (
    f"Python programs that were started by subprocess: {NUMBER}. They are not watched from here; `unlost watch` in "
    "front of such a program says there what it loses."
)

_counts: Counter[str] | None = None  # of this process; forks are heard of for good
_is_fork_watched = False


def count_processes(counts: Counter[str], fault: Callable[[BaseException], object]) -> Undo:
    """Count into ``counts``, by the sentence for it, until undone; ``fault`` is called with errors of our own."""
    global _counts, _is_fork_watched  # as above
    _counts = counts
    if not _is_fork_watched:
        on_fork(_nothing, _in_parent, _in_child)
    _is_fork_watched = True

    def spawning(original: Callable[..., Any], switch: Switch) -> Callable[..., Any]:  # Any: the interpreter's own
        def get_preparation_data(*args: Any, **kwargs: Any) -> Any:  # Any: as above
            if switch.on and "ignore" not in args:  # so calls the server of forks itself
                counts[SPAWNED] += 1
            return original(*args, **kwargs)

        return get_preparation_data

    def starting(popen: subprocess.Popen[Any]) -> None:  # Any: text or bytes
        try:
            if is_python(popen.args):
                counts[PROGRAMS] += 1
        except Exception as our_error:  # counted: this is somebody's Popen  # noqa: BLE001
            fault(our_error)

    return together(
        [
            _forget,
            on_import("multiprocessing.spawn", lambda spawn: replace(spawn, "get_preparation_data", spawning)),
            on_lookup(subprocess.Popen, "_execute_child", starting),
        ]
    )


def _in_parent() -> None:
    if _counts is not None and not is_anothers(sys._getframe(1)):
        _counts[FORKED] += 1


def _in_child() -> None:
    if _counts is not None:
        _counts.clear()


def _forget() -> None:
    global _counts  # as above
    _counts = None


def _nothing() -> None:
    """Have nothing to put away before a fork."""

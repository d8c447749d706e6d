"""What puts it on, and takes it away again when the last one who asked for it says so."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import Final

from unlost._core.hooks import Undo, together
from unlost.observe.patch._gathered import keep_gathered
from unlost.observe.patch._kept import Kept
from unlost.observe.patch._shielded import keep_shielded
from unlost.observe.patch._stock import NotStockError
from unlost.observe.patch._threads import keep_threads
from unlost.observe.patch._timed import keep_timed

_PARTS: Final[dict[str, Callable[[Kept], Undo]]] = {
    "gather": keep_gathered,
    "shield": keep_shielded,
    "wait_for": keep_timed,
    "to_thread": keep_threads,
}
_lock = RLock()  # a finalizer or a signal's handler may undo what this thread is about to put on


class Patch:
    """
    What ``patch_asyncio`` has put on.

    Attributes:
        kept: What was kept, in numbers; shared by all who have put it on at the same time.
        missed: By the name of each function that could not be told anything, why; it does what it did.
    """

    def __init__(self, installed: _Installed) -> None:
        self.kept = installed.kept
        self.missed = installed.missed
        self._installed: _Installed | None = installed

    def undo(self) -> None:
        """
        Take it away; a second call does nothing.

        While somebody else has put it on too, it stays. What was wrapped by others meanwhile stays, switched off.
        """
        global _installed  # one for each process, as there is one asyncio
        with _lock:
            mine, self._installed = self._installed, None
            if mine is None:
                return
            mine.users -= 1
            if mine.users:
                return
            _installed = None
        mine.undo()


class _Installed:
    def __init__(self) -> None:
        self.kept = Kept()
        self.missed: dict[str, str] = {}
        self.users = 0
        self.undo = together(list(filter(None, map(self._put_on, _PARTS))))

    def _put_on(self, name: str) -> Undo | None:
        try:
            return _PARTS[name](self.kept)
        except (NotStockError, AttributeError, ValueError) as reason:  # what an asyncio of another kind has not
            self.missed[name] = str(reason)
            return None


def patch_asyncio() -> Patch:
    """
    Let ``gather``, ``shield``, ``wait_for`` and ``to_thread`` keep the errors that they drop; what callers see stays.

    No name is given to another function: whoever imported one of them before has it too. ``as_completed`` and
    ``create_task`` drop nothing: of a task that nobody asks asyncio itself tells. Where it is on already, it is put on
    once, and stays until all have undone it.
    """
    global _installed  # as above
    with _lock:
        if _installed is None:
            _installed = _Installed()
        _installed.users += 1
        return Patch(_installed)


_installed: _Installed | None = None

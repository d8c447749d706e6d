"""How tasks ended that are gone, as far as a hang may need to know."""

from __future__ import annotations

from typing import Final

from unlost.errors import headline

MOST: Final = 1_000


class Ends:
    """The last tasks that failed and were never asked, by their names; in bounded memory."""

    def __init__(self) -> None:
        self._failed: dict[str, str] = {}

    def failed(self, name: str, error: BaseException) -> None:
        """Note what a task failed with."""
        self._failed.pop(name, None)
        self._failed[name] = headline(error)
        while len(self._failed) > MOST:
            self._failed.pop(next(iter(self._failed)), None)

    def of(self, name: str) -> str:
        """Return what the last task of that name failed with, in one line; empty if none did."""
        return self._failed.get(name, "")

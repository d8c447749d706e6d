"""How tasks ended that are gone, as far as a hang may need to know."""

from __future__ import annotations

from asyncio import Task
from typing import Any, Final, TypeAlias
from weakref import ref

from unlost.errors import headline
from unlost.observe._leaving import KEPT

MOST: Final = 1_000

Reference: TypeAlias = "ref[Task[Any]]"  # Any: tasks of every result


class Ends:
    """The last tasks that failed and were never asked; in bounded memory."""

    def __init__(self) -> None:
        self._failed: dict[Reference, tuple[int, str, str]] = {}

    def failed(self, task: Task[Any], error: BaseException) -> None:  # Any: as above
        """Note what a task failed with that is about to go."""
        self._failed[ref(task)] = id(task), task.get_name(), headline(error, KEPT)
        while len(self._failed) > MOST:
            self._failed.pop(next(iter(self._failed)), None)

    def of(self, reference: Reference, number: int) -> tuple[str, str] | None:
        """
        Return the name of a task that is gone, and what it failed with in one line; None if it was not seen to.

        Args:
            reference: To the task.
            number: Its id. The garbage collector takes the references from a task before that can say what it failed
                with: then it is the last one that had this id and failed.
        """
        found = self._failed.get(reference)
        if found is None:
            found = next((one for one in reversed(tuple(self._failed.values())) if one[0] == number), None)
        return found[1:] if found else None

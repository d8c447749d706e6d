"""The children of a task group whose outcomes matter, and whether anybody was told of them."""

from __future__ import annotations

import sys
from typing import Any
from weakref import ref

from unlost._core._forgiven import is_forgiven
from unlost._core._outcome import Failure, Value
from unlost._core._outcomes import Outcomes
from unlost._core._unheard import count_unheard
from unlost._core.groups._handle import Handle
from unlost.errors import UsageError


class Roll:
    """
    Handles, in the order of starts.

    When the group raises, the outcomes travel with the error and are not kept here: the frames of a child that refers
    to its group would otherwise be a cycle (group, outcome, error, frame).
    """

    __slots__ = ("_handles", "_travelled")

    def __init__(self) -> None:
        self._handles: list[Handle[Any]] = []  # Any, here and below: children of every type
        self._travelled: ref[Outcomes[Any]] | None = None

    def join(self, handle: Handle[Any]) -> int:
        """Add a child; return its index."""
        handle.index = len(self._handles)
        self._handles.append(handle)
        return handle.index

    def outcomes(self) -> Outcomes[Any]:
        """Return the outcomes of those that have ended."""
        return Outcomes(outcome for handle in self._handles if (outcome := handle.peek()) is not None)

    def wanted(self) -> Outcomes[Any]:
        """Return them without what was forgiven."""
        return Outcomes(outcome for outcome in self.outcomes() if not is_forgiven(outcome))

    def values(self) -> list[Any]:
        """Return the values, in the order of starts."""
        return [outcome.value for outcome in self.outcomes() if isinstance(outcome, Value)]

    def look(self) -> Outcomes[Any]:
        """
        Return the outcomes to the user, who is told of them now.

        Raises:
            UsageError: They travelled with an error, and that is gone.
        """
        if self._travelled is not None:
            outcomes = self._travelled()
            if outcomes is None:
                raise UsageError(
                    "the outcomes of this group travelled with the error that it raised, and that is gone.\n"
                    "Write except* SomeError as group: unlost.partial(group); or TaskGroup(policy=unlost.collect())."
                )
            return outcomes
        self.tell()
        return self.outcomes()

    def tell(self) -> None:
        """Somebody was told of all outcomes that there are."""
        for handle in self._handles:
            if handle.peek() is not None:
                handle.is_told = True

    def hand_over(self, outcomes: Outcomes[Any]) -> None:
        """Let go of ``outcomes``, which travel with what is raised."""
        self._handles = []
        if outcomes:
            self._travelled = ref(outcomes)

    def __del__(self) -> None:
        untold = [handle for handle in self._handles if not handle.is_told and not handle.forgiven]
        outcomes = [outcome for handle in untold if isinstance(outcome := handle.peek(), Failure)]
        errors = [outcome.error for outcome in outcomes if not is_forgiven(outcome)]
        if errors and not sys.is_finalizing():
            count_unheard("unlost.TaskGroup, whose outcomes nobody looked at", len(errors), errors[-1])

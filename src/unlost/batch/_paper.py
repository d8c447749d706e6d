"""What a context needs of whoever keeps the books: the run's journal, or the other end of a pipe to it."""

from __future__ import annotations

from typing import Protocol

from unlost.batch.journal._kept import Keep
from unlost.batch.journal._spend import Spend


class Paper(Protocol):
    """Takes down what a job says while it works on an item."""

    def spend(self, spent: Spend) -> None:
        """
        Take down what was spent, ahead of the outcome of the item; returns at once, in any thread.

        Raises:
            JournalError: The journal is closed.
        """

    async def keep(self, kept: Keep) -> None:
        """
        Take down what is kept; returns when it is durable, and takes it down all the same if the caller is cancelled.

        Raises:
            JournalError: It cannot be written, or is closed.
        """

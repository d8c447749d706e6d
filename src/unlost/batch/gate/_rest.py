"""A rest that a server asked for."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass

from unlost.batch.options._durations import spelled
from unlost.errors import UnlostError


@dataclass(slots=True, eq=False)
class Rest:
    """
    The calls of one key wait, since the server answered 429.

    Attributes:
        key: Whose calls; None is the key of all, where there are no others.
        since: When it began, by the loop's clock, in seconds.
        until: When it ends; later answers can ask for more.
        refused: How many calls were answered so, those included that were under way when it began.
        error: The last of their errors; None once it has ended, and that was told.
        ended: When it ended; None while it lasts.
    """

    key: Hashable
    since: float
    until: float
    refused: int
    error: BaseException | None
    ended: float | None = None


class HoldTooLong(UnlostError):
    """
    A server asks to wait for longer than the run may; its error is the cause.

    Attributes:
        key: Of which calls.
        seconds: For how long it asks.
        max_hold: For how long the run would wait.
    """

    def __init__(self, key: Hashable, seconds: float, max_hold: float) -> None:
        super().__init__(key, seconds, max_hold)
        self.key = key
        self.seconds = seconds
        self.max_hold = max_hold

    def __str__(self) -> str:
        whose = "" if self.key is None else f" for {_shown(self.key)}"
        return (
            f"the server asks to wait {spelled(self.seconds)}{whose}, and the run waits {spelled(self.max_hold)} at "
            f"most. Continue later, or with --max-hold {math.ceil(self.seconds)}s"
        )


def _shown(key: Hashable) -> str:
    try:
        return repr(key)
    except Exception:  # of the user's class: what happened is said all the same  # noqa: BLE001
        return f"<{type(key).__name__}>"

"""How many calls more than were asked for may be made."""

from __future__ import annotations

from typing import Final

_MOST: Final = 10.0
_ALMOST: Final = 1e-9  # a tenth, ten times, is less than one


class Allowance:
    """
    A bucket of tokens: each call puts a fraction of one in, each extra call takes a whole one.

    So at most ``1 + ratio * n`` extra calls are made for the first n calls, and ``10 + ratio * n`` for any n in a row.
    """

    __slots__ = ("_ratio", "_tokens")

    def __init__(self, ratio: float) -> None:
        self._ratio = ratio
        self._tokens = 1.0

    def earn(self) -> None:
        """A call was made that was asked for."""
        self._tokens = min(_MOST, self._tokens + self._ratio)

    def spend(self) -> bool:
        """Take a token for an extra call; tell whether there was one."""
        if self._tokens < 1 - _ALMOST:
            return False
        self._tokens -= 1
        return True

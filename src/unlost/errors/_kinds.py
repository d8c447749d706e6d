"""The kinds of error: what its owner can do about it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final


class Kind(Enum):
    """
    What the owner of an error can do about it.

    Members:
        TRANSIENT: Try again later.
        PERMANENT: Nothing, with this input and this world; trying again will give the same.
        DEFECT: Correct the program: it has a bug.
        CANCELLED: Nothing: somebody wanted it to end.
        INPUT: Correct the input: it could not even be read.
        OUTPUT: Correct what the operation returned: it could not be stored.
    """

    TRANSIENT = "transient"
    PERMANENT = "permanent"
    DEFECT = "defect"
    CANCELLED = "cancelled"
    INPUT = "input"
    OUTPUT = "output"


# A group may be tried again only if that can help each member, so TRANSIENT comes last. A bug comes first, since it is
# what a reader has to see; a cancelled member usually follows from one of the others, so it comes after them.
_WORST_FIRST: Final = (Kind.DEFECT, Kind.INPUT, Kind.OUTPUT, Kind.PERMANENT, Kind.CANCELLED, Kind.TRANSIENT)


def worst(kinds: Iterable[Kind]) -> Kind:
    """Return the kind that decides for a group: defect, input, output, permanent, cancelled, transient."""
    return min(kinds, key=_WORST_FIRST.index)

"""How much of an error is kept: a record stays within 64 KiB of JSON, whatever the error holds."""

from __future__ import annotations

from typing import Final, NamedTuple

BYTES: Final = 64 * 1024  # as json.dumps writes it by default, in ASCII
OVERHEAD: Final = 256  # of these, for each error: the keys that join it to the tree, and the counts of what was cut
DEPTH: Final = 16  # of causes, contexts, members and attempts in one another
CHILDREN: Final = 32  # members of one group, attempts of one error


class Limits(NamedTuple):
    """
    What one error may take.

    Attributes:
        message: Characters.
        notes: How many.
        note: Characters of each.
        frames: How many.
        width: Characters of a path or a name, of which the last are kept.
        attribute: Characters of a text among the attributes.
    """

    message: int
    notes: int
    note: int
    frames: int
    width: int
    attribute: int


FULL: Final = Limits(message=4000, notes=16, note=1000, frames=48, width=300, attribute=300)
# Twelve bytes a character at worst ("\ud83d\ude00"): even then one error of this size fits in BYTES.
SMALL: Final = Limits(message=400, notes=3, note=120, frames=10, width=100, attribute=40)

"""What runs inside of a handler, and whether that can end with the exception gone."""

from __future__ import annotations

from typing import Final, NamedTuple

from unlost.observe.watch._listing import Listing

_DEEPEST: Final = 8


class Flow(NamedTuple):
    """
    Attributes:
        inside: The indices of the instructions that run while the exception is being handled.
        after: Those that come first once it is gone; empty where every way out raises.
    """

    inside: frozenset[int]
    after: frozenset[int]


def flow_from(listing: Listing, start: int, depth: int) -> Flow:
    """
    Follow a handler that is entered at a depth, from one of its instructions on.

    Handlers within it are entered too, as a ``return`` may stand in one; each is one level deeper, and the exception is
    gone where the outermost level is popped.
    """
    inside: set[int] = set()
    after: set[int] = set()
    seen: set[tuple[int, int]] = set()
    waiting = [(start, 1)]
    while waiting:
        index, level = waiting.pop()
        if (index, level) in seen or level > _DEEPEST:
            continue
        seen.add((index, level))
        inside.add(index)
        if listing.opname(index) == "POP_EXCEPT":
            level -= 1
        if level == 0:
            after.update(listing.after(index))
            continue
        waiting.extend((following, level) for following in listing.after(index))
        waiting.extend((target, level + 1) for target in _inner(listing, index, depth))
    return Flow(frozenset(inside), frozenset(after))


def reaches(listing: Listing, starts: frozenset[int], first: int, end: int) -> bool:
    """Say whether the code between two offsets can run after one of these instructions, when nothing is raised."""
    seen: set[int] = set()
    waiting = list(starts)
    while waiting:
        index = waiting.pop()
        if index in seen:
            continue
        seen.add(index)
        if first <= listing.instructions.offsets[index] < end:
            return True
        waiting.extend(listing.after(index))
    return False


def _inner(listing: Listing, index: int, depth: int) -> list[int]:
    """Return the handler that what is raised by an instruction enters, if it lies within ours."""
    guard = listing.guard_at(listing.instructions.offsets[index])
    if guard is None or guard.depth <= depth:
        return []
    target = listing.index_at(guard.target)
    if target is None or listing.opname(target) != "PUSH_EXC_INFO":
        return []
    return [target + 1]

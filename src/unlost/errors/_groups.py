"""
Walking, splitting and rebuilding trees of exceptions.

Nothing here recurses: a chain of causes may be longer than the recursion limit, and so may a nesting of groups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from unlost.errors._private import dictionary_of

# Any: a group's type parameter says what it holds, which nobody here needs to know
_Group = BaseExceptionGroup[Any]


def walk(*errors: BaseException) -> Iterator[BaseException]:
    """
    Yield each error, then its group members, its ``__cause__`` and its ``__context__``, and so on: each object once.

    Depth first, in the order given; contexts are walked even where ``raise ... from`` hides them from tracebacks.
    """
    seen: dict[int, BaseException] = {}  # holds what it has seen, so that no id is used twice
    pending = list(reversed(errors))
    while pending:
        error = pending.pop()
        if id(error) in seen:
            continue
        seen[id(error)] = error
        yield error
        members = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
        following = (*members, error.__cause__, error.__context__)
        pending.extend(found for found in reversed(following) if found is not None)


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield what is in the group and in the groups inside it, in order; an error that is no group yields itself."""
    pending = [error]
    while pending:
        found = pending.pop()
        if isinstance(found, BaseExceptionGroup):
            pending.extend(reversed(found.exceptions))
        else:
            yield found


def split(
    error: BaseException, predicate: Callable[[BaseException], bool]
) -> tuple[BaseException | None, BaseException | None]:
    """
    Return what holds the leaves that match and what holds the rest; None where there are none.

    Unlike ``ExceptionGroup.split`` it asks about leaves only, once each, and never about a group as a whole. For
    what the halves keep, see ``rebuild``.
    """
    matching = {id(leaf) for leaf in leaves(error) if predicate(leaf)}
    return (
        rebuild(error, lambda leaf: leaf if id(leaf) in matching else None),
        rebuild(error, lambda leaf: None if id(leaf) in matching else leaf),
    )


def rebuild(error: BaseException, replace: Callable[[BaseException], BaseException | None]) -> BaseException | None:
    """
    Return ``error`` with each leaf replaced by what ``replace`` makes of it; None drops the leaf.

    Every level keeps its nesting, type, message, attributes, notes, cause, context and traceback. A group of which
    nothing changed is the same object; a group that lost all its members is dropped; the original is never altered.
    A subclass that has a ``derive`` of its own is built by that. Where members are no longer all ``Exception``, an
    ``ExceptionGroup`` becomes a ``BaseExceptionGroup``.

    Args:
        error: A group; anything else is a leaf itself.
        replace: Called once for each leaf object, in order.
    """
    done: dict[int, BaseException | None] = {}
    pending = [error]
    while pending:
        current = pending[-1]
        if id(current) in done:
            pending.pop()
        elif not isinstance(current, BaseExceptionGroup):
            done[id(current)] = replace(current)
        elif missing := [member for member in current.exceptions if id(member) not in done]:
            pending.extend(reversed(missing))
        else:
            done[id(current)] = _with_members(current, [done[id(member)] for member in current.exceptions])
    return done[id(error)]


def _with_members(group: _Group, replaced: list[BaseException | None]) -> _Group | None:
    members = [member for member in replaced if member is not None]
    if not members:
        return None
    if len(members) == len(group.exceptions) and all(map(_same, members, group.exceptions)):
        return group
    rebuilt = _derive(group, members)
    if rebuilt is not group:
        _carry_over(group, rebuilt)
    return rebuilt


def _same(one: object, other: object) -> bool:
    return one is other


def _derive(group: _Group, members: list[BaseException]) -> _Group:
    if not all(isinstance(member, Exception) for member in members) and isinstance(group, ExceptionGroup):
        return BaseExceptionGroup(group.message, members)
    if type(group).derive is not BaseExceptionGroup.derive:
        return group.derive(members)
    # derive would fall back to the plain class; __init__ may want arguments that nobody has any more
    rebuilt: _Group = BaseExceptionGroup.__new__(type(group), group.message, members)
    return rebuilt


def _carry_over(group: _Group, rebuilt: _Group) -> None:
    attributes = dictionary_of(rebuilt)
    for name, value in dictionary_of(group).items():
        # a list of notes that two exceptions share would be written to twice
        attributes.setdefault(name, list(value) if name == "__notes__" and isinstance(value, list) else value)
    for slot in ("__traceback__", "__cause__", "__context__", "__suppress_context__"):
        # in this order, since setting a cause suppresses the context; past any __setattr__ of the class
        BaseException.__dict__[slot].__set__(rebuilt, BaseException.__dict__[slot].__get__(group))

"""Groups of ours: what travels with one stays with its parts, also those that ``except*`` makes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unlost.errors._private import share


class _Group(ExceptionGroup[Exception]):
    """An ``ExceptionGroup`` in every respect; a pickle of it is one."""

    def derive(self, members: Sequence[Any], /) -> BaseExceptionGroup[Any]:  # type: ignore[override]  # Any: overloads say it
        return _with_what_travels(self, group_of(self.message, members))

    def __reduce__(self) -> tuple[Any, ...]:  # Any: the protocol's own
        return ExceptionGroup, *super().__reduce__()[1:]


class _BaseGroup(BaseExceptionGroup[BaseException]):
    """A ``BaseExceptionGroup`` in every respect; a pickle of it is one."""

    def derive(self, members: Sequence[Any], /) -> BaseExceptionGroup[Any]:  # type: ignore[override]  # Any: overloads say it
        return _with_what_travels(self, group_of(self.message, members))

    def __reduce__(self) -> tuple[Any, ...]:  # Any: the protocol's own
        return BaseExceptionGroup, *super().__reduce__()[1:]


# what tracebacks and reprs show
for _ours, _theirs in ((_Group, ExceptionGroup), (_BaseGroup, BaseExceptionGroup)):
    _ours.__name__ = _ours.__qualname__ = _theirs.__name__
    _ours.__module__ = _theirs.__module__


def group_of(message: str, members: Sequence[BaseException]) -> BaseExceptionGroup[Any]:  # Any: of what it holds
    """
    Return an exception group; a ``BaseExceptionGroup`` only where a member is no ``Exception``.

    ``except*`` and ``split`` make new groups of parts: what the library keeps with the group, its outcomes and other
    errors, is found in those too.
    """
    exceptions = [member for member in members if isinstance(member, Exception)]
    return _Group(message, exceptions) if len(exceptions) == len(members) else _BaseGroup(message, members)


def _with_what_travels(
    group: BaseExceptionGroup[Any],
    part: BaseExceptionGroup[Any],  # Any, here and below: of what they hold
) -> BaseExceptionGroup[Any]:
    share(group, part)
    return part

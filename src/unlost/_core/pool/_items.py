"""What a user may give as items, and what not."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from inspect import isawaitable, iscoroutine
from typing import NoReturn, TypeAlias, TypeVar

from unlost._core.pool._async_source import AsyncSource
from unlost._core.pool._source import Source, SyncSource
from unlost.errors import UsageError

S = TypeVar("S")

Items: TypeAlias = Iterable[S] | AsyncIterable[S]


def source_of(call: str, items: Items[S]) -> Source[S]:
    """Return the source for ``items``; what is both sort of iterable is taken as the asynchronous one."""
    if isinstance(items, AsyncIterable):
        return AsyncSource(items)
    if not _is_iterable(items):
        _refuse(call, items)
    return SyncSource(items)


def _is_iterable(items: object) -> bool:
    """Tell it without a try: a ``TypeError`` that is raised inside of ``__iter__`` is the user's own."""
    return hasattr(items, "__iter__") or hasattr(items, "__getitem__")


def _refuse(call: str, items: object) -> NoReturn:
    if isawaitable(items):
        if iscoroutine(items):
            items.close()  # a refused start leaves nothing un-awaited
        raise UsageError(
            f"{call}() got items={items!r}, which has to be awaited first.\n"
            f"Write {call}(func, await ..., limit=...), or make it an async generator (yield instead of return)."
        )
    raise UsageError(
        f"{call}() got items={items!r}, which cannot be iterated.\n"
        f"Write {call}(func, [item, ...], limit=...), or give any iterable or async iterable."
    )

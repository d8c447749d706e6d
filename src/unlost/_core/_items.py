"""What a user may give as items, and what not."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from inspect import isawaitable, iscoroutine
from typing import NoReturn, TypeAlias, TypeVar

from unlost._core._async_source import AsyncSource
from unlost._core._source import Source, SyncSource
from unlost.errors import UsageError

S = TypeVar("S")

Items: TypeAlias = Iterable[S] | AsyncIterable[S]


def source_of(call: str, items: Items[S]) -> Source[S]:
    """Return the source for ``items``; what is both sort of iterable is taken as the asynchronous one."""
    if isinstance(items, AsyncIterable):
        return AsyncSource(items)
    if not isinstance(items, Iterable) and not hasattr(items, "__getitem__"):
        _refuse(call, items)
    return SyncSource(items)


def _refuse(call: str, items: object) -> NoReturn:
    if isawaitable(items):
        if iscoroutine(items):
            items.close()  # as above
        raise UsageError(
            f"{call}() got items={items!r}, which has to be awaited first.\n"
            f"Write {call}(func, await ..., limit=...), or make it an async generator (yield instead of return)."
        )
    raise UsageError(
        f"{call}() got items={items!r}, which cannot be iterated.\n"
        f"Write {call}(func, [item, ...], limit=...), or give any iterable or async iterable."
    )

"""The items of one stream, one after the other, until its end."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable
from inspect import isawaitable
from typing import Any, TypeAlias

from unlost.errors import StreamIncomplete, UsageError

# Asked of each item: whether with it the stream is complete.
Complete: TypeAlias = Callable[[Any], bool]  # Any, here and below: items are not looked at


class Source:
    """
    A stream that was opened; an async generator, or what else can be iterated over.

    Args:
        stream: What the user's function returned, awaited.
        name: What messages call it.
        complete: Asked of each item; None where any end is an end.

    Attributes:
        items: How many have come.
    """

    def __init__(self, stream: AsyncIterable[Any], name: str, complete: Complete | None) -> None:
        self.items = 0
        self._stream = stream
        self._iterator: AsyncIterator[Any] = stream.__aiter__()
        self._name = name
        self._complete = complete
        self._is_complete = complete is None

    async def item(self, sent: Any = None) -> Any:
        """
        Return the next item; ``sent`` is for the generator that makes it.

        Raises:
            StopAsyncIteration: The end.
            StreamIncomplete: The end, but the stream was not complete.
        """
        try:
            if sent is None:
                item = await self._iterator.__anext__()
            else:
                item = await self._iterator.asend(sent)  # type: ignore[attr-defined]  # as without us, if it has none
        except StopAsyncIteration:
            self._check_complete()
            raise
        return self._counted(item)

    async def item_after(self, error: BaseException) -> Any:
        """Return the item that the generator makes of ``error``, which was thrown into it."""
        throw = getattr(self._iterator, "athrow", None)
        try:
            if throw is None:  # no generator: nothing in it could catch the error
                raise error
            item = await throw(error)
        except StopAsyncIteration:
            self._check_complete()
            raise
        finally:
            del error
        return self._counted(item)

    async def close(self) -> None:
        """Close it; what has no ``aclose`` needs none."""
        close = getattr(self._iterator, "aclose", None) or getattr(self._stream, "aclose", None)
        if close is not None:
            await close()

    def _counted(self, item: Any) -> Any:
        if not self._is_complete and self._complete is not None:
            self._is_complete = bool(self._complete(item))
        self.items += 1
        return item

    def _check_complete(self) -> None:
        if not self._is_complete:
            complete = getattr(self._complete, "__qualname__", repr(self._complete))
            # the stream's own end is no error
            raise StreamIncomplete(
                f"{self._name} ended after {items(self.items)}, and complete={complete} was true of none", self.items
            ) from None


async def source_of(returned: Any, name: str, complete: Complete | None) -> Source:
    """Return the source of what a function returned: a stream, or an awaitable of one."""
    stream: object = await returned if isawaitable(returned) else returned
    if not isinstance(stream, AsyncIterable):
        raise UsageError(
            f"{name} returned {repr(stream)[:100]}, which is no stream.\n"
            f"Write async def {name}(...) with a yield in it, or return an async iterator."
        )
    return Source(stream, name, complete)


def items(number: int) -> str:
    """Return the number with its noun."""
    return "1 item" if number == 1 else f"{number} items"

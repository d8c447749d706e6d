"""The part of a stream's life that a policy can guard: up to its first item."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any, Final, Self

from unlost.errors import attach_errors
from unlost.policies._instead import Alternative, PlainValue, StandIn
from unlost.policies._source import Complete, Source, source_of


class _Empty:
    """In the place of the first item of a stream that has none."""

    def __repr__(self) -> str:
        return "<the stream is empty>"


EMPTY: Final = _Empty()


class Opening(StandIn):
    """
    Called by a layer: opens the stream and returns its first item, or ``EMPTY``.

    As a block it closes, on leaving, what was opened last.

    Args:
        func: What opens the stream.
        keywords: Its keyword arguments.
        complete: Asked of each item of what ``func`` opens.
        instead_complete: Likewise, of what an alternative to it opens.

    Attributes:
        source: What was opened last; None where nothing is open.
    """

    def __init__(
        self,
        func: Callable[..., Any],  # Any, here and below: whatever it takes, and streams of every sort
        keywords: dict[str, Any],
        complete: Complete | None,
        instead_complete: Complete | None,
    ) -> None:
        super().__init__(func, keywords)
        self.source: Source | None = None
        self._complete = complete
        self._instead_complete = instead_complete

    async def __call__(self, *args: Any) -> Any:
        return await self._open(self.func, args, self._complete)

    def instead(self, alternative: Alternative) -> Alternative:
        async def open_instead(*args: Any) -> Any:
            if isinstance(alternative, PlainValue):
                return await self._open(_only, (alternative.value,), None)
            return await self._open(alternative, args, self._instead_complete)

        return open_instead

    async def _open(self, func: Callable[..., Any], args: tuple[Any, ...], complete: Complete | None) -> Any:
        await self._close()  # a layer did not want what it was opened with: a result that is to be tried again
        keywords = {} if func is _only else self.keywords
        source = await source_of(func(*args, **keywords), getattr(func, "__qualname__", repr(func)), complete)
        self.source = source
        try:
            return await source.item()
        except StopAsyncIteration:
            return EMPTY
        except BaseException as error:
            await self._close(error)
            raise

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        try:
            await self._close(error)
        finally:
            del error

    async def _close(self, error: BaseException | None = None) -> None:
        """Close what is open; what that raises does not replace ``error``, if there is one that somebody will see."""
        source, self.source = self.source, None
        try:
            if source is not None:
                await source.close()
        except Exception as closing_error:
            if error is None or isinstance(error, GeneratorExit):
                raise
            attach_errors(error, (closing_error,))
        finally:
            del error


async def _only(value: object) -> AsyncIterator[object]:
    yield value

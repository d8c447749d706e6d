"""The part of a context manager's life that a policy can guard: until it is entered."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from types import TracebackType
from typing import Any

from unlost.errors import UsageError, attach_errors
from unlost.policies._instead import Alternative, PlainValue, StandIn


class Entering(StandIn):
    """
    Called by a layer: enters the context manager and returns what that gives.

    Attributes:
        is_handed_over: Whether the block has begun: only then may the context manager suppress an error.
    """

    def __init__(self, func: Callable[..., Any], keywords: dict[str, Any]) -> None:  # Any: whatever it takes, returns
        super().__init__(func, keywords)
        self.is_handed_over = False
        self._manager: AbstractAsyncContextManager[Any] | None = None  # Any, here and below: of every sort

    async def __call__(self, *args: Any) -> Any:
        return await self._enter(self.func(*args, **self.keywords))

    def instead(self, alternative: Alternative) -> Alternative:
        async def enter_instead(*args: Any) -> Any:
            if isinstance(alternative, PlainValue):
                return await self._enter(nullcontext(alternative.value))
            return await self._enter(alternative(*args, **self.keywords))

        return enter_instead

    async def leave(
        self, type_: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        """Leave what was entered last, if anything was; tell whether it suppresses the block's error."""
        manager, self._manager = self._manager, None
        try:
            if manager is None:
                return False
            return bool(await manager.__aexit__(type_, error, traceback)) and self.is_handed_over
        except Exception as leaving_error:
            if self.is_handed_over or error is None or leaving_error is error:
                raise
            attach_errors(error, (leaving_error,))  # what came out of entering is not replaced
            return False
        finally:
            del error, traceback

    async def _enter(self, manager: AbstractAsyncContextManager[Any]) -> Any:
        await self.leave(None, None, None)  # a layer did not want what this gave
        if not isinstance(manager, AbstractAsyncContextManager):
            raise UsageError(
                f"{self.__qualname__} returned {repr(manager)[:100]}, which is no async context manager.\n"
                "Write @contextlib.asynccontextmanager over an async generator function with one yield."
            )
        entered = await manager.__aenter__()
        self._manager = manager
        return entered


class Entered(AbstractAsyncContextManager[Any]):
    """
    A context manager with a layer around its entering; each is entered once.

    Args:
        call: The layer's.
        held: What the layer holds while the block runs, in the place of ``call``.
        func: What makes the context manager, called with the other arguments for each attempt.
    """

    def __init__(
        self,
        call: Callable[..., Any],
        held: AbstractAsyncContextManager[object] | None,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        keywords: dict[str, Any],
    ) -> None:
        self._call = call
        self._held = held
        self._args = args
        self._entering = Entering(func, keywords)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Any:
        async with AsyncExitStack() as stack:
            if self._held is not None:
                await stack.enter_async_context(self._held)
            stack.push_async_exit(self._entering.leave)
            if self._held is not None:
                entered = await self._entering(*self._args)
            else:
                entered = await self._call(self._entering, *self._args)
            self._entering.is_handed_over = True
            self._stack = stack.pop_all()
        return entered

    async def __aexit__(
        self, type_: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        try:
            return bool(await self._stack.__aexit__(type_, error, traceback))
        finally:
            del error, traceback

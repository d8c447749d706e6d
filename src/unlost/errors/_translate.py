"""From foreign exceptions to the user's own, where the two meet."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from types import TracebackType
from typing import Any, TypeAlias, TypeVar, cast

from unlost.errors._classify import classify
from unlost.errors._exceptions import UsageError
from unlost.errors._groups import rebuild
from unlost.errors._private import dictionary_of, headline

Sources: TypeAlias = type[Exception] | tuple[type[Exception], ...]
Target: TypeAlias = type[Exception] | Callable[[Any], Exception | None]  # Any: each takes errors of its own source

F = TypeVar("F", bound=Callable[..., Any])  # Any: whatever function; its type is kept


class translate:  # noqa: N801  # a decorator and context manager, like contextlib.suppress
    """
    Turn foreign exceptions into yours: a decorator, a context manager, an async context manager.

        @translate({aiohttp.ClientError: ShopUnavailable, aiohttp.ContentTypeError: BadAnswer})
        async def price(item): ...

    The most specific source class wins, whatever the order of the mapping. The original is the ``__cause__``, so
    that its kind, status and ``Retry-After`` are still found; where your class says another kind of itself
    (``PermanentError`` for what was transient), yours holds and a note says so. An exception that is already of one
    of the target classes passes untouched. In groups each leaf is translated, and what the group carries is kept.
    ``StopIteration`` and ``StopAsyncIteration``, by which iteration ends, always pass.

    It decorates functions, async functions, generators and async generators, and may be used by many tasks at once.

    Args:
        mapping: From an exception class, or a tuple of them, to your exception class, which is called with the
            original's message, or to a function that takes the original and returns your exception, or None to let
            the original pass.

    Raises:
        UsageError: The mapping cannot work. Cancellation, ``KeyboardInterrupt`` and ``SystemExit`` cannot be
            translated: whoever waits for them would wait for ever.
    """

    def __init__(self, mapping: Mapping[Sources, Target]) -> None:
        self._targets: dict[type[BaseException], Target] = {}
        if not isinstance(mapping, Mapping):
            raise UsageError(f"translate({mapping!r}) got no mapping.\nWrite translate({{TheirError: MyError}}).")
        for sources, target in mapping.items():
            _check_target(target)
            for source in sources if isinstance(sources, tuple) else (sources,):
                _check_source(source)
                self._targets[source] = target
        self._own = tuple(target for target in self._targets.values() if isinstance(target, type))

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if error is None or (translated := self._translated(error)) is error:
            return
        # raise sets the context to what is being handled; a rebuilt group keeps the one that its original had
        context = translated.__context__ if isinstance(error, BaseExceptionGroup) else error
        try:
            raise translated
        finally:
            _set_context(translated, context)
            del error, translated, context

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(
        self, type_: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(type_, error, traceback)

    def __call__(self, func: F) -> F:
        """Return ``func`` with its exceptions translated."""
        if inspect.iscoroutinefunction(func):
            wrapper = self._around_async(func)
        elif inspect.isasyncgenfunction(func):
            wrapper = self._around_async_generator(func)
        elif inspect.isgeneratorfunction(func):
            wrapper = self._around_generator(func)
        elif callable(func):
            wrapper = self._around_function(func)
        else:
            raise UsageError(f"translate(...) decorates functions, got {func!r}. Write with translate({{...}}): ...")
        return cast("F", functools.wraps(func)(wrapper))

    def _around_async(self, func: Callable[..., Any]) -> Callable[..., Any]:  # Any, in these four: as F
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self:
                return await func(*args, **kwargs)

        return wrapper

    def _around_async_generator(self, func: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return _TranslatedAsyncGenerator(func(*args, **kwargs), self)

        return wrapper

    def _around_generator(self, func: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            with self:
                return (yield from func(*args, **kwargs))

        return wrapper

    def _around_function(self, func: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self:
                return func(*args, **kwargs)

        return wrapper

    def _translated(self, error: BaseException) -> BaseException:
        """Return the replacement, or the error itself where there is none."""
        whole = self._replacement(error)
        if whole is not error or not isinstance(error, BaseExceptionGroup):
            return whole
        return rebuild(error, self._replacement) or error

    def _replacement(self, original: BaseException) -> BaseException:
        if isinstance(original, (StopIteration, StopAsyncIteration, *self._own)):
            return original
        target = self._target_of(original)
        if target is None:
            return original
        replacement = _make(target, original)
        if replacement is None or replacement is original:
            return original
        replacement.__cause__ = original
        _note_kinds(original, replacement)
        return replacement

    def _target_of(self, error: BaseException) -> Target | None:
        for base in type(error).__mro__:
            if isinstance(error, BaseExceptionGroup) and not issubclass(base, BaseExceptionGroup):
                return None  # {Exception: ...} means the errors in a group; only a group class means the group
            if base in self._targets:
                return self._targets[base]
        return None


class _TranslatedAsyncGenerator(AsyncGenerator[Any, Any]):  # Any: as the generator inside
    """The same generator, with a translation around each step."""

    def __init__(self, generator: AsyncGenerator[Any, Any], translation: translate) -> None:
        self._generator = generator
        self._translation = translation

    async def __anext__(self) -> Any:  # Any: as the generator inside
        with self._translation:
            return await self._generator.__anext__()

    async def asend(self, value: Any) -> Any:  # Any: as the generator inside
        with self._translation:
            return await self._generator.asend(value)

    async def athrow(self, *error: Any) -> Any:  # Any: the protocol's three shapes
        with self._translation:
            return await self._generator.athrow(*error)

    async def aclose(self) -> None:
        with self._translation:
            await self._generator.aclose()


def _make(target: Target, original: BaseException) -> Exception | None:
    if not isinstance(target, type):
        made: object = target(original)
        if made is None or isinstance(made, Exception):
            return made
        raise UsageError(f"translate: {target!r} returned {made!r} for {headline(original)}. Return an exception.")
    try:
        message = str(original)
    except Exception:  # the original is handed on as the cause; its type stands for its message  # noqa: BLE001
        message = headline(original)
    made_with_message: Exception = target(message)
    return made_with_message


def _note_kinds(original: BaseException, replacement: Exception) -> None:
    before, after = classify(original), classify(replacement)
    if before is not after:
        note = f"{headline(original)} was {before.value}; as {type(replacement).__qualname__} it is {after.value}"
        attributes = dictionary_of(replacement)
        attributes["__notes__"] = [*attributes.get("__notes__", ()), note]


def _set_context(error: BaseException, context: BaseException | None) -> None:
    BaseException.__dict__["__context__"].__set__(error, context)


def _check_source(source: object) -> None:
    if not (isinstance(source, type) and issubclass(source, BaseException)):
        raise UsageError(f"translate: {source!r} is no exception class. Write translate({{ConnectionError: MyError}}).")
    if not issubclass(source, Exception | BaseExceptionGroup) or issubclass(source, asyncio.CancelledError):
        raise UsageError(
            f"translate: {source.__qualname__} is how a program is told to stop, and must arrive as what it is. "
            f"Write translate({{Exception: ...}}) for every error there is."
        )


def _check_target(target: object) -> None:
    if isinstance(target, type):
        if not issubclass(target, Exception):
            raise UsageError(f"translate: {target!r} is no Exception. Write class {target.__name__}(TransientError).")
        try:
            inspect.signature(target).bind("message")
        except TypeError as mismatch:
            raise UsageError(
                f"translate: {target.__qualname__} cannot be called with a message alone ({mismatch}). "
                f"Write lambda error: {target.__qualname__}(...)."
            ) from None
        except ValueError:  # written in C, without a signature: built-in exceptions take a message
            return
    elif not callable(target):
        raise UsageError(f"translate: {target!r} is no exception class and no function. Write {{OSError: MyError}}.")

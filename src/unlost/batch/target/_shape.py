"""What kind of callable a target is; what it may not be, with the line to write instead."""

from __future__ import annotations

import contextlib
import functools
import inspect
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, get_args

from unlost.batch._context import Context
from unlost.errors import UsageError

_Parameter = inspect.Parameter
_CONTEXT_NAMES = ("context", "ctx")


@dataclass(frozen=True, slots=True)
class Shape:
    """
    How a target is called.

    Attributes:
        wants_context: It is called with (item, context); False for a context manager, whose yield is looked at itself.
        is_context_manager: It is entered once a run and yields the function.
    """

    wants_context: bool
    is_context_manager: bool


def shape_of(target: object, spec: str) -> Shape:
    """
    Look at a target without calling it.

    The second parameter gets the context if it is required, is named ``context`` or ``ctx`` or is annotated as
    ``Context``: a ``retries=3`` keeps its default.

    Raises:
        UsageError: It cannot be a target; ``spec`` names it in the message.
    """
    if _is_manager(target):
        _refuse_arguments(target, spec)
        return Shape(wants_context=False, is_context_manager=True)
    if isinstance(target, type):
        raise UsageError(f"{spec} is a class; expected an async function of one item.{_class_hint(target)}")
    if not callable(target):
        raise UsageError(f"{spec} is {_brief(target)}, which cannot be called; expected an async function of one item.")
    _refuse_other_functions(target, spec)
    return Shape(wants_context=_wants_context(target, spec), is_context_manager=False)


def is_async(target: object) -> bool:
    """Tell whether a call gives something to await, as far as that can be known without calling."""
    unwrapped = inspect.unwrap(target) if callable(target) else target
    return any(
        inspect.iscoroutinefunction(candidate)
        for candidate in (target, unwrapped, getattr(type(target), "__call__", None))  # noqa: B004  # the method itself
    )


@contextlib.asynccontextmanager
async def _specimen() -> AsyncIterator[None]:
    yield


def _is_manager(target: object) -> bool:
    """True of what has ``__aenter__``, of a class of such, and of a function made by ``@asynccontextmanager``."""
    if hasattr(target, "__aenter__") and hasattr(target, "__aexit__"):
        return True
    layer = target.func if isinstance(target, functools.partial) else target
    while layer is not None:
        # every function that the decorator makes shares one code object: its own helper's
        if getattr(layer, "__code__", None) is _specimen.__code__:
            return True
        layer = getattr(layer, "__wrapped__", None)
    return False


def _refuse_arguments(manager: Any, spec: str) -> None:  # Any: a class, a function or an object
    if not isinstance(manager, type) and hasattr(manager, "__aenter__"):
        return
    required = [p.name for p in _parameters(manager, spec) if p.default is p.empty and not _is_variadic(p)]
    if required:
        raise UsageError(
            f"{spec} is an async context manager that requires {_names(required)}; it is entered without arguments. "
            "Give them defaults, or read them from the environment inside."
        )


def _refuse_other_functions(target: Any, spec: str) -> None:  # Any: whatever can be called
    function = inspect.unwrap(target.func if isinstance(target, functools.partial) else target)
    name = getattr(function, "__name__", "job")
    if any(inspect.isasyncgenfunction(f) for f in (function, getattr(type(target), "__call__", None))):  # noqa: B004
        raise UsageError(
            f"{spec} is an async generator function. If it yields the job, put @asynccontextmanager "
            f"(from contextlib) above it; if it yields results, return them: async def {name}(item): return [...]"
        )
    if inspect.isgeneratorfunction(function):
        raise UsageError(f"{spec} is a generator function. Write async def {name}(item): and return, not yield.")
    if not is_async(target):
        raise UsageError(
            f"{spec} is a sync function; it would block every other item. Write an async one that runs it in a thread: "
            f"async def {name}_async(item): return await asyncio.to_thread({name}, item)"
        )


def _wants_context(target: Any, spec: str) -> bool:  # Any: whatever can be called
    parameters = _parameters(target, spec)
    required_by_name = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
    if required_by_name:
        raise UsageError(
            f"{spec} requires {_names(required_by_name)} by keyword; a job is called with (item) or (item, context). "
            f"Give a default, or bind it: fetch = functools.partial(fetch, {required_by_name[0]}=...)"
        )
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    required = [p.name for p in positional if p.default is p.empty]
    if len(required) > 2:
        raise UsageError(
            f"{spec} requires {_names(required)}; a job is called with (item) or (item, context). "
            "Put what belongs to an item into the item (JSONL: one object a line)."
        )
    if not positional and not any(p.kind is p.VAR_POSITIONAL for p in parameters):
        raise UsageError(f"{spec} takes no positional parameter; a job is called with (item) or (item, context).")
    return len(required) == 2 or (len(positional) > 1 and _is_context(positional[1]))


def _is_context(parameter: _Parameter) -> bool:
    annotation = parameter.annotation
    if isinstance(annotation, str):  # under `from __future__ import annotations`; the name may exist for checkers only
        by_type = re.search(r"\bContext\b", annotation) is not None
    else:
        by_type = annotation is Context or Context in get_args(annotation)
    return by_type or parameter.name in _CONTEXT_NAMES


def _parameters(target: Any, spec: str) -> list[_Parameter]:  # Any: whatever can be called
    try:
        return list(inspect.signature(target).parameters.values())
    except (TypeError, ValueError) as unreadable:
        raise UsageError(
            f"The parameters of {spec} cannot be read: {unreadable}. Write async def job(item): return await ...(item)"
        ) from unreadable


def _is_variadic(parameter: _Parameter) -> bool:
    return parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)


def _class_hint(cls: type) -> str:
    methods = [name for name, value in vars(cls).items() if is_async(value) and not name.startswith("_")]
    if inspect.iscoroutinefunction(getattr(cls, "__call__", None)):  # noqa: B004  # the method, not whether there is one
        return f" Make an instance at module level and name that: job = {cls.__name__}()"
    if not methods:
        return ""
    return f" Make an instance at module level and name its method: job = {cls.__name__}().{methods[0]}"


def _names(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names)


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

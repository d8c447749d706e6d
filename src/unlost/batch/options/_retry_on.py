"""
Which errors are tried again, between the three forms in which that is written.

A flag has names (``--retry-on transient,TimeoutError,jobs:Busy``), a decorator has objects (a ``Kind``, exception
classes, a predicate), the journal has names, so that a resumed run can find the objects again.
"""

from __future__ import annotations

import builtins
import difflib
import importlib
import inspect
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from unlost.errors import Kind

RetryOn: TypeAlias = Kind | type[BaseException] | Callable[[BaseException], bool]

_KINDS = {kind.value: kind for kind in Kind}


def as_tuple(value: Any) -> tuple[RetryOn, ...]:  # Any: one of the three forms, or a mistake
    """
    Read any form: names in one text or several, one object or several.

    Raises:
        ValueError: There is none, a name is not known, or an object is no kind, exception class or predicate.
    """
    if isinstance(value, str):
        value = [name.strip() for name in value.split(",")]
    elif isinstance(value, Kind | type) or not isinstance(value, Iterable):
        value = [value]
    elif isinstance(value, frozenset):  # in one order in every process
        value = sorted(value, key=lambda one: one if isinstance(one, str) else _name(one))
    found = tuple(_object(one) for one in value)
    if not found:
        raise ValueError(f"expected at least one of {', '.join(_KINDS)} or an exception; {_NO_RETRY}")
    return found


def names_of(retry_on: Iterable[RetryOn]) -> tuple[str, ...]:
    """Return the names under which ``as_tuple`` finds the objects again, except lambdas and local functions."""
    return tuple(_name(one) for one in retry_on)


_NO_RETRY = "to try nothing again, write --attempts 1"


def _object(value: Any) -> RetryOn:  # Any: a name or an object, or a mistake
    if isinstance(value, str):
        value = _named(value)
    if isinstance(value, Kind) or (isinstance(value, type) and issubclass(value, BaseException)):
        return value
    if callable(value) and not isinstance(value, type) and not inspect.iscoroutinefunction(value):
        return value  # type: ignore[no-any-return]  # a predicate: its parameters cannot be known
    raise ValueError(f"{value!r} is no kind ({', '.join(_KINDS)}), exception class or function of an error")


def _named(name: str) -> object:
    if name in _KINDS:
        return _KINDS[name]
    module, _, path = name.rpartition(":") if ":" in name else name.rpartition(".")
    try:
        found: object = importlib.import_module(module) if module else builtins
        for part in path.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as missing:  # ValueError: an empty part, a relative name
        close = difflib.get_close_matches(name, [*_KINDS, *_builtin_errors()], n=1)
        meant = f"; did you mean {close[0]}?" if close else "."
        raise ValueError(
            f"{name!r} is not known{meant} Write a kind ({', '.join(_KINDS)}), TimeoutError or module:Class"
        ) from missing
    return found


def _builtin_errors() -> list[str]:
    return [name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, Exception)]


def _name(one: RetryOn) -> str:
    if isinstance(one, Kind):
        return one.value
    module, name = getattr(one, "__module__", "?"), getattr(one, "__qualname__", repr(one))
    return name if module == "builtins" else f"{module}:{name}"

"""Sinks by their names, so that what they need is imported when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Final

from unlost.errors import UsageError
from unlost.observe.sinks._jsonl import JsonLines
from unlost.observe.sinks._logging import Logging
from unlost.observe.sinks._sink import Sink
from unlost.observe.sinks._stderr import StandardError

_JSONL: Final = "jsonl:"
_OURS: Final[dict[str, Callable[[], Sink]]] = {"stderr": StandardError, "logging": Logging}
_EXTRAS: Final = {"otel": ("opentelemetry", "OpenTelemetry"), "sentry": ("sentry_sdk", "Sentry")}


def sinks_of(wanted: Iterable[str | Sink]) -> list[Sink]:
    """
    Return the sinks that are wanted, in order.

    Args:
        wanted: ``"stderr"``, ``"logging"``, ``"otel"``, ``"sentry"``, ``"jsonl:PATH"``, or objects that are sinks.

    Raises:
        UsageError: There is no such sink, or its extra is not installed.
    """
    return [_named(one) if isinstance(one, str) else _checked(one) for one in listed(wanted)]


def listed(wanted: Iterable[str | Sink]) -> list[str | Sink]:
    """
    Return what is wanted as a list.

    Raises:
        UsageError: It is one name or sink, and no list of them.
    """
    if isinstance(wanted, str) or not isinstance(wanted, Iterable):
        raise UsageError(f"sinks={wanted!r} is no list. Write sinks=[{wanted!r}].")
    return list(wanted)


def _named(name: str) -> Sink:
    if name == _JSONL:
        raise UsageError(f"Sink {name!r} names no file. Write '{_JSONL}found.jsonl'.")
    if name.startswith(_JSONL):
        return JsonLines(name.removeprefix(_JSONL))
    if name in _OURS:
        return _OURS[name]()
    if name not in _EXTRAS:
        names = ", ".join(repr(known) for known in [*_OURS, *_EXTRAS, "jsonl:PATH"])
        raise UsageError(f"There is no sink {name!r}. There are {names}; or give an object with emit() and close().")
    return _extra(name)


def _extra(name: str) -> Sink:
    package, kind = _EXTRAS[name]
    try:
        module = import_module(f"unlost.observe.sinks._{name}")
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != package:
            raise
        message = f"Sink {name!r} needs a package that is not installed.\nWrite: pip install 'unlost[{name}]'"
        raise UsageError(message) from missing
    made: Sink = getattr(module, kind)()
    return made


def _checked(sink: Sink) -> Sink:
    if isinstance(sink, type) or not isinstance(sink, Sink):
        raise UsageError(f"{sink!r} is no sink. Give an object with emit(report) and close(), or a name.")
    return sink

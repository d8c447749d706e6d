"""
What can be reached from an object: the exceptions that somebody who holds it can get at.

Members, causes, contexts, arguments and attributes of an exception count, notes do not; so do the exception of a future
and whatever a container or a plain object holds, private attributes included. Frames and tracebacks do not. Of this
library's own objects, only public attributes count, and of what it keeps with an exception what its functions return.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Final

from _loss_record import TOKEN, Marked

_MOST: Final = 200_000
_OPAQUE: Final = (
    type,
    asyncio.AbstractEventLoop,
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.FrameType,
    types.TracebackType,
    types.CodeType,
    types.CoroutineType,
    types.GeneratorType,
    types.AsyncGeneratorType,
)


def tokens(*roots: object, texts: bool = False) -> set[str]:
    """Return the tokens of all marked exceptions within reach; with ``texts``, also those that a text names."""
    found: set[str] = set()
    for thing in _within(roots):
        if isinstance(thing, Marked):
            found.add(thing.token)
        elif texts and isinstance(thing, str):
            found.update(TOKEN.findall(thing))
    return found


def _within(roots: tuple[object, ...]) -> Iterator[object]:
    pending = list(roots)
    seen: dict[int, object] = {}
    while pending and len(seen) < _MOST:
        thing = pending.pop()
        if thing is None or isinstance(thing, _OPAQUE) or id(thing) in seen:
            continue
        seen[id(thing)] = thing
        yield thing
        pending.extend(_parts(thing))


def _parts(thing: object) -> list[object]:
    match thing:
        case str() | bytes() | int() | float():
            return []
        case BaseException():
            return _of_exception(thing)
        case asyncio.Future() | concurrent.futures.Future():
            # not exception(): that would tell asyncio that somebody has looked
            return [thing._exception, thing._result] if thing.done() else []
        case Mapping():
            return [*thing.keys(), *thing.values()]
        case list() | tuple() | set() | frozenset():
            return [*thing, *_attributes(thing)]
    return _attributes(thing)


def _of_exception(error: BaseException) -> list[object]:
    parts = [error.__cause__, error.__context__, *error.args]
    if isinstance(error, BaseExceptionGroup):
        parts += error.exceptions
    parts += [value for name, value in vars(error).items() if name not in ("__notes__", "__unlost__")]
    if "unlost" in sys.modules:
        parts += _kept_by_us(error)
    return parts


def _kept_by_us(error: BaseException) -> list[object]:
    import unlost

    attached = getattr(unlost, "attached", lambda _error: ())
    return [*unlost.attempts(error), *attached(error), *(unlost.partial(error) or ()), getattr(error, "errors", None)]


def _attributes(thing: object) -> list[object]:
    slots = [name for kind in type(thing).__mro__ for name in _slots(kind)]
    names = {*slots, *getattr(thing, "__dict__", ())}
    if type(thing).__module__.split(".")[0] == "unlost":
        names = {name for name in names if not name.startswith("_")}
    return [getattr(thing, name, None) for name in names]


def _slots(kind: type) -> list[str]:
    slots = kind.__dict__.get("__slots__", ())
    return [slots] if isinstance(slots, str) else list(slots)

"""
What the library keeps with a user's exception, under one key of its ``__dict__``.

Guarantees:

- The exception's class takes no part: the dictionary is reached past its ``__setattr__`` and ``__slots__``.
- A shallow copy reads what its original had; what is then written to the copy is not seen in the original.
- It pickles to built-ins, so that the exception loads where this library is not installed, and never keeps the
  exception from being pickled: tuples of exceptions are sealed one by one, everything else stays in this process.
"""

from __future__ import annotations

import copy
import pickle
from asyncio import CancelledError
from typing import Any, Final, cast

KEY: Final = "__unlost__"

_dictionary_of = BaseException.__dict__["__dict__"].__get__


def dictionary_of(error: BaseException) -> dict[str, Any]:  # Any: the user's own attributes
    """Return the exception's own ``__dict__``, whatever its class makes of attributes."""
    return cast("dict[str, Any]", _dictionary_of(error))  # Any: as above


def recall(error: BaseException, key: str) -> Any:  # Any: each key has its own type, known to who wrote it
    """Return what was remembered under ``key``, or None."""
    stored = _dictionary_of(error).get(KEY)
    if stored is None:
        return None
    # asked at each frame that an exception crosses while it is watched: the usual form without a call
    return (stored if type(stored) is _Kept else _opened(error, stored)).held.get(key)


def remember(error: BaseException, key: str, value: object) -> None:
    """Keep ``value`` with ``error``; it must not refer to ``error`` itself, that would be a cycle."""
    remember_all(error, {key: value})


def remember_all(error: BaseException, values: dict[str, Any]) -> None:  # Any: see recall
    """Keep several at once, by their keys, in a dictionary that is made for that."""
    attributes = dictionary_of(error)
    stored = attributes.get(KEY)
    if stored is None:
        attributes[KEY] = _Kept(error, values)
        return
    kept = _opened(error, stored)
    if kept.owner != id(error):
        attributes[KEY] = kept = _Kept(error, dict(kept.held))
    kept.held.update(values)


def share(source: BaseException, target: BaseException) -> None:
    """Let ``target``, a new exception, read what ``source`` had; what is written to either later is its own."""
    stored = dictionary_of(source).get(KEY)
    if stored is not None:
        dictionary_of(target)[KEY] = _Kept(target, dict(_opened(source, stored).held))


def remembered(error: BaseException) -> tuple[str, ...]:
    """Return the keys under which something was remembered."""
    stored = dictionary_of(error).get(KEY)
    return () if stored is None else tuple(_opened(error, stored).held)


def forget(error: BaseException, key: str) -> None:
    """Drop what was remembered under ``key``, if anything was."""
    if key in remembered(error):
        remember(error, key, None)  # makes it the error's own first, not its original's
        dictionary_of(error)[KEY].held.pop(key)


class _Kept(dict[str, Any]):  # Any: it stays empty
    """
    The values, and whose they are; an empty dictionary to who writes ``vars(error)`` as JSON.

    The owner is an id and not a reference: a reference would be a cycle, and exceptions take no weak ones. An id that
    was used again costs nothing but a shared write.
    """

    __slots__ = ("held", "owner", "sealing")

    def __init__(self, owner: BaseException, values: dict[str, Any]) -> None:  # Any: see recall
        self.owner = id(owner)
        self.held = values
        self.sealing = False

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:  # Any: built-ins only
        if self.sealing:  # an attempt that holds its own owner: once is enough
            return dict, ({},)
        self.sealing = True
        try:
            return dict, ({key: _sealed(value) for key, value in self.held.items() if _is_errors(value)},)
        finally:
            self.sealing = False

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:  # Any: the protocol's own, and see recall
        return {
            key: tuple(_deep_copy(item, memo) for item in value) if _is_errors(value) else value
            for key, value in self.held.items()
        }


def _is_errors(value: object) -> bool:
    return isinstance(value, tuple) and all(item is None or isinstance(item, BaseException) for item in value)


def _deep_copy(error: BaseException | None, memo: dict[int, Any]) -> BaseException | None:  # Any: the protocol's own
    try:
        return copy.deepcopy(error, memo)
    except Exception:  # the original is handed on in the place of its copy  # noqa: BLE001
        return error


def _sealed(errors: tuple[BaseException | None, ...]) -> list[tuple[str, bytes | None] | None]:
    return [None if error is None else (headline(error), _pickled(error)) for error in errors]


def _pickled(error: BaseException) -> bytes | None:
    try:
        return pickle.dumps(error)
    except Exception:  # pickling runs user code; the headline is handed on instead  # noqa: BLE001
        return None


def _opened(error: BaseException, stored: object) -> _Kept:
    """Return the live form; what came out of a pickle or a deep copy becomes live here."""
    if isinstance(stored, _Kept):
        return stored
    values = {}
    if isinstance(stored, dict):
        values = {key: _unsealed(value) if type(value) is list else value for key, value in stored.items()}
    dictionary_of(error)[KEY] = kept = _Kept(error, values)
    return kept


def _unsealed(seals: list[tuple[str, bytes | None] | None]) -> tuple[BaseException | None, ...]:
    return tuple(None if seal is None else _unpickled(*seal) for seal in seals)


def _unpickled(line: str, pickled: bytes | None) -> BaseException:
    try:
        error = pickle.loads(pickled or b"")
    except Exception:  # a class that pickles and does not load: its headline stands for it  # noqa: BLE001
        error = None
    return error if isinstance(error, BaseException) else RuntimeError(line)


def headline(error: BaseException, limit: int = 200) -> str:
    """Return ``Type: message`` on one line, the message cut at ``limit`` characters; a broken ``__str__`` is named."""
    name = type(error).__qualname__
    try:
        message = str(error)
    except (Exception, CancelledError, SystemExit) as broken:  # named in the line that is returned  # noqa: BLE001
        return f"{name}: (its __str__ raised {type(broken).__qualname__})"
    if len(message) > limit:
        message = f"{message[:limit]}... ({len(message)} characters)"
    return f"{name}: {' '.join(message.split())}" if message else name

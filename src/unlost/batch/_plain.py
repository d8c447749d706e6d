"""
What the JSON encoder does not know, as what it does: the rules of ``docs/formats.md``.

Libraries are known by the shape of their objects; none is imported. What has no one right form in JSON (bytes, sets) is
refused with what to write instead, since a guess would be found out when the results are read, which is too late.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import partial
from pathlib import PurePath
from typing import Any
from uuid import UUID

_NUMPY_NUMBERS = frozenset("biuf")  # kinds of a dtype whose .item() is exactly a bool, an int or a float


class Unwritable(ValueError):
    """JSON cannot hold this: where in the value it stands, what it is, and what to write instead."""


def plain(value: object) -> Any:  # Any: whatever JSON can hold
    """
    Return the value as dicts with names that are strings, lists, strings, numbers, booleans and None.

    Raises:
        Unwritable: No rule covers a part of it, two names of a dict become one, it holds itself, or its own code for
            this (``model_dump``, a property) failed, which is the cause then.
        RecursionError: It is nested too deeply.
    """
    return _Plain().of(value)


class _Plain:
    """One value on its way; knows where in it we are."""

    def __init__(self) -> None:
        self._steps: list[str] = []  # as one would type them behind the value
        self._above: set[int] = set()

    def of(self, value: object) -> Any:  # Any: whatever JSON can hold
        match value:
            case Enum():  # before str and int: members of StrEnum and IntEnum are both
                return self.of(value.value)
            case None | bool() | int() | str():
                return value
            case float():
                return value if math.isfinite(value) else _not_finite(value)
            case datetime() | date() | time():
                return value.isoformat()
            case timedelta():
                return value.total_seconds()
            case Decimal() | UUID() | PurePath():
                return str(value)
            case _:
                return self._container(value)

    def _container(self, value: object) -> Any:  # Any: whatever JSON can hold
        if id(value) in self._above:
            raise self._refusal(f"holds itself: a {_type(value)}")
        self._above.add(id(value))
        try:
            if isinstance(value, Mapping):
                return self._members(value)
            if isinstance(value, list | tuple):
                return [self._at(f"[{number}]", one) for number, one in enumerate(value)]
            return self._instance(value)
        finally:
            self._above.discard(id(value))

    def _instance(self, value: object) -> Any:  # Any: whatever JSON can hold
        kind: Any = type(value)  # Any: known by its shape
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self._fields(value, (field.name for field in dataclasses.fields(value)))
        if callable(getattr(kind, "model_dump", None)) and hasattr(kind, "model_fields"):
            return self.of(self._called("model_dump", lambda: kind.model_dump(value, mode="json")))
        if callable(getattr(kind, "dict", None)) and hasattr(kind, "__fields__"):  # pydantic before version 2
            return self.of(self._called("dict", lambda: kind.dict(value)))
        if hasattr(kind, "__attrs_attrs__"):
            return self._fields(value, (attribute.name for attribute in kind.__attrs_attrs__))
        number = _numpy_number(value)
        if number is None:
            raise self._refusal(_why_not(value))
        return self.of(number)

    def _fields(self, value: object, names: Iterable[str]) -> dict[str, Any]:  # Any: whatever JSON can hold
        return {name: self._at(f".{name}", self._called(name, partial(getattr, value, name))) for name in names}

    def _called(self, name: str, call: Callable[[], object]) -> object:
        try:
            return call()
        except Exception as user_error:  # handed on as the cause
            raise self._refusal(f"has a {name} that raised {type(user_error).__name__}") from user_error

    def _members(self, value: Mapping[Any, Any]) -> dict[str, Any]:  # Any: whatever the job put in, and JSON can hold
        members: dict[str, Any] = {}
        for key, member in value.items():
            name = self._name(key)
            if name in members:
                raise self._refusal(f"has two keys that JSON would write as {name!r}. Write keys that are strings")
            members[name] = self._at(f"[{key!r}]", member)
        return members

    def _name(self, key: object) -> str:
        """Return the name of a member; numbers, booleans and None as ``json.dumps`` writes them."""
        match self.of(key) if not isinstance(key, tuple | list | Mapping) else key:
            case str() as name:
                return str.__str__(name)
            case None:
                return "null"
            case bool() as flag:
                return "true" if flag else "false"
            case int() as number:
                return int.__repr__(number)
            case float() as number:
                return float.__repr__(number)
            case _:
                raise self._refusal(f"has the key {key!r}, which is no name for JSON. Write keys that are strings")

    def _at(self, step: str, value: object) -> Any:  # Any: whatever JSON can hold
        self._steps.append(step)
        plain_value = self.of(value)
        self._steps.pop()
        return plain_value

    def _refusal(self, what: str) -> Unwritable:
        return Unwritable(f"value{''.join(self._steps)} {what}")


def _not_finite(value: float) -> str:
    """Return what protobuf's JSON mapping writes, which has no other way either."""
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _numpy_number(value: object) -> bool | int | float | None:
    """Return the Python number that a NumPy scalar is; None where it is none, or has no exact one (longdouble)."""
    item, dtype = getattr(value, "item", None), getattr(value, "dtype", None)
    if type(value).__module__ != "numpy" or getattr(dtype, "kind", "") not in _NUMPY_NUMBERS or item is None:
        return None
    number = item() if getattr(value, "shape", None) == () else None
    return number if type(number) in (bool, int, float) else None


def _why_not(value: object) -> str:
    kind = _type(value)
    match value:
        case bytes() | bytearray() | memoryview():
            return f"is {kind}. Write .decode(), or base64.b64encode(...).decode()"
        case set() | frozenset():
            return f"is a {kind}, which has no order. Write sorted(...)"
        case BaseException():
            return f"is an exception that was returned: {value!r}. Raise it: then it is the item's failure"
        case _ if hasattr(value, "__await__"):
            return f"is a {kind}. Await it"
        case _ if callable(getattr(value, "tolist", None)):
            return f"is a {kind}. Write .tolist()"
        case _:
            return f"is a {kind}. Return dicts, lists, strings and numbers"


def _type(value: object) -> str:
    return type(value).__qualname__

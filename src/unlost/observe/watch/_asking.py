"""Whether a function that a handler calls asks by itself for what is being handled."""

from __future__ import annotations

import inspect
from types import CodeType, FrameType, FunctionType, MemberDescriptorType, MethodType
from typing import Any, Final

from unlost.observe.watch._matching import read_name

_WRAPPERS: Final = (classmethod, staticmethod, MethodType)
_MOST_WRAPPED: Final = 5


def asks_itself(dotted: str, frame: FrameType) -> bool:
    """
    Say whether a dotted name stands for a function that calls ``sys.exc_info`` or ``sys.exception``.

    What that one calls in turn is not looked at. It is found without running any code: what a property, or an object
    with a ``__getattr__``, stands for is not known.
    """
    first, *rest = dotted.split(".")
    found = read_name(first, frame)
    for name in rest:
        found = _attribute(found, name)
    code = _code_of(found)
    return code is not None and _asks(code)


def _attribute(owner: Any, name: str) -> Any:  # Any: the program's own
    found = inspect.getattr_static(owner, name, None)
    if type(found) is MemberDescriptorType and type(owner) is not type:  # a slot: to read it runs none of its code
        try:
            return found.__get__(owner)
        except (AttributeError, TypeError):  # it is empty, or the class's own
            return None
    return found


def _code_of(found: Any) -> CodeType | None:  # Any: whatever the program gave that name
    for _ in range(_MOST_WRAPPED):
        kind = type(found)  # not isinstance: a proxy would be asked for its __class__, which runs code
        if kind in _WRAPPERS:
            found = found.__func__
        elif kind is not FunctionType:
            return None
        elif (wrapped := found.__dict__.get("__wrapped__")) is None:  # what functools.wraps leaves
            code: CodeType = found.__code__
            return code
        else:
            found = wrapped
    return None


def _asks(code: CodeType) -> bool:
    names = code.co_names
    return "exc_info" in names or ("exception" in names and "sys" in names)

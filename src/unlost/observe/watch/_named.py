"""What the names in a handler stand for: what it catches may be everything, what it calls may look at that."""

from __future__ import annotations

from dataclasses import replace
from types import CodeType, FrameType
from typing import Any, Final

from unlost.observe.watch._asking import asks_itself
from unlost.observe.watch._clause import BUILT_IN, Clause, Handler
from unlost.observe.watch._matching import read_name

_EVERYTHING: Final = (Exception, BaseException)


def with_names_read(handler: Handler, frame: FrameType) -> Handler:
    """
    Return a handler that knows which of its names stand for everything, and for functions that look at what it has.

    What a module's name stands for is read once. What a variable of the function stands for is another thing in the
    next call: types (``catches_everything``) and what is called (``asks_by_variable``) are read each time that an
    exception comes.
    """
    if not any(clause.swallows or _may_swallow(clause) for clause in handler.clauses):
        return handler
    clauses = tuple(_read(clause, frame) for clause in handler.clauses)
    is_plain = not any(clause.varies or clause.swallows or (clause.broad and clause.raises) for clause in clauses)
    return replace(handler, clauses=clauses, plain=is_plain, narrow=handler.narrow and is_plain)


def catches_everything(clause: Clause, frame: FrameType) -> bool:
    """Say whether one of the names in a clause stands for everything at this moment."""
    return any(_is_everything(read_name(name, frame)) for name in clause.types)


def asks_by_variable(clause: Clause, frame: FrameType) -> bool:
    """Say whether one of the variables in a clause stands, at this moment, for what asks what is being handled."""
    return any(asks_itself(name, frame) for name in clause.named)


def _may_swallow(clause: Clause) -> bool:
    return clause.ends and not clause.used and clause.is_by_name and bool(clause.types)


def _read(clause: Clause, frame: FrameType) -> Clause:
    if not clause.swallows and not _may_swallow(clause):
        return clause
    varying = tuple(name for name in clause.named if _is_variable(name, frame.f_code))
    if any(asks_itself(name, frame) for name in clause.named if name not in varying):
        return replace(clause, used=True, named=())
    clause = replace(clause, named=varying)
    return _types_read(clause, frame) if _may_swallow(clause) else clause


def _types_read(clause: Clause, frame: FrameType) -> Clause:
    names = [name for name in clause.types if name not in BUILT_IN]
    if any(_is_variable(name, frame.f_code) for name in names):
        return replace(clause, varies=True)
    return replace(clause, broad=catches_everything(clause, frame))


def _is_variable(name: str, code: CodeType) -> bool:
    first = name.partition(".")[0]
    return first in code.co_varnames or first in code.co_freevars or first in code.co_cellvars


def _is_everything(found: Any) -> bool:  # Any: whatever stands in an except clause
    if isinstance(found, tuple):
        return any(map(_is_everything, found))
    return any(found is one for one in _EVERYTHING)

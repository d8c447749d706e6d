"""Which clause of a handler an exception enters."""

from __future__ import annotations

from types import FrameType
from typing import Any

from unlost.observe._variables import variable
from unlost.observe.watch._clause import Clause, Handler


def clause_for(handler: Handler, error: BaseException, frame: FrameType) -> Clause | None:
    """
    Return the clause that will take the exception; None where none does.

    Of ``except*`` each member of a group is asked for by itself. A name that cannot be read is taken to match: if it
    does not, the exception is raised on, and that is told.
    """
    first = handler.clauses[0]
    if first.broad and isinstance(error, Exception):
        return first
    if len(handler.clauses) == 1 and not first.broad and not handler.groups:
        return first
    return next((clause for clause in handler.clauses if _takes(clause, error, frame)), None)


def _takes(clause: Clause, error: BaseException, frame: FrameType) -> bool:
    if not clause.types:
        return True
    return any(_is_of(name, error, frame) for name in clause.types)


def _is_of(name: str, error: BaseException, frame: FrameType) -> bool:
    if name == "BaseException":
        return True
    if name == "Exception":
        return isinstance(error, Exception)
    types = read_name(name, frame)
    return types is None or _is_instance(error, types)


def _is_instance(error: BaseException, types: Any) -> bool:  # Any: whatever stands in an except clause
    if isinstance(types, tuple):
        return any(_is_instance(error, one) for one in types)
    # issubclass(type()) by the interpreter's own rule for except: no __instancecheck__ is asked
    return isinstance(types, type) and types in type(error).__mro__


def read_name(dotted: str, frame: FrameType) -> Any:  # Any: as above
    """Return what a dotted name stands for in a frame; None where it cannot be read without running code."""
    first, *rest = dotted.split(".")
    if first in frame.f_code.co_varnames or first in frame.f_code.co_freevars or first in frame.f_code.co_cellvars:
        found = variable(frame, first)
    else:
        found = dict.get(frame.f_globals, first, dict.get(frame.f_builtins, first))
    for name in rest:
        namespace = getattr(found, "__dict__", None)  # a module or a class: no descriptor is called
        found = namespace.get(name) if namespace is not None else None
    return found

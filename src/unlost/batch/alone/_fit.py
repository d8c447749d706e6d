"""Whether another process can find the function that this one has."""

from __future__ import annotations

import inspect
import sys
from typing import Any

from unlost.batch.target._target import Target

_MISSING = object()


def unfit(target: Target) -> str | None:
    """Return why a process of its own cannot import the target, in a sentence that says what to do; None: it can."""
    module, _, path = target.spec.partition(":")
    advice = f"Write it into a module, and say {'jobs' if module == '__main__' else module}:{target.name}"
    if module == "__main__":
        return f"{target.name} is defined in the program itself, or in a notebook. {advice}"
    if "<" in path:
        return f"{path} is a lambda, or a function within a function. {advice}"
    if not _is_same(_found(module, path), target.func):
        return f"{target.spec} is not the object that the run was given: a partial, or one that was replaced. {advice}"
    if not sys.executable:
        return "the interpreter that runs this cannot be found (sys.executable is empty)"
    return None


def _found(module: str, path: str) -> Any:  # Any: as Target.func
    found: Any = sys.modules.get(module, _MISSING)
    for name in path.split("."):
        found = getattr(found, name, _MISSING)
    return found


def _is_same(found: Any, func: Any) -> bool:  # Any: as Target.func
    if inspect.ismethod(found) and inspect.ismethod(func):  # made anew each time that it is looked up
        return found.__self__ is func.__self__ and found.__func__ is func.__func__
    return found is func

"""
Who holds an object when the watching ends: the application's own code, or only a library's objects.

What a library holds is its own business (a stream of asyncio's has a future for its end, and asks for it when it goes).
The garbage collector knows who refers to what; containers are looked through, whatever holds them.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections import OrderedDict, defaultdict, deque
from collections.abc import Sequence
from functools import partial
from types import (
    AsyncGeneratorType,
    CellType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodType,
    ModuleType,
)
from typing import Any, Final, NamedTuple

from unlost.observe._code import is_application
from unlost.observe._text import encodable, module_of, type_name

DEEPEST: Final = 6
"""Steps from an object to who holds it."""

MOST: Final = 1_000
"""Objects that are looked at in each step."""

_CONTAINERS: Final = frozenset(
    {
        list, tuple, dict, set, frozenset, deque, defaultdict, OrderedDict, CellType, MethodType, partial,
        asyncio.Future, asyncio.Task,
    }
)  # fmt: skip
_CODE_OF: Final[dict[type, str]] = {
    FrameType: "f_code",
    FunctionType: "__code__",
    CoroutineType: "cr_code",
    GeneratorType: "gi_code",
    AsyncGeneratorType: "ag_code",
}


class Holder(NamedTuple):
    """
    Attributes:
        name: In words.
        is_own: Whether it is of the application's own code.
    """

    name: str
    is_own: bool


def own_holders_of(things: Sequence[object]) -> dict[int, str]:
    """
    Return, by the ids of these objects, who of the application's own code holds each, in words; the nearest one.

    Those that none does are not in it, nor those that are further away than ``DEEPEST`` steps. Each step takes as long
    as the program is large; there is none where ``things`` is empty.
    """
    found: dict[int, str] = {}
    leads_to = {id(thing): {id(thing)} for thing in things}
    met: list[object] = list(things)  # an id is that of another one as soon as these are gone
    edge = list(things)
    for _ in range(DEEPEST):
        if not edge or len(found) == len(things):
            break
        further: list[object] = []
        for holder in gc.get_referrers(*edge):
            if id(holder) in leads_to or any(holder is ours for ours in (things, met, edge)):
                continue
            reached = [one for one in gc.get_referents(holder) if id(one) in leads_to]
            targets = set().union(*(leads_to[id(one)] for one in reached))
            known = holder_of(holder, reached[0] if reached else None)
            if known is None and len(further) < MOST:
                further.append(holder)
                leads_to[id(holder)] = targets
            elif known is not None and known.is_own:
                found.update(dict.fromkeys(targets - found.keys(), known.name))
        met += further
        edge = further
    return found


def holder_of(one: Any, held: object) -> Holder | None:  # Any: whatever refers to something
    """Return what an object is that refers to ``held``; None where it is a container, and who holds it decides."""
    kind = type(one)
    if kind in _CODE_OF:
        code: CodeType = getattr(one, _CODE_OF[kind])
        return Holder(f"{encodable(code.co_qualname)}()", is_application(encodable(code.co_filename)))
    if kind is dict and (module := _module_with(one)) is not None:
        variable = next((name for name, value in tuple(one.items()) if value is held), "")
        return Holder(f"{module}.{variable}" if isinstance(variable, str) else module, _is_own(module))
    if kind in _CONTAINERS:
        return None
    if isinstance(one, type):  # a variable of the class
        return Holder(f"{module_of(one)}.{type_name(one)}", _is_own(module_of(one)))
    return Holder(f"an instance of {module_of(kind)}.{type_name(kind)}", _is_own(module_of(kind)))


def _module_with(names: dict[Any, Any]) -> str | None:  # Any: any dictionary at all
    name = names.get("__name__")
    return name if type(name) is str and _names_of(name) is names else None


def _is_own(module: str) -> bool:
    """Say whether it is the user's: a module of no file is, where it was typed or made (``__main__``)."""
    names = _names_of(module)
    if names is None or module in sys.builtin_module_names:
        return names is None
    file = names.get("__file__")
    return is_application(encodable(file)) if isinstance(file, str) else module == "__main__"


def _names_of(module: str) -> dict[str, Any] | None:  # Any: a module's variables
    known = sys.modules.get(module)
    # the module's own dictionary: some modules import others when they are asked for an attribute
    return vars(ModuleType)["__dict__"].__get__(known) if isinstance(known, ModuleType) else None

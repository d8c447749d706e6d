"""
Who holds an object when the watching ends: the application's own code, or only a library's objects.

What a library holds is its own business (a stream of asyncio's has a future for its end, and asks for it when it goes).
The garbage collector knows who refers to what; containers and exceptions are looked through, whatever holds them.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections import OrderedDict, defaultdict, deque
from collections.abc import Container, Iterator, Sequence
from functools import partial
from operator import is_
from types import (
    AsyncGeneratorType,
    CellType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    GetSetDescriptorType,
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
        referrers = gc.get_referrers(*edge)
        ours = (things, met, edge, further, referrers)
        left = _left_in_frames([one for one in referrers if _is_instance(one)], ours)
        for holder in referrers:
            if id(holder) in left or any(holder is one for one in ours):
                continue
            for one in _held_by(holder, leads_to):
                targets, known = leads_to[id(one)], holder_of(holder, one)
                if known is not None and known.is_own:
                    found.update(dict.fromkeys(targets - found.keys(), known.name))
                elif known is None and not targets <= leads_to.get(id(holder), set()) and len(further) < MOST:
                    further.append(holder)
                    leads_to[id(holder)] = leads_to.get(id(holder), set()) | targets
        met += further
        edge = further
    return found


def _held_by(holder: object, leads_to: Container[int]) -> Iterator[object]:
    """Yield what an object refers to, of what leads to something; of an instance its attributes, not the dictionary."""
    names = _attributes_of(holder)
    for one in {id(one): one for one in (*gc.get_referents(holder), *names.values())}.values():
        if id(one) in leads_to and one is not names:
            yield one


def _left_in_frames(instances: list[object], ours: tuple[object, ...]) -> set[int]:
    """
    Return the ids of those that nothing has but the frames of functions that have ended.

    The collector asks no other frames. A traceback keeps these, and so the error itself does.
    """
    if not instances:
        return set()
    sought = set(map(id, instances))
    in_frames, elsewhere = set[int](), set[int]()
    asked = tuple(instances)
    for holder in gc.get_referrers(*asked):  # which on 3.13 has found its own arguments, too
        if holder is not instances and not any(holder is one for one in ours) and not _is_same(holder, asked):
            has = sought.intersection(map(id, gc.get_referents(holder)))
            (in_frames if type(holder) is FrameType else elsewhere).update(has)
    return in_frames - elsewhere


def _is_same(one: object, those: tuple[object, ...]) -> bool:
    return type(one) is tuple and len(one) == len(those) and all(map(is_, one, those))


def holder_of(one: Any, held: object) -> Holder | None:  # Any: whatever refers to something
    """Return what an object is that refers to ``held``; None where it is a container, and who holds it decides."""
    kind = type(one)
    if kind in _CODE_OF:
        code: CodeType = getattr(one, _CODE_OF[kind])
        return Holder(f"{encodable(code.co_qualname)}()", is_application(encodable(code.co_filename)))
    if kind is dict and (module := _module_with(one)) is not None:
        variable = next((name for name, value in tuple(one.items()) if value is held), "")
        return Holder(f"{module}.{variable}" if isinstance(variable, str) else module, _is_own(module))
    if kind in _CONTAINERS or issubclass(kind, BaseException):
        return None
    if issubclass(kind, type):  # a variable of the class
        return Holder(f"{module_of(one)}.{type_name(one)}", _is_own(module_of(one)))
    is_own = _is_own(module_of(kind)) and not _is_of_library(one, held)
    return Holder(f"an instance of {module_of(kind)}.{type_name(kind)}", is_own)


def _is_instance(one: object) -> bool:
    kind = type(one)
    return kind not in _CONTAINERS and kind not in _CODE_OF and not issubclass(kind, (type, ModuleType, FrameType))


def _is_of_library(instance: object, held: object) -> bool:
    """Say whether it is in an attribute that a library's class, of which that of the instance is one, makes there."""
    names = {name for name, value in _attributes_of(instance).items() if value is held}
    makers = [vars(base).get("__init__") for base in type(instance).__mro__ if not _is_own(module_of(base))]
    made = {name for maker in makers if type(maker) is FunctionType for name in maker.__code__.co_names}
    return bool(names) and names <= made


def _attributes_of(instance: object) -> dict[str, object]:
    if not _is_instance(instance):
        return {}
    for base in type(instance).__mro__:  # not vars(): a property may have that name
        if type(slot := base.__dict__.get("__dict__")) is GetSetDescriptorType:
            found = slot.__get__(instance)
            return found if type(found) is dict else {}
    return {}


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

"""What the function that a task calls at its end does with that task, without running it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import Enum
from functools import lru_cache
from inspect import CO_VARARGS
from types import CodeType
from typing import Final

from unlost._core.hooks import Spot
from unlost.observe.watch._guards import guard_at, guards_of
from unlost.observe.watch._instructions import Instruction, instructions_of


class Use(Enum):
    """
    Members:
        NOTHING: It does not look at the task's error: who else asks for that decides.
        DROPS: It asks for the error, so that asyncio says no more that nobody did, and drops it or tests it.
        TAKES: It has the error, or hands the task on. What comes of that cannot be seen: it may tell somebody.
    """

    NOTHING = "nothing"
    DROPS = "drops"
    TAKES = "takes"


_HANDLERS_ARE_SEEN: Final = sys.version_info >= (3, 12)  # by the interpreter's word, then
_ASKS: Final = frozenset({"exception", "result"})
_HARMLESS: Final = frozenset(
    {"cancel", "cancelled", "cancelling", "done", "get_loop", "get_name", "remove_done_callback", "set_name"}
)
_FORGETS: Final = frozenset({"discard", "pop", "remove"})
_PADDING: Final = frozenset({"NOP", "EXTENDED_ARG", "PRECALL", "NOT_TAKEN"})


@lru_cache(maxsize=1024)
def use_of(code: CodeType, position: int) -> Use:
    """Say what a function does with the argument at a position, which is a task."""
    if position >= code.co_argcount:
        return Use.TAKES if code.co_flags & CO_VARARGS else Use.NOTHING
    name = code.co_varnames[position]
    if name in code.co_cellvars:
        return Use.TAKES
    instructions = [one for one in instructions_of(code) if one.opname not in _PADDING]
    uses = {_use_at(instructions, index) for index, one in enumerate(instructions) if _loads(one, name)}
    if not _HANDLERS_ARE_SEEN and Use.DROPS in uses and _raises_into_a_handler(code, instructions):
        return Use.TAKES
    return next((use for use in (Use.TAKES, Use.DROPS) if use in uses), Use.NOTHING)


@lru_cache(maxsize=1024)
def drops_at(spot: Spot) -> bool:
    """Say whether the error that is asked for by an instruction is dropped or merely tested."""
    code, offset = spot
    following = [one for one in instructions_of(code) if one.offset > offset and one.opname not in _PADDING]
    return not _is_kept(following)


def _loads(one: Instruction, name: str) -> bool:
    if not one.opname.startswith("LOAD_FAST") and one.opname != "STORE_FAST_LOAD_FAST":
        return False
    if one.opname == "STORE_FAST_LOAD_FAST":
        return bool(one.argval[1] == name)
    return name in one.argval if isinstance(one.argval, tuple) else bool(one.argval == name)


def _use_at(instructions: Sequence[Instruction], index: int) -> Use:
    """Return what is done with a task that an instruction loads."""
    following = instructions[index + 1 :]
    if not following or instructions[index].opname == "LOAD_FAST_LOAD_FAST":
        return Use.TAKES
    if following[0].opname not in ("LOAD_ATTR", "LOAD_METHOD"):
        return Use.NOTHING if _is_forgotten(instructions, index) else Use.TAKES
    if following[0].argval in _ASKS:
        return Use.TAKES if _is_kept(following[1:]) else Use.DROPS
    return Use.NOTHING if following[0].argval in _HARMLESS else Use.TAKES


def _raises_into_a_handler(code: CodeType, instructions: Sequence[Instruction]) -> bool:
    """Say whether ``result()`` is called within a ``try`` or a ``with``: what becomes of the error is not seen then."""
    guards = guards_of(code)
    asks = (one.offset for one in instructions if one.opname in ("LOAD_ATTR", "LOAD_METHOD") and one.argval == "result")
    return any(guard_at(guards, offset) is not None for offset in asks)


def _is_forgotten(instructions: Sequence[Instruction], index: int) -> bool:
    before, after = instructions[index - 1], instructions[index + 1]
    is_method = before.opname in ("LOAD_ATTR", "LOAD_METHOD") and before.argval in _FORGETS
    return is_method and after.opname.startswith("CALL")


def _is_kept(following: Sequence[Instruction]) -> bool:
    """Say whether what the next call returns goes somewhere."""
    called = next((index for index, one in enumerate(following) if one.opname.startswith("CALL")), None)
    if called is None or called + 1 >= len(following):
        return called is None
    return not following[called + 1].opname.startswith(("POP_", "RETURN_", "TO_BOOL"))

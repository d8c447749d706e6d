"""
The instructions of a code object, as far as a reader of handlers wants to know them.

``dis`` tells more (positions, the text of each argument), and takes five times as long: a session of tests, which meets
hundreds of handlers for the first time, would notice. What is here comes out as it does there
(``tests/observe/watch/test_instructions.py`` compares the two on the standard library).
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterator
from types import CodeType
from typing import Any, Final, NamedTuple


class Instruction(NamedTuple):
    """
    Attributes:
        offset: Where it lies.
        opname: What it does.
        argval: A name, or both of them; a constant; where a jump leads; else the number that it has, if it has one.
    """

    offset: int
    opname: str
    argval: Any  # Any: a constant may be of any type


_WITHOUT_ARGUMENT: Final = frozenset(range(256)) - frozenset(getattr(dis, "hasarg", range(dis.HAVE_ARGUMENT, 256)))
_EXTENDED: Final = dis.opmap["EXTENDED_ARG"]
_CACHE: Final = dis.opmap["CACHE"]
_NAMES: Final = frozenset(dis.hasname)
_CONSTANTS: Final = frozenset(dis.hasconst)
_JUMPS: Final = frozenset(dis.hasjrel)
_LOCALS: Final = frozenset((*dis.haslocal, *dis.hasfree))
_BACKWARD: Final = frozenset(
    number for number in _JUMPS if "JUMP_BACKWARD" in dis.opname[number] or dis.opname[number] == "END_ASYNC_FOR"
)
# two names in one argument
_PAIRS: Final = frozenset(number for number in _LOCALS if dis.opname[number].count("_FAST") == 2)
# by how many bits the number of a name is shifted, for flags
_SHIFTS: Final = {dis.opmap["LOAD_GLOBAL"]: 1}
if sys.version_info >= (3, 12):
    _SHIFTS.update({dis.opmap["LOAD_ATTR"]: 1, dis.opmap["LOAD_SUPER_ATTR"]: 2})


def instructions_of(code: CodeType) -> Iterator[Instruction]:
    """Yield each instruction, and the padding between them, in the order of their offsets."""
    units = code.co_code
    extended = 0
    for offset in range(0, len(units), 2):
        number = units[offset]
        argument = units[offset + 1] | extended
        if number == _EXTENDED:
            extended = argument << 8
            yield Instruction(offset, "EXTENDED_ARG", argument)
            continue
        extended = 0
        if number == _CACHE:
            continue
        yield Instruction(offset, dis.opname[number], _value(code, units, offset, number, argument))


def _value(code: CodeType, units: bytes, offset: int, number: int, argument: int) -> Any:  # Any: as above
    if number in _WITHOUT_ARGUMENT:
        return None
    if number in _NAMES:
        return code.co_names[argument >> _SHIFTS.get(number, 0)]
    if number in _CONSTANTS:
        return code.co_consts[argument]
    if number in _LOCALS:
        name_of = code._varname_from_oparg  # type: ignore[attr-defined]  # dis has it from there, too
        return (name_of(argument >> 4), name_of(argument & 15)) if number in _PAIRS else name_of(argument)
    if number in _JUMPS:
        following = _behind_caches(units, offset + 2)
        return following - 2 * argument if number in _BACKWARD else following + 2 * argument
    return argument


def _behind_caches(units: bytes, offset: int) -> int:
    while offset < len(units) and units[offset] == _CACHE:
        offset += 2
    return offset

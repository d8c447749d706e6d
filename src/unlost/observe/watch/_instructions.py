"""
The instructions of a code object, as far as a reader of handlers wants to know them.

``dis`` tells more (positions, the text of each argument), and takes five times as long: a session of tests, which meets
hundreds of handlers for the first time, would notice. What is here comes out as it does there
(``tests/observe/watch/test_instructions.py`` compares the two on the standard library).
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Collection, Iterator, Sequence
from itertools import compress
from types import CodeType
from typing import Any, Final, NamedTuple, overload


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
    for offset in range(0, len(units), 2):
        if units[offset] != _CACHE:
            yield _instruction_at(code, units, offset)


def all_but(names: Collection[str]) -> bytes:
    """Return a table of all instructions but these."""
    return bytes(number != _CACHE and dis.opname[number] not in names for number in range(256))


class Instructions(Sequence[Instruction]):
    """
    The instructions of a code object, each read when it is asked for: of a long function few are.

    Args:
        code: It.
        kept: Which of them (``all_but``); the others are as if they were not there.

    Attributes:
        offsets: Where they lie.
    """

    def __init__(self, code: CodeType, kept: bytes) -> None:
        self._code = code
        self._units = code.co_code
        self.offsets = list(compress(range(0, len(self._units), 2), self._units[::2].translate(kept)))

    def __len__(self) -> int:
        return len(self.offsets)

    @overload
    def __getitem__(self, index: int) -> Instruction: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Instruction]: ...
    def __getitem__(self, index: int | slice) -> Instruction | Sequence[Instruction]:
        if isinstance(index, slice):
            return [_instruction_at(self._code, self._units, offset) for offset in self.offsets[index]]
        return _instruction_at(self._code, self._units, self.offsets[index])

    def names(self) -> list[str]:
        """Return what each does."""
        return [dis.opname[self._units[offset]] for offset in self.offsets]


def _instruction_at(code: CodeType, units: bytes, offset: int) -> Instruction:
    number = units[offset]
    argument = units[offset + 1]
    shift, before = 8, offset - 2
    while before >= 0 and units[before] == _EXTENDED:
        argument |= units[before + 1] << shift
        shift, before = shift + 8, before - 2
    return Instruction(offset, dis.opname[number], _value(code, units, offset, number, argument))


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

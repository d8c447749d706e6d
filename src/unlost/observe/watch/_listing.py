"""The instructions of a code object, without those that do nothing, and where they lie."""

from __future__ import annotations

import dis
from collections.abc import Iterator
from itertools import islice
from types import CodeType
from typing import Final

from unlost.observe.watch._guards import Guard, guard_at, guards_of
from unlost.observe.watch._instructions import Instruction, instructions_of

# They do nothing, or belong to the next instruction; the last is 3.14's.
_PADDING: Final = frozenset({"NOP", "EXTENDED_ARG", "RESUME", "NOT_TAKEN"})
# after these comes nothing, or what they raise
_ENDS: Final = frozenset({"RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE", "INTERPRETER_EXIT"})
_JUMPS: Final = frozenset(dis.opname[number] for number in (*dis.hasjrel, *dis.hasjabs))


class Listing:
    """One code object's instructions by their index."""

    def __init__(self, code: CodeType) -> None:
        self.guards = guards_of(code)
        every = list(instructions_of(code))
        self.instructions = [one for one in every if one.opname not in _PADDING]
        self._at = _indices(every)
        self._code = code

    def index_at(self, offset: int) -> int | None:
        """Return the first instruction at an offset or after its padding; None where there is none."""
        return self._at.get(offset)

    def opname(self, index: int) -> str:
        """Return the name of an instruction; empty past the end."""
        return self.instructions[index].opname if 0 <= index < len(self.instructions) else ""

    def guard_at(self, offset: int) -> Guard | None:
        """Return what covers an offset; None where what is raised there leaves the frame."""
        return guard_at(self.guards, offset)

    def target_of(self, index: int) -> int | None:
        """Return where a jump leads; None for what is no jump."""
        one = self.instructions[index]
        return self._at.get(one.argval) if one.opname in _JUMPS else None

    def line_of(self, index: int) -> int:
        """Return the line of an instruction; 0 where it has none."""
        position = self.instructions[index].offset // 2
        return next(islice(self._code.co_positions(), position, None), (None,))[0] or 0

    def after(self, index: int) -> Iterator[int]:
        """Yield the instructions that may come next when nothing is raised."""
        name = self.opname(index)
        target = self.target_of(index)
        if target is not None:
            yield target
        goes_on = name not in _ENDS and not name.startswith("JUMP")
        if goes_on and index + 1 < len(self.instructions):
            yield index + 1


def _indices(every: list[Instruction]) -> dict[int, int]:
    """Return for each offset, that of padding included, the index of the instruction that runs from there."""
    found: dict[int, int] = {}
    padding: list[int] = []
    index = 0
    for one in every:
        padding.append(one.offset)
        if one.opname in _PADDING:
            continue
        found.update(dict.fromkeys(padding, index))
        padding.clear()
        index += 1
    return found

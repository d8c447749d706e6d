"""The instructions of a code object, without those that do nothing, and where they lie."""

from __future__ import annotations

import dis
from bisect import bisect_left
from collections.abc import Iterator
from types import CodeType
from typing import Final

from unlost.observe.watch._guards import Guard, guard_at, guards_of
from unlost.observe.watch._instructions import Instructions, all_but

# They do nothing, or belong to the next instruction; the last is 3.14's.
_KEPT: Final = all_but({"NOP", "EXTENDED_ARG", "RESUME", "NOT_TAKEN"})
# after these comes nothing, or what they raise
_ENDS: Final = frozenset({"RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE", "INTERPRETER_EXIT"})
_JUMPS: Final = frozenset(dis.opname[number] for number in (*dis.hasjrel, *dis.hasjabs))


class Listing:
    """One code object's instructions by their index."""

    def __init__(self, code: CodeType) -> None:
        self.guards = guards_of(code)
        self.instructions = Instructions(code, _KEPT)
        self._code = code
        self._names = self.instructions.names()
        self._after: dict[int, tuple[int, ...]] = {}

    def index_at(self, offset: int) -> int | None:
        """Return the first instruction at an offset or after its padding; None where there is none."""
        index = bisect_left(self.instructions.offsets, offset)
        return index if index < len(self._names) else None

    def opname(self, index: int) -> str:
        """Return the name of an instruction; empty past the end."""
        return self._names[index] if 0 <= index < len(self._names) else ""

    def guard_at(self, offset: int) -> Guard | None:
        """Return what covers an offset; None where what is raised there leaves the frame."""
        return guard_at(self.guards, offset)

    def target_of(self, index: int) -> int | None:
        """Return where a jump leads; None for what is no jump."""
        return self.index_at(self.instructions[index].argval) if self._names[index] in _JUMPS else None

    def line_of(self, index: int) -> int:
        """Return the line of an instruction; 0 where it has none."""
        offset = self.instructions.offsets[index]
        return next((line for begin, end, line in self._code.co_lines() if begin <= offset < end), None) or 0

    def after(self, index: int) -> tuple[int, ...]:
        """Return the instructions that may come next when nothing is raised."""
        known = self._after.get(index)
        if known is None:
            known = self._after[index] = tuple(self._next(index))
        return known

    def _next(self, index: int) -> Iterator[int]:
        name = self._names[index]
        target = self.target_of(index)
        if target is not None:
            yield target
        goes_on = name not in _ENDS and not name.startswith("JUMP")
        if goes_on and index + 1 < len(self._names):
            yield index + 1

"""
What a code object's exception handlers do with what they catch, read once from its byte code.

The interpreter says that a handler was entered, and where. Most of those are noise: every coroutine frame that an
exception crosses enters one that turns ``StopIteration`` into a ``RuntimeError``, every ``except ... as e`` has one that
deletes ``e``, every ``finally`` passes on. What is left are the clauses that somebody wrote.

For 3.12 and 3.13, by the layout that their compiler gives a ``try`` (Objects/exception_handling_notes.txt).
"""

from __future__ import annotations

import dis
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Final, TypeAlias

BROAD: Final = frozenset({"Exception", "BaseException"})

# Who is called by one of these names is told of the exception that is being handled.
_TELLING: Final = frozenset(
    {
        "call_exception_handler", "capture_exception", "exc_info", "exception", "excepthook", "format_exc",
        "format_exception", "handleError", "log_exception", "print_exc", "print_exception", "print_last",
        "record_exception", "set_exception",
    }
)  # fmt: skip
_TELLS: Final = ("handle_", "_handle_", "on_error", "on_exception", "report_")

_Types: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Clause:
    """
    One ``except``, or a ``finally`` that ends what was raised.

    Attributes:
        types: What it catches, as dotted names; empty for a bare one, ``"?"`` stands for what cannot be read.
        broad: Whether it catches whatever an operation raises.
        used: Whether it looks at the exception, or calls somebody who does.
        raises: Whether it holds a ``raise``.
        line: Of its first instruction.
    """

    types: _Types
    broad: bool
    used: bool
    raises: bool
    line: int


@dataclass(frozen=True, slots=True)
class Handler:
    """
    The clauses of one ``try``, in order; the first that matches is entered.

    Attributes:
        clauses: One at least.
        depth: How many handlers it stands in, itself not counted, times what is on the stack: deeper is further in.
        groups: Whether they are ``except*``, and take their part of a group.
    """

    clauses: tuple[Clause, ...]
    depth: int
    groups: bool = False


def handlers_of(code: CodeType) -> dict[int, Handler]:
    """Return the handlers that somebody wrote, by the offset at which each is entered; a ``with`` is none."""
    listing = dis.Bytecode(code)
    instructions = [one for one in listing if one.opname not in ("CACHE", "NOP", "EXTENDED_ARG")]
    at = {one.offset: index for index, one in enumerate(instructions)}
    found: dict[int, Handler] = {}
    entries = listing.exception_entries  # type: ignore[attr-defined]  # not in the stubs; documented since 3.11
    for entry in entries:
        if entry.target in found or entry.target not in at:
            continue
        handler = _read(instructions, at, at[entry.target], entry.depth)
        if handler is not None:
            found[entry.target] = handler
    return found


def _read(instructions: Sequence[dis.Instruction], at: dict[int, int], start: int, depth: int) -> Handler | None:
    if instructions[start].opname != "PUSH_EXC_INFO":
        return None
    index = start + 1
    if _name_at(instructions, index) == "WITH_EXCEPT_START":
        return None
    clauses: list[Clause] = []
    groups = False
    while True:
        check = _check_of(instructions, index)
        if check is None:
            last = () if groups else _last_clause(instructions, index, bool(clauses))
            return Handler((*clauses, *last), depth, groups) if clauses or last else None
        groups = groups or instructions[check].opname == "CHECK_EG_MATCH"
        jump = _jump_after(instructions, check)
        if jump is None:
            return Handler(tuple(clauses), depth, groups) if clauses else None
        after = at.get(_target_of(instructions[jump]), len(instructions))
        clauses.append(_clause(instructions, index, check, jump + 1, after))
        index = after


def _name_at(instructions: Sequence[dis.Instruction], index: int) -> str:
    return instructions[index].opname if index < len(instructions) else ""


def _check_of(instructions: Sequence[dis.Instruction], index: int) -> int | None:
    """Return where the next clause's types are matched; None where no clause begins."""
    for position in range(index, min(index + 60, len(instructions))):
        name = instructions[position].opname
        if name in ("CHECK_EXC_MATCH", "CHECK_EG_MATCH"):
            return position
        if name.startswith(("LOAD_", "BUILD_TUPLE", "BUILD_LIST", "CALL", "PUSH_NULL", "COPY", "BINARY_", "PRECALL")):
            continue
        return None
    return None


def _jump_after(instructions: Sequence[dis.Instruction], check: int) -> int | None:
    """Return the jump past a clause that does not match."""
    for position in range(check + 1, min(check + 4, len(instructions))):
        if instructions[position].opname.startswith("POP_JUMP"):
            return position
    return None


def _target_of(jump: dis.Instruction) -> int:
    target: int = jump.argval
    return target


def _clause(instructions: Sequence[dis.Instruction], start: int, check: int, body: int, end: int) -> Clause:
    types = tuple(_types(instructions[start:check]))
    part = instructions[body:end]
    name = _stored(part[0]) if part else None
    return Clause(types, not BROAD.isdisjoint(types), _uses(part, name), _raises(part), _line(instructions, start))


def _last_clause(instructions: Sequence[dis.Instruction], index: int, follows: bool) -> tuple[Clause, ...]:
    """Return the bare ``except``, or the ``finally`` that ends what was raised, that begins here, if one does."""
    part = list(_until_cleanup(instructions, index))
    if not part or (follows and part[0].opname == "RERAISE"):
        return ()
    if not any(one.opname == "POP_EXCEPT" for one in part):
        return ()  # every way through it raises
    return (Clause((), True, _uses(part, None), _raises(part), _line(instructions, index)),)


def _until_cleanup(instructions: Sequence[dis.Instruction], index: int) -> Iterator[dis.Instruction]:
    """Yield a handler's instructions up to the cleanup that the compiler puts behind it: COPY 3, POP_EXCEPT, RERAISE 1."""
    for position in range(index, len(instructions)):
        one = instructions[position]
        if one.opname == "COPY" and one.arg == 3 and _name_at(instructions, position + 1) == "POP_EXCEPT":
            return
        yield one


def _types(loads: Sequence[dis.Instruction]) -> Iterator[str]:
    """Yield the dotted name of each type that is loaded."""
    dotted: str | None = None
    for one in loads:
        if one.opname == "LOAD_ATTR" and dotted is not None:
            dotted = f"{dotted}.{one.argval}"
            continue
        if dotted is not None:
            yield dotted
        names = one.opname.startswith(("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FAST", "LOAD_DEREF", "LOAD_FROM_DICT"))
        dotted = str(one.argval) if names else None
        if one.opname.startswith(("CALL", "BINARY_", "LOAD_CONST")):
            yield "?"
    if dotted is not None:
        yield dotted


def _stored(one: dis.Instruction) -> str | None:
    """Return the name that the exception is bound to."""
    if not one.opname.startswith("STORE_"):
        return None
    return str(one.argval[0] if isinstance(one.argval, tuple) else one.argval)


def _uses(part: Sequence[dis.Instruction], name: str | None) -> bool:
    for position, one in enumerate(part):
        if name is not None and _loads(one, name, first=position == 0):
            return True
        if one.opname.startswith(("LOAD_GLOBAL", "LOAD_ATTR", "LOAD_METHOD", "LOAD_NAME", "LOAD_DEREF", "LOAD_FAST")):
            called = one.argval[-1] if isinstance(one.argval, tuple) else one.argval
            if called in _TELLING or str(called).startswith(_TELLS):
                return True
        if isinstance(one.argval, tuple) and "exc_info" in one.argval:  # names of a call's keywords
            return True
    return False


def _loads(one: dis.Instruction, name: str, *, first: bool) -> bool:
    if not one.opname.startswith(("LOAD_", "STORE_FAST_LOAD_FAST")):
        return False
    if one.opname == "STORE_FAST_LOAD_FAST":
        return bool(one.argval[1] == name)
    return bool(name in one.argval if isinstance(one.argval, tuple) else one.argval == name and not first)


def _raises(part: Sequence[dis.Instruction]) -> bool:
    return any(one.opname == "RAISE_VARARGS" for one in part)


def _line(instructions: Sequence[dis.Instruction], index: int) -> int:
    positions = instructions[index].positions if index < len(instructions) else None
    return (positions.lineno if positions else None) or 0

"""
What a code object's exception handlers do with what they catch, read from its byte code.

The interpreter says that a handler was entered, and where. Most of those are noise: every coroutine frame that an
exception crosses enters one that turns ``StopIteration`` into a ``RuntimeError``, every ``except ... as e`` has one
that deletes ``e``, every ``finally`` passes on. What is left are the clauses that somebody wrote.

By the layout that the compilers of 3.12 and 3.13 give a ``try`` (Objects/exception_handling_notes.txt in CPython).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from unlost.observe.watch._clause import BUILT_IN, Clause, Handler
from unlost.observe.watch._flow import Flow, flow_from, reaches
from unlost.observe.watch._instructions import Instruction
from unlost.observe.watch._listing import Listing
from unlost.observe.watch._looks import loads, looks_at, name_bound_by

BROAD: Final = frozenset({"Exception", "BaseException"})

_MOST_LOADS: Final = 60  # instructions that spell the types of one clause


def handler_at(listing: Listing, offset: int) -> Handler | None:
    """Return the handler that is entered at an offset; None for one that nobody wrote, or that only passes on."""
    start = listing.index_at(offset)
    if start is None or listing.opname(start) != "PUSH_EXC_INFO":
        return None
    depth = next((guard.depth for guard in listing.guards if guard.target == offset), 0)
    if listing.opname(start + 1) == "WITH_EXCEPT_START":
        flow = flow_from(listing, start + 1, depth)
        return Handler((), depth, loops=_loops(listing, flow, start))
    clauses, groups = _clauses(listing, start, depth)
    if not any(clause.ends or clause.raises for clause in clauses):
        return _tidying(listing, start, depth)
    plain = not any(clause.swallows or (clause.broad and clause.raises) for clause in clauses)
    narrow = plain and not groups and all(clause.types and BUILT_IN.issuperset(clause.types) for clause in clauses)
    return Handler(tuple(clauses), depth, groups, plain, narrow)


def _tidying(listing: Listing, start: int, depth: int) -> Handler | None:
    """Return a handler that ends nothing, but within which other exceptions may come up from elsewhere."""
    awaits = any(listing.opname(index) == "SEND" for index in flow_from(listing, start + 1, depth).inside)
    return Handler((), depth, tidies=True) if awaits else None


def _clauses(listing: Listing, start: int, depth: int) -> tuple[list[Clause], bool]:
    clauses: list[Clause] = []
    groups = False
    index: int | None = start + 1
    while index is not None:
        check = _check_of(listing, index)
        jump = None if check is None else _jump_after(listing, check)
        if check is None or jump is None:
            clauses.extend([] if groups else _last(listing, index, start, depth))
            break
        groups = groups or listing.opname(check) == "CHECK_EG_MATCH"
        following = listing.target_of(jump)
        clauses.append(_clause(listing, start, depth, (index, check, jump + 1), following if groups else None))
        index = following
    return clauses, groups


def _check_of(listing: Listing, index: int) -> int | None:
    """Return where the next clause's types are matched; None where no clause begins."""
    for position in range(index, min(index + _MOST_LOADS, len(listing.instructions))):
        name = listing.opname(position)
        if name in ("CHECK_EXC_MATCH", "CHECK_EG_MATCH"):
            return position
        # POP_TOP, LIST_APPEND and a jump are what lies between two clauses of except*
        between = name in ("POP_TOP", "LIST_APPEND") or name.startswith("JUMP_FORWARD")
        if not between and not name.startswith(("LOAD_", "BUILD_", "CALL", "PUSH_NULL", "COPY", "BINARY_", "KW_NAMES")):
            return None
        if between and listing.opname(index) == name and not _is_star(listing, index):
            return None
    return None


def _is_star(listing: Listing, index: int) -> bool:
    return any(listing.opname(index - back) in ("POP_JUMP_IF_NONE", "JUMP_FORWARD") for back in (1, 2))


def _jump_after(listing: Listing, check: int) -> int | None:
    """Return the jump past a clause that does not match."""
    for position in range(check + 1, min(check + 4, len(listing.instructions))):
        if listing.opname(position).startswith("POP_JUMP"):
            return position
    return None


def _clause(listing: Listing, start: int, depth: int, parts: tuple[int, int, int], until: int | None) -> Clause:
    """Read a clause; one of ``except*`` ends where the next begins, any other where the exception is gone."""
    first, check, body = parts
    types = _types(listing, first, check)
    flow = flow_from(listing, body, depth) if until is None else Flow(frozenset(range(body, until)), frozenset({until}))
    return _judged(listing, flow, (types, not BROAD.isdisjoint(types)), (start, check, body))


def _last(listing: Listing, index: int, start: int, depth: int) -> list[Clause]:
    """Return the bare ``except``, or the ``finally`` that ends what was raised, that begins here, if one does."""
    if listing.opname(index) == "RERAISE":
        return []
    flow = flow_from(listing, index, depth)
    is_except = index == start + 1 and listing.opname(index) == "POP_TOP"
    clause = _judged(listing, flow, ((), True), (start, index, index))
    # a finally that raises another says nothing of the one that it passes on
    return [clause] if clause.ends or (is_except and clause.raises) else []


def _judged(listing: Listing, flow: Flow, catches: tuple[tuple[str, ...], bool], at: tuple[int, int, int]) -> Clause:
    start, first, body = at
    types, broad = catches
    bound = name_bound_by(listing.instructions[body]) if types else None
    inside = [listing.instructions[index] for index in sorted(flow.inside) if not _is_laid_aside(listing, index, bound)]
    used, ends = looks_at(inside, bound), bool(flow.after)
    return Clause(
        types=types,
        broad=broad,
        used=used,
        ends=ends,
        raises=any(one.opname == "RAISE_VARARGS" and one.argval for one in inside),
        loops=_loops(listing, flow, start),
        line=_line(listing, first),
        named=tuple(dict.fromkeys(_dotted(inside))) if ends and not used else (),
    )


def _is_laid_aside(listing: Listing, index: int, bound: str | None) -> bool:
    """Say whether an instruction loads the exception only to give it another name, which is never read."""
    one, following = listing.instructions[index], listing.opname(index + 1)
    if bound is None or following != "STORE_FAST" or not loads(one, bound):
        return False
    name = listing.instructions[index + 1].argval
    return not any(loads(each, name) or each.argval == "locals" for each in listing.instructions)


def _loops(listing: Listing, flow: Flow, start: int) -> bool:
    target = listing.instructions[start].offset
    return any(
        reaches(listing, flow.after, guard.start, guard.end) for guard in listing.guards if guard.target == target
    )


def _types(listing: Listing, index: int, check: int) -> tuple[str, ...]:
    """Return the dotted name of each type that is loaded."""
    return _dotted(listing.instructions[index:check])


def _dotted(instructions: Sequence[Instruction]) -> tuple[str, ...]:
    """Return the dotted name of each thing that is loaded."""
    found: list[str] = []
    for one in instructions:
        if one.opname in ("LOAD_ATTR", "LOAD_METHOD") and found:
            found[-1] = f"{found[-1]}.{one.argval}"
        elif one.opname.startswith(("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FAST", "LOAD_DEREF", "LOAD_FROM_DICT")):
            found.extend(one.argval if isinstance(one.argval, tuple) else [str(one.argval)])
        elif one.opname.startswith(("CALL", "BINARY_", "LOAD_CONST")):
            found.append("?")
    return tuple(found)


def _line(listing: Listing, index: int) -> int:
    last = min(index + 2, len(listing.instructions))
    return next(filter(None, map(listing.line_of, range(index, last))), 0)

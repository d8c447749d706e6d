from __future__ import annotations

import argparse
import asyncio.base_events
import asyncio.tasks
import contextlib
import dis
import inspect
import sys
import tokenize
import typing
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, ModuleType

import pytest

from unlost.observe.watch._guards import Guard, guards_of
from unlost.observe.watch._instructions import instructions_of
from unlost.observe.watch._listing import Listing

# what dis shows as its text, or looks up elsewhere: no handler is read by it
_OTHERWISE = {
    "COMPARE_OP",
    "IS_OP",
    "CONTAINS_OP",
    "FORMAT_VALUE",
    "CONVERT_VALUE",
    "MAKE_FUNCTION",
    "SET_FUNCTION_ATTRIBUTE",
}
_MODULES = [argparse, asyncio.base_events, asyncio.tasks, contextlib, dis, inspect, tokenize, typing]

pytestmark = pytest.mark.skipif(sys.version_info < (3, 12), reason="no handler is read before")


def codes_of(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes_of(constant)


@pytest.mark.parametrize("module", _MODULES, ids=lambda module: module.__name__)
def test_instructions_are_those_of_dis(module: ModuleType) -> None:
    source = Path(module.__file__ or "").read_text(encoding="utf-8")
    for code in codes_of(compile(source, "module.py", "exec")):
        ours = [(one.offset, one.opname, one.argval) for one in instructions_of(code)]
        known = [one for one in dis.get_instructions(code) if one.opname != "CACHE"]

        assert [one[:2] for one in ours] == [(one.offset, one.opname) for one in known]
        assert [one for one in ours if one[1] not in _OTHERWISE] == [
            (one.offset, one.opname, one.argval) for one in known if one.opname not in _OTHERWISE
        ]


@pytest.mark.parametrize("module", _MODULES[:3], ids=lambda module: module.__name__)
def test_lines_are_those_of_dis(module: ModuleType) -> None:
    source = Path(module.__file__ or "").read_text(encoding="utf-8")
    for code in codes_of(compile(source, "module.py", "exec")):
        listing = Listing(code)
        lines = {one.offset: one.positions.lineno or 0 for one in dis.get_instructions(code) if one.positions}

        assert [listing.line_of(index) for index in range(len(listing.instructions))] == [
            lines[one.offset] for one in listing.instructions
        ]


@pytest.mark.parametrize("module", _MODULES, ids=lambda module: module.__name__)
def test_guards_are_those_of_dis(module: ModuleType) -> None:
    source = Path(module.__file__ or "").read_text(encoding="utf-8")
    for code in codes_of(compile(source, "module.py", "exec")):
        known = dis.Bytecode(code).exception_entries  # type: ignore[attr-defined]  # not in the stubs

        assert guards_of(code) == tuple(Guard(one.start, one.end, one.target, one.depth) for one in known)


@pytest.mark.parametrize("module", _MODULES[:3], ids=lambda module: module.__name__)
def test_a_listing_leaves_out_what_does_nothing_and_finds_what_comes_after_it(module: ModuleType) -> None:
    source = Path(module.__file__ or "").read_text(encoding="utf-8")
    for code in codes_of(compile(source, "module.py", "exec")):
        listing, every = Listing(code), list(instructions_of(code))
        kept = [one for one in every if one.opname not in ("NOP", "EXTENDED_ARG", "RESUME")]
        behind = {one.offset: next((each for each in kept if each.offset >= one.offset), None) for one in every}

        assert list(listing.instructions) == kept == list(listing.instructions[:])
        assert [listing.opname(index) for index in range(len(kept))] == [one.opname for one in kept]
        assert {
            one.offset: None if (index := listing.index_at(one.offset)) is None else kept[index] for one in every
        } == behind

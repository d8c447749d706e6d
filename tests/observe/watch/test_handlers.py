"""What is read from the byte code of a handler."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from unlost.observe.watch._clause import Handler
from unlost.observe.watch._handlers import handler_at
from unlost.observe.watch._listing import Listing

pytestmark = pytest.mark.skipif(sys.version_info < (3, 12), reason="the layout is that of 3.12 and later")


def handlers(source: str) -> list[Handler]:
    """Return the handlers of ``f``, the outermost first."""
    names: dict[str, Callable[[], object]] = {}
    exec(compile("async def f():\n" + "".join(f"    {line}\n" for line in source.splitlines()), "f.py", "exec"), names)
    listing = Listing(names["f"].__code__)
    found = {guard.target: handler_at(listing, guard.target) for guard in listing.guards}
    return [handler for _, handler in sorted(found.items()) if handler is not None]


def only(source: str) -> Handler:
    [handler] = handlers(source)
    return handler


@pytest.mark.parametrize(
    "source",
    [
        "await a()",
        "async for x in a(): b()",
        "return [x async for x in a()]",
        "try: a()\nfinally: b()",
        "try: a()\nfinally:\n  try: b()\n  finally: c()",
        "try: a()\nexcept Exception: raise",
        "try: a()\nexcept Exception:\n  b()\n  raise",
        "try: a()\nexcept BaseException as e:\n  b(e)\n  raise",
    ],
)
def test_what_nobody_wrote_or_only_passes_on_is_noise(source: str) -> None:
    assert handlers(source) == []


@pytest.mark.parametrize(
    ("source", "types"),
    [
        ("try: a()\nexcept A: b()", ("A",)),
        ("try: a()\nexcept (A, b.c.D): b()", ("A", "b.c.D")),
        ("try: a()\nexcept: b()", ()),
        ("E = b()\ntry: a()\nexcept E: b()", ("E",)),
        ("try: a()\nexcept b(): c()", ("b", "?")),
        ("try: a()\nexcept* A: b()", ("A",)),
    ],
)
def test_the_types_of_a_clause_are_read(source: str, types: tuple[str, ...]) -> None:
    assert only(source).clauses[0].types == types


def test_each_clause_of_a_chain_is_read() -> None:
    clauses = only("try: a()\nexcept A: b()\nexcept (B, C) as e: b(e)\nexcept: c()").clauses

    assert [(clause.types, clause.broad, clause.used, clause.line) for clause in clauses] == [
        (("A",), False, False, 3),
        (("B", "C"), False, True, 4),
        ((), True, False, 5),
    ]


def test_each_clause_of_except_star_is_read() -> None:
    handler = only("try: a()\nexcept* A as e: b()\nexcept* (B, Exception) as e: b(e)\nexcept* C: pass")

    assert handler.groups
    assert [(clause.types, clause.broad, clause.used, clause.line) for clause in handler.clauses] == [
        (("A",), False, False, 3),
        (("B", "Exception"), True, True, 4),
        (("C",), False, False, 5),
    ]


@pytest.mark.parametrize(
    "body",
    [
        "print(e)",
        "x.error = e",
        "x = lambda: e",
        "log.exception('x')",
        "log.warning('x', exc_info=True)",
        "self.log(1, 2, stack_info=1, exc_info=1)",
        "sys.exc_info()",
        "print_exc()",
        "loop.call_exception_handler({})",
        "self._handle_error()",
        "on_exception(1)",
        "try: b()\n  except C: print(e)",
    ],
)
def test_a_clause_that_looks_at_the_exception_or_calls_who_does_uses_it(body: str) -> None:
    clause = (
        only(f"try: a()\nexcept Exception as e:\n  {body}").clauses[0]
        if "try" not in body
        else (handlers(f"try: a()\nexcept Exception as e:\n  {body}")[0].clauses[0])
    )

    assert clause.used
    assert not clause.swallows


@pytest.mark.parametrize(
    "body", ["pass", "return None", "continue", "log.warning('x')", "e = 1", "handle(1)", "x.on_close()"]
)
def test_a_clause_that_does_not_look_at_the_exception_swallows_it(body: str) -> None:
    assert only(f"while True:\n  try: a()\n  except Exception as e: {body}").clauses[0].swallows


def test_a_finally_that_can_end_what_was_raised_is_a_clause() -> None:
    assert only("try: a()\nfinally: return 1").clauses[0].swallows
    assert only("while True:\n  try: a()\n  finally: break").clauses[0].swallows
    assert only("try: a()\nfinally:\n  if b: return 1\n  c()").clauses[0].swallows


def test_a_finally_whose_inner_handler_returns_is_a_clause() -> None:
    with_return = handlers("try: a()\nfinally:\n  try: b()\n  except X: return 1")
    without = handlers("try: a()\nfinally:\n  try: b()\n  except X: pass")

    assert [one.clauses[0].types for one in with_return if one.clauses[0].swallows] == [()]
    assert [one for one in without if one.clauses[0].swallows] == []


def test_a_clause_that_raises_another_exception_never_ends_its_own() -> None:
    clause = only("try: a()\nexcept Exception as e: raise B from e").clauses[0]

    assert clause.raises
    assert not clause.ends


def test_a_clause_after_which_the_guarded_code_can_run_again_loops() -> None:
    assert only("while True:\n  try: a()\n  except A: pass").clauses[0].loops
    assert only("for x in y:\n  try: a()\n  except A: continue").clauses[0].loops
    assert not only("while True:\n  try: a()\n  except A: break").clauses[0].loops
    assert not only("try: a()\nexcept A: pass\nb()").clauses[0].loops


def test_a_with_is_a_handler_without_clauses() -> None:
    assert only("with a(): b()").clauses == ()
    assert only("async with a(): await b()").clauses == ()
    assert only("while True:\n  with a(): b()").loops


def test_a_handler_within_another_is_deeper() -> None:
    outer, inner = handlers("try: a()\nexcept A:\n  try: b()\n  except B: pass")

    assert outer.depth < inner.depth


def test_long_functions_whose_jumps_need_prefixes_are_read() -> None:
    filler = "\n".join(f"    x{number} = b(x, {number})" for number in range(400))
    source = f"for x in y:\n  try:\n{filler}\n  except Exception:\n    if x: raise\n{filler}\n  except: pass"

    [handler] = handlers(source)

    assert [(clause.types, clause.swallows, clause.loops) for clause in handler.clauses] == [
        (("Exception",), True, True),
        ((), True, True),
    ]

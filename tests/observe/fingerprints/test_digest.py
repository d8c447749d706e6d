"""One bug, one fingerprint; two bugs, two."""

import asyncio
import copy
import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from unlost.errors import attach_attempts
from unlost.observe import digest, fingerprint, record, variant


def module(source: str, name: str, file: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": name}
    exec(compile(source, file, "exec"), namespace)
    return namespace


def caught(function: Callable[[], object]) -> Exception:
    with pytest.raises(Exception) as info:  # noqa: PT011  # any error of the corpus
        function()
    return info.value


def test_a_fingerprint_is_the_head_of_its_digest_and_stays_the_same_through_json() -> None:
    error_record = record(caught(lambda: {}["price"]))
    reloaded = json.loads(json.dumps(error_record))

    assert len(digest(error_record)) == 64
    assert digest(reloaded) == digest(error_record)
    assert fingerprint(reloaded) == digest(error_record)[:6]


def recurse(depth: int) -> int:
    return 1 // 0 if depth == 0 else recurse(depth - 1)


def test_the_depth_of_a_recursion_does_not_matter() -> None:
    prints = {fingerprint(record(caught(lambda depth=depth: recurse(depth)))) for depth in (1, 2, 9, 200)}

    assert len(prints) == 1


def test_callers_do_not_matter_and_the_innermost_eight_make_a_variant() -> None:
    chain = "\n".join(f"def f{level}(): return f{level + 1}()" for level in range(8)) + "\ndef f8(): return 1 / 0"
    namespace = module(chain, "jobs", "jobs.py")

    deep, deeper, shallow = (record(caught(namespace[start])) for start in ("f1", "f0", "f5"))

    assert digest(deep) == digest(deeper) == digest(shallow)
    assert variant(deep) == variant(deeper) != variant(shallow)


def test_a_comprehension_is_no_function_of_its_own() -> None:
    inlined = module("def run():\n    items = [1 // 0 for _ in 'a']\n    return items", "jobs", "jobs.py")
    error_record = record(caught(inlined["run"]))
    of_3_11, of_3_12 = copy.deepcopy(error_record), copy.deepcopy(error_record)
    run = next(frame for frame in error_record["frames"] if frame["function"] == "run")
    of_3_11["frames"] = [run, {**run, "function": "run.<locals>.<listcomp>"}]
    of_3_12["frames"] = [run]

    assert fingerprint(of_3_11) == fingerprint(of_3_12)


def test_attempts_notes_and_context_do_not_matter() -> None:
    plain, decorated = caught(lambda: recurse(0)), caught(lambda: recurse(0))
    decorated.add_note("at 12:03")
    decorated.__context__ = ValueError("before")
    attach_attempts(decorated, (TimeoutError("first"),))

    assert fingerprint(record(plain)) == fingerprint(record(decorated))


def test_a_group_is_the_set_of_its_members() -> None:
    def group(*numbers: int) -> str:
        makers: list[Callable[[], object]] = [lambda: recurse(0), lambda: int("x"), lambda: {}["k"]]
        return fingerprint(record(ExceptionGroup("some", [caught(makers[number]) for number in numbers])))

    assert group(0, 1) == group(1, 0) == group(0, 1, 1, 0)
    assert group(0, 1) != group(0, 2)


def test_a_group_of_one_bug_is_that_bug() -> None:
    def error() -> Exception:
        return caught(lambda: recurse(0))

    member = error()
    nested = ExceptionGroup("outer", [ExceptionGroup("inner", [error(), error()]), error()])
    assert fingerprint(record(nested)) == fingerprint(record(member))


def test_the_size_of_a_record_does_not_matter() -> None:
    small = caught(lambda: recurse(3))
    large = caught(lambda: recurse(3))
    large.args = ("integer division or modulo by zero",)
    for _ in range(100):
        large.add_note("\U0001f600" * 1000)

    assert fingerprint(record(small)) == fingerprint(record(large))


def test_a_long_name_does_not_depend_on_the_size_of_the_record() -> None:
    name = "f" * 40 + "g" * 140
    run = module(f"class {name}(Exception): pass\ndef {name}_(): raise {name}", name, "jobs.py")[f"{name}_"]
    small, large = caught(run), caught(run)
    for _ in range(100):
        large.add_note("\U0001f600" * 1000)

    assert "g" * 140 in record(small)["type"]["qualname"]
    assert "g" * 140 not in record(large)["type"]["qualname"]
    assert fingerprint(record(small)) == fingerprint(record(large))


def test_what_a_library_was_called_for_matters() -> None:
    library = module("def get(): raise OSError(5)\ndef put(): raise OSError(5)", "lib", "/x/site-packages/lib.py")
    namespace = module("def run(call): return call()", "jobs", "jobs.py")

    prints = {fingerprint(record(caught(lambda name=name: namespace["run"](library[name])))) for name in ("get", "put")}
    assert len(prints) == 2


def test_a_script_and_its_import_are_the_same_code() -> None:
    prints = set()
    for name in ("__main__", "jobs"):
        namespace = module("def run(): return 1 / 0", name, "/app/jobs.py")
        error = record(caught(namespace["run"]))
        error["frames"] = error["frames"][-1:]  # without the caller, which is this test
        prints.add(fingerprint(error))

    assert len(prints) == 1


async def test_where_an_error_was_never_raised_type_and_message_decide() -> None:
    first, second = asyncio.CancelledError(), asyncio.CancelledError("why")

    assert fingerprint(record(first)) != fingerprint(record(second))
    assert fingerprint(record(first)) == fingerprint(record(asyncio.CancelledError()))


def test_the_module_of_a_library_that_a_class_or_a_function_is_in_does_not_matter() -> None:
    source = "class Odd(Exception): pass\ndef get(): raise Odd('no')"
    namespace = module("def run(call): return call()", "jobs", "jobs.py")

    prints = set()
    for name in ("lib.client", "lib._core.http"):
        library = module(source, name, "/x/site-packages/lib/client.py")
        prints.add(fingerprint(record(caught(lambda library=library: namespace["run"](library["get"])))))

    assert len(prints) == 1


def test_where_no_code_is_the_users_the_librarys_innermost_function_matters() -> None:
    library = module("def get(): return 1 / 0\ndef put(): return 1 / 0", "lib", "/x/site-packages/lib.py")
    get, put = (record(caught(library[name])) for name in ("get", "put"))
    for error in (get, put):
        error["frames"] = error["frames"][-1:]  # without the caller, which is this test

    assert fingerprint(get) != fingerprint(put)


def test_what_a_library_wrapped_on_the_way_does_not_matter_and_the_root_does() -> None:
    def chain(*links: BaseException) -> str:
        for outer, inner in pairwise(links):
            outer.__cause__ = inner
        return digest(record(links[0]))

    refused, unreachable = OSError(111, "a"), OSError(101, "a")
    assert chain(RuntimeError("x"), ValueError("pool"), refused) == chain(RuntimeError("x"), refused)
    assert chain(RuntimeError("x"), refused) != chain(RuntimeError("x"), unreachable)


def test_comprehensions_of_3_11_are_the_function_class_or_module_that_they_are_in() -> None:
    error = record(caught(lambda: recurse(0)))

    def variant_in(function: str) -> str:
        error["frames"] = [{**error["frames"][-1], "function": function}]
        return variant(error)

    assert variant_in("C.f.<locals>.<listcomp>.<setcomp>") == variant_in("C.f")
    assert variant_in("f.<locals>.<dictcomp>.<lambda>") == variant_in("f.<locals>.<lambda>")
    assert variant_in("C.<listcomp>.<lambda>") == variant_in("C.<lambda>")
    assert variant_in("C.<listcomp>") == variant_in("C")
    assert variant_in("<listcomp>") == variant_in("<module>")
    assert variant_in("<listcomp>.<lambda>") == variant_in("<lambda>")
    assert variant_in("f.<locals>.<genexpr>") != variant_in("f")


def test_the_two_keys_never_have_the_same_value() -> None:
    error = record(ValueError("alone"))

    assert digest(error) != variant(error)

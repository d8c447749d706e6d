"""One bug, one fingerprint; two bugs, two."""

import asyncio
import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from unlost.errors import attach_attempts
from unlost.observe import digest, fingerprint, record

# Each bug is a module of its own; {n} varies, as do the lines above, the callers and what is found in the data.
BUGS = {
    "missing key": "def parse(item): return item['price']\ndef run(n): parse({'id': n})",
    "another key": "def parse(item): return item['name']\ndef run(n): parse({'id': n})",
    "same key elsewhere": "def read(item): return item['price']\ndef run(n): read({'id': n})",
    "attribute": "def run(n): None.price",
    "bad number": "def run(n): int(f'x{n}y')",
    "bad json": "import json\ndef run(n): json.loads('{' + ' ' * n + ']')",
    "domain error": "class NotFound(Exception): pass\n"
    "def run(n): raise NotFound(f'item {n} of user{n}@example.com at https://h/items/{n} not in \"/data/{n}.csv\"')",
    "wrapped": "class JobFailed(Exception): pass\n"
    "def run(n):\n    try: {}['price']\n    except KeyError as e: raise JobFailed(f'job {n} 2024-01-{n + 10}') from e",
    "other cause": "class JobFailed(Exception): pass\n"
    "def run(n):\n    try: 1 / 0\n    except ZeroDivisionError as e: raise JobFailed(f'job {n} 2024-01-01') from e",
    "status 503": "class ApiError(Exception):\n    status_code = 503\ndef run(n): raise ApiError(f'try {n}')",
    "status 404": "class ApiError(Exception):\n    status_code = 404\ndef run(n): raise ApiError(f'try {n}')",
}
LIBRARY = "def call(f, n):\n    return f(n) if n <= 0 else call_again(f, n)\ndef call_again(f, n): return f(n)\n"


def module(source: str, name: str, file: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": name}
    exec(compile(source, file, "exec"), namespace)
    return namespace


def caught(function: Callable[[], object]) -> Exception:
    with pytest.raises(Exception) as info:  # noqa: PT011  # any error of the corpus
        function()
    return info.value


def variants(source: str) -> Iterator[Exception]:
    """The same bug eight times: other data, other lines, other libraries around it, another folder."""
    library = module(LIBRARY, "lib.core", "/venv/lib/python3.11/site-packages/lib/core.py")
    for number in range(8):
        namespace = module("\n" * number + source, "jobs", f"/home/user{number}/jobs.py")
        run = namespace["run"]
        if number % 2:
            yield caught(lambda run=run, number=number: run(number))
        else:
            yield caught(lambda run=run, number=number: library["call"](run, number))


def test_a_corpus_of_bugs_falls_into_exactly_its_groups() -> None:
    groups = {name: {fingerprint(record(error)) for error in variants(source)} for name, source in BUGS.items()}

    assert {name: len(prints) for name, prints in groups.items()} == dict.fromkeys(BUGS, 1)
    assert len(set.union(*groups.values())) == len(BUGS)


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


def test_callers_beyond_the_innermost_eight_functions_do_not_matter() -> None:
    chain = "\n".join(f"def f{level}(): return f{level + 1}()" for level in range(8)) + "\ndef f8(): return 1 / 0"
    namespace = module(chain, "jobs", "jobs.py")

    prints = {fingerprint(record(caught(namespace[start]))) for start in ("f0", "f1")}
    assert len(prints) == 1
    assert fingerprint(record(caught(namespace["f5"]))) not in prints


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

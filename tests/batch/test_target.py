"""A target is found, checked and opened; what cannot be one is refused with the line to write instead."""

import asyncio
import functools
import importlib
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from unlost.batch._context import Context
from unlost.batch.target._target import load_target, open_target, target_of
from unlost.errors import UsageError
from unlost.policies import JobOptions, job

CONTEXT = Context("run", "key", 1)


@pytest.fixture(autouse=True)
def _imports_are_undone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    modules = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield
    for name in set(sys.modules) - modules:
        del sys.modules[name]
    importlib.invalidate_caches()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    def write(name: str, text: str) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text))
        return file

    return write


Write = Callable[[str, str], Path]

FETCH = """
    async def fetch(item):
        return item
"""


async def result_of(target: Any, item: object = "item") -> Any:
    async with open_target(target) as run:
        return await run(item, CONTEXT)


# --- found


async def test_a_function_is_found_in_the_current_folder(write: Write, tmp_path: Path) -> None:
    file = write("jobs.py", FETCH)
    target = load_target("jobs:fetch", tmp_path)

    assert (target.spec, target.name, target.source_file) == ("jobs:fetch", "fetch", file)
    assert target.source_hash == sha256(file.read_bytes()).hexdigest()
    assert (target.wants_context, target.is_context_manager) == (False, False)
    assert target.defined_at == "jobs.py:2"
    assert await result_of(target) == "item"


def test_the_current_folder_is_searched_first_and_stays(write: Write, tmp_path: Path) -> None:
    write("jobs.py", FETCH)
    load_target("jobs:fetch", tmp_path)
    load_target("jobs:fetch", tmp_path)

    assert sys.path[0] == str(tmp_path)
    assert sys.path.count(str(tmp_path)) == 1


def test_the_process_folder_is_the_default(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("jobs.py", FETCH)
    monkeypatch.chdir(tmp_path)

    assert load_target("jobs:fetch").source_file == tmp_path / "jobs.py"


@pytest.mark.parametrize("spec", ["pkg.jobs:fetch", "pkg/jobs.py:fetch", "./pkg/jobs.py:fetch", r"pkg\jobs.py:fetch"])
def test_a_path_is_understood_as_the_module(write: Write, tmp_path: Path, spec: str) -> None:
    write("pkg/jobs.py", FETCH)

    assert load_target(spec, tmp_path).spec == "pkg.jobs:fetch"


def test_the_file_itself_is_understood_as_the_module(write: Write, tmp_path: Path) -> None:
    write("jobs.py", FETCH)

    assert load_target("jobs.py:fetch", tmp_path).spec == "jobs:fetch"
    assert load_target(f"{tmp_path}/jobs.py:fetch", tmp_path).spec == "jobs:fetch"


async def test_dots_lead_into_objects(write: Write, tmp_path: Path) -> None:
    write(
        "jobs.py",
        """
        class Client:
            async def fetch(self, item):
                return self, item
            @staticmethod
            async def plain(item):
                return item
        client = Client()
        """,
    )

    assert (await result_of(load_target("jobs:client.fetch", tmp_path)))[1] == "item"
    assert await result_of(load_target("jobs:Client.plain", tmp_path)) == "item"


def test_the_hash_covers_the_file_of_an_imported_function(write: Write, tmp_path: Path) -> None:
    write("jobs.py", "from lib import fetch")
    lib = write("lib.py", FETCH)
    before = load_target("jobs:fetch", tmp_path)
    lib.write_text(lib.read_text() + "# changed\n")
    after = load_target("jobs:fetch", tmp_path)

    assert before.source_file == tmp_path / "jobs.py"
    assert before.source_hash != after.source_hash


def test_the_decorators_policy_is_read(write: Write, tmp_path: Path) -> None:
    write("jobs.py", "from unlost.policies import job\n\n@job(attempts=5)\nasync def fetch(item): ...")
    target = load_target("jobs:fetch", tmp_path)

    assert target.options == JobOptions(attempts=5)
    assert target.defined_at == "jobs.py:3"


# --- not found


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("jobs", "Write jobs:fetch"),
        ("jobs.py", "Write jobs:fetch"),
        ("jobs:", "Write jobs:fetch"),
        (":fetch", "Write fetch:FUNCTION"),
        ("jobs.fetch", "Write jobs:fetch"),
        ("two", "two.py has: one, two. Write two:one"),
        ("", "Write jobs:FUNCTION"),
    ],
)
def test_a_target_without_colon_gets_the_corrected_spelling(write: Write, tmp_path: Path, spec: str, said: str) -> None:
    write("jobs.py", FETCH)
    write("two.py", "async def one(item): ...\nasync def two(item): ...")

    with pytest.raises(UsageError) as caught:
        load_target(spec, tmp_path)

    assert str(caught.value).endswith(said)
    assert repr(spec) in str(caught.value)


def test_a_missing_module_names_similar_files(write: Write, tmp_path: Path) -> None:
    write("jobs.py", FETCH)

    with pytest.raises(UsageError, match=r"no module 'job', .*Did you mean jobs\?") as caught:
        load_target("job:fetch", tmp_path)

    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_a_missing_module_of_a_package_is_called_missing(write: Write, tmp_path: Path) -> None:
    write("pkg/__init__.py", "")

    with pytest.raises(UsageError, match=r"There is no module 'pkg\.jobs'"):
        load_target("pkg.jobs:fetch", tmp_path)
    with pytest.raises(UsageError, match=r"There is no module 'nowhere\.jobs'"):
        load_target("nowhere.jobs:fetch", tmp_path)


def test_a_missing_module_names_what_there_is(write: Write, tmp_path: Path) -> None:
    write("a.py", "")
    write("pkg/__init__.py", "")

    with pytest.raises(UsageError, match=r"Modules there: a, pkg\."):
        load_target("zebra:fetch", tmp_path)


def test_an_empty_folder_is_called_the_wrong_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="change to the folder that holds it"):
        load_target("zebra:fetch", tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import no_such_thing", r"and raised .* No module named 'no_such_thing' \(at jobs.py:1\)"),
        ("import jobs.more", r"and raised .* 'jobs' is not a package \(at jobs.py:1\)"),
        ("x = 1\n1 / x - 1 / 0", r"and raised .* ZeroDivisionError: division by zero \(at jobs.py:2\)"),
        ("import sys; sys.exit(3)", r"and raised .* SystemExit: 3 \(at jobs.py:1\)"),
        ("def f(:", r"but cannot be imported: SyntaxError"),
        ("class E(Exception):\n    def __str__(self): return 1 / 0\nraise E", r"and raised .*jobs\.E"),
    ],
)
def test_a_module_that_raises_is_told_from_one_that_is_missing(
    write: Write, tmp_path: Path, text: str, said: str
) -> None:
    write("jobs.py", text)

    with pytest.raises(UsageError, match=f"The module 'jobs' was found {said}") as caught:
        load_target("jobs:fetch", tmp_path)

    assert caught.value.__cause__ is not None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import json\n\nSETTINGS = json.loads('{nope')\n", r"JSONDecodeError: .* \(at jobs.py:3\)$"),
        ("import unlost\n\n\n@unlost.job(attempts='x')\nasync def fetch(item): ...\n",
         r"imported: @job\(attempts='x'\): expected an int.* \(at jobs.py:4\)$"),
        ("import unlost\n\nunlost.job(timeout=-1)\n", r"imported: @job\(timeout=-1\).* \(at jobs.py:3\)$"),
    ],
)  # fmt: skip
def test_a_module_that_raises_in_a_library_is_named_with_its_own_line(
    write: Write, tmp_path: Path, text: str, said: str
) -> None:
    write("jobs.py", text)

    with pytest.raises(UsageError, match=said):
        load_target("jobs:fetch", tmp_path)


def test_ctrl_c_during_the_import_comes_out(write: Write, tmp_path: Path) -> None:
    write("jobs.py", "raise KeyboardInterrupt")

    with pytest.raises(KeyboardInterrupt):
        load_target("jobs:fetch", tmp_path)


def test_a_file_elsewhere_gets_the_command_that_goes_there(write: Write, tmp_path: Path) -> None:
    file = write("other/jobs.py", FETCH)
    here = tmp_path / "here"
    here.mkdir()

    with pytest.raises(UsageError, match=re.escape(f"cd {file.parent} && unlost run jobs:fetch")):
        load_target("../other/jobs.py:fetch", here)


def test_a_file_whose_name_python_cannot_import_is_refused(write: Write, tmp_path: Path) -> None:
    write("my-jobs.py", FETCH)

    with pytest.raises(UsageError, match="no module that Python can import: 'my-jobs'"):
        load_target("my-jobs.py:fetch", tmp_path)


def test_a_missing_function_names_the_nearest_and_all_async_ones(write: Write, tmp_path: Path) -> None:
    write("jobs.py", FETCH + "    async def other(item): ...\n    def sync(item): ...\n    class C: ...")

    with pytest.raises(UsageError, match=r"Did you mean 'fetch'\? Async functions: jobs:fetch, jobs:other\."):
        load_target("jobs:fech", tmp_path)
    with pytest.raises(UsageError, match=r"jobs:C has no 'x'\. It has no async functions\."):
        load_target("jobs:C.x", tmp_path)


def test_a_missing_function_tells_which_file_was_imported(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"The module 'json' \(.*__init__\.py\) has no 'fetch'"):
        load_target("json:fetch", tmp_path)


# --- checked


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def fetch(item): ...", "async def fetch_async(item): return await asyncio.to_thread(fetch, item)"),
        ("fetch = len", "is a sync function"),
        ("def fetch(item):\n    yield", "is a generator function. Write async def fetch(item):"),
        ("async def fetch(item):\n    yield", "put @asynccontextmanager (from contextlib) above it"),
        ("class fetch: ...", "is a class; expected an async function of one item."),
        ("class fetch:\n    async def get(self, item): ...", "name its method: job = fetch().get"),
        ("class fetch:\n    async def __call__(self, item): ...", "name that: job = fetch()"),
        ("fetch = 5", "is 5, which cannot be called"),
        ("fetch = None", "is None, which cannot be called"),
        ("async def fetch(): ...", "takes no positional parameter"),
        ("async def fetch(*, item): ...", "requires 'item' by keyword"),
        ("async def fetch(item, *, url): ...", "bind it: fetch = functools.partial(fetch, url=...)"),
        ("async def fetch(a, b, c): ...", "requires 'a', 'b', 'c'; a job is called with (item) or (item, context)"),
        (
            "import contextlib\n@contextlib.asynccontextmanager\nasync def fetch(url):\n    yield",
            "is an async context manager that requires 'url'; it is entered without arguments",
        ),
    ],
)
def test_what_cannot_be_a_job_is_refused_with_what_to_write(write: Write, tmp_path: Path, text: str, said: str) -> None:
    write("jobs.py", text)

    with pytest.raises(UsageError) as caught:
        load_target("jobs:fetch", tmp_path)

    assert str(caught.value).startswith("jobs:fetch ")
    assert said in str(caught.value)


def test_a_method_without_its_object_is_refused(write: Write, tmp_path: Path) -> None:
    write("jobs.py", "class Client:\n    async def fetch(self, item): ...")

    with pytest.raises(UsageError, match=r"client = Client\(\), and write jobs:client\.fetch"):
        load_target("jobs:Client.fetch", tmp_path)


class Caller:
    async def __call__(self, item: object) -> object:
        return item

    async def method(self, item: object, context: Context) -> object:
        return item, context

    @classmethod
    async def of_class(cls, item: object) -> object:
        return item


async def plain(item: object) -> object:
    return item


async def with_two(item: object, whatever: object) -> object:
    return item, whatever


async def with_default(item: object, retries: int = 3) -> object:
    return item, retries


async def with_optional_context(item: object, context: Context | None = None) -> object:
    return item, context


async def with_annotated(item: object, told: "Context | None" = None) -> object:
    return item, told


async def with_quoted(item: object, told: "Context" = None) -> object:  # type: ignore[assignment]  # a user's slip
    return item, told


async def with_union(item: object, told: Context | None = None) -> object:
    return item, told


async def with_name(item: object, ctx: object = None) -> object:
    return item, ctx


async def with_rest(*items: object) -> object:
    return items


async def with_keyword(item: object, *, url: str = "u") -> object:
    return item, url


@functools.wraps(plain)
def wrapper(item: object) -> Any:
    return plain(item)


@pytest.mark.parametrize(
    ("func", "gets"),
    [
        (plain, "item"),
        (wrapper, "item"),
        (Caller(), "item"),
        (Caller.of_class, "item"),
        (Caller().method, ("item", CONTEXT)),
        (with_two, ("item", CONTEXT)),
        (with_default, ("item", 3)),
        (with_optional_context, ("item", CONTEXT)),
        (with_annotated, ("item", CONTEXT)),
        (with_quoted, ("item", CONTEXT)),
        (with_union, ("item", CONTEXT)),
        (with_name, ("item", CONTEXT)),
        (with_rest, ("item",)),
        (with_keyword, ("item", "u")),
        (functools.partial(with_keyword, url="v"), ("item", "v")),
        (functools.partial(with_two, "bound"), ("bound", "item")),
        (functools.partial(Caller().method, context=CONTEXT), ("item", CONTEXT)),
    ],
)
async def test_every_async_callable_is_called_with_what_it_takes(func: Any, gets: object) -> None:
    assert await result_of(target_of(func)) == gets


# --- opened


class Entered:
    """A shared client that is its own context manager."""

    def __init__(self) -> None:
        self.log: list[str] = []

    async def __aenter__(self) -> Any:
        self.log.append("entered")
        return with_two

    async def __aexit__(self, *_: object) -> None:
        self.log.append("left")


@asynccontextmanager
async def shared_one() -> AsyncIterator[Any]:
    yield plain


@asynccontextmanager
async def shared_two(url: str = "u") -> AsyncIterator[Any]:
    async def fetch(item: object, context: Context) -> object:
        return item, context, url

    yield fetch


@job(attempts=2)
@asynccontextmanager
async def marked_outside() -> AsyncIterator[Any]:
    yield plain


@asynccontextmanager
@job(attempts=2)
async def marked_inside() -> AsyncIterator[Any]:
    yield plain


@pytest.mark.parametrize(
    ("func", "gets"),
    [
        (shared_one, "item"),
        (shared_two, ("item", CONTEXT, "u")),
        (functools.partial(shared_two, url="v"), ("item", CONTEXT, "v")),
        (Entered, ("item", CONTEXT)),
        (Entered(), ("item", CONTEXT)),
    ],
)
async def test_a_context_manager_is_entered_for_the_function_that_it_yields(func: Any, gets: object) -> None:
    target = target_of(func)

    assert (target.is_context_manager, target.wants_context) == (True, False)
    assert await result_of(target) == gets


@pytest.mark.parametrize("func", [marked_outside, marked_inside])
def test_policy_may_stand_above_or_below_the_context_manager(func: Any) -> None:
    assert target_of(func).options.attempts == 2


async def test_a_context_manager_is_left_when_the_run_ends_however_it_ends() -> None:
    entered = Entered()

    with pytest.raises(asyncio.CancelledError):
        async with open_target(target_of(entered)):
            raise asyncio.CancelledError

    assert entered.log == ["entered", "left"]


async def test_a_context_manager_that_swallows_does_not_swallow_the_runs_error() -> None:
    @asynccontextmanager
    async def swallowing() -> AsyncIterator[Any]:
        with suppress(BaseException):  # what a careless job does
            yield plain

    with pytest.raises(KeyError) as caught:
        async with open_target(target_of(swallowing)):
            raise KeyError("of the run")

    assert caught.value.__context__ is None


async def test_what_a_context_manager_raises_on_leaving_comes_out_with_the_runs_error_as_context() -> None:
    @asynccontextmanager
    async def failing() -> AsyncIterator[Any]:
        try:
            yield plain
        finally:
            raise OSError("closing")

    with pytest.raises(OSError, match="closing") as caught:
        async with open_target(target_of(failing)):
            raise KeyError("of the run")

    assert isinstance(caught.value.__context__, KeyError)


@pytest.mark.parametrize(
    ("yielded", "said"),
    [
        (None, "yields is None, which cannot be called"),
        (len, "yields is a sync function"),
        (shared_one, "yields is a context manager itself"),
    ],
)
async def test_a_context_manager_that_yields_no_job_is_refused(yielded: object, said: str) -> None:
    @asynccontextmanager
    async def shared() -> AsyncIterator[Any]:
        yield yielded

    with pytest.raises(UsageError, match=said):
        await result_of(target_of(shared))


# --- a program's own function


def test_a_programs_function_has_the_spec_that_the_command_takes(write: Write, tmp_path: Path) -> None:
    write("jobs.py", FETCH)
    loaded = load_target("jobs:fetch", tmp_path)

    assert target_of(loaded.func) == loaded


def test_a_function_of_the_main_module_is_known_by_its_own_source(write: Write, tmp_path: Path) -> None:
    text = """
    from unlost.batch.target._target import target_of
    async def fetch(item): return item
    target = target_of(fetch)
    print(target.spec, target.name, target.source_hash)
    """
    outputs = [
        subprocess.run(
            [sys.executable, write("app.py", text + more)], capture_output=True, text=True, check=True
        ).stdout
        for more in ("", "\n    # another line of the driver\n")
    ]

    assert outputs[0] == outputs[1]
    assert outputs[0].startswith("__main__:fetch fetch ")


def test_a_function_without_source_is_known_by_its_byte_code() -> None:
    def define(body: str, line: int) -> Any:
        names: dict[str, Any] = {"__name__": "__main__"}
        exec(compile("\n" * line + f"async def fetch(item): return {body}", "<cell>", "exec"), names)
        return target_of(names["fetch"])

    first = define("item + 1", line=0)

    assert first.source_file is None
    assert define("item + 1", line=7).source_hash == first.source_hash
    assert define("item + 2", line=0).source_hash != first.source_hash

"""Formats in whole runs: what is kept, what is read again, what continues, what is refused."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from support.journals import buckets
from unlost import UsageError
from unlost.batch import Again, Folder, Halted, Run, read_dead

pytestmark = pytest.mark.stock

Options = dict[str, Any]


@pytest.fixture
def options(tmp_path: Path) -> Options:
    return {"folder": tmp_path / ".unlost", "durability": "process"}


class Job:
    """Remembers its items; fails while it is told to."""

    def __init__(self, *failing: object) -> None:
        self.items: list[Any] = []
        self.failing = failing

    async def __call__(self, item: Any) -> int:
        self.items.append(item)
        if item in self.failing:
            raise ConnectionError("refused")
        return 1


def write(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def dead(run: Run) -> list[Any]:
    with run.plan.folder.open(run.name) as connection:
        assert connection is not None
        return list(read_dead(connection, ""))


job = Job()


async def work(item: Any) -> int:
    return await job(item)


@pytest.fixture(autouse=True)
def fresh() -> None:
    job.items, job.failing = [], ()


async def run_over(source: object, options: Options, **more: Any) -> Run:
    async with Run(work, source, **{**options, **more}) as run:  # type: ignore[arg-type]  # AnySource
        pass
    return run


async def test_a_table_is_run_row_by_row_and_its_dead_letters_hold_json(tmp_path: Path, options: Options) -> None:
    job.failing = ({"id": "2", "text": "two\nlines"},)
    path = write(tmp_path, "in.csv", b'id,text\n1,one\n2,"two\nlines"\nbad\n')

    run = await run_over(path, options, key="id")

    assert buckets(run.books) == {"ok": 1, "failed": 2}
    assert next((one["key"], one["line"], one["kind"]) for one in dead(run)) == ("2", 3, "transient")
    assert [one["input"] for one in dead(run)] == ['{"id":"2","text":"two\\nlines"}', "bad"]
    assert dead(run)[1]["line"] == 5
    again = await run_over(path, options, key="id")
    assert again.name == run.name
    assert len(job.items) == 2


async def test_a_source_that_is_cut_off_halts_and_what_was_read_stays(tmp_path: Path, options: Options) -> None:
    content = b"".join(b"%d %x\n" % (n, n * n * 2654435761 % 2**32) for n in range(20_000))
    path = write(tmp_path, "in.txt.gz", gzip.compress(content)[:-60_000])
    run = Run(work, path, **options)

    with pytest.raises(Halted, match=r"in\.txt\.gz' is cut off"):
        async with run:
            pass

    assert run.books.balance
    assert run.books.inputs > 1000
    assert not run.books.whole


async def test_without_inputs_the_journal_holds_none_of_them(tmp_path: Path, options: Options) -> None:
    job.failing = ("secret-2",)
    path = write(tmp_path, "in.txt", b"secret-1\nsecret-2\nsecret-3\r\nsecret-4\xff\n")

    run = await run_over(path, options, inputs="hash")

    assert job.items == ["secret-1", "secret-2", "secret-3"]
    assert buckets(run.books) == {"ok": 2, "failed": 2}
    assert [one["input"] for one in dead(run)] == [None, None]
    everything = b"".join(file.read_bytes() for file in (tmp_path / ".unlost").iterdir())
    assert b"secret" not in everything


@pytest.mark.parametrize("form", ["auto", "csv"])
async def test_a_rerun_without_inputs_finds_them_where_they_stand_now(
    tmp_path: Path, options: Options, form: str
) -> None:
    path = write(tmp_path, "in", b"a\nb\nc\n")
    job.failing = ("b", {"a": "b"})
    await run_over(path, options, inputs="hash", format=form)
    write(tmp_path, "in", b"a\nnew\nc\n\nb\n")
    job.items, job.failing = [], ()

    run = await run_over(path, options, inputs="hash", format=form, again=Again())

    assert job.items == ["b" if form == "auto" else {"a": "b"}]
    assert run.books.failed == 0
    assert run.books.balance


async def test_what_has_changed_since_it_was_read_is_a_failure_of_its_item(tmp_path: Path, options: Options) -> None:
    path = write(tmp_path, "in.txt", b"a\nb\nc\n")

    async def change(item: str) -> int:
        if item == "a":
            path.write_bytes(b"a\nX\nc\n")
        return 1

    async with Run(change, path, inputs="hash", concurrency=1, **options) as run:
        pass

    assert buckets(run.books) == {"ok": 2, "failed": 1}
    (one,) = dead(run)
    assert (one["line"], one["kind"], one["attempts"]) == (2, "input", 0)
    assert "is not what it was when it was read" in one["error"]["message"]


async def test_an_item_that_could_not_be_read_again_is_run_again_when_it_can(tmp_path: Path, options: Options) -> None:
    path = write(tmp_path, "in.txt", b"a\nb\n")

    async def change(item: str) -> int:
        path.write_bytes({"a": b"a\nX\n", "b": b"a\nb\n"}[item])
        return 1

    async with Run(change, path, inputs="hash", concurrency=1, **options) as run:
        pass
    path.write_bytes(b"b\n\na\n")
    async with Run(change, path, inputs="hash", again=Again(), **options) as again:
        pass

    assert (run.name, run.books.ok, run.books.failed) == (again.name, 2, 0)


async def test_a_rerun_without_inputs_and_without_their_file_is_refused(tmp_path: Path, options: Options) -> None:
    path = write(tmp_path, "in.txt", b"a\n")
    job.failing = ("a",)
    await run_over(path, options, inputs="hash")
    path.unlink()

    with pytest.raises(UsageError, match="There is no file"):
        await run_over(path, options, inputs="hash", again=Again())


async def test_a_run_keeps_inputs_or_does_not_from_beginning_to_end(tmp_path: Path, options: Options) -> None:
    path = write(tmp_path, "in.txt", b"a\n")
    run = await run_over(path, options, inputs="hash")

    with pytest.raises(UsageError, match=f"run {run.name} was begun with inputs='hash', and this call says keep"):
        await run_over(path, options)


async def test_a_moved_record_is_not_counted_as_changed(tmp_path: Path, options: Options) -> None:
    first = write(tmp_path, "in.jsonl", b'{"id": 1, "v": 1}\n{"id": 2, "v": 1}\n')
    await run_over(first, options, inputs="hash", key="id")
    write(tmp_path, "in.jsonl", b'{"id": 2, "v": 2}\n{"id": 1, "v": 1}\n')

    run = await run_over(first, options, inputs="hash", key="id")

    assert run.books.changed == 1


def letters(run: Run) -> list[dict[str, Any]]:
    form = run.plan.source.format
    return [{"unlost": "dead-letter/1", "format": "lines" if form == "lines" else "jsonl", **one} for one in dead(run)]


@pytest.mark.parametrize(("name", "content"), [("in.txt", b"a\nb\n\xff\n"), ("in.csv", b"x\na\nb\n\xff\n")])
async def test_dead_letters_are_a_source(tmp_path: Path, options: Options, name: str, content: bytes) -> None:
    item: object = "b" if name == "in.txt" else {"x": "b"}
    job.failing = (item,)
    first = await run_over(write(tmp_path, name, content), options)
    text = "".join(json.dumps(one) + "\n" for one in letters(first))
    job.items, job.failing = [], ()
    path = write(tmp_path, "dead.jsonl", text.encode())

    async with Run(work, path, **options) as run:
        outcomes = [outcome async for outcome in run]

    assert job.items == [item]
    assert [outcome.key for outcome in outcomes] == [dead(first)[0]["key"]]
    assert buckets(run.books) == {"ok": 1, "failed": 1}
    assert Folder(options["folder"]).read_meta(run.name)["format"] == "dead"


async def test_a_second_letter_of_one_item_is_refused(tmp_path: Path, options: Options) -> None:
    job.failing = ("a",)
    first = await run_over(write(tmp_path, "in.txt", b"a\n"), options)
    text = "".join(json.dumps(one) + "\n" for one in letters(first) * 2)
    job.items, job.failing = [], ()

    run = await run_over(write(tmp_path, "dead.jsonl", text.encode()), options)

    assert job.items == ["a"]
    assert "as line 1 is already; each item is run once" in dead(run)[0]["error"]["message"]


async def test_a_record_that_is_too_long_is_kept_by_its_first_bytes(tmp_path: Path, options: Options) -> None:
    run = await run_over(write(tmp_path, "in.txt", b"a\n" + b"x" * 5000 + b"\nb\n"), options, max_record=2000)

    assert job.items == ["a", "b"]
    (one,) = dead(run)
    assert (one["line"], one["kind"], one["input"]) == (2, "input", "x" * 1000)

"""Inputs are found, read lazily, and can be read again."""

import io
import os
import sys
import threading
import tracemalloc
from collections.abc import AsyncIterator
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path

import pytest

from unlost.batch.source._source import Source, open_source, source_of
from unlost.errors import UsageError


class Terminal(io.BytesIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def opened(tmp_path: Path) -> partial[Source]:
    return partial(open_source, spool_folder=tmp_path / "spool")


def write(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return str(folder / name)


def values(source: Source) -> list[object]:
    return [record.value for record in source.records()]


def lines(source: Source) -> list[int]:
    return [record.line for record in source.records()]


@pytest.mark.parametrize(
    ("name", "form"),
    [("a.jsonl", "jsonl"), ("a.NDJSON", "jsonl"), ("a.txt", "lines"), ("a", "lines"), ("a.log", "lines")],
)
def test_the_suffix_decides_the_format(tmp_path: Path, opened: partial[Source], name: str, form: str) -> None:
    assert opened(write(tmp_path, name, b"1\n")).format == form


def test_a_given_format_overrides_the_suffix(tmp_path: Path, opened: partial[Source]) -> None:
    path = write(tmp_path, "a.jsonl", b"1\n")

    assert values(opened(path, "lines")) == ["1"]
    assert values(opened(path)) == [1]


def test_a_json_document_is_refused_with_the_command_that_makes_lines_of_it(
    tmp_path: Path, opened: partial[Source]
) -> None:
    path = write(tmp_path, "items.json", b"[1, 2]")

    with pytest.raises(UsageError, match=r"jq -c '\.\[\]' .*items\.json > items\.jsonl"):
        opened(path)


def test_blank_lines_are_counted_and_are_no_inputs(tmp_path: Path, opened: partial[Source]) -> None:
    source = opened(write(tmp_path, "a.txt", b"\none\n \t\ntwo\n\n"))

    assert [(record.line, record.value) for record in source.records()] == [(2, "one"), (4, "two")]
    assert source.blank_lines == 3


def test_reading_again_counts_blank_lines_from_nought(tmp_path: Path, opened: partial[Source]) -> None:
    source = opened(write(tmp_path, "a.txt", b"\none\n"))

    assert values(source) == values(source) == ["one"]
    assert source.blank_lines == 1


@pytest.mark.parametrize("content", [b"one\ntwo\n", b"one\r\ntwo\r\n", b"\xef\xbb\xbfone\r\ntwo", b"one\ntwo\r"])
def test_line_ends_and_a_byte_order_mark_are_not_part_of_a_line(
    tmp_path: Path, opened: partial[Source], content: bytes
) -> None:
    records = list(opened(write(tmp_path, "a.txt", content)).records())

    assert [record.value for record in records] == ["one", "two"]
    assert [record.raw for record in records] == [b"one", b"two"]


def test_a_byte_order_mark_later_on_belongs_to_its_line(tmp_path: Path, opened: partial[Source]) -> None:
    assert values(opened(write(tmp_path, "a.txt", b"one\n\xef\xbb\xbftwo\n"))) == ["one", "\ufefftwo"]


def test_each_bad_line_is_one_record_and_the_others_are_read(tmp_path: Path, opened: partial[Source]) -> None:
    records = list(opened(write(tmp_path, "a.jsonl", b'{"a": 1}\n{bad\n"\xff"\n2\n{"cut": ')).records())

    assert [record.line for record in records] == [1, 2, 3, 4, 5]
    assert [record.error is None for record in records] == [True, False, False, True, False]
    assert "cut off" in str(records[4].error)


def test_an_empty_file_has_no_inputs(tmp_path: Path, opened: partial[Source]) -> None:
    assert values(opened(write(tmp_path, "a.txt", b""))) == []


def test_a_files_identity_is_its_absolute_path(
    tmp_path: Path, opened: partial[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "a.txt", b"1\n")
    monkeypatch.chdir(tmp_path)

    source = opened("a.txt")

    assert source.identity == opened("./a.txt").identity == str(tmp_path / "a.txt")
    assert source.path == tmp_path / "a.txt"


def test_a_missing_file_names_similar_ones(tmp_path: Path, opened: partial[Source]) -> None:
    write(tmp_path, "urls.jsonl", b"")

    with pytest.raises(UsageError, match=r"no file '.*url\.jsonl'; similar: urls\.jsonl") as caught:
        opened(str(tmp_path / "url.jsonl"))

    assert isinstance(caught.value.__cause__, FileNotFoundError)


def test_a_missing_folder_is_named(tmp_path: Path, opened: partial[Source]) -> None:
    with pytest.raises(UsageError, match="nor a folder"):
        opened(str(tmp_path / "nowhere" / "urls.jsonl"))


def test_a_folder_is_refused(tmp_path: Path, opened: partial[Source]) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        opened(str(tmp_path))


def test_a_file_that_cannot_be_opened_is_refused_with_the_systems_reason(opened: partial[Source]) -> None:
    with pytest.raises(UsageError, match=r"cannot be read: .*File name too long"):
        opened("a" * 1000)


def test_a_name_that_no_file_can_have_is_refused(opened: partial[Source]) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        opened("a\0b")


def test_a_file_that_goes_away_before_it_is_read_is_a_usage_error(tmp_path: Path, opened: partial[Source]) -> None:
    source = opened(write(tmp_path, "a.txt", b"1\n"))
    source.path.unlink()

    with pytest.raises(UsageError, match="There is no file"):
        values(source)


def test_a_file_that_shrinks_while_it_is_read_ends_early(tmp_path: Path, opened: partial[Source]) -> None:
    source = opened(write(tmp_path, "a.txt", b"".join(b"%07d\n" % n for n in range(200_000))))
    records = source.records()
    first = next(records)
    os.truncate(source.path, 8)

    assert first.value == "0000000"
    assert 0 < len(list(records)) < 199_999


def test_reading_is_lazy_and_in_constant_memory(tmp_path: Path, opened: partial[Source]) -> None:
    source = opened(write(tmp_path, "a.jsonl", b'{"id": 1}\n' * 500_000))
    tracemalloc.start()
    assert len(list(islice(source.records(), 10))) == 10
    for _ in source.records():
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 2_000_000


def test_standard_input_is_spooled_whole_and_named_by_its_content(opened: partial[Source], tmp_path: Path) -> None:
    source = opened("-", "jsonl", stdin=io.BytesIO(b"1\n2\n"))

    assert source.identity == "stdin:" + sha256(b"1\n2\n").hexdigest()
    assert source.path.parent == tmp_path / "spool"
    assert source.path.suffix == ".jsonl"
    assert values(source) == values(source) == [1, 2]


def test_the_same_standard_input_gives_the_same_source_and_one_file(opened: partial[Source], tmp_path: Path) -> None:
    once, again = (opened("-", stdin=io.BytesIO(b"1\n")) for _ in range(2))

    assert once == again
    assert len(list((tmp_path / "spool").iterdir())) == 1


def test_spooled_inputs_are_for_their_owners_eyes(opened: partial[Source], tmp_path: Path) -> None:
    source = opened("-", stdin=io.BytesIO(b"1\n"))

    assert source.path.stat().st_mode & 0o077 == 0
    assert source.path.parent.stat().st_mode & 0o077 == 0


def test_standard_input_that_breaks_off_leaves_nothing_behind(opened: partial[Source], tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        opened("-", stdin=Broken())

    assert list((tmp_path / "spool").iterdir()) == []


def test_a_terminal_is_told_that_it_is_being_read(opened: partial[Source], capsys: pytest.CaptureFixture[str]) -> None:
    opened("-", stdin=Terminal(b"1\n"))

    assert "reading inputs from the terminal" in capsys.readouterr().err


def test_a_process_without_standard_input_is_told_to_name_a_file(
    opened: partial[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)

    with pytest.raises(UsageError, match="this process has none"):
        opened("-")


def test_a_named_pipe_is_spooled_since_it_can_be_read_once_only(tmp_path: Path, opened: partial[Source]) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    feeder = threading.Thread(target=pipe.write_bytes, args=(b"one\ntwo\n",))
    feeder.start()
    source = opened(str(pipe))
    feeder.join()

    assert source.identity.startswith("stdin:")
    assert values(source) == values(source) == ["one", "two"]


def test_an_iterable_is_spooled_so_that_a_resumed_run_finds_it_again(opened: partial[Source]) -> None:
    source = opened({"id": n} for n in range(3))

    assert source.identity.startswith("items:")
    assert values(source) == values(source) == [{"id": 0}, {"id": 1}, {"id": 2}]
    assert lines(source) == [1, 2, 3]


def test_the_same_items_make_the_same_source(opened: partial[Source]) -> None:
    assert opened([1, "a"]) == opened(iter((1, "a")))
    assert opened([1, "a"]) != opened([1, "b"])


def test_items_may_hold_line_ends(opened: partial[Source]) -> None:
    assert values(opened(["a\nb", "\ud800", ""])) == ["a\nb", "\ud800", ""]


async def _numbers() -> AsyncIterator[int]:
    yield 1


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (_numbers(), r"Write \[item async for item in source\]"),
        (b"abc", "is a bytes"),
        ({"a": 1}, "is a dict"),
        (5, "is a int"),
    ],
)
def test_what_is_no_iterable_of_items_is_refused(opened: partial[Source], source: object, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        opened(source)


def test_an_iterable_has_no_text_lines(opened: partial[Source]) -> None:
    with pytest.raises(UsageError, match="is for files"):
        opened(["a"], "lines")


def test_an_error_of_the_iterable_comes_out_and_leaves_nothing_behind(opened: partial[Source], tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        opened(1 / (2 - n) for n in range(3))

    assert list((tmp_path / "spool").iterdir()) == []


@pytest.mark.parametrize(("name", "content"), [("a.csv", b"a,b\n1,2\n"), ("b.TSV", b"a\tb\n1\t2\n")])
def test_a_table_has_a_header_unless_its_lines_are_asked_for(
    opened: partial[Source], tmp_path: Path, name: str, content: bytes
) -> None:
    path = write(tmp_path, name, content)

    assert values(opened(path)) == [{"a": "1", "b": "2"}]
    assert len(values(opened(path, "lines"))) == 2


def test_what_a_journal_says_of_a_source_gives_the_same_source(opened: partial[Source], tmp_path: Path) -> None:
    source = opened(write(tmp_path, "a.csv", b"a\n1\n"), inputs="hash", max_record=77)
    meta = {"path": str(source.path), "format": "csv", "source": source.identity, "inputs": "hash"}

    assert source_of(meta, 77) == source


@pytest.mark.parametrize("spec", ["-", [1, 2]])
def test_without_a_file_inputs_cannot_be_read_again(opened: partial[Source], spec: object, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--inputs hash .* is none\.\nWrite the inputs to a file first"):
        opened(spec, stdin=io.BytesIO(b"1\n"), inputs="hash")

    assert not (tmp_path / "spool").exists()


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.tsv.gz"])
def test_nul_records_are_not_read_from_what_is_something_else_by_its_name(
    opened: partial[Source], tmp_path: Path, name: str
) -> None:
    with pytest.raises(UsageError, match="Leave -0 out"):
        opened(write(tmp_path, name, b"a\0"), "null")


def test_records_between_nul_bytes_hold_anything_else_and_are_numbered(opened: partial[Source], tmp_path: Path) -> None:
    source = opened(write(tmp_path, "names", b"a\nb\0\0 \0\xef\xbb\xbfc\r\n\0\xff\0last"), "null")

    records = list(source.records())

    assert [(one.line, one.value) for one in records] == [
        (1, "a\nb"), (3, " "), (4, "\ufeffc\r\n"), (5, None), (6, "last"),
    ]  # fmt: skip
    assert "is not UTF-8" in str(records[3].error)
    assert source.blank_lines == 1

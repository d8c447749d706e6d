"""A record that is too long is one failed item, in bounded memory; compressed sources are what they were."""

from __future__ import annotations

import gzip
import itertools
import json
import tracemalloc
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlost.batch.source._errors import SourceError
from unlost.batch.source._keys import key_of
from unlost.batch.source._lines import records_between
from unlost.batch.source._records import Format, Record
from unlost.batch.source._source import Source, open_source
from unlost.batch.source._split import split
from unlost.errors import Kind, UsageError, classify


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., Source]:
    def of(name: str, content: bytes, *arguments: Format, **options: object) -> Source:
        (tmp_path / name).write_bytes(content)
        return partial(open_source, spool_folder=tmp_path / "spool")(str(tmp_path / name), *arguments, **options)

    return of


Opened = Callable[..., Source]


@pytest.mark.parametrize(
    ("name", "form", "separator"), [("a.txt", "auto", b"\n"), ("a.jsonl", "auto", b"\n"), ("a", "null", b"\0")]
)
def test_a_record_that_is_too_long_is_one_failed_item(
    opened: Opened, name: str, form: Format, separator: bytes
) -> None:
    content = separator.join([b"1", b"2" * 5000, b"3" * 100, b"4" * 101, b"5"])
    source = opened(name, content, form, max_record=100)

    records = list(source.records())

    assert [one.line for one in records] == [1, 2, 3, 4, 5]
    assert [one.error is None for one in records] == [True, False, True, False, True]
    assert str(records[1].error) == ("line 2 has 5,000 bytes; 100 are the most that a record may have (--max-record)")
    assert classify(records[1].error) is Kind.INPUT  # type: ignore[arg-type]  # asserted above
    assert (records[1].raw, records[3].raw) == (b"2" * 1000, b"4" * 101)


def test_records_that_are_too_long_and_begin_alike_have_keys_of_their_own(opened: Opened) -> None:
    source = opened("a.txt", b"x" * 5000 + b"\n" + b"x" * 5001 + b"\n", max_record=100)

    one, other = source.records()

    assert one.raw == other.raw
    assert key_of(one) != key_of(other)


def test_a_line_of_exactly_the_limit_may_end_with_crlf(opened: Opened) -> None:
    source = opened("a.txt", b"1234567\r\n12345678\r\n", max_record=7)

    assert [one.error is None for one in source.records()] == [True, False]


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.csv", "a.txt.gz"])
def test_a_record_of_any_length_takes_bounded_memory(opened: Opened, name: str) -> None:
    content = b"a\n" + b"12345678" * 2_500_000 + b"\n1\n"
    source = opened(name, gzip.compress(content, 1) if name.endswith(".gz") else content, max_record=100_000)
    tracemalloc.start()

    records = list(source.records())

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000
    assert records[-1].error is None
    assert "has 20,000,000 bytes" in str(records[-2].error)


@given(st.binary(), st.sampled_from(["lines", "jsonl", "null", "dead"]), st.integers(1, 20), st.integers(1, 9))
def test_whatever_the_bytes_each_piece_is_a_record_or_blank(content: bytes, form: Format, limit: int, at: int) -> None:
    separator = b"\0" if form == "null" else b"\n"
    chunks = itertools.chain((content[n : n + at] for n in range(0, len(content), at)), itertools.repeat(b""))
    blank: list[None] = []

    blocks = split(lambda _size: next(chunks), separator, limit, bom=False)
    records = list(records_between(blocks, form, limit, lambda: blank.append(None)))

    pieces = content.split(separator)
    assert len(records) + len(blank) == len(pieces) - (pieces[-1] == b"")
    for one in records:
        whole = pieces[one.line - 1]
        assert content[one.start : one.start + len(whole)] == whole
        assert (one.error is not None) or one.size <= limit


CONTENTS = {
    "a.txt": b"one\r\ntwo\n",
    "a.jsonl": b'{"a": 1}\n\n2\n',
    "a.csv": b'a,b\n1,"2\n3"\n',
    "a.tsv": b"a\tb\n1\t2\n",
}


@pytest.mark.parametrize("name", CONTENTS)
def test_a_compressed_source_is_what_it_was(opened: Opened, name: str) -> None:
    plain = opened(name, CONTENTS[name])
    compressed = opened(f"{name}.gz", gzip.compress(CONTENTS[name][:5]) + gzip.compress(CONTENTS[name][5:]))

    assert list(compressed.records()) == list(plain.records())
    assert (compressed.format, compressed.blank_lines) == (plain.format, plain.blank_lines)


def test_standard_input_may_be_compressed(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "in", "wb") as file:
        file.write(b"a\nb\n")
    with (tmp_path / "in").open("rb") as stdin:
        source = open_source("-", spool_folder=tmp_path, stdin=stdin)

    assert [one.value for one in source.records()] == ["a", "b"]


def until_it_breaks(source: Source) -> tuple[list[Record], SourceError]:
    records: list[Record] = []
    with pytest.raises(SourceError) as caught:
        records.extend(source.records())
    return records, caught.value


def lines_of(count: int) -> bytes:
    return b"".join(b"%d %x\n" % (n, n * n * 2654435761 % 2**32) for n in range(count))


def test_what_was_read_of_a_cut_off_file_stays_and_half_a_line_is_none(opened: Opened) -> None:
    content = lines_of(20_000)
    compressed = gzip.compress(content)
    half = compressed[: len(compressed) // 2]
    source = opened("a.txt.gz", half)
    whole_lines = zlib.decompressobj(wbits=31).decompress(half).split(b"\n")[:-1]

    records, error = until_it_breaks(source)

    assert "a.txt.gz' is cut off" in str(error)
    assert [one.raw for one in records] == whole_lines


def test_a_damaged_file_says_so_where_it_is_damaged(opened: Opened) -> None:
    compressed = bytearray(gzip.compress(lines_of(20_000)))
    half = len(compressed) // 2
    compressed[half : half + 1000] = b"\xff" * 1000
    source = opened("a.txt.gz", bytes(compressed))

    records, error = until_it_breaks(source)

    assert "cannot be read to its end" in str(error)
    assert records


def test_a_file_that_breaks_off_in_its_first_record_is_refused_before_anything_starts(opened: Opened) -> None:
    with pytest.raises(UsageError, match="is cut off"):
        opened("a.txt.gz", gzip.compress(b"one\n")[:-10])


def test_a_file_that_is_compressed_by_its_name_only_is_refused(opened: Opened) -> None:
    with pytest.raises(UsageError, match="compressed by its name, but not by its first bytes"):
        opened("a.txt.gz", b"one\n")


def test_an_empty_file_is_empty_whatever_its_name(opened: Opened) -> None:
    assert list(opened("a.txt.gz", b"").records()) == []


def test_inputs_of_a_compressed_file_cannot_be_read_again(opened: Opened) -> None:
    with pytest.raises(UsageError, match=r"gunzip -k .*a\.jsonl\.gz, and name a\.jsonl;"):
        opened("a.jsonl.gz", gzip.compress(b"1\n"), inputs="hash")


@pytest.mark.parametrize("name", CONTENTS)
def test_what_is_kept_of_a_record_is_read_again_as_it_was(opened: Opened, name: str) -> None:
    for inputs in ("keep", "hash"):
        source = opened(name, b"\xef\xbb\xbf" + CONTENTS[name], inputs=inputs)
        reader = source.reader()

        for record in source.records():
            again = reader.read(record.line, source.kept(record))
            assert (again.value, again.error) == (record.value, None)


def test_what_is_kept_without_inputs_holds_nothing_of_them(opened: Opened) -> None:
    source = opened("a.jsonl", b'"secret"\n', inputs="hash")

    (record,) = source.records()

    assert set(json.loads(source.kept(record))) == {"hash", "start", "size"}
    assert b"secret" not in source.kept(record)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda path: path.write_bytes(b"a,b\n1,3\n"), "is not what it was when it was read"),
        (lambda path: path.write_bytes(b""), "cannot be read again, since its run keeps no inputs: .* is empty"),
        (lambda path: path.write_bytes(b"a,c\n1,2\n"), "is not what it was"),
        (lambda path: path.unlink(), "cannot be read again from .*: No such file or directory"),
    ],
)
def test_a_source_that_has_changed_fails_the_item_and_says_so(
    opened: Opened, change: Callable[[Path], object], said: str
) -> None:
    source = opened("a.csv", b"a,b\n1,2\n", inputs="hash")
    kept = [source.kept(record) for record in source.records()]
    change(source.path)

    record = source.reader().read(2, kept[0])

    assert record.error is not None
    assert classify(record.error) is Kind.INPUT
    with pytest.raises(type(record.error), match=said):
        raise record.error

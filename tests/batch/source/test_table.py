"""Rows of a table: what csv writes comes back, what csv reads is read the same, what is wrong is one failed item."""

from __future__ import annotations

import csv
import io
import json
from functools import partial
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from unlost.batch.source._records import Record
from unlost.batch.source._source import MAX_RECORD, Source, open_source
from unlost.batch.source._split import each, split
from unlost.batch.source._table import Table
from unlost.errors import Kind, UsageError, classify

FIELD = st.text(st.sampled_from('ab,"\n\r;\t é') | st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
ROWS = st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(FIELD, min_size=width, max_size=width)))
# what is between the characters that matter is of no interest
SOUP = st.lists(st.sampled_from(["a", "é", ",", '"', '""', "\n", "\r\n", "a,b", '"x"', " "])).map("".join)


def table(content: bytes, limit: int = MAX_RECORD, delimiter: str = ",") -> Table:
    pieces = each(split(io.BytesIO(content).read, b"\n", limit))
    return Table(pieces, "in.csv", delimiter, limit, lambda: None)


def records(content: bytes, limit: int = MAX_RECORD) -> list[Record]:
    return list(table(content, limit).records())


def what(record: Record) -> str:
    assert record.error is not None
    assert classify(record.error) is Kind.INPUT
    return str(record.error)


# with LF alone csv leaves a CR unquoted, which it cannot read either
@pytest.mark.parametrize(
    ("quoting", "line_end"), [(csv.QUOTE_MINIMAL, "\r\n"), (csv.QUOTE_ALL, "\r\n"), (csv.QUOTE_ALL, "\n")]
)
@given(rows=ROWS, terminated=st.booleans())
def test_what_csv_writes_comes_back(rows: list[list[str]], quoting: int, line_end: str, terminated: bool) -> None:
    written = io.StringIO(newline="")
    names = [f"f{n}" for n in range(len(rows[0]) if rows else 1)]
    csv.writer(written, quoting=quoting, lineterminator=line_end).writerows([names, *rows])
    text = written.getvalue() if terminated else written.getvalue().removesuffix(line_end)

    found = records(text.encode())

    assert [one.value for one in found] == [dict(zip(names, row, strict=True)) for row in rows]
    assert [json.loads(one.raw) for one in found] == [one.value for one in found]


def strictly(row: str) -> list[str]:
    """Return the fields that csv sees where it overlooks nothing, none where it refuses."""
    try:
        return next(csv.reader([row], strict=True))
    except csv.Error:
        return []


@given(SOUP)
@example('"a\n')
@example('a"b,"c""\n"d')
def test_what_can_be_read_is_read_as_csv_reads_it_and_what_cannot_is_as_many_items(soup: str) -> None:
    text = "x,y\n" + soup
    theirs = list(csv.DictReader(io.StringIO(text, newline=""), restkey="more", restval=None))

    found = records(text.encode())

    assert len(found) == len(theirs)
    for ours, their in zip(found, theirs, strict=True):
        if ours.error is None:
            assert ours.value == their
    rows = [strictly(text.encode()[one.start : one.start + one.size].decode()) for one in found]
    assert [one.error is None for one in found] == [len(row) == 2 for row in rows]


@given(SOUP)
def test_a_row_is_named_by_the_first_line_that_it_stands_on(soup: str) -> None:
    content = ("x,y\n" + soup).encode()

    for record in records(content):
        before = content[: record.start]
        assert record.line == 1 + before.count(b"\n")
        assert before.endswith(b"\n")
        if record.error is not None:
            assert content[record.start : record.start + record.size].startswith(record.raw[:1000].removesuffix(b"\n"))


@given(st.binary(), st.integers(1, 50))
def test_no_bytes_whatsoever_make_it_fail_otherwise(content: bytes, limit: int) -> None:
    for record in records(b"x,y\n" + content, max(limit, 5)):
        assert (record.error is None) == (record.value is not None)


def test_a_quoted_row_of_several_lines_is_one_item() -> None:
    first, second = records(b'name,text\r\nann,"two\r\nlines, and ""quotes"""\r\nbob,\r\n')

    assert (first.line, first.value) == (2, {"name": "ann", "text": 'two\r\nlines, and "quotes"'})
    assert (second.line, second.value) == (4, {"name": "bob", "text": ""})


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (b"1", "has 1 field and the header 2; a field that holds a comma stands in quotes"),
        (b"1,2,3", "has 3 fields and the header 2"),
        (b'"1"2,3', "has '2' behind the closing quote of field 1"),
        (b"a\0,b", "holds a NUL byte"),
        (b"caf\xe9,1", "is not UTF-8: byte 0xe9 at byte 4"),
        (b"1\r,2", "holds a carriage return outside of quotes"),
        (b"  ", "has 1 field"),
    ],
)
def test_a_bad_row_is_one_failed_item_and_the_next_one_is_read(row: bytes, said: str) -> None:
    bad, good = records(b"a,b\n" + row + b"\n7,8\n")

    assert (bad.line, bad.raw, bad.value) == (2, row, None)
    assert what(bad).startswith("line 2 ")
    assert said in what(bad)
    assert (good.line, good.value) == (3, {"a": "7", "b": "8"})


def test_a_quote_that_is_never_closed_says_how_much_it_swallows() -> None:
    good, bad = records(b'a,b\n1,2\n3,"4\n5,6\n7,8\n')

    assert good.value == {"a": "1", "b": "2"}
    assert what(bad) == "line 3 has a quote that is never closed; with what follows it these are 4 lines"


def test_a_row_that_is_too_long_is_passed_over_to_its_end_lines_and_doubled_quotes_included() -> None:
    long = b'"' + b'x""\n,' * 100_000 + b'",tail'
    before, bad, after = records(b"a,b\n1,2\n" + long + b"\n3,4\n", limit=70_000)

    assert before.value == {"a": "1", "b": "2"}
    assert what(bad).startswith("line 3 has 500,007 bytes; 70,000 are the most")
    assert bad.raw == long[:1000]
    assert (after.line, after.value) == (100_004, {"a": "3", "b": "4"})


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_a_row_of_exactly_the_limit_is_a_row(end: bytes) -> None:
    quoted, plain = b'"1,2",3', b"1234,56"

    assert [one.error for one in records(b"a,b\n" + quoted + end, 7)] == [None]
    assert [one.error for one in records(b"a,b\n" + plain + end, 7)] == [None]
    assert [one.error is None for one in records(b"a,b\n" + quoted + b"4" + end, 7)] == [False]
    assert [one.error is None for one in records(b"a,b\n" + plain + b"4" + end, 7)] == [False]


def test_a_long_row_whose_quote_is_never_closed_says_so() -> None:
    (bad,) = records(b'a,b\n1,"' + b"2\n" * 1000, limit=100)

    assert "has 2,003 bytes, since a quote in it is never closed" in what(bad)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b"", "is empty; the first line of a table names its fields"),
        (b"a,,b\n", "Field 2 of the header of 'in.csv' has no name"),
        (b"a,b,a\n", "names 'a' twice"),
        (b'a,"b\n', "has a quote that is never closed"),
        (b"a\0,b\n", "holds a NUL byte"),
        (b"\xff\n", "is not UTF-8"),
        (b"a;b;c\n1;2;3\n", r"separated by semicolons. Write:\npython -c "),
        (b"a\tb\n", r"Name the file \.tsv"),
    ],
)
def test_a_header_that_is_none_is_refused_before_anything_starts(header: bytes, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        table(header)


def test_a_column_of_semicolons_is_a_column_where_there_are_others() -> None:
    assert table(b"a;b,c\n").header == ["a;b", "c"]


def test_empty_lines_are_blank_before_the_header_too(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"\xef\xbb\xbf\n\na,b\r\n\r\n1,2\n")
    source = open_source(str(path), spool_folder=tmp_path)

    assert [(one.line, one.value) for one in source.records()] == [(5, {"a": "1", "b": "2"})]
    assert source.blank_lines == 3


def test_fields_of_megabytes_are_read_and_the_limit_of_csv_stays_as_it_is(tmp_path: Path) -> None:
    limit = csv.field_size_limit()
    path = tmp_path / "in.csv"
    path.write_bytes(b'a,b\n1,"' + b"x" * 3_000_000 + b'"\n')

    (record,) = partial(open_source, spool_folder=tmp_path)(str(path)).records()

    assert len(record.value["b"]) == 3_000_000
    assert csv.field_size_limit() == limit


def test_a_source_without_a_header_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"a,a\n")

    with pytest.raises(UsageError, match="twice"):
        open_source(str(path), spool_folder=tmp_path)


def test_a_header_that_has_become_bad_is_said_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"a,a\n")

    with pytest.raises(UsageError, match="twice"):
        list(Source(path, "csv", "x").records())

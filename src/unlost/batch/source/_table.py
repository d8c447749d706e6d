"""
Records that are rows of a table: CSV with a header, as RFC 4180 and the standard library's ``csv`` have it.

A field that begins with a quote ends with one, and holds delimiters, line ends and, doubled, quotes; elsewhere a quote
is a character like any other. Each row is a dict of strings by the names of the header.

``csv`` itself is not used: its limit for the size of a field is one for the whole process, job included, and it holds a
row of any length. Where it reads on without a word (text behind a closing quote, a quote that is never closed, too few
or too many fields), here the row is one failed item.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from unlost.batch.source._lines import Blank, too_long
from unlost.batch.source._records import Record, refused
from unlost.batch.source._split import ENDED, MORE, Gathered, Piece
from unlost.errors import UsageError

_as_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


class Table:
    """
    A table, read from its beginning.

    Args:
        pieces: The lines of the file, cut at LF.
        name: What the user calls the file.
        delimiter: Between fields.
        limit: Bytes of the longest row.
        blank: Told of empty lines.

    Attributes:
        header: The names of the fields.

    Raises:
        UsageError: The header is not one.
    """

    def __init__(self, pieces: Iterator[Piece], name: str, delimiter: str, limit: int, blank: Blank) -> None:
        self._rows = _rows(pieces, delimiter.encode(), limit, blank)
        self._delimiter = delimiter
        self._limit = limit
        self.header = _header(next(self._rows, None), name, delimiter)

    def records(self) -> Iterator[Record]:
        """Yield a record for each row; the row's line is the first that it stands on."""
        for line, start, row in self._rows:
            if isinstance(row, Gathered):
                unclosed = ", since a quote in it is never closed" if row.is_open else ""
                yield too_long(line, start, row, self._limit, unclosed)
            else:
                record = parse_row(line, row, self.header, self._delimiter)
                record.start, record.size = start, len(row)
                yield record


def parse_row(line: int, raw: bytes, header: list[str], delimiter: str) -> Record:
    """Read one row, without its line end; the record's ``raw`` is JSON, or the row as it stands where it is none."""
    try:
        fields = _fields(_text(raw), delimiter)
        if len(fields) != len(header):
            raise ValueError(_other_count(len(fields), len(header), delimiter))
    except ValueError as refusal:
        return refused(line, raw, refusal)
    value = dict(zip(header, fields, strict=True))
    return Record(line, _as_json(value).encode(), value)


def _text(raw: bytes) -> str:
    if b"\0" in raw:
        raise ValueError("holds a NUL byte; a table is UTF-8 without it (is the file UTF-16? see iconv)")
    return raw.decode()


def _fields(text: str, delimiter: str) -> list[str]:
    if '"' not in text:
        _refuse_carriage_return(text)
        return text.split(delimiter)
    fields: list[str] = []
    position = 0
    while True:
        if text.startswith('"', position):
            close = _closing(text, position + 1)
            fields.append(text[position + 1 : close].replace('""', '"'))
            end = close + 1
            if not text.startswith(delimiter, end) and end < len(text):
                raise ValueError(
                    f"has {text[end]!r} behind the closing quote of field {len(fields)}; a quote inside of a field "
                    'that is quoted is written twice: ""'
                )
        else:
            end = text.find(delimiter, position)
            end = len(text) if end < 0 else end
            _refuse_carriage_return(text[position:end])
            fields.append(text[position:end])
        if end == len(text):
            return fields
        position = end + 1


def _closing(text: str, position: int) -> int:
    """Return where the quote stands that closes the field whose text begins at ``position``."""
    while True:
        quote = text.find('"', position)
        if quote < 0:
            lines = 1 + text.count("\n")
            raise ValueError(f"has a quote that is never closed; with what follows it these are {lines:,} lines")
        if not text.startswith('"', quote + 1):
            return quote
        position = quote + 2


def _refuse_carriage_return(text: str) -> None:
    if "\r" in text:
        raise ValueError(
            "holds a carriage return outside of quotes; rows end with LF or CRLF, and a field that holds line ends "
            "stands in quotes"
        )


def _other_count(found: int, expected: int, delimiter: str) -> str:
    names = {",": "a comma", "\t": "a tab"}
    return (
        f"has {found} field{'s' if found != 1 else ''} and the header {expected}; "
        f"a field that holds {names[delimiter]} stands in quotes"
    )


def _header(first: tuple[int, int, bytes | Gathered] | None, name: str, delimiter: str) -> list[str]:
    if first is None:
        raise UsageError(f"{name!r} is empty; the first line of a table names its fields.")
    line, _start, row = first
    if isinstance(row, Gathered):
        raise UsageError(f"The header of {name!r}, {row.size:,} bytes, is longer than --max-record.")
    try:
        header = _fields(_text(row), delimiter)
    except ValueError as refusal:
        fault = refused(line, row, refusal).error
        raise UsageError(f"The header of {name!r} cannot be read: {fault}.") from fault
    _refuse_other_delimiter(header, name, delimiter)
    for position, field in enumerate(header, 1):
        if not field:
            raise UsageError(f"Field {position} of the header of {name!r} has no name; give it one on line {line}.")
        if field in header[: position - 1]:
            raise UsageError(f"The header of {name!r} names {field!r} twice, on line {line}. Names must differ.")
    return header


def _refuse_other_delimiter(header: list[str], name: str, delimiter: str) -> None:
    """A table of one column is possible; one whose only name holds what separates fields elsewhere is an accident."""
    if len(header) > 1:
        return
    if delimiter == "," and "\t" in header[0]:
        raise UsageError(
            f"The header of {name!r} has one field, {header[0]!r}, which holds tabs: its fields are separated by them. "
            "Name the file .tsv."
        )
    if ";" in header[0]:
        raise UsageError(
            f"The header of {name!r} has one field, {header[0]!r}: its fields are separated by semicolons. Write:\n"
            "python -c \"import csv, sys; csv.writer(sys.stdout).writerows(csv.reader(sys.stdin, delimiter=';'))\" "
            f"< {name} > comma.csv"
        )


def _rows(
    pieces: Iterator[Piece], delimiter: bytes, limit: int, blank: Blank
) -> Iterator[tuple[int, int, bytes | Gathered]]:
    """Yield line, start and bytes of each row, without its line end; of one that is too long what was gathered."""
    for line, start, whole, end in pieces:
        if end == MORE or b'"' in whole:
            row = _gather((line, start, whole, end), pieces, delimiter, limit)
        else:
            row = whole[:-1] if whole.endswith(b"\r") else whole
        if isinstance(row, bytes) and len(row) > limit:
            gathered = Gathered(limit)
            gathered.add(row)
            yield line, start, gathered
        elif row:
            yield line, start, row
        else:
            blank()


def _gather(first: Piece, pieces: Iterator[Piece], delimiter: bytes, limit: int) -> bytes | Gathered:
    """Read on to the end of the row: the end of a line that is not inside of quotes."""
    quotes = _Quotes(delimiter)
    gathered = Gathered(limit + 1)  # the CR of a line end does not count
    piece: Piece | None = first
    while piece is not None:
        _line, _start, part, end = piece
        quotes.feed(part)
        gathered.add(part)
        if end == ENDED and not quotes.inside:
            break
        if end == ENDED:
            gathered.add(b"\n")
        piece = next(pieces, None)
    gathered.is_open = quotes.inside
    whole = gathered.whole()
    if whole is None:
        return gathered
    return whole[:-1] if whole.endswith(b"\r") and not quotes.inside else whole


class _Quotes:
    """Whether one is inside of a quoted field, part by part."""

    def __init__(self, delimiter: bytes) -> None:
        self._delimiter = delimiter
        self._state = "start"

    @property
    def inside(self) -> bool:
        return self._state == "quoted"

    def feed(self, part: bytes) -> None:
        """
        Go on to the end of a part.

        States: at the ``start`` of a field; in its ``text``; ``quoted``: behind its opening quote; ``quote``: behind
        a quote in there, which closes the field unless another one follows.
        """
        position = 0
        while position < len(part):
            if self._state in ("start", "quote"):
                byte = part[position : position + 1]
                self._state = "quoted" if byte == b'"' else "start" if byte == self._delimiter else "text"
                position += 1
                continue
            wanted, then = (b'"', "quote") if self._state == "quoted" else (self._delimiter, "start")
            found = part.find(wanted, position)
            if found < 0:
                return
            self._state, position = then, found + 1

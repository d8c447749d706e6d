"""
Where a batch's inputs come from: a file, standard input, or a Python iterable.

A file is read where it stands, a piece at a time; if it is gzip by its first bytes, as what it was. What can be read
only once (standard input, a pipe, an iterable) is spooled to a durable file before the first item starts, so that a
resumed run finds it again.

A line that is empty or white space only is no input (in a table, and between NUL bytes, only what is empty): it is
counted in ``Source.blank_lines`` and keeps its number. A byte order mark at the start is not part of the first line.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import AsyncIterable, Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias

from unlost.batch.source._dead import is_letter
from unlost.batch.source._errors import SourceError
from unlost.batch.source._formats import delimiter_of, format_of, uncompressed_name
from unlost.batch.source._items import as_json_lines
from unlost.batch.source._lines import records_between
from unlost.batch.source._opened import is_compressed, open_file, reading
from unlost.batch.source._place import Place
from unlost.batch.source._reader import Reader
from unlost.batch.source._records import Format, Record
from unlost.batch.source._split import each, split
from unlost.batch.source._spool import spool
from unlost.batch.source._table import Table
from unlost.errors import UsageError

AnySource: TypeAlias = str | os.PathLike[str] | Iterable[Any]  # items are whatever JSON can hold

MAX_RECORD = 16 * 2**20
_CHUNK = 1 << 18


@dataclass(slots=True)
class Source:
    """
    The inputs of a run, which can be read any number of times.

    Attributes:
        path: The file that is read.
        format: How it is read.
        identity: What makes two runs' sources the same one: the file's absolute path, or ``stdin:`` or ``items:`` and
            the SHA-256 of the content.
        inputs: Whether the journal keeps the records, or only their places in the file.
        max_record: Bytes of the longest record; a longer one is a failed item.
        blank_lines: How many lines of white space the last reading passed over.
    """

    path: Path
    format: Format
    identity: str
    inputs: Literal["keep", "hash"] = "keep"
    max_record: int = MAX_RECORD
    blank_lines: int = 0

    def records(self) -> Generator[Record, None, None]:
        """
        Yield each input in order; a bad one is a record with its ``error`` set.

        Memory is bounded by ``max_record``. A file that shrinks meanwhile ends early.

        Raises:
            UsageError: The file is gone or cannot be opened, or its header is not one.
            SourceError: It cannot be read to its end.
        """
        self.blank_lines = 0
        with reading(self.path) as read:
            yield from self._records(read)

    def kept(self, record: Record) -> bytes:
        """Return what the journal keeps of a record."""
        return record.raw if self.inputs == "keep" else Place.of(record).stored()

    def reader(self) -> Reader:
        """Return what reads the journal's records again."""
        return Reader(self.path, self.format, self.inputs, self.max_record)

    def _records(self, read: Callable[[int], bytes]) -> Iterator[Record]:
        limit = self.max_record
        match self.format:
            case "null":
                blocks = split(read, b"\0", limit, bom=False)
            case "csv":
                return self._table(read).records()
            case _:
                blocks = split(read, b"\n", limit)
        return records_between(blocks, self.format, limit, self._count_blank)

    def _table(self, read: Callable[[int], bytes]) -> Table:
        pieces = each(split(read, b"\n", self.max_record))
        return Table(pieces, str(self.path), delimiter_of(self.path), self.max_record, self._count_blank)

    def _count_blank(self) -> None:
        self.blank_lines += 1

    def check(self) -> None:
        """
        Look at the beginning, so that what is wrong with all of it is said before anything starts.

        Raises:
            UsageError: The file cannot be opened, its header is not one, or it is not where inputs can be read again.
        """
        with open_file(self.path) as file:
            if is_compressed(self.path, file) and self.inputs == "hash":
                raise UsageError(
                    f"--inputs hash reads each input from the file again, and {str(self.path)!r} is compressed.\n"
                    f"Write: gunzip -k {self.path}, and name {uncompressed_name(self.path).name}; or leave --inputs out"
                )
        if self.format == "csv":
            with reading(self.path) as read:
                self._table(read)


def open_source(
    spec: AnySource,
    format: Literal["auto"] | Format = "auto",  # noqa: A002  # the user's word
    *,
    spool_folder: Path,
    stdin: BinaryIO | None = None,
    inputs: Literal["keep", "hash"] = "keep",
    max_record: int = MAX_RECORD,
) -> Source:
    """
    Find the inputs and make sure that they can be read again.

    Args:
        spec: A file's path, ``-`` for standard input, or an iterable of what JSON can hold.
        format: ``auto`` goes by the file's suffix: ``.jsonl`` and ``.ndjson`` are JSONL, ``.csv`` and ``.tsv`` tables,
            all else is text lines; and where the first record is a dead letter, all are.
        spool_folder: Takes the copy of what can be read only once.
        stdin: Read in place of standard input.
        inputs: ``hash`` keeps no copy of any input: then ``spec`` must be a file that stands still.
        max_record: Bytes of the longest record.

    Raises:
        UsageError: There is no such file, it cannot be read, its header is not one, or an item is not what JSON can
            hold.
        OSError: The spool folder cannot be written to.
    """
    if isinstance(spec, str) and spec == "-":
        _refuse_hash(inputs, "standard input")
        source = _spooled_stdin(stdin, "lines" if format == "auto" else format, spool_folder)
    elif isinstance(spec, str | os.PathLike):
        source = _file(Path(spec), format, spool_folder, inputs)
    else:
        _refuse_hash(inputs, "an iterable")
        source = _spooled_items(spec, format, spool_folder)
    source.inputs, source.max_record = inputs, max_record
    try:
        source.check()
        if format == "auto" and source.format != "csv" and _begins_with_letter(source):
            source.format = "dead"
    except SourceError as broken:
        raise UsageError(f"{broken}.") from broken
    return source


def source_of(meta: Mapping[str, str], max_record: int = MAX_RECORD) -> Source:
    """Return the source of a run whose journal says ``meta``."""
    format, inputs = meta["format"], meta.get("inputs", "keep")  # noqa: A001  # the user's word
    return Source(Path(meta["path"]), _FORMATS[format], meta["source"], _INPUTS[inputs], max_record)


_FORMATS: Mapping[str, Format] = {"lines": "lines", "jsonl": "jsonl", "csv": "csv", "null": "null", "dead": "dead"}
_INPUTS: Mapping[str, Literal["keep", "hash"]] = {"keep": "keep", "hash": "hash"}
_SUFFIXES: Mapping[Format, str] = {"jsonl": ".jsonl", "dead": ".jsonl", "csv": ".csv"}


def _begins_with_letter(source: Source) -> bool:
    with closing(replace(source, format="jsonl").records()) as records:
        first = next(records, None)
    return first is not None and is_letter(first.value)


def _refuse_hash(inputs: str, what: str) -> None:
    if inputs == "hash":
        raise UsageError(
            f"--inputs hash reads each input from its file again, and {what} is none.\n"
            "Write the inputs to a file first, and name that; or leave --inputs out"
        )


def _file(
    path: Path,
    format: Literal["auto"] | Format,  # noqa: A002  # the user's word
    spool_folder: Path,
    inputs: Literal["keep", "hash"],
) -> Source:
    chosen = format_of(path, format)
    with open_file(path) as file:
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return Source(Path(os.path.abspath(path)), chosen, os.path.abspath(path))
        _refuse_hash(inputs, f"{str(path)!r}")
        return _spooled(file, chosen, spool_folder)  # a pipe, as in `unlost run jobs:fetch <(sort urls.txt)`


def _spooled_stdin(stdin: BinaryIO | None, format: Format, folder: Path) -> Source:  # noqa: A002
    stream = _standard_input() if stdin is None else stdin
    if stream.isatty():
        sys.stderr.write("unlost: reading inputs from the terminal, one a line; end them with Ctrl-D\n")
        sys.stderr.flush()
    return _spooled(stream, format, folder)


def _standard_input() -> BinaryIO:
    if sys.stdin is None:
        raise UsageError("The source is - (standard input), but this process has none. Name a file.")
    return sys.stdin.buffer


def _spooled(stream: BinaryIO, format: Format, folder: Path) -> Source:  # noqa: A002
    chunks = iter(lambda: stream.read(_CHUNK), b"")
    path, digest = spool(chunks, folder, _SUFFIXES.get(format, ".txt"))
    return Source(path.absolute(), format, f"stdin:{digest}")


def _spooled_items(items: Iterable[Any], format: str, folder: Path) -> Source:  # noqa: A002
    if isinstance(items, AsyncIterable):
        raise UsageError(f"The source {items!r} is an async iterable. Write [item async for item in source].")
    if isinstance(items, bytes | bytearray | Mapping) or not isinstance(items, Iterable):
        raise UsageError(f"The source is a {type(items).__name__}; expected a path or an iterable of items.")
    if format not in ("auto", "jsonl", "dead"):
        raise UsageError(f"format={format!r} is for files; the items of an iterable are handed on as JSON values.")
    path, digest = spool(as_json_lines(items), folder, ".jsonl")
    return Source(path.absolute(), "dead" if format == "dead" else "jsonl", f"items:{digest}")

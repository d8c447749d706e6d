"""
Where a batch's inputs come from: a file, standard input, or a Python iterable.

A file is read where it stands, a line at a time. What can be read only once (standard input, a pipe, an iterable) is
spooled to a durable file before the first item starts, so that a resumed run finds it again.

A line that is empty or white space only is no input, in either format: it is counted in ``Source.blank_lines`` and
keeps its line number. A byte order mark at the start is not part of the first line.
"""

from __future__ import annotations

import difflib
import os
import stat
import sys
from collections.abc import AsyncIterable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias

from unlost.batch.source._items import as_json_lines
from unlost.batch.source._records import Format, Record, parse
from unlost.batch.source._spool import spool
from unlost.errors import UsageError

AnySource: TypeAlias = str | os.PathLike[str] | Iterable[Any]  # items are whatever JSON can hold

_BOM = b"\xef\xbb\xbf"
_CHUNK = 1 << 18


@dataclass(slots=True)
class Source:
    """
    The inputs of a run, which can be read any number of times.

    Attributes:
        path: The file that is read.
        format: How its lines are read.
        identity: What makes two runs' sources the same one: the file's absolute path, or ``stdin:`` or ``items:`` and
            the SHA-256 of the content.
        blank_lines: How many lines of white space the last reading passed over.
    """

    path: Path
    format: Format
    identity: str
    blank_lines: int = 0

    def records(self) -> Iterator[Record]:
        """
        Yield each input in order; a bad line is a record with its ``error`` set.

        Memory is bounded by the longest line. A file that shrinks meanwhile ends early.

        Raises:
            UsageError: The file is gone or cannot be opened.
            OSError: It cannot be read to its end.
        """
        self.blank_lines = 0
        with _opened(self.path) as file:
            for line, whole in enumerate(file, 1):
                terminated = whole.endswith(b"\n")
                raw = whole[:-1] if terminated else whole
                if raw.endswith(b"\r"):
                    raw = raw[:-1]
                if line == 1:
                    raw = raw.removeprefix(_BOM)
                if not raw or raw.isspace():
                    self.blank_lines += 1
                else:
                    yield parse(line, raw, self.format, terminated=terminated)


def open_source(
    spec: AnySource,
    format: Literal["auto"] | Format = "auto",  # noqa: A002  # the user's word
    *,
    spool_folder: Path,
    stdin: BinaryIO | None = None,
) -> Source:
    """
    Find the inputs and make sure that they can be read again.

    Args:
        spec: A file's path, ``-`` for standard input, or an iterable of what JSON can hold.
        format: ``auto`` goes by the file's suffix: ``.jsonl`` and ``.ndjson`` are JSONL, all else is text lines.
        spool_folder: Takes the copy of what can be read only once.
        stdin: Read in place of standard input.

    Raises:
        UsageError: There is no such file, it cannot be read, or an item is not what JSON can hold.
        OSError: The spool folder cannot be written to.
    """
    if isinstance(spec, str) and spec == "-":
        return _spooled_stdin(stdin, "lines" if format == "auto" else format, spool_folder)
    if isinstance(spec, str | os.PathLike):
        return _file(Path(spec), format, spool_folder)
    return _spooled_items(spec, format, spool_folder)


def _file(path: Path, format: Literal["auto"] | Format, spool_folder: Path) -> Source:  # noqa: A002
    chosen = _format_of(path) if format == "auto" else format
    with _opened(path) as file:
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return Source(Path(os.path.abspath(path)), chosen, os.path.abspath(path))
        return _spooled(file, chosen, spool_folder)  # a pipe, as in `unlost run jobs:fetch <(zcat urls.gz)`


def _format_of(path: Path) -> Format:
    match path.suffix.lower():
        case ".jsonl" | ".ndjson":
            return "jsonl"
        case ".json":
            raise UsageError(
                f"{str(path)!r} is one JSON document by its name; inputs are one JSON value a line. "
                f"Write: jq -c '.[]' {path} > {path.with_suffix('.jsonl').name}, or say --format jsonl if it has lines."
            )
        case ".csv" | ".tsv":
            raise UsageError(
                f"{str(path)!r} is a table by its name; inputs are one a line, and its header is none. "
                "Write it as JSONL, one object a line, or say --format lines if each line is an input."
            )
        case _:
            return "lines"


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb", buffering=_CHUNK)
    except FileNotFoundError as missing:
        raise UsageError(f"There is no file {str(path)!r}{_similar(path)}.") from missing
    except IsADirectoryError as directory:
        raise UsageError(f"{str(path)!r} is a folder; inputs are the lines of one file. Name the file.") from directory
    except (OSError, ValueError) as refusal:  # ValueError: a NUL in the name
        raise UsageError(f"{str(path)!r} cannot be read: {refusal}.") from refusal


def _similar(path: Path) -> str:
    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError:  # there is no such folder either
        return f" (nor a folder {str(path.parent)!r})"
    close = difflib.get_close_matches(path.name, names, n=3)
    return f"; similar: {', '.join(close)}" if close else ""


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
    path, digest = spool(chunks, folder, ".jsonl" if format == "jsonl" else ".txt")
    return Source(path.absolute(), format, f"stdin:{digest}")


def _spooled_items(items: Iterable[Any], format: str, folder: Path) -> Source:  # noqa: A002
    if isinstance(items, AsyncIterable):
        raise UsageError(f"The source {items!r} is an async iterable. Write [item async for item in source].")
    if isinstance(items, bytes | bytearray | Mapping) or not isinstance(items, Iterable):
        raise UsageError(f"The source is a {type(items).__name__}; expected a path or an iterable of items.")
    if format == "lines":
        raise UsageError("format='lines' is for files; the items of an iterable are handed on as JSON values.")
    path, digest = spool(as_json_lines(items), folder, ".jsonl")
    return Source(path.absolute(), "jsonl", f"items:{digest}")

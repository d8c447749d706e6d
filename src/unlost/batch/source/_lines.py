"""Records that stand between separators: text lines, lines of JSON, dead letters, text that ends with NUL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from unlost.batch.source._dead import parse_letter
from unlost.batch.source._errors import InputError
from unlost.batch.source._records import Format, Record, parse
from unlost.batch.source._split import ENDED, MORE, Block, Gathered

Blank: TypeAlias = Callable[[], None]
"""Called for each blank line that is passed over."""


def records_between(blocks: Iterator[Block], format: Format, limit: int, blank: Blank) -> Iterator[Record]:  # noqa: A002
    """
    Yield the record that each piece is, unless it is blank.

    Args:
        blocks: Of lines, cut at LF (a CR before it is part of the line end), or for ``null`` of what ends with NUL.
        format: How they are read.
        limit: Bytes of the longest.
        blank: Told of lines that are white space only; between NUL bytes, of what is empty.
    """
    read = parse_letter if format == "dead" else parse
    # what begins with a greater byte is not white space only: most lines are told apart by this
    space, line_end = (-1, b"\0") if format == "null" else (0x20, b"\r")
    for number, start, pieces, end in blocks:
        if end == MORE:
            yield _passed_over(number, start, pieces[0], blocks, limit)
            continue
        for line, whole in enumerate(pieces, number):
            raw = whole[:-1] if whole.endswith(line_end) else whole
            if not raw or (raw[0] <= space and raw.isspace()):
                blank()
            elif len(raw) > limit:
                yield too_long(line, start, _gathered(raw, limit), limit)
            else:
                record = read(line, raw, format, terminated=end == ENDED)
                record.start, record.size = start, len(raw)
                yield record
            start += len(whole) + 1


def too_long(line: int, start: int, gathered: Gathered, limit: int, what: str = "") -> Record:
    """Return the record of what is longer than the limit: its first bytes, and a key that goes by all of them."""
    fault = f"has {gathered.size:,} bytes{what}; {limit:,} are the most that a record may have (--max-record)"
    return Record(line, gathered.head, None, InputError(line, fault), gathered.key(), start, gathered.size)


def _gathered(raw: bytes, limit: int) -> Gathered:
    gathered = Gathered(limit)
    gathered.add(raw)
    return gathered


def _passed_over(line: int, start: int, first: bytes, blocks: Iterator[Block], limit: int) -> Record:
    gathered = _gathered(first, limit)
    for _line, _start, parts, end in blocks:
        gathered.add(parts[0])
        if end != MORE:
            break
    return too_long(line, start, gathered, limit)

"""
Cutting a stream of bytes at its separators, in bounded memory.

A piece that is longer than the limit comes in several parts, so that whoever reads can pass over it and go on behind
it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from unlost.batch.source._records import DIGEST_SIZE, EXCERPT

CHUNK: Final = 1 << 16

MORE: Final = 0
"""The piece goes on in the next part."""
LAST: Final = 1
"""The stream ended, and no separator followed."""
ENDED: Final = 2

Block: TypeAlias = tuple[int, int, list[bytes], int]
"""Number of its first piece, from 1; bytes before that; the pieces; MORE, LAST or ENDED for the last of them."""

Piece: TypeAlias = tuple[int, int, bytes, int]
"""The same of one piece, or of a part of one."""

_BOM = b"\xef\xbb\xbf"


def split(read: Callable[[int], bytes], separator: bytes, limit: int, *, bom: bool = True) -> Iterator[Block]:
    """
    Yield the pieces between separators, which are not part of them; behind the last separator nothing is no piece.

    They come in blocks, since most of a source's time would else go into handing pieces on one by one.

    Args:
        read: Returns up to so many bytes, none at the end.
        separator: One byte.
        limit: Longer pieces come in parts of about so many bytes, each a block of its own. Memory is at most a few
            times this.
        bom: Whether a byte order mark at the start is passed over.
    """
    number, start, parted = 1, 0, False
    held: list[bytes] = []
    chunk = _first(read)
    if bom and chunk.startswith(_BOM):
        chunk, start = chunk[3:], 3
    while chunk:
        pieces = chunk.split(separator)
        rest = pieces.pop()
        if pieces:
            size = len(chunk) - len(rest) + sum(map(len, held))
            pieces[0] = b"".join((*held, pieces[0]))
            yield from _blocks(number, start, pieces, parted=parted)
            number, start, held, parted = number + len(pieces), start + size, [], False
        if rest:
            held.append(rest)
        if held and len(held) * CHUNK > limit and (size := sum(map(len, held))) > limit:
            yield number, start, [b"".join(held)], MORE
            start, held, parted = start + size, [], True
        chunk = read(CHUNK)
    if held:
        yield number, start, [b"".join(held)], LAST


def _blocks(number: int, start: int, pieces: list[bytes], *, parted: bool) -> Iterator[Block]:
    if not parted:
        yield number, start, pieces, ENDED
        return
    yield number, start, pieces[:1], ENDED  # the last part of a long piece, by itself
    if len(pieces) > 1:
        yield number + 1, start + len(pieces[0]) + 1, pieces[1:], ENDED


def each(blocks: Iterator[Block]) -> Iterator[Piece]:
    """Yield pieces one by one."""
    for number, start, pieces, end in blocks:
        for raw in pieces[:-1]:
            yield number, start, raw, ENDED
            number, start = number + 1, start + len(raw) + 1
        yield number, start, pieces[-1], end


def _first(read: Callable[[int], bytes]) -> bytes:
    """Return more than a byte order mark, where there is more: a stream may give its first bytes one by one."""
    chunk = read(CHUNK)
    while 0 < len(chunk) <= len(_BOM) and (more := read(CHUNK)):
        chunk += more
    return chunk


class Gathered:
    """
    The parts of one record, held while they are no longer than the limit together.

    Attributes:
        head: The first bytes.
        size: How many bytes there are.
        is_open: Whether a quote in it is never closed.
    """

    def __init__(self, limit: int) -> None:
        self.head = b""
        self.size = 0
        self.is_open = False
        self._limit = limit
        self._parts: list[bytes] = []
        self._digest = hashlib.blake2b(digest_size=DIGEST_SIZE)

    def add(self, part: bytes) -> None:
        self.size += len(part)
        if len(self.head) < EXCERPT:
            self.head += part[: EXCERPT - len(self.head)]
        self._parts.append(part)
        if self.size > self._limit:
            self._pass_over()

    def whole(self) -> bytes | None:
        """Return the record, None where it was longer than the limit."""
        return None if self.size > self._limit else b"".join(self._parts)

    def key(self) -> str:
        """Return 20 hex digits that stand for all bytes."""
        self._pass_over()
        return self._digest.hexdigest()

    def _pass_over(self) -> None:
        for part in self._parts:
            self._digest.update(part)
        self._parts.clear()

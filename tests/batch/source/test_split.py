"""Whatever the chunks, the pieces are the same; what is too long comes in parts, and what follows is read."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from unlost.batch.source import _split
from unlost.batch.source._split import ENDED, LAST, MORE, each, split


def in_chunks(content: bytes, sizes: list[int]) -> Callable[[int], bytes]:
    """Return a reader that gives so many bytes at a time, over and over."""
    stream, turn = io.BytesIO(content), itertools.cycle(sizes)
    return lambda size: stream.read(min(size, next(turn)))


CONTENT = st.lists(st.sampled_from([b"\n", b"a", b"\xef\xbb\xbf", b"bb" * 9, b"\r"])).map(b"".join)
SIZES = st.lists(st.integers(1, 30), min_size=1)


@given(CONTENT, SIZES)
def test_pieces_are_what_stands_between_separators_wherever_chunks_end(content: bytes, sizes: list[int]) -> None:
    pieces = list(each(split(in_chunks(content, sizes), b"\n", 10**6, bom=False)))

    expected = content.split(b"\n")
    last = expected.pop()
    assert [raw for _, _, raw, end in pieces if end == ENDED] == expected
    assert [raw for _, _, raw, end in pieces if end == LAST] == ([last] if last else [])
    assert [number for number, *_ in pieces] == list(range(1, len(pieces) + 1))
    assert all(content[start : start + len(raw)] == raw for _, start, raw, _ in pieces)


@given(CONTENT, SIZES)
def test_the_parts_of_long_pieces_stand_where_they_say_and_nothing_is_missing(content: bytes, sizes: list[int]) -> None:
    pieces = list(each(split(in_chunks(content, sizes), b"\n", 5, bom=False)))

    assert b"".join(raw + b"\n" * (end == ENDED) for _, _, raw, end in pieces) == content
    assert all(content[start : start + len(raw)] == raw for _, start, raw, _ in pieces)
    numbers = [number for number, _, _, end in pieces if end == ENDED]
    assert numbers == list(range(1, len(numbers) + 1))


@given(st.lists(st.integers(1, 4), min_size=1))
def test_a_byte_order_mark_is_passed_over_however_it_arrives(sizes: list[int]) -> None:
    ((_, start, raw, _),) = each(split(in_chunks(b"\xef\xbb\xbfa", sizes), b"\n", 100))

    assert (start, raw) == (3, b"a")


def test_a_long_piece_is_never_held_whole() -> None:
    left = [100 * _split.CHUNK]

    def read(size: int) -> bytes:
        size = min(size, left[0])
        left[0] -= size
        return b"x" * size

    parts = [(len(raw), end) for _, _, raw, end in each(split(read, b"\n", 2 * _split.CHUNK))]

    assert max(size for size, _ in parts) <= 3 * _split.CHUNK
    assert sum(size for size, _ in parts) == 100 * _split.CHUNK
    assert {end for _, end in parts} <= {MORE, LAST}

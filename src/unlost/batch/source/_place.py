"""Where an input stands in its file, and what it was: all that the journal keeps of it with ``--inputs hash``."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Self

from unlost.batch.source._records import Record

SAME = len('{"hash":"') + 32 + 1
"""So many bytes of a stored place tell whether the record is the same, wherever it stands."""


@dataclass(frozen=True, slots=True)
class Place:
    """
    Attributes:
        hash: Of what the journal would keep of the record: 32 hex digits.
        start: How many bytes stand before it in the file.
        size: How many bytes it has there.
    """

    hash: str
    start: int
    size: int

    @classmethod
    def of(cls, record: Record) -> Self:
        return cls(hash_of(record), record.start, record.size)

    def stored(self) -> bytes:
        """Return it as the journal keeps it; the first ``SAME`` bytes depend on ``hash`` alone."""
        return f'{{"hash":"{self.hash}","start":{self.start},"size":{self.size}}}'.encode()

    @classmethod
    def restored(cls, stored: bytes) -> Self:
        return cls(**json.loads(stored))


def hash_of(record: Record) -> str:
    """Return the hash that ``Place`` keeps."""
    return hashlib.blake2b(record.raw, digest_size=16).hexdigest()

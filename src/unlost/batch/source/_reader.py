"""Reading an item's record again when it is claimed: from the journal, or with ``--inputs hash`` from its file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from unlost.batch.source._dead import parse_letter
from unlost.batch.source._errors import InputError
from unlost.batch.source._formats import delimiter_of
from unlost.batch.source._opened import reading
from unlost.batch.source._place import Place, hash_of
from unlost.batch.source._records import Format, Record, kept_as, parse
from unlost.batch.source._split import each, split
from unlost.batch.source._table import Table, parse_row
from unlost.errors import UsageError


@dataclass(slots=True)
class Reader:
    """
    Reads what the journal has of an item.

    Made of plain data, so that another process can have the same one: ``Reader(Path(path), format, inputs, limit)``.

    Attributes:
        path: The source's file.
        format: How it is read.
        inputs: Whether the journal holds records or only their places.
        limit: Bytes of the longest record.
    """

    path: Path
    format: Format
    inputs: Literal["keep", "hash"] = "keep"
    limit: int = 16 * 2**20
    _header: list[str] | None = field(default=None, repr=False, compare=False)

    def read(self, line: int, raw: bytes) -> Record:
        """
        Return the record of an item; with ``inputs="hash"`` reads a few blocks of the file, so it blocks for that.

        Args:
            line: Where it stands.
            raw: What the journal has of it.

        Returns:
            The record; where its file is gone, or holds something else there now, with an ``error`` that says so.
        """
        if self.inputs == "keep":
            return parse(line, raw, kept_as(self.format))
        place = Place.restored(raw)
        try:
            record = self._parsed(line, self._bytes(place))
        except OSError as gone:
            what = f"cannot be read again from {str(self.path)!r}, since its run keeps no inputs: {gone.strerror}"
            return Record(line, raw, None, InputError(line, what))
        except UsageError as other_header:
            what = f"cannot be read again, since its run keeps no inputs: {other_header}"
            return Record(line, raw, None, InputError(line, what))
        if hash_of(record) != place.hash:
            what = f"is not what it was when it was read: {str(self.path)!r} has changed, and its run keeps no inputs"
            return Record(line, raw, None, InputError(line, what))
        return record

    def _bytes(self, place: Place) -> bytes:
        with self.path.open("rb") as file:
            file.seek(place.start)
            return file.read(place.size)

    def _parsed(self, line: int, raw: bytes) -> Record:
        match self.format:
            case "csv":
                return parse_row(line, raw, self._names(), delimiter_of(self.path))
            case "dead":
                return parse_letter(line, raw)
            case _:
                return parse(line, raw, self.format)

    def _names(self) -> list[str]:
        if self._header is None:
            with reading(self.path) as read:
                pieces = each(split(read, b"\n", self.limit))
                table = Table(pieces, str(self.path), delimiter_of(self.path), self.limit, lambda: None)
            self._header = table.header
        return self._header

"""How a source is read, by its name."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from unlost.batch.source._records import Format
from unlost.errors import UsageError

_TABLES = (".csv", ".tsv", ".tab")
_JSON = (".jsonl", ".ndjson")


def format_of(path: Path, given: Literal["auto"] | Format) -> Format:
    """
    Return the format that was given, or else the one that the suffix says; ``.gz`` behind it does not count.

    Raises:
        UsageError: A file of that name is neither lines nor a table; or it is not what was given.
    """
    plain = uncompressed_name(path)
    suffix = plain.suffix.lower()
    if given == "null" and suffix in (*_TABLES, *_JSON):
        raise UsageError(
            f"-0 is for text records that end with NUL, and {str(path)!r} is none by its name. Leave -0 out."
        )
    if given != "auto":
        return given
    if suffix == ".json":
        raise UsageError(
            f"{str(path)!r} is one JSON document by its name; inputs are one JSON value a line. "
            f"Write: jq -c '.[]' {path} > {plain.with_suffix('.jsonl').name}, or say --format jsonl if it has lines."
        )
    return "jsonl" if suffix in _JSON else "csv" if suffix in _TABLES else "lines"


def delimiter_of(path: Path) -> str:
    """Return what separates the fields of a table: tabs where its name ends with ``.tsv``, else commas."""
    return "\t" if uncompressed_name(path).suffix.lower() in (".tsv", ".tab") else ","


def uncompressed_name(path: Path) -> Path:
    return path.with_suffix("") if path.suffix.lower() == ".gz" else path

"""
Outcomes as lines of JSON.

What ended with a value is a result line, as in the results file. What failed is a dead letter, which has the name
``unlost``, and is a source for ``unlost run`` itself: it holds its input.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from unlost.batch._values import as_json
from unlost.batch.journal._door import Connection
from unlost.batch.journal._ended_items import (
    Chosen,
    EndedItem,
    read_ended,
    read_input,
    read_spent_on,
    snapshot,
)
from unlost.batch.journal._kept import read_kept
from unlost.batch.journal._results import line_of
from unlost.observe import headline

VERSION = "dead-letter/1"

InputFormat: TypeAlias = Literal["lines", "jsonl", "null"]  # of a record that was one

_Members: TypeAlias = dict[str, Any]  # Any: whatever JSON can hold


@dataclass(frozen=True, slots=True)
class Inputs:
    """
    How a run has its inputs.

    Attributes:
        format: How a record is read; a row of a table is kept as JSONL.
        kept: Whether the journal has them at all.
        is_table: Whether they are rows: one that is malformed is kept as it stands.
    """

    format: InputFormat
    kept: bool = True
    is_table: bool = False


def export_lines(
    connection: Connection, chosen: Chosen, inputs: Inputs, *, with_input: bool = False
) -> Generator[bytes, None, None]:
    """
    Yield a line for each chosen outcome, line end included, in one snapshot of the journal.

    Close it before the connection, if it is not read to its end.

    Args:
        connection: For reading.
        chosen: Which outcomes, in which order.
        inputs: How the run has its inputs.
        with_input: Whether results have their input too; dead letters have it in any case.
    """
    with snapshot(connection):
        for ended in read_ended(connection, chosen):
            if ended.ok:
                shown = _input(connection, ended.item, inputs) if with_input else {}
                yield _result(ended, shown)
            else:
                yield _encoded(as_json(_letter(connection, ended, inputs)))


def _result(ended: EndedItem, shown: _Members) -> bytes:
    assert ended.value is not None
    line = line_of(ended.key, ended.line, ended.value, ended.attempts, ended.ms, ended.tag)
    return line if not shown else b"".join((line[:-2], b", ", _encoded(as_json(shown)[1:])))


def _encoded(text: str) -> bytes:
    # half a surrogate pair, in an error of old, becomes the JSON escape of itself
    return f"{text}\n".encode(errors="backslashreplace")


def _letter(connection: Connection, ended: EndedItem, inputs: Inputs) -> _Members:
    assert ended.error is not None
    error = json.loads(ended.error)
    spent = read_spent_on(connection, ended.item)
    shown = _input(connection, ended.item, inputs)
    malformed = inputs.is_table and ended.kind == "input" and not ended.attempts and not _is_object(shown["input"])
    return {
        "unlost": VERSION,
        "key": ended.key,
        "line": ended.line,
        "format": "csv" if malformed else inputs.format,
        **shown,
        "kind": ended.kind,
        "fingerprint": ended.fingerprint,
        "title": headline(error, alone=True).title,
        "error": error,
        "attempts": ended.attempts,
        "held": ended.held,
        "ms": ended.ms,
        "tag": ended.tag,
        "generation": ended.generation,
        "spent": None if spent is None else spent.as_json(),
        "kept": {name: _kept(value) for name, value in read_kept(connection, ended.item).items()},
        "ended": datetime.fromtimestamp(ended.ended, UTC).isoformat(timespec="milliseconds"),
        "source_hash": ended.source_hash,
        "revision": ended.revision,
    }


def _input(connection: Connection, item: int, inputs: Inputs) -> _Members:
    raw = read_input(connection, item) if inputs.kept else None
    if raw is None:
        return {"input": None, "input_kept": False}
    try:
        return {"input": raw.decode()}
    except UnicodeDecodeError:
        return {"input": None, "input_base64": base64.b64encode(raw).decode()}


def _is_object(text: str | None) -> bool:
    """Tell a row that is kept as JSON, but was refused for its key, from one that is kept as it stood in its file."""
    try:
        return text is not None and isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _kept(value: bytes | str) -> Any:  # Any: whatever JSON can hold
    return json.loads(value) if isinstance(value, str) else {"base64": base64.b64encode(value).decode()}

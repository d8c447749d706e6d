"""Why two errors are one bug, or are not, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unlost.observe._place import module_name
from unlost.observe._schema import ErrorRecord
from unlost.observe._text import printable
from unlost.observe.fingerprints._parts import CAUSES, FRAMES, Part, parts_of

_WIDTH: Final = 160
_ALWAYS: Final = "line numbers"


def why(record: ErrorRecord) -> Iterator[str]:
    """Yield a line for each part of the coarse key, what was left out, and what the hook had to say."""
    yield from _lines(parts_of(record))
    yield f"left out: {'; '.join(_left_out(record))}"
    if fault := record.get("own_key", {}).get("fault"):
        yield f"your hook failed: {_shown(fault)}"


def what_varies(record: ErrorRecord) -> Iterator[str]:
    """Yield a line for each part that the full key has and the coarse one has not: what differs within one bug."""
    coarse = set(_flat(parts_of(record)))
    for depth, part in _indented(parts_of(record, full=True)):
        if not part.within and (part.what, part.value) not in coarse:
            yield f"{'  ' * depth}{_line(part)}"


def why_not(first: ErrorRecord, second: ErrorRecord) -> Iterator[str]:
    """Yield a line for each part in which the two errors' coarse keys differ, then what is alike; none if all is."""
    left, right = _by_name(parts_of(first)), _by_name(parts_of(second))
    names = list(dict.fromkeys((*left, *right)))
    different = [name for name in names if left.get(name) != right.get(name)]
    if not different:
        return
    for name in different:
        yield f"{name}: {_either(left.get(name))}  |  {_either(right.get(name))}"
    if alike := [name for name in names if name not in different]:
        yield f"alike: {', '.join(alike)}"


def _lines(parts: tuple[Part, ...]) -> Iterator[str]:
    for depth, part in _indented(parts):
        yield f"{'  ' * depth}{_line(part)}"


def _indented(parts: tuple[Part, ...], depth: int = 0) -> Iterator[tuple[int, Part]]:
    for part in parts:
        yield depth, part
        yield from _indented(part.within, depth + 1)


def _flat(parts: tuple[Part, ...]) -> Iterator[tuple[str, str]]:
    for _, part in _indented(parts):
        yield part.what, part.value


def _line(part: Part) -> str:
    value = f"{part.what}: {_shown(part.value)}" if part.value else f"{part.what}:"
    return f"{value} ({part.reason})" if part.reason else value


def _by_name(parts: tuple[Part, ...], path: str = "") -> dict[str, str]:
    """Return the parts by their names: ``type``, ``cause's type``, ``2nd cause's ...``."""
    found: dict[str, str] = {}
    for part in parts:
        name = _counted(f"{path}{part.what}", found)
        if part.within:
            found |= _by_name(part.within, f"{name}'s ")
        else:
            found[name] = part.value
    return found


def _counted(name: str, taken: dict[str, str]) -> str:
    number, candidate = 1, name
    while candidate in taken or any(known.startswith(f"{candidate}'s ") for known in taken):
        number += 1
        candidate = f"{name} {number}"
    return candidate


def _either(value: str | None) -> str:
    return "(none)" if value is None else _shown(value)


def _left_out(record: ErrorRecord) -> Iterator[str]:
    yield _ALWAYS
    own = {(frame["module"], frame["function"]) for frame in record["frames"] if frame["app"]}
    if len(own) > 1:
        yield f"who called it (the full key has the innermost {FRAMES})"
    foreign = dict.fromkeys(module_name(frame).partition(".")[0] for frame in record["frames"] if not frame["app"])
    if foreign:
        yield f"frames of {_shown(', '.join(foreign))}"
    for name in ("attempts", "notes", "context", "errors"):
        if name in record:
            yield {"errors": "attached errors", "attempts": "earlier attempts"}.get(name, name)
    if _causes(record) > CAUSES:
        yield f"causes beyond {CAUSES}"


def _causes(record: ErrorRecord) -> int:
    count = 0
    while beneath := record.get("cause"):
        record, count = beneath, count + 1
    return count


def _shown(text: str) -> str:
    line = " ".join(printable(text).split())
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}…"

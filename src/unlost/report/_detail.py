"""One group of dead letters: an example in full, then every item in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from unlost.batch import Dead
from unlost.observe import headline
from unlost.report._text import clock_time, one_line
from unlost.report.traceback import Look, for_terminal, trace_of

_INPUT = 200  # characters of an input that are shown
_PLAIN = Look()
_INDENT = "  "


def detail_as_text(dead: Iterable[Dead], look: Look = _PLAIN, alone: Collection[str] = ()) -> Iterator[str]:
    """
    Yield lines; the first item of each fingerprint has its error in full, as it is to look.

    ``alone`` are the fingerprints that one item has: their titles are as in the summary, and leave nothing open.
    """
    seen: set[str] = set()
    for letter in dead:
        if letter["fingerprint"] not in seen:
            seen.add(letter["fingerprint"])
            yield from _example(letter, look, alone=letter["fingerprint"] in alone)
        yield f"  line {letter['line']:<8} key {one_line(letter['key'])}   {_shown(letter['input'])}"
        yield from _bought(letter)


def detail_as_json(dead: Iterable[Dead]) -> list[dict[str, Any]]:  # Any: built-ins that JSON can hold
    """Return the items as they are in the journal; of what is kept only how it begins."""
    return [{**letter, "spent": letter["spent"].as_json() if letter["spent"] else None} for letter in dead]


def _example(letter: Dead, look: Look, *, alone: bool) -> Iterator[str]:
    attempts = "never started" if letter["attempts"] == 0 else f"attempts {letter['attempts']}"
    yield f"{letter['fingerprint'][:6]}  {headline(letter['error'], alone=alone)}"
    yield f"kind {letter['kind']} · line {letter['line']} · {attempts} · {clock_time(letter['ms'] / 1000)}"
    yield ""
    inner = look._replace(cells=look.cells - len(_INDENT)) if look.cells else look
    yield from (f"{_INDENT}{line}" for line in for_terminal(trace_of(letter["error"]), inner))
    yield ""


def _bought(letter: Dead) -> Iterator[str]:
    """Yield what the item has cost, and what of it is kept, a line each."""
    if letter["spent"]:
        yield f"    spent {letter['spent']}"
    for kept in letter["kept"]:
        size = f"{kept['size']:,} {'bytes' if kept['form'] == 'bytes' else 'characters of JSON'}"
        more = "" if kept["whole"] else "…"
        yield f"    kept {one_line(kept['name'])}, {size}: {one_line(kept['begins'])}{more}"


def _shown(text: str | None) -> str:
    if text is None:
        return "(inputs are not kept)"
    shown = one_line(text[:_INPUT])
    return shown if len(text) <= _INPUT else f"{shown}… [{len(text) - _INPUT:,} more characters]"

"""What stands behind a group: its trace, why it is one group, and what to type."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from unlost.observe import Line, why
from unlost.report._report import ErrorGroup
from unlost.report.html._room import Long
from unlost.report.html._text import brief, safe
from unlost.report.traceback import trace_of

_TAGS: Final = {"own": "b", "error": "strong", "folded": "i", "link": "em", "branch": "em"}
_COMMAND: Final = 400  # bytes of one
_SPENT: Final = 80
_INSTEAD: Final = 160
_KEYS: Final = 3  # named of one group


class Detail:
    """What there is to show of a group, however long it is: what is short, the trace, the reasons."""

    def __init__(self, group: ErrorGroup) -> None:
        self.short = "".join(_commands(group))
        reasons = why(group.error) if group.error is not None else ()
        self.trace = Long("i", list(map(_line, trace_of(group.error, group.origin, group.ended))))
        self.why = Long("li", [partial(_reason, reason) for reason in reasons])

    def html(self, trace_room: int, why_room: int) -> Iterator[str]:
        """Yield the inside of the detail, its long parts within so many bytes each."""
        yield self.short
        if self.trace:
            yield from ("<pre>", *self.trace.within(trace_room), "</pre>\n")
        if self.why:
            yield "<details><summary>Why grouped</summary><ul>"
            yield from (*self.why.within(why_room), "</ul></details>\n")


def _commands(group: ErrorGroup) -> Iterator[str]:
    for what, command in (("Run just these again:", group.command), ("See each of them:", group.look)):
        if command:
            yield f"<p>{what} <code>{brief(command, _COMMAND)}</code></p>\n"
    if group.instead:
        yield f"<p>Instead: {brief(group.instead, _INSTEAD)}</p>\n"
    if group.keys:
        more = f" and {len(group.keys) - _KEYS:,} more" if len(group.keys) > _KEYS else ""
        yield f"<p>Key: {' '.join(f'<code>{safe(key)}</code>' for key in group.keys[:_KEYS])}{more}</p>\n"
    if group.spent:
        yield f"<p>Spent: {brief(group.spent, _SPENT)}</p>\n"


def _line(line: Line) -> partial[str]:
    return partial(_drawn, safe(line.tree), _TAGS.get(line.role), line.text.rstrip())


def _drawn(tree: str, tag: str | None, text: str, most: int) -> str:
    shown = brief(text, most)
    return f"{tree}<{tag}>{shown}</{tag}>\n" if tag else f"{tree}{shown}".rstrip() + "\n"


def _reason(reason: str, most: int) -> str:
    return f"<li>{brief(reason, most)}</li>"

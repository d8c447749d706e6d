"""What was found, compactly for people, and under a key that stays the same on every machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Final, TypeAlias

from unlost.observe._leaving import leaving
from unlost.observe._place import base_name, without_comprehensions
from unlost.observe._redact import redact
from unlost.observe._render import short_path
from unlost.observe._text import printable
from unlost.observe.sinks._found import found as report_of_found
from unlost.observe.watch import (
    DESTROYED,
    DIED,
    LEAKED,
    LOOP_ERROR,
    NEVER_AWAITED,
    TERMINATED,
    Finding,
    Notice,
    Origin,
    Site,
    Verdict,
)
from unlost.observe.watch import ended_at as end_of

Key: TypeAlias = str

_KEY: Final = 12  # hex digits
_WIDTH: Final = 13
_TEXTS: Final = 3

_INSTEAD: Final = {
    Verdict.LOST.value: "await the task, or start it in a group: async with asyncio.TaskGroup() as group: ...",
    Verdict.UNDELIVERED.value: "await the task before the program ends",
    Verdict.RETURNED.value: "look at each result, where nothing does yet: if isinstance(result, BaseException): ...",
    Verdict.ABSORBED.value: "unlost.gather(...) or asyncio.TaskGroup: each error reaches who waits",
    NEVER_AWAITED: "await it",
    DESTROYED: "keep the task until it is done, or start it in a group",
    DIED: "await the task, or start it in a group",
    LEAKED: "await it before the test ends, after task.cancel() where it does not end by itself",
    LOOP_ERROR: "catch it in the function that raised it: nobody waits for what the loop calls",
    TERMINATED: "await what is held when the program is asked to stop: at the end of a server's lifespan, of main",
}
_UNASKED: Final = frozenset({Verdict.LOST, Verdict.UNDELIVERED})
_OF_A_FUTURE: Final = "await the future, or ask it: future.result()"
_INSTEAD_OF: Final = (
    ("a concurrent future", "ask the future: future.result(), or await asyncio.wrap_future(future)"),
    ("an executor", "ask the future: future.result(), or await loop.run_in_executor(...)"),
    ("an async generator", "async with contextlib.aclosing(generator) as items: its end is then awaited"),
    ("TaskGroup", "unlost.TaskGroup(): what it cannot raise beside an exit it attaches to that, and reports"),
    ("a future that", _OF_A_FUTURE),
    ("callback", "log what task.exception() returns in the callback, or await the task"),
)
"""By who took it, which says more than the verdict."""


def key_of(found: Finding | Notice) -> Key:
    """
    Return 12 hex digits: the same for the same bug that ends at the same place, without line numbers and paths.

    What nobody took ends where its task was started.
    """
    return _key(found, ended_at(found))


def key_as_named(found: Finding | Notice) -> Key:
    """Return the key by which it was known when a comprehension, which is a function up to 3.11, counted as one."""
    return _key(found, ended_at(found), is_as_named=True)


def former_key_of(found: Finding | Notice) -> Key:
    """Return the key by which it was known before that of what nobody took had a place."""
    return _key(found, found.site, is_as_named=True)


def _key(found: Finding | Notice, place: Site | None, *, is_as_named: bool = False) -> Key:
    function = place.function if place else ""
    parts = [_word(found), function if is_as_named else without_comprehensions(function), _module(place)]
    if isinstance(found, Finding):
        parts.append(report_of_found(found).digest)
    return sha256("\n".join(parts).encode()).hexdigest()[:_KEY]


def lines_about(found: Finding | Notice) -> Iterator[str]:
    """Yield what it is, where it was raised and where it ended, its task, and what to write instead."""
    yield f"{_what(found)}  [{key_of(found)}]"
    for label, text in _labelled(found):
        yield _line(found, label, text)


def _labelled(found: Finding | Notice) -> Iterator[tuple[str, str]]:
    if isinstance(found, Finding) and found.raised is not None and not _is_executor(found.raised):
        yield "raised at", place_of(found.raised)
    if isinstance(found, Finding) or found.site is not None or found.origin is not None:
        yield _ending(found)
    if isinstance(found, Finding) and found.by:
        yield "by", printable(found.by)
    if found.during:
        yield "during", printable(redact(found.during))
    if found.origin is not None:
        yield from _from(found.origin)
    if advice := advice_on(found):
        yield "instead", advice


def texts_beside(same: Sequence[Finding | Notice]) -> Iterator[str]:
    """Yield what others with the same key say that the first does not: its text is not theirs."""
    said = list(dict.fromkeys(_text(found) for found in same))[1:]
    yield from (_line(same[0], "also", text) for text in said[:_TEXTS])
    if len(said) > _TEXTS:
        yield _line(same[0], "", f"and {len(said) - _TEXTS:,} more")


def places_beside(same: Sequence[Finding | Notice]) -> Iterator[str]:
    """Yield where others with the same key ended, that is other lines of the same function than the first's."""
    places = list(dict.fromkeys(place_of(place) for found in same if (place := ended_at(found)) is not None))[1:]
    yield from (_line(same[0], "also at", place) for place in places[:_TEXTS])
    if len(places) > _TEXTS:
        yield _line(same[0], "", f"and {len(places) - _TEXTS:,} more")


def place_of(site: Site) -> str:
    """Return a place as short as it can be found by."""
    return printable(f"{short_path(site.file)}:{site.line} in {site.function}")


def advice_on(found: Finding | Notice) -> str:
    """Return what to write instead, in a line; empty where there is nothing to say."""
    if isinstance(found, Finding) and found.cancellation:
        return "end with `raise` in that handler, so that the task ends"
    if isinstance(found, Finding) and found.verdict is Verdict.SWALLOWED:
        name = found.type.qualname.rpartition(".")[2]
        return f"except {name}: if that is what you mean; else log.exception(...) or raise"
    by = found.by if isinstance(found, Finding) else ""
    has_task = found.origin is not None and found.origin.task
    if not by and isinstance(found, Finding) and not has_task and found.verdict in _UNASKED:
        return _OF_A_FUTURE
    return next((advice for who, advice in _INSTEAD_OF if by.startswith(who)), _INSTEAD.get(_word(found), ""))


def ended_at(found: Finding | Notice) -> Site | None:
    """Return where it ended: who took it, else the user's own place that started its task; None where none is known."""
    return end_of(found.site, found.origin)


def _is_executor(site: Site) -> bool:
    """Whether it only called what raised, which has no frame: a built-in function."""
    return site.module == "concurrent.futures.thread" and site.function == "_WorkItem.run"


def _from(origin: Origin) -> Iterator[tuple[str, str]]:
    if not origin.task:
        yield from (("submitted at", place_of(site)) for site in origin.spawned)
        return
    own = [site for site in origin.spawned if site.app] or origin.spawned  # not those of who runs tests, say
    by = [f"by a task started at {place_of(site)}" for site in own]
    if own and own[0] is origin.spawned[0]:
        first = f", started at {place_of(own[0])}"
    else:
        first = f", started {by[0]}" if by else ""
    yield "task", printable(repr(redact(origin.task))) + first
    yield from (("", one) for one in by[1:])


def _ending(found: Finding | Notice) -> tuple[str, str]:
    word = _ended(found)
    if (place := ended_at(found)) is not None:
        there = "it was submitted there" if found.origin and not found.origin.task else "its task was started there"
        return f"{word} at", place_of(place) + ("" if found.site else f" ({there})")
    is_held = isinstance(found, Finding) and found.verdict is Verdict.UNDELIVERED
    return word, "nobody asked" + ("" if is_held else "; where it was let go is not known")


def _what(found: Finding | Notice) -> str:
    if isinstance(found, Notice):
        return printable(f"{found.kind}: {redact(found.text)}")
    subject = "cancellation swallowed" if found.cancellation else found.verdict.value
    text = f": {leaving(found.text)}" if found.text else ""
    return printable(f"{subject}: {found.type}{text}".replace("\n", " "))


def _text(found: Finding | Notice) -> str:
    text = leaving(found.text) if isinstance(found, Finding) else redact(found.text)
    return printable(text.replace("\n", " "))


def _ended(found: Finding | Notice) -> str:
    return "found" if isinstance(found, Notice) else found.verdict.value


def _word(found: Finding | Notice) -> str:
    return found.kind if isinstance(found, Notice) else found.verdict.value


def _module(site: Site | None) -> str:
    """Return the module's file: its name would be ``__main__`` for one way to start it, and another for others."""
    return base_name(site.file) if site is not None else ""


def _line(found: Finding | Notice, label: str, text: str) -> str:
    width = max(_WIDTH, len(f"{_ended(found)} at"))  # all lines about it have that of the longest
    return f"  {label:<{width}} {text}"

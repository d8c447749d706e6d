"""How many came to which verdict, and what could not be seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from unlost.observe._code import not_found
from unlost.observe.install._about import place_of
from unlost.observe.patch import Patch
from unlost.observe.watch import Collector, Finding, Notice, Unknown, Verdict

NUMBER: Final = "{count}"
"""In a sentence, where the number goes: those of several processes are added up."""

_PLACES: Final = 10

_NAMES: Final = "expected what stands after `import`, up to the first dot."
_HELD_BACK: Final = f"{NUMBER} exceptions were only counted: enough was told of their places."
BY_MODE: Final = f"Exceptions of which that leaves the end unknown: {NUMBER}."
"""Said after ``Watch.why``, in place of each of them."""

_DROPPED: Final = f"{NUMBER} findings were let go again, for want of room."

NONE: Final = "there were none to follow: what is caught at once by who expects it is not counted"


def summary_of(collector: Collector) -> Iterator[str]:
    """Yield a line for each verdict and each kind of notice that there was."""
    rows = [(verdict.value, collector.counts[verdict]) for verdict in Verdict if collector.counts[verdict]]
    rows += [(kind, count) for kind, count in sorted(collector.noted.items()) if count]
    label = max((len(name) for name, _ in rows), default=0)
    number = max((len(f"{count:,}") for _, count in rows), default=0)
    yield from (f"{name:<{label}}  {count:>{number},}" for name, count in rows)


def all_in(collector: Collector) -> list[Finding | Notice]:
    """Return what was found and kept: exceptions, then notices, the oldest first."""
    found: list[Finding | Notice] = list(collector.findings)
    return found + list(collector.notices)


def blind_spots(collector: Collector, why: str) -> Iterator[str]:
    """Yield a sentence for each thing that could not be seen, or that was let go; ``why`` is ``Watch.why``."""
    if why:
        yield why
    yield from sentences(spots_of(collector))


def spots_of(collector: Collector, *, is_boundary: bool = False) -> Counter[str]:
    """
    Return how much was let go, and how often what failed, by the sentence that says so, with room for the number.

    Args:
        is_boundary: Whether what boundary mode leaves unknown is only counted.
    """
    spots = Counter({_HELD_BACK: collector.held_back, _DROPPED: collector.dropped})
    for fault, count in sorted(collector.faults.items()):
        spots[f"The watching itself failed {NUMBER}×: {fault}."] = count
    unknown = collector.unknown.counts()
    if is_boundary:
        spots[BY_MODE] = sum(unknown.pop(one) for one in list(unknown) if one.is_of_boundary)
    return +spots + _unknown(unknown)


def misnamed() -> list[str]:
    """Return a sentence for each name in ``UNLOST_OWN`` that makes nothing the user's own."""
    return [f"UNLOST_OWN names {name!r}, and no module of that name is found: {_NAMES}" for name in not_found()]


def _unknown(counts: Counter[Unknown]) -> Counter[str]:
    """Return how many there were of which nobody knows the end; those of libraries by why that is only."""
    own = [one for one, _ in counts.most_common() if one.raised is not None and one.raised.app][:_PLACES]
    said: Counter[str] = Counter()
    for one, count in counts.most_common():
        said[f"unknown {NUMBER}×, {_raised(one, is_shown=one in own)}: {one.why}."] += count
    return said


def _raised(one: Unknown, *, is_shown: bool) -> str:
    if one.raised is None:
        return "raised at other places" if one.type is None else "raised at places that are not known"
    if is_shown:
        return f"{one.type}, raised at {place_of(one.raised)}"
    return "raised at other places" if one.raised.app else "raised in the code of Python or of installed packages"


def sentences(spots: Mapping[str, int]) -> list[str]:
    """Return the sentences with their numbers."""
    return [text.replace(NUMBER, f"{count:,}") for text, count in spots.items()]


def kept_by(patch: Patch) -> Iterator[str]:
    """Yield how many errors asyncio's functions kept that they drop."""
    kept = patch.kept
    if kept.attached:
        yield f"attached to the error that came out  {kept.attached:,}"
    if kept.reported:
        yield f"reported in place of dropped  {kept.reported:,}"
    if kept.left:
        yield f"left to asyncio, which tells of an error that nobody asks for  {kept.left:,}"


def missed_by(patch: Patch) -> Iterator[str]:
    """Yield a sentence for each function of asyncio that drops what it did, and one for faults of ours."""
    for name, why in sorted(patch.missed.items()):
        yield f"asyncio.{name} drops what it always did: {why}."
    if patch.kept.faults:
        yield f"Keeping what asyncio drops failed {patch.kept.faults:,}×, lately: {patch.kept.last_fault}."

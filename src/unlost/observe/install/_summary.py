"""How many came to which verdict, and what could not be seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unlost.observe.patch import Patch
from unlost.observe.watch import Collector, Finding, Notice, Verdict

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
    if collector.held_back:
        yield f"{collector.held_back:,} exceptions were only counted: enough was told of their places."
    if collector.dropped:
        yield f"{collector.dropped:,} findings were let go again, for want of room."
    yield from (f"The watching itself failed {count:,}×: {fault}." for fault, count in sorted(collector.faults.items()))


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

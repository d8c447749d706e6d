"""Why dead letters are one group, or two: for ``unlost show --why``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from unlost.batch import Group, read_dead
from unlost.batch.journal._door import Connection
from unlost.observe import Part, digest, headline, parts_of, variant, what_varies, why, why_not

_VARIANTS = 10  # of one group that are told apart; the rest is counted


@dataclass(slots=True)
class _Variant:
    """
    Items of a group that have one full key.

    Attributes:
        key: The full key.
        error: The record of the first one's error.
        line: Of that.
        count: Of items.
    """

    key: str
    error: Any  # an ErrorRecord, as JSON reads it back
    line: int
    count: int = 0


def why_as_text(connection: Connection, groups: Sequence[Group]) -> Iterator[str]:
    """Yield lines: what each group's fingerprint is made of and what varies in it, then how the groups differ."""
    for group in groups:
        yield from _group(connection, group)
        yield ""
    for other in groups[1:]:
        yield from _difference(groups[0], other)


def why_as_json(connection: Connection, groups: Sequence[Group]) -> list[dict[str, Any]]:  # Any: what JSON can hold
    """Return for each group its parts, and its variants with the parts of the full key."""
    return [
        {
            "fingerprint": group.fingerprint,
            "count": group.count,
            "today": digest(group.error),
            "parts": [_as_json(part) for part in parts_of(group.error)],
            "variants": [
                {
                    "key": each.key,
                    "count": each.count,
                    "line": each.line,
                    "parts": [_as_json(part) for part in parts_of(each.error, full=True)],
                }
                for each in _variants(connection, group)[0]
            ],
        }
        for group in groups
    ]


def _as_json(part: Part) -> dict[str, Any]:  # Any: as above
    if part.within:
        return {"what": part.what, "reason": part.reason, "within": [_as_json(inner) for inner in part.within]}
    return {"what": part.what, "value": part.value, "reason": part.reason}


def _group(connection: Connection, group: Group) -> Iterator[str]:
    yield f"{group.fingerprint[:6]}  {headline(group.error)}"
    yield from (f"  {line}" for line in why(group.error))
    if (today := digest(group.error)) != group.fingerprint:
        yield "  grouped by another version of the fingerprint, or another hook, and kept so;"
        yield f"  what fails like this from now on is in {today[:6]}"
    variants, others = _variants(connection, group)
    if len(variants) > 1:
        yield f"within it: {len(variants)} variants" + (f", and {others:,} items in others" if others else "")
        for each in variants:
            yield f"  {each.key[:6]}  {each.count:,}×  e.g. line {each.line}"
            yield from (f"    {line}" for line in what_varies(each.error))


def _variants(connection: Connection, group: Group) -> tuple[list[_Variant], int]:
    """Return the variants of a group in the order of the source, and how many items are in none of them."""
    found: dict[str, _Variant] = {}
    others = 0
    for letter in read_dead(connection, group.fingerprint):
        key = variant(letter["error"])
        if key not in found and len(found) == _VARIANTS:
            others += 1
            continue
        found.setdefault(key, _Variant(key, letter["error"], letter["line"])).count += 1
    return list(found.values()), others


def _difference(first: Group, second: Group) -> Iterator[str]:
    lines = list(why_not(first.error, second.error))
    if lines:
        yield f"{first.fingerprint[:6]} and {second.fingerprint[:6]} differ in"
        yield from (f"  {line}" for line in lines)
    elif first.fingerprint != second.fingerprint:
        yield f"{first.fingerprint[:6]} and {second.fingerprint[:6]} would be one group today"

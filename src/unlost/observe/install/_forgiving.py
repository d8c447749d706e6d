"""What the marker of a test forgives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from unlost.errors import UsageError
from unlost.observe.install._about import former_key_of, key_as_named, key_of, lines_about
from unlost.observe.watch import Finding, Notice

_NAMES = ("reason", "what")


class Forgiving(NamedTuple):
    """
    Attributes:
        reason: Why.
        what: A part of the text, or the key; empty for all of the test's.
    """

    reason: str
    what: str = ""

    def covers(self, found: Finding | Notice) -> bool:
        """Say whether this is forgiven."""
        keys = (key_of(found), key_as_named(found), former_key_of(found))
        return not self.what or self.what in keys or self.what in "\n".join(lines_about(found))


def forgiving(arguments: Sequence[object], keywords: Mapping[str, object], mark: str) -> Forgiving:
    """
    Return what a marker with these arguments forgives.

    Raises:
        UsageError: It gives no reason, or something that is no text, or more than that.
    """
    typed = ", ".join([*map(repr, arguments), *(f"{name}={value!r}" for name, value in keywords.items())])
    given: dict[str, object] = dict(zip(_NAMES, arguments, strict=False))
    is_known = len(arguments) <= len(_NAMES) and not keywords.keys() - (set(_NAMES) - given.keys())
    given.update(keywords)
    reason, what = given.get("reason", ""), given.get("what", "")
    if not is_known or not isinstance(reason, str) or not reason.strip() or not isinstance(what, str):
        instead = f"{mark}('why', 'part of the text, or the key')"
        raise UsageError(f"{mark}({typed}): write {instead}, a mark for each part")
    return Forgiving(reason, what)

"""
What a fingerprint is made of.

There are two keys. The coarse one is what people would call one bug: the type, the status or errno, the message
without what varies, the user's innermost function, what that called in a library, and the causes in which the user's
code had a part, with the root. The full one has the user's innermost eight functions in place of one, and every
cause: it tells apart what differs within a bug. Neither depends on line numbers, attempts, notes or context, nor on
the frames of libraries. A group is the set of its members: how many there are and in which order does not matter, and
where all are one bug, the group is that bug.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

from unlost.observe._place import module_name, own_place, without_comprehensions
from unlost.observe._schema import ErrorRecord, FrameRecord
from unlost.observe.fingerprints._template import template_of

FRAMES: Final = 8
CAUSES: Final = 4  # below what the smallest record keeps, so that its size does not matter
_NAME: Final = 90  # the end of a name, below what the smallest record keeps

Values: TypeAlias = "list[str | Values]"


class Part(NamedTuple):
    """
    One part of a fingerprint.

    Attributes:
        what: ``type``, ``status``, ``errno``, ``message template``, ``frame``, ``entered``, ``member``, ``cause``,
            ``your key``.
        value: What counts; empty where ``within`` does.
        reason: Why it is there, in a few words.
        within: The parts of a member or cause.
    """

    what: str
    value: str
    reason: str
    within: tuple[Part, ...] = ()


def parts_of(record: ErrorRecord, *, full: bool = False) -> tuple[Part, ...]:
    """Return what the coarse key is made of; with ``full``, what the full one is."""
    return _error(record, full, CAUSES)


def values_of(parts: tuple[Part, ...]) -> Values:
    """Return what of the parts is hashed: not the reasons, which are words for people."""
    return [[part.what, values_of(part.within) if part.within else part.value] for part in parts]


def _error(record: ErrorRecord, full: bool, causes: int, *, is_cause: bool = False) -> tuple[Part, ...]:
    own = _own_key(record)
    if own and "beside" not in record.get("own_key", {}):
        return (own, *_default(record, full, causes, is_cause)) if full else (own,)
    default = _default(record, full, causes, is_cause)
    return (*default, own) if own else default


def _own_key(record: ErrorRecord) -> Part | None:
    key = record.get("own_key", {})
    if "text" not in key:
        return None
    return Part("your key", key["text"], "from your hook, beside the rest" if "beside" in key else "from your hook")


def _default(record: ErrorRecord, full: bool, causes: int, is_cause: bool) -> tuple[Part, ...]:
    members = _distinct(record, full, causes)
    if len(members) == 1:  # one bug, however often
        return members[0]
    return (
        *_what(record),
        *_functions(record["frames"], full, is_cause),
        *_entered(record),
        *(Part("member", "", "distinct, in any order", member) for member in members),
        *_causes(record, full, causes),
    )


def _distinct(record: ErrorRecord, full: bool, causes: int) -> list[tuple[Part, ...]]:
    found = (_error(member, full, causes) for member in record.get("members", []) if "seen" not in member)
    by_values = {json.dumps(values_of(parts)): parts for parts in found}
    return [by_values[key] for key in sorted(by_values)]


def _what(record: ErrorRecord) -> Iterator[Part]:
    yield Part("type", _type(record), "")
    attributes = record.get("attributes", {})
    for number in ("status", "errno"):
        if number in attributes:
            yield Part(number, str(attributes[number]), "")
            break
    if message := template_of(record):
        exact = "word for word; what was filled in is <…>" if record.get("from_code") else "without what varies"
        yield Part("message template", message, exact)


def _type(record: ErrorRecord) -> str:
    """Name the package and the class: in which of its modules that is, changes with a library's version."""
    module, name = record["type"]["module"], record["type"]["qualname"][-_NAME:]
    if module == "__main__":  # what a script defines has the name that importing it would give
        module = next((module_name(frame) for frame in record["frames"] if frame["module"] == "__main__"), "")
    package = _package(module)
    return name if package in ("builtins", "") else f"{package}.{name}"


def _functions(frames: list[FrameRecord], full: bool, is_cause: bool) -> Iterator[Part]:
    """Yield the user's innermost functions, each once however deep the recursion, innermost first."""
    own = dict.fromkeys(_name(frame) for frame in reversed(frames) if frame["app"])
    for number, name in enumerate(list(own)[: FRAMES if full else 1]):
        yield Part("frame", name, "yours, called it" if number else "yours, innermost")
    if not own and frames and (full or not is_cause) and _library(frames[-1]) != "unlost":
        yield Part("frame", _foreign_name(frames[-1]), "innermost; none is yours")


def _entered(record: ErrorRecord) -> Iterator[Part]:
    place = own_place(record)
    if place and place.entered:
        yield Part("entered", _foreign_name(place.entered), "what that called, and is not yours")


def _causes(record: ErrorRecord, full: bool, causes: int) -> Iterator[Part]:
    """
    Yield the cause, which has its own causes within.

    For the coarse key, what a library wrapped on the way is passed over: another version of it wraps otherwise. The
    root counts, and each link that was raised in the user's code.
    """
    beneath = _beneath(record) if causes else None
    while beneath and not full and causes > 1 and not _counts(beneath) and (deeper := _beneath(beneath)):
        beneath, causes = deeper, causes - 1
    if beneath:
        yield Part("cause", "", "it was raised from", _error(beneath, full, causes - 1, is_cause=True))


def _beneath(record: ErrorRecord) -> ErrorRecord | None:
    cause = record.get("cause")
    return cause if cause and "seen" not in cause else None


def _counts(record: ErrorRecord) -> bool:
    return own_place(record) is not None or "members" in record or "text" in record.get("own_key", {})


def _name(frame: FrameRecord) -> str:
    return f"{module_name(frame)[-_NAME:]}:{_function(frame)[-_NAME:]}"


def _foreign_name(frame: FrameRecord) -> str:
    """Name the library and the function: in which of its modules that is, changes with its version."""
    library = _library(frame)
    return library if library == "unlost" else f"{library}:{_function(frame)[-_NAME:]}"


def _library(frame: FrameRecord) -> str:
    return _package(module_name(frame))


def _package(module: str) -> str:
    return module[-_NAME:] if len(module) > _NAME else module.partition(".")[0]  # of a longer one the front may be cut


def _function(frame: FrameRecord) -> str:
    return without_comprehensions(frame["function"])

"""Errors that travel with another one: what cleanup raised, or what failed besides."""

from __future__ import annotations

from typing import Final

from unlost.errors._private import dictionary_of, headline, recall, remember

_LISTED: Final = 20


def attached(error: BaseException) -> tuple[BaseException, ...]:
    """Return the errors that were attached to ``error``, in the order of their coming: cleanup's, for example."""
    return recall(error, "errors") or ()


def attach_errors(error: BaseException, others: tuple[BaseException, ...]) -> None:
    """
    Let ``others`` travel with ``error``, and list them in one note.

    What is attached already, and ``error`` itself, is left out. It is not chained: ``__context__`` stays the user's.
    """
    present = attached(error)
    known = {id(error), *map(id, present)}
    added = tuple({id(other): other for other in others if id(other) not in known}.values())
    if added:
        remember(error, "errors", (*present, *added))
        _note(error, (*present, *added))


def _note(error: BaseException, others: tuple[BaseException, ...]) -> None:
    attributes = dictionary_of(error)
    notes = attributes.get("__notes__", [])
    if not isinstance(notes, list):  # the user's own idea of notes
        return
    before = recall(error, "errors note")
    lines = [f"{len(others)} more error{'s' if len(others) > 1 else ''} with it, see unlost.attached(error):"]
    lines += [f"  {number}. {headline(other)}" for number, other in enumerate(others[:_LISTED], 1)]
    if len(others) > _LISTED:
        lines.append(f"  ... and {len(others) - _LISTED} more")
    text = "\n".join(lines)
    # a new list: a shallow copy of the error shares the old one
    attributes["__notes__"] = [*(note for note in notes if note != before), text]
    remember(error, "errors note", text)

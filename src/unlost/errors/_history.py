"""The attempts before the last: each error of an operation that was tried again stays with the one that is raised."""

from __future__ import annotations

from typing import Final

from unlost.errors._attached import attach_errors, attached
from unlost.errors._private import dictionary_of, forget, headline, recall, remember, remembered

# An object that is raised again and again for ever (a module's constant) must not collect for ever.
_KEPT: Final = 1000
_LISTED: Final = 20


def attempts(error: BaseException) -> tuple[BaseException, ...]:
    """
    Return the errors of the attempts before the one that raised ``error``, oldest first; empty where there were none.

    An attempt that raised the very same object is in it as that object. After a pickle, an attempt that could not be
    loaded is a ``RuntimeError`` with its type and message.
    """
    return tuple(error if earlier is None else earlier for earlier in recall(error, "attempts") or ())


def attach_attempts(error: BaseException, earlier: tuple[BaseException, ...]) -> None:
    """
    Keep the errors of earlier attempts with ``error``, and list them in one note.

    Attaching what is attached already changes nothing. What an inner retry attached stays, after what is attached
    now: it happened later. Of more than 1,000 the newest are kept.
    """
    if not earlier:
        return
    present: tuple[BaseException | None, ...] = recall(error, "attempts") or ()
    # None stands for the error itself: a reference would be a cycle
    given = [None if attempt is error else attempt for attempt in earlier]
    known = {id(attempt) for attempt in present if attempt is not None}
    same_again = present.count(None)
    added: list[BaseException | None] = []
    for attempt in given:
        if attempt is None and same_again:
            same_again -= 1
        elif attempt is None or id(attempt) not in known:
            added.append(attempt)
    if added:
        merged = (*added, *present)[-_KEPT:]
        remember(error, "attempts", merged)
        _note(error, merged)


def move_history(source: BaseException, target: BaseException) -> None:
    """Take all that the library keeps with ``source``, which ``target`` replaces, to ``target``."""
    attach_attempts(target, attempts(source))
    attach_errors(target, tuple(error for error in attached(source) if error is not target))
    _drop_note(source, "note")
    _drop_note(source, "errors note")
    for key in remembered(source):
        if key not in ("attempts", "note", "errors", "errors note") and recall(target, key) is None:
            remember(target, key, recall(source, key))
        forget(source, key)


def _drop_note(error: BaseException, key: str) -> None:
    attributes = dictionary_of(error)
    before = recall(error, key)
    if before is not None and isinstance(attributes.get("__notes__"), list):
        attributes["__notes__"] = [note for note in attributes["__notes__"] if note != before]


def _note(error: BaseException, earlier: tuple[BaseException | None, ...]) -> None:
    attributes = dictionary_of(error)
    notes = attributes.get("__notes__", [])
    if not isinstance(notes, list):  # the user's own idea of notes
        return
    before = recall(error, "note")
    text = _listing(earlier)
    # a new list: a shallow copy of the error shares the old one
    attributes["__notes__"] = [*(note for note in notes if note != before), text]
    remember(error, "note", text)


def _listing(earlier: tuple[BaseException | None, ...]) -> str:
    count = len(earlier)
    lines = [f"{count} earlier attempt{'s' if count > 1 else ''}:"]
    for number, attempt in enumerate(earlier, 1):
        if number > _LISTED:
            lines.append(f"  ... and {count - _LISTED} more, see unlost.attempts(error)")
            break
        lines.append(f"  {number}. {'the same object' if attempt is None else headline(attempt)}")
    return "\n".join(lines)

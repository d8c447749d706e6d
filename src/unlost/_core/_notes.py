"""Notes on errors that are the user's own."""

from __future__ import annotations


def add_note(error: BaseException, note: str) -> None:
    """Add ``note`` to ``error``, once; do nothing where the user has an own idea of ``__notes__``."""
    notes = getattr(error, "__notes__", [])
    if isinstance(notes, list) and note not in notes:
        # past a __setattr__ of the error's class; a new list, since a shallow copy of the error shares the old one
        BaseException.__setattr__(error, "__notes__", [*notes, note])

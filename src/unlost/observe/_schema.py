"""
The shape of a recorded error: JSON-ready built-ins only.

Every key that would be empty is left out, so a plain error is a small record. ``ErrorRecord["cut"]`` counts what was
left out to keep a record within its size; a shortened text says so itself.
"""

from __future__ import annotations

from typing import Final, NotRequired, TypeAlias, TypedDict

VERSION: Final = 1

Scalar: TypeAlias = str | int | float | bool


class TypeName(TypedDict):
    """Where a class lives: ``module`` and ``qualname``, as the class was defined."""

    module: str
    qualname: str


class FrameRecord(TypedDict):
    """
    One frame of a traceback.

    Attributes:
        file: The path as it stands in the code object.
        module: ``__name__`` of the frame's globals; empty where there is none.
        function: The qualified name.
        line: Counted from 1; 0 where the code has none.
        app: Whether this is the user's own code, rather than a library's, Python's or ours.
        repeats: How often the very same frame followed itself (recursion), the first time not counted.
        skipped: How many frames below this one were left out.
    """

    file: str
    module: str
    function: str
    line: int
    app: bool
    repeats: NotRequired[int]
    skipped: NotRequired[int]


class OwnKey(TypedDict):
    """
    What the user's hook said of an error (``fingerprint_hook``).

    Attributes:
        text: The key, redacted and cut; absent where the hook failed.
        beside: True where the key splits what the fingerprint would group; absent where it stands for all of it.
        fault: What the hook raised, in one line.
    """

    text: NotRequired[str]
    beside: NotRequired[bool]
    fault: NotRequired[str]


class ErrorRecord(TypedDict):
    """
    One error and everything attached to it.

    Attributes:
        version: Of this shape.
        type: The class of the error.
        message: ``str(error)``, redacted and cut.
        kind: What ``unlost.errors.classify`` says, as its value: ``"transient"``, ``"permanent"``, ...; empty where
            the error is ``seen``.
        frames: Outermost first, as in a traceback.
        notes: What ``add_note`` added.
        attributes: Scalars from a fixed list of names (``status``, ``errno``, ``url``, ...), redacted.
        cause: From ``raise ... from cause``.
        context: The error that was being handled; absent where ``raise ... from`` suppressed it.
        members: Of an exception group, in order.
        attempts: The errors of earlier attempts, oldest first.
        from_code: What of the message stands, word for word, in the user's code that raised it: begin and end of each
            piece, in order, within the first 300 characters. Also the key of a ``KeyError`` that was made out of sight.
        own_key: What the user's own hook made of it.
        errors: What else travels with it: what cleanup raised, what a deadline cut short.
        seen: True where this error is recorded elsewhere in the same tree; only its type and message stand here.
        cut: How many members, notes, attempts, ... were left out; ``between`` counts the errors left out between
            this one and the one it caused.
    """

    version: int
    type: TypeName
    message: str
    kind: str
    frames: list[FrameRecord]
    notes: NotRequired[list[str]]
    attributes: NotRequired[dict[str, Scalar]]
    cause: NotRequired[ErrorRecord]
    context: NotRequired[ErrorRecord]
    members: NotRequired[list[ErrorRecord]]
    attempts: NotRequired[list[ErrorRecord]]
    from_code: NotRequired[list[list[int]]]
    own_key: NotRequired[OwnKey]
    errors: NotRequired[list[ErrorRecord]]
    seen: NotRequired[bool]
    cut: NotRequired[dict[str, int]]

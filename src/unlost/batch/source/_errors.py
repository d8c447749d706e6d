"""What is wrong with one input, as an error that names its line; or with the source that they are from."""

from __future__ import annotations

from unlost.errors import Kind, UnlostError, extend_kinds


class InputError(UnlostError):
    """
    One input cannot be given to the job; the others can.

    It is the failure of that one item, of kind ``input``, and it is never retried.

    Attributes:
        line: Where the input stands in its source, counted from 1 (in a Python iterable: which item it is).
        what: What is wrong with it and what to write instead; follows "line 17 ..." in the message.
    """

    def __init__(self, line: int, what: str) -> None:
        super().__init__(line, what)
        self.line = line
        self.what = what

    def __str__(self) -> str:
        return f"line {self.line} {self.what}"


class SourceError(UnlostError):
    """The source cannot be read to its end; what was read until there stays, and the run is halted."""


extend_kinds({InputError: Kind.INPUT})

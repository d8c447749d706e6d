"""What a job returned, as the JSON that is journaled and written to the results file."""

from __future__ import annotations

import json

from unlost.errors import Kind, UnlostError, extend_kinds

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_SHOWN = 2000  # characters of the value's repr that its failure keeps


class OutputError(UnlostError):
    """
    A job returned what JSON cannot hold: the failure of that item, of kind ``output``, never retried.

    Attributes:
        shown: The value's ``repr``, cut.
    """

    def __init__(self, why: str, shown: str) -> None:
        super().__init__(why, shown)
        self.shown = shown

    def __str__(self) -> str:
        return (
            f"the job's value cannot be written as JSON: {self.args[0]}. Return dicts, lists, strings and numbers. "
            f"The value was {self.shown}"
        )


extend_kinds({OutputError: Kind.OUTPUT})


def encode(value: object) -> str:
    """
    Return the value as one line of JSON.

    As ``json.dumps`` does it: a tuple becomes a list, a name that is a number becomes a string.

    Raises:
        OutputError: JSON cannot hold it; NaN and half surrogate pairs included.
    """
    try:
        text = _ENCODER.encode(value)
        text.encode()
    except (TypeError, ValueError, RecursionError) as refusal:
        raise OutputError(str(refusal), _repr(value)) from None
    return text


def _repr(value: object) -> str:
    try:
        shown = repr(value)
    except Exception as repr_error:  # named in what is returned  # noqa: BLE001
        return f"a {type(value).__name__} whose repr raised {type(repr_error).__name__}"
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}... [{len(shown) - _SHOWN:,} more characters]"

"""
What of a message stands in the user's own code.

``no such user alice`` and ``no such user bob`` are one bug; nothing in the messages says so, but the code that raised
them does: ``f"no such user {name}"`` keeps ``"no such user "`` among its constants. So the constants of the user's
innermost functions, and of the error class's own ``__init__`` and ``__str__``, are looked for in the message.

The key of a ``KeyError`` is looked for whole, in a library's function too: ``row["price"]`` is one bug and
``row["name"]`` another, but ``prices[sku]`` is one whatever was sought. Where the error was made out of sight, its key
is kept.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from opcode import opmap
from types import CodeType, FrameType, FunctionType, TracebackType
from typing import Any, Final, NamedTuple

from unlost.observe._code import is_application
from unlost.observe._frames import is_app_frame
from unlost.observe._text import type_name
from unlost.observe.fingerprints._template import LENGTH

_FUNCTIONS: Final = 3  # of the user's, innermost: a helper raises what its caller has worded
_PIECES: Final = 16
_CONSTANTS: Final = 500  # of one function or collection; generated code may have any number
_LETTERS: Final = 3  # that pieces have together, at least: " is " may be in any message
_FIELD: Final = re.compile(r"%(?:\(\w*\))?[-+ #0]*\d*(?:\.\d+)?[sdrfgxXiaeE]|\{[^{}]*\}")
_WORD: Final = re.compile(r"[\w.]*")
_RAISE: Final = opmap["RAISE_VARARGS"]

_mro_of = type.__dict__["__mro__"].__get__
_attributes_of = type.__dict__["__dict__"].__get__


def from_code(message: str, cls: type, traceback: TracebackType | None, own: Collection[str] = ()) -> list[list[int]]:
    """
    Return where in ``message`` pieces of the user's code are: begin and end of each, in order.

    Args:
        message: As it is recorded: redacted.
        cls: The class of the error.
        traceback: Of the error.
        own: Top-level packages that are the user's code wherever they are installed.
    """
    message = message[:LENGTH]
    seen = _seen(traceback, own)
    if issubclass(cls, KeyError) and (key := _quoted(message)):
        return [[1, 1 + len(key)]] if _is_made_elsewhere(seen, cls) or _stands_in(key, seen) else []
    texts = {text for code in _codes(seen, cls, own) for text in _texts(code.co_consts)}
    return _placed(message, {piece for text in texts for piece in _pieces(text, message)})


class _Seen(NamedTuple):
    """What of a traceback matters here: where it ends, and the user's innermost frames, the innermost last."""

    end: TracebackType | None
    own: list[FrameType]


def _seen(traceback: TracebackType | None, own: Collection[str]) -> _Seen:
    end: TracebackType | None = None
    frames: dict[CodeType, FrameType] = {}  # recursion counts once
    while traceback is not None:
        end, frame = traceback, traceback.tb_frame
        if is_app_frame(frame, own):
            frames.pop(frame.f_code, None)
            frames[frame.f_code] = frame
        traceback = traceback.tb_next
    return _Seen(end, list(frames.values())[-_FUNCTIONS:])


def _quoted(message: str) -> str:
    """Return the key that the message of a ``KeyError`` consists of; empty where it is anything else."""
    is_quoted = len(message) > 2 and message[0] == message[-1] and message[0] in "'\""
    return message[1:-1] if is_quoted and _WORD.fullmatch(message[1:-1].replace("-", "_")) else ""


def _is_made_elsewhere(seen: _Seen, cls: type) -> bool:
    """Say whether the error was never raised, or by a ``raise error`` in code that does not name its class."""
    if seen.end is None:
        return True
    code = seen.end.tb_frame.f_code
    return code.co_code[seen.end.tb_lasti] == _RAISE and _bare_name(cls) not in (*code.co_names, *code.co_freevars)


def _bare_name(cls: type) -> str:
    return type_name(cls).rpartition(".")[2]


def _stands_in(key: str, seen: _Seen) -> bool:
    frames = [*seen.own, *([seen.end.tb_frame] if seen.end else [])]
    return any(
        key in _texts(frame.f_code.co_consts) or key in frame.f_code.co_names or key in _constants_of_module(frame)
        for frame in frames
    )


def _constants_of_module(frame: FrameType) -> set[str]:
    """Return the texts that the module's constants hold which this function uses: ``row[PRICE]``."""
    names: dict[str, Any] = frame.f_globals  # Any: whatever a module puts there
    return _texts(dict.get(names, name) for name in frame.f_code.co_names[:_CONSTANTS])


def _codes(seen: _Seen, cls: type, own: Collection[str]) -> Iterator[CodeType]:
    yield from (frame.f_code for frame in seen.own)
    for base in _mro_of(cls):
        for name in ("__init__", "__str__"):
            function: object = _attributes_of(base).get(name)
            if type(function) is FunctionType and _is_app(function, own):  # isinstance() asks the object for its class
                yield function.__code__


def _is_app(function: FunctionType, own: Collection[str]) -> bool:
    module: object = function.__module__  # whatever somebody put there
    if type(module) is str and module.partition(".")[0] in own:
        return True
    return is_application(function.__code__.co_filename)


def _texts(constants: Iterable[object]) -> set[str]:
    """Return the strings among the constants, and those in sequences and sets among them."""
    found: set[str] = set()
    for constant in islice(constants, _CONSTANTS):
        if type(constant) is str:
            found.add(constant)
        elif type(constant) is tuple or type(constant) is frozenset or type(constant) is list:
            found.update(item for item in islice(constant, _CONSTANTS) if type(item) is str)
    return found


def _pieces(text: str, message: str) -> Iterator[str]:
    """Yield the text, or what is between its fields, where that is in the message and says something."""
    for piece in (text,) if text in message else _FIELD.split(text):
        # a word alone may be in the message by chance
        if piece in message and not _WORD.fullmatch(piece) and _letters(piece):
            yield piece


def _placed(message: str, pieces: Iterable[str]) -> list[list[int]]:
    """Find the pieces in the message, the longest first, none over another."""
    placed: list[list[int]] = []
    for piece in sorted(pieces, key=lambda piece: (-len(piece), piece)):
        begin = message.find(piece)
        while begin >= 0 and len(placed) < _PIECES:
            end = begin + len(piece)
            if all(end <= other[0] or other[1] <= begin for other in placed):
                placed.append([begin, end])
            begin = message.find(piece, end)
    enough = sum(_letters(message[begin:end]) for begin, end in placed) >= _LETTERS
    return sorted(placed) if enough else []


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))

"""
Where an exception of another process was raised.

A pool of processes pickles the exception, which has no traceback from then on, and gives it that as text: in its cause,
of a class that ``concurrent.futures`` and ``multiprocessing`` each have (``_RemoteTraceback.tb``). Functions have their
bare names in there.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from typing import Final

from unlost.observe._place import is_comprehension
from unlost.observe._text import text_of, type_name
from unlost.observe.watch._finding import Site
from unlost.observe.watch._sites import MOST, site_named

_NAME: Final = "RemoteTraceback"
_LENGTH: Final = 200_000  # of the text, where it has room for a thousand frames
_HEAD: Final = "Traceback (most recent call last):\n"
_BETWEEN: Final = (
    "\nThe above exception was the direct cause of the following exception:\n\n",
    "\nDuring handling of the above exception, another exception occurred:\n\n",
)
_FRAME: Final = re.compile(r'  File "(.+)", line (\d{1,9}), in (.+)')
_OF_GROUP: Final = "  | "  # before each line about a group

_cause_of = BaseException.__dict__["__cause__"].__get__
_attributes_of = BaseException.__dict__["__dict__"].__get__


def frames_there(error: BaseException) -> tuple[Site, ...]:
    """
    Return the frames that an exception came through in another process, outermost first; none if it is of this one.

    Of a deep one the ``MOST`` innermost. None as well where what it says, or a note, holds a traceback with a cause:
    where that begins and the exception's own ends is not to be seen.
    """
    cause: BaseException | None = _cause_of(error)
    if cause is None or not type_name(type(cause)).endswith(_NAME) or _may_mislead(error):
        return ()
    text: object = _attributes_of(cause).get("tb")
    return tuple(deque(_sites(text), maxlen=MOST)) if type(text) is str else ()


def _may_mislead(error: BaseException) -> bool:
    try:
        notes: object = _attributes_of(error).get("__notes__", ())
        said = f"{text_of(error)}{text_of(notes)}"
    except SystemExit:  # its own __str__ raised it
        return True
    return any(between.strip() in said for between in _BETWEEN)


def _sites(text: str) -> Iterator[Site]:
    """Yield the frames of the last exception in the text, which is the one that was sent; its causes stand before."""
    last = max(text.rfind(between) for between in _BETWEEN)
    head = text.find(_HEAD, max(last, 0))
    if head < 0:
        return
    start = head + len(_HEAD)
    function = ""
    for line in text[start : start + _LENGTH].split("\n"):
        told = line.removeprefix(_OF_GROUP)
        if not told.startswith("  "):  # what it says comes next, which may hold anything
            return
        if found := _FRAME.fullmatch(told):
            file, number, name = found.groups()
            function = function if function and is_comprehension(name) else name
            yield site_named(file, int(number), function)

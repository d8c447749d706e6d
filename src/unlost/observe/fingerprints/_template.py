"""A message without what varies: two occurrences of one bug have the same template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from unlost.observe._schema import ErrorRecord

LENGTH: Final = 300  # characters of a message that tell bugs apart; below what the smallest record keeps

_VARYING: Final = re.compile(
    r"""
      (?P<url>[a-zA-Z][a-zA-Z0-9+.-]{0,20}://[^\s"'<>]*)
    | (?P<email>(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+)
    | (?P<uuid>\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b)
    | (?P<date>\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?)
    | (?P<time>\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b)
    | (?P<path>(?:(?<=\s)|(?<=["'(=])|^)(?:~?/|\.{1,2}/|[A-Za-z]:[\\/])(?:[^\s"'<>:,)]|(?<=\w)'(?=\w))+
        |(?<![\w./-])[\w.-]{1,64}(?:/[\w.-]{1,64}){1,32}\.[a-z]\w{0,4}\b)
    | (?P<str>(?<!\w)[bB]?'(?P<single>[^'\n]*)'(?!\w)|(?<!\w)[bB]?"(?P<double>[^"\n]*)")
    | (?P<hex>\b0x[0-9a-fA-F]+\b|\b(?=[a-f]*\d)[0-9a-f]{8,}\b|\b(?=[A-F]*\d)[0-9A-F]{8,}\b)
    | (?P<ip>\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b
        |(?<![\w:])\[?(?=[0-9a-fA-F]{0,4}:[0-9a-fA-F]{0,4}:)[0-9a-fA-F:]{3,39}(?![\w:])\]?(?::\d+)?)
    | (?P<host>(?<![\w.-])[A-Za-z][\w-]{0,63}(?:\.[\w-]{1,63}){0,8}:\d{2,5}\b)
    | (?P<n>(?<![\w.])[+-]?\d+(?:[,_]\d+)*(?:\.\d+)?(?:[eE][+-]?\d+)?|\d+)
    """,
    re.VERBOSE,
)
_CALLED: Final = {"ip": "address", "host": "address"}  # what stands for the other: it may be looked up, or not
_IDENTIFIER: Final = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*", re.ASCII)
# A list, set, tuple or dictionary with nothing in it but what varies: how many there are varies too.
_ITEM: Final = r"(?:<\w+>|None|True|False|[\[({]<items>[\])}])"
_CONTAINER: Final = re.compile(rf"(?<![\w\]])(?:([\[{{])|(\())\s*{_ITEM}(?:\s*[:,=]\s*{_ITEM})*,?\s*(?(1)[\]}}]|\))")
_NESTED: Final = 3

# Built-in errors whose quoted names are names in the code; in any other, what is quoted is data.
_OF_NAMES: Final = frozenset(
    {"AttributeError", "ImportError", "ModuleNotFoundError", "NameError", "TypeError", "UnboundLocalError"}
)
_GAP: Final = "<…>"


def template_of(record: ErrorRecord) -> str:
    """
    Return the message of ``record`` without what varies.

    What stands in the user's own code is kept word for word, and what is between is ``<…>``: that is exact. Of any
    other message, the patterns decide. The key of a ``KeyError`` is kept where it stands in the code.
    """
    message, pieces = record["message"][:LENGTH], record.get("from_code", [])
    if not pieces:
        kind = record["type"]
        return template(message, names_matter=kind["module"] == "builtins" and kind["qualname"] in _OF_NAMES)
    return "".join(_pieced(message, pieces))


def _pieced(message: str, pieces: Sequence[Sequence[int]]) -> Iterator[str]:
    at = 0
    for begin, end in pieces:
        yield _gap(message[at:begin])
        yield message[begin:end]
        at = end
    yield _gap(message[at:])


def _gap(text: str) -> str:
    """Whatever was filled in: were a number told from a word, "12" and "alice" would make two bugs."""
    return _GAP if any(character.isalnum() for character in text) else text


def template(message: str, *, names_matter: bool) -> str:
    """
    Replace URLs, addresses, dates, paths, quoted text and numbers by what they are.

    Args:
        message: A recorded message; its first 300 characters count.
        names_matter: Quoted identifiers stay: in ``no attribute 'foo'`` the name is the bug. Digits in them do not.
    """

    def placeholder(match: re.Match[str]) -> str:
        quoted = match["single"] or match["double"]
        if quoted and names_matter and _IDENTIFIER.fullmatch(quoted):
            return "'" + re.sub(r"\d+", "<n>", quoted) + "'"
        name = match.lastgroup or ""
        return f"<{_CALLED.get(name, name)}>"

    return _folded(_VARYING.sub(placeholder, message[:LENGTH]))


def _folded(text: str) -> str:
    for _ in range(_NESTED):
        folded = _CONTAINER.sub(_items, text)
        if folded == text:
            break
        text = folded
    return text


def _items(match: re.Match[str]) -> str:
    whole = match[0]
    if whole[0] == "(" and "," not in whole:  # in brackets, and no tuple
        return whole
    return f"{whole[0]}<items>{whole[-1]}"

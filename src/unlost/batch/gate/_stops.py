"""
Errors after which no other item needs to be tried: no access, no money, no room on the disk.

Read by the shape of the objects, so that no client is imported. What is known of the services:

- A key that is wrong: 401 at OpenAI, Anthropic, Mistral and most others; 400 with ``API_KEY_INVALID`` at Google.
- No money: 402 at Mistral, DeepSeek, OpenRouter, Together, and Anthropic's ``billing_error``. OpenAI says 429 with the
  code ``insufficient_quota`` or ``billing_not_active``, and 400 with ``billing_hard_limit_reached``; Anthropic says
  400, and that the credit balance is too low.
- Google's 429 has the words of OpenAI's ("exceeded your current quota") for a limit of a minute as well, so only codes
  count there, not words.
- 403 says nothing of other items.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from unlost.batch.gate._self_stop import Reason, SelfStop
from unlost.errors import causes, leaves, status_of

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC})
_CHAIN: Final = 20  # causes that are looked at
_READ: Final = 20_000  # characters of an answer

_NO_MONEY: Final = re.compile(
    r"\b(?:insufficient_quota|billing_hard_limit_reached|billing_not_active|billing_error)\b|credit balance is too low"
)
_NO_ACCESS: Final = re.compile(r"\bAPI_KEY_INVALID\b")
_WORDS: Final[dict[Reason, str]] = {
    "authentication": "the credentials were refused",  # "credentials: ..." would be redacted as one
    "quota": "the quota or the credit is used up",
    "disk": "a disk is full",
}
_KEEP_GOING: Final = "; with --keep-going it is a failure of its item"


def stop_of(error: BaseException, title: Callable[[BaseException], str]) -> SelfStop | None:
    """
    Return why the run has to stop after ``error``; None where it does not.

    Args:
        error: What a call came to; of a group, each member counts.
        title: Says it in a line without secrets.
    """
    for leaf in leaves(error):
        reason = _reason(leaf)
        if reason is not None:
            stop = SelfStop(reason, f"{_WORDS[reason]}: {title(leaf)}{'' if reason == 'disk' else _KEEP_GOING}")
            stop.__cause__ = error
            return stop
    return None


def _reason(leaf: BaseException) -> Reason | None:
    if any(isinstance(link, OSError) and _read(link, "errno") in _FULL for link in islice(causes(leaf), _CHAIN)):
        return "disk"
    if not isinstance(leaf, Exception):
        return None
    status = status_of(leaf)
    if status == 401:
        return "authentication"
    if status == 402:
        return "quota"
    if status in (400, 403, 429):
        told = [text for link in islice(causes(leaf), _CHAIN) for text in _told(link)]
        if any(map(_NO_MONEY.search, told)):
            return "quota"
        if any(map(_NO_ACCESS.search, told)):
            return "authentication"
    return None


def _told(error: BaseException) -> Iterator[str]:
    """Yield what the service said, wherever the clients keep it."""
    for name in ("code", "type", "body", "details"):  # openai; anthropic, mistral; google
        value = _read(error, name)
        if isinstance(value, str | dict | list):
            yield _text(value)
    response = _read(error, "response")
    if hasattr(type(response), "aread"):  # httpx: its text is there, or it says that it is not; others might block
        yield _text(_read(response, "text"))
    yield _text(error)


def _text(value: object) -> str:
    try:
        return str(value)[:_READ]
    except Exception:  # an error that cannot be read says nothing here; it is in the caller's hands  # noqa: BLE001
        return ""


def _read(holder: object, name: str) -> object:
    try:
        return getattr(holder, name, None)
    except Exception:  # likewise: httpx raises where an answer was not read  # noqa: BLE001
        return None

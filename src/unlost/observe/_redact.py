"""
Secrets out of text, before anything is stored.

What is masked is told by its shape or by the name beside it (``_patterns.py``), not by where it came from: messages of
libraries quote URLs, headers and rows. No list of shapes is complete; add your own with ``Redactor``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from unlost.observe._patterns import MASK, RULES

_PASSES = 8  # one masks, one finds nothing; more only where a mask brings two halves of another pattern together


class Redactor:
    """
    Masks secrets: call it with a text.

    Args:
        extra_patterns: Regular expressions for what else is secret. The whole match is masked, or only the group
            named ``secret`` where there is one. Keep them linear: they see text of any content.

    Raises:
        re.error: A pattern does not compile.
    """

    def __init__(self, extra_patterns: Iterable[str | re.Pattern[str]] = ()) -> None:
        self._extra = tuple(re.compile(pattern) for pattern in extra_patterns)

    def __call__(self, text: str) -> str:
        """Return ``text`` with every secret replaced by ``***``; doing it twice changes nothing more."""
        for _ in range(_PASSES):
            masked = _built_in(text)
            for extra in self._extra:
                masked = extra.sub(_mask, masked)
            if masked == text:
                break
            text = masked
        return text


def _built_in(text: str) -> str:
    lower = text.lower()
    for pattern, replacement, signs in RULES:
        for sign in signs:  # not any(): half of the time would go into its generator
            if sign in lower:
                masked = pattern.sub(replacement, text)
                if masked != text:
                    text, lower = masked, masked.lower()
                break
    return text


def _mask(match: re.Match[str]) -> str:
    if match.re.groupindex.get("secret") is None or match["secret"] is None:
        return MASK
    start, end = match.span("secret")
    return match[0][: start - match.start()] + MASK + match[0][end - match.start() :]


redact = Redactor()
"""Masks what the built-in patterns find."""

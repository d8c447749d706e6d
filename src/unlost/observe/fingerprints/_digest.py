"""
The two keys of an error as digests.

They are taken from the record, so that they can be taken again, by a better version, of what a journal holds. The
version is in what is hashed, so digests of two versions never meet: a journal keeps the groups that it has, and what
fails after an upgrade is in a new group beside the old one of the same bug.
"""

from __future__ import annotations

import hashlib
import json
from typing import Final

from unlost.observe._schema import ErrorRecord
from unlost.observe.fingerprints._parts import parts_of, values_of

VERSION: Final = 2
"""Counts what can make another digest out of the same record."""


def fingerprint(record: ErrorRecord) -> str:
    """Return six hex digits for people to read and type; equal for occurrences of the same bug."""
    return digest(record)[:6]


def digest(record: ErrorRecord) -> str:
    """Return all 64 hex digits of what ``fingerprint`` shows six of: the coarse key."""
    return _hashed(record, full=False)


def variant(record: ErrorRecord) -> str:
    """Return the full key, 64 hex digits: equal where callers and all causes are the same, too."""
    return _hashed(record, full=True)


def _hashed(record: ErrorRecord, *, full: bool) -> str:
    key = [f"unlost-{VERSION}", "full" if full else "coarse", *values_of(parts_of(record, full=full))]
    return hashlib.sha256(json.dumps(key).encode()).hexdigest()

"""
Which errors are the same bug, and why.

``digest`` and ``variant`` are the two keys of a recorded error, ``why`` and ``why_not`` explain them, and
``fingerprint_hook`` is where users put a key of their own.
"""

from unlost.observe.fingerprints._digest import VERSION, digest, fingerprint, variant
from unlost.observe.fingerprints._from_code import from_code
from unlost.observe.fingerprints._hook import fingerprint_hook, own_key
from unlost.observe.fingerprints._parts import Part, parts_of
from unlost.observe.fingerprints._template import template_of
from unlost.observe.fingerprints._why import what_varies, why, why_not

__all__ = [
    "VERSION",
    "Part",
    "digest",
    "fingerprint",
    "fingerprint_hook",
    "from_code",
    "own_key",
    "parts_of",
    "template_of",
    "variant",
    "what_varies",
    "why",
    "why_not",
]

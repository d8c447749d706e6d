"""An error as the journal keeps it: what is left when the exception is gone."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from unlost.observe import ErrorRecord, digest, headline, record


@dataclass(frozen=True, slots=True)
class Letter:
    """
    A failed item's error.

    Attributes:
        kind: Value of a ``Kind``.
        fingerprint: In full; the first six digits are shown.
        error: The record of the error, redacted, as JSON.
    """

    kind: str
    fingerprint: str
    error: str


def letter_of(error: BaseException, own: Collection[str] = ()) -> Letter:
    """Record the error; ``own`` names the top-level packages whose code is the user's wherever it is installed."""
    recorded = _recorded(error, own)
    return Letter(recorded["kind"], digest(recorded), json.dumps(recorded, separators=(",", ":")))


def fingerprint_of(error: BaseException, own: Collection[str] = ()) -> str:
    """Return the fingerprint that the letter of ``error`` will have."""
    return digest(_recorded(error, own))


def title_of(error: BaseException, own: Collection[str] = ()) -> str:
    """Say ``error`` in one line, without secrets."""
    return str(headline(_recorded(error, own), alone=True))


def survived_as_json(errors: Iterable[BaseException], own: Collection[str] = ()) -> str | None:
    """Return what an item survived as a JSON list of titles, places and fingerprints; None where there is nothing."""
    brief = []
    for error in errors:
        recorded = _recorded(error, own)
        line = headline(recorded)
        brief.append({"title": line.title, "where": line.where, "fingerprint": digest(recorded)})
    return json.dumps(brief, separators=(",", ":")) if brief else None


def _recorded(error: BaseException, own: Collection[str]) -> ErrorRecord:
    try:
        return record(error, own=own)
    except SystemExit as own_exit:  # of its __str__, say: it must not end the run
        what = f"{type(error).__qualname__}, which raised SystemExit({own_exit.code!r}) when it was looked at"
        return record(RuntimeError(what).with_traceback(error.__traceback__), own=own)

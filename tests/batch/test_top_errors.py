"""The most frequent errors so far, in little memory."""

from __future__ import annotations

import json

import pytest

from unlost.batch import Progress
from unlost.batch._top_errors import TopErrors
from unlost.batch.journal._journal import Ended
from unlost.observe import fingerprint, record


def _failed(name: str, error: str | None = None) -> Ended:
    return Ended(1, "k", 1, False, 1, 5, kind="defect", fingerprint=name, error=error or json.dumps({"of": name}))


def _counts(errors: TopErrors, number: int = 3) -> list[tuple[str, int]]:
    return [(error.fingerprint, error.count) for error in errors.most(number)]


def test_the_most_frequent_come_first_and_of_equals_the_earlier_one() -> None:
    errors = TopErrors()
    for name in "abcdbd":
        errors.count(_failed(name))

    assert _counts(errors) == [("b", 2), ("d", 2), ("a", 1)]


def test_there_are_two_hundred_at_most_and_the_least_frequent_leave() -> None:
    errors = TopErrors()
    for number in range(10_000):
        errors.count(_failed("often"))
        errors.count(_failed(f"once {number}"))

    assert len(errors.most(1000)) == 200
    assert _counts(errors, 1) == [("often", 10_000)]


def test_the_headline_is_that_of_the_first_and_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = TopErrors()
    for message in ("no price for 17", "no price for 18"):
        first = record(ValueError(message))
        errors.count(_failed(fingerprint(first), json.dumps(first)))

    (top,) = errors.most()

    assert top.count == 2
    assert top.headline.title.startswith("ValueError no price for")
    assert top.headline is top.headline


def test_progress_counts_failures_only() -> None:
    progress = Progress()
    progress.count(Ended(1, "k", 1, True, 1, 5, "1"))
    progress.count(_failed("a"))

    assert _counts(progress.errors) == [("a", 1)]

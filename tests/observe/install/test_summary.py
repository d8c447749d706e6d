"""What is said at the end."""

from __future__ import annotations

from collections import Counter

from unlost.observe.install._summary import sentences, spots_of
from unlost.observe.watch import Collector, ErrorType, Site, Unknown

ERROR = ErrorType("builtins", "ValueError")
WHY = "nobody saw it"


def said_of(counts: dict[Unknown, int]) -> list[str]:
    collector = Collector()
    collector.unknown._told.update(Counter(counts))
    return sentences(spots_of(collector))


def own(line: int) -> Unknown:
    return Unknown(WHY, ERROR, Site("app.py", line, "work", app=True))


def test_what_became_of_is_unknown_is_told_by_where_it_was_raised() -> None:
    theirs = Unknown(WHY, ERROR, Site("/lib/site-packages/far.py", 3, "get", app=False))

    assert said_of({own(7): 2, theirs: 3}) == [
        f"unknown 3×, raised in the code of Python or of installed packages: {WHY}.",
        f"unknown 2×, ValueError, raised at app.py:7 in work: {WHY}.",
    ]


def test_beyond_ten_places_of_ones_own_the_others_are_one() -> None:
    said = said_of({own(line): 2 for line in range(12)} | {Unknown(WHY): 1})

    assert len(said) == 11
    assert said[-1] == f"unknown 5×, raised at other places: {WHY}."


def test_what_came_through_no_frames_was_raised_nowhere_that_is_known() -> None:
    assert said_of({Unknown(WHY, ERROR): 4}) == [f"unknown 4×, raised at places that are not known: {WHY}."]

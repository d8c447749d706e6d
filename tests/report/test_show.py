"""A run that is looked at."""

from __future__ import annotations

from support.views import books_of, group_of, raised, view_of
from unlost.batch import InDoubt
from unlost.report import run_as_text


def test_items_in_doubt_are_listed_with_their_keys_and_how_often_they_were_started() -> None:
    view = view_of(books_of(in_doubt=2), in_doubt=[InDoubt("a", 3, 1), InDoubt("b", 1234, 2)])

    assert list(run_as_text(view))[1:] == [
        "   in doubt: line 3        key a",
        "   in doubt: line 1234     key b   started 2 times",
    ]


def test_beyond_twenty_items_in_doubt_the_rest_is_counted() -> None:
    view = view_of(books_of(in_doubt=5000), in_doubt=[InDoubt(f"k{line}", line, 1) for line in range(1000)])

    lines = list(run_as_text(view))

    assert sum(line.startswith("   in doubt: ") for line in lines) == 20
    assert lines[-1] == "   and 4,980 more in doubt: unlost show fetch-3 --json"


def test_an_error_in_full_is_one_command_away() -> None:
    view = view_of(books_of(failed=1), groups=[group_of(raised(ValueError()), fingerprint="77aa01bbccdd")])

    assert list(run_as_text(view))[-1] == " one error in full: unlost show fetch-3 77aa01"


def test_a_key_does_not_drive_the_terminal() -> None:
    view = view_of(books_of(in_doubt=1), in_doubt=[InDoubt("\x1b[2J\n\u202e", 1, 1)])

    assert list(run_as_text(view))[-1] == r"   in doubt: line 1        key \x1b[2J\n\u202e"

"""What is kept with an exception, as its ``__dict__`` shows it to others."""

from __future__ import annotations

import json

from unlost.errors import recall, remember


def test_who_writes_the_attributes_of_an_error_as_json_can_go_on_doing_so() -> None:
    error = ValueError("x")
    error.status = 503  # type: ignore[attr-defined]  # as people set them
    remember(error, "here", object())

    written = json.loads(json.dumps(vars(error)))

    assert written == {"status": 503, "__unlost__": {}}
    assert recall(error, "here") is not None


def test_errors_that_are_both_watched_and_alike_have_the_same_attributes() -> None:
    first, second = ValueError("x"), ValueError("x")

    remember(first, "here", object())
    remember(second, "here", object())

    assert vars(first) == vars(second)

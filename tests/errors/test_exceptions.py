"""The library's own exceptions."""

import copy
import pickle

import pytest

from unlost.errors import (
    ChildCancelled,
    DeadlineExceeded,
    PermanentError,
    TransientError,
    UnlostError,
    UsageError,
    attach_attempts,
    attempts,
)


@pytest.mark.parametrize("ours", [ChildCancelled, DeadlineExceeded, UsageError])
def test_what_the_library_raises_is_an_unlost_error(ours: type[Exception]) -> None:
    assert issubclass(ours, UnlostError)


@pytest.mark.parametrize("base", [TransientError, PermanentError])
def test_the_bases_for_users_are_not_caught_with_the_librarys_own(base: type[Exception]) -> None:
    assert not issubclass(base, UnlostError)


def test_a_deadline_is_a_timeout_error_that_says_which_limit_it_was() -> None:
    exceeded = DeadlineExceeded(1.5, 1.75, "attempt timeout")

    assert isinstance(exceeded, TimeoutError)
    assert str(exceeded) == "attempt timeout of 1.5 s exceeded after 1.75 s"
    assert (exceeded.seconds, exceeded.elapsed, exceeded.name) == (1.5, 1.75, "attempt timeout")
    assert exceeded.errors == ()
    assert exceeded.errno is None


@pytest.mark.parametrize("clone", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy])
def test_a_deadline_survives_pickling_and_copying_with_what_else_happened(clone) -> None:
    exceeded = DeadlineExceeded(1.5, 1.75, "item deadline", (ValueError("from cleanup"),))
    exceeded.add_note("a note")
    attach_attempts(exceeded, (KeyError("first"),))

    cloned = clone(exceeded)

    assert (cloned.seconds, cloned.elapsed, cloned.name) == (1.5, 1.75, "item deadline")
    assert [repr(error) for error in cloned.errors] == ["ValueError('from cleanup')"]
    assert [repr(error) for error in attempts(cloned)] == ["KeyError('first')"]
    assert cloned.__notes__ == exceeded.__notes__
    assert str(cloned) == str(exceeded)

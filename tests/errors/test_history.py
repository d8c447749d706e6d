"""The attempts that stay with an error, through copies, pickles and odd classes."""

import copy
import gc
import pickle
import subprocess
import sys
import threading
import weakref
from dataclasses import dataclass

import pytest

from unlost.errors import attach_attempts, attempts, forget, move_history, recall, remember


@dataclass(frozen=True)
class Frozen(Exception):
    code: int


class Slotted(Exception):
    __slots__ = ("code",)


class Forbidding(Exception):
    def __setattr__(self, name, value):
        raise AttributeError(name)

    def __getattribute__(self, name):
        if name in ("__dict__", "__notes__"):
            raise AttributeError(name)
        return super().__getattribute__(name)


class BrokenStr(Exception):
    def __str__(self):
        raise RuntimeError("no")


class KeywordOnly(Exception):
    def __init__(self, *, response):
        super().__init__("keyword only")
        self.response = response


def reprs(error: BaseException) -> list[str]:
    return [repr(attempt) for attempt in attempts(error)]


@pytest.mark.parametrize("error", [ValueError(), Frozen(1), Slotted(), Forbidding()], ids=lambda e: type(e).__name__)
def test_attempts_stay_with_any_class_of_exception(error: Exception) -> None:
    first, second = KeyError(1), KeyError(2)

    attach_attempts(error, (first, second))

    assert attempts(error) == (first, second)


def test_an_error_without_a_history_has_no_attempts_and_gets_no_note() -> None:
    error = ValueError()

    attach_attempts(error, ())

    assert attempts(error) == ()
    assert vars(error) == {}


def test_one_note_lists_the_earlier_attempts() -> None:
    error = ValueError("last")
    error.add_note("the user's")

    attach_attempts(error, (KeyError("a"), BrokenStr(), ValueError("x" * 1_000_000), OSError("two\nlines")))

    users, ours = error.__notes__
    assert users == "the user's"
    lines = ours.splitlines()
    assert lines[0] == "4 earlier attempts:"
    assert lines[1] == "  1. KeyError: 'a'"
    assert lines[2] == "  2. BrokenStr: (its __str__ raised RuntimeError)"
    assert lines[3].endswith("... (1000000 characters)")
    assert lines[4] == "  4. OSError: two lines"


def test_a_long_history_is_listed_in_part_and_kept_whole() -> None:
    error = ValueError()

    attach_attempts(error, tuple(KeyError(n) for n in range(100)))

    assert len(attempts(error)) == 100
    assert error.__notes__[0].splitlines()[-1] == "  ... and 80 more, see unlost.attempts(error)"


def test_attaching_twice_changes_nothing() -> None:
    error, earlier = ValueError(), (KeyError(1), KeyError(2))

    attach_attempts(error, earlier)
    attach_attempts(error, earlier)

    assert attempts(error) == earlier
    assert len(error.__notes__) == 1


def test_what_an_inner_retry_attached_comes_after_what_an_outer_one_attaches() -> None:
    error, inner, outer = ValueError(), KeyError("inner"), KeyError("outer")

    attach_attempts(error, (inner,))
    attach_attempts(error, (outer,))

    assert attempts(error) == (outer, inner)
    assert [note.splitlines()[0] for note in error.__notes__] == ["2 earlier attempts:"]


def test_the_same_object_raised_again_is_counted_without_a_cycle() -> None:
    class Weak(Exception):
        pass

    error = Weak()
    attach_attempts(error, (error, error))
    counted = attempts(error)
    gone = weakref.ref(error)

    assert counted == (error, error)
    assert "1. the same object" in error.__notes__[0]
    gc.disable()
    try:
        del error, counted
        assert gone() is None
    finally:
        gc.enable()


def test_an_object_that_is_raised_for_ever_does_not_collect_for_ever() -> None:
    error = ValueError()
    for number in range(1100):
        attach_attempts(error, (KeyError(number),))

    assert len(attempts(error)) == 1000


def test_a_shallow_copy_is_told_from_its_original() -> None:
    error, first, later = ValueError(), KeyError(1), KeyError(2)
    attach_attempts(error, (first,))
    copied = copy.copy(error)

    attach_attempts(copied, (later,))

    assert attempts(copied) == (later, first)
    assert attempts(error) == (first,)
    assert "1 earlier attempt:" in error.__notes__[0]


def test_in_a_copy_the_same_object_again_is_the_copy() -> None:
    error = ValueError()
    attach_attempts(error, (error,))

    copied = copy.copy(error)

    assert attempts(copied)[0] is copied


def test_attempts_survive_pickling_and_deep_copying() -> None:
    error = ValueError("last")
    attach_attempts(error, (KeyError(1), error))

    for clone in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error), copy.deepcopy(copy.deepcopy(error))):
        first, second = attempts(clone)
        assert repr(first) == "KeyError(1)"
        assert second is clone
        assert attempts(clone)[0] is first


def test_an_attempt_that_does_not_pickle_or_does_not_load_is_told_by_its_message() -> None:
    locked = ValueError("locked")
    locked.lock = threading.Lock()
    error = ValueError("last")
    attach_attempts(error, (locked, KeywordOnly(response=1)))

    loaded = pickle.loads(pickle.dumps(error))

    assert reprs(loaded) == ["RuntimeError('ValueError: locked')", "RuntimeError('KeywordOnly: keyword only')"]
    assert attempts(copy.deepcopy(error))[0] is locked


def test_an_attempt_that_holds_the_error_itself_pickles() -> None:
    error = ValueError("last")
    attach_attempts(error, (ExceptionGroup("g", [error]),))

    pickled = pickle.dumps(error)

    assert len(pickled) < 1000
    assert reprs(pickle.loads(pickled)) == ["ExceptionGroup('g', [ValueError('last')])"]


def test_a_pickle_loads_where_the_library_is_not_installed() -> None:
    error = ValueError("last")
    attach_attempts(error, (KeyError(1),))
    remember(error, "other", object())
    script = "import sys, pickle; sys.modules['unlost'] = None; print(repr(pickle.loads(bytes.fromhex(sys.argv[1]))))"

    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script, pickle.dumps(error).hex()],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "ValueError('last')\n"


def test_other_keys_stay_with_the_error_and_do_not_hinder_a_pickle() -> None:
    error = ValueError()
    lock = threading.Lock()
    remember(error, "lock", lock)

    loaded = pickle.loads(pickle.dumps(error))

    assert recall(error, "lock") is lock
    assert recall(loaded, "lock") is None
    assert recall(copy.deepcopy(error), "lock") is lock


def test_forgetting_in_a_copy_leaves_the_original() -> None:
    error = ValueError()
    remember(error, "key", 1)
    copied = copy.copy(error)

    forget(copied, "key")
    forget(copied, "never there")

    assert recall(copied, "key") is None
    assert recall(error, "key") == 1


def test_a_history_moves_whole_to_the_error_that_replaces_another() -> None:
    source, target, first = ValueError(), KeyError(), OSError()
    source.add_note("the user's")
    attach_attempts(source, (first,))
    remember(source, "partial", "outcomes")

    move_history(source, target)

    assert attempts(target) == (first,)
    assert recall(target, "partial") == "outcomes"
    assert attempts(source) == ()
    assert source.__notes__ == ["the user's"]

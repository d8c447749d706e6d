import asyncio
from asyncio import CancelledError

import pytest

from unlost._core import Cancelled, Failure, Outcome, Value
from unlost.errors import ChildCancelled


def describe(outcome):
    match outcome:
        case Value(value):
            return "value", value
        case Failure(error):
            return "failure", error
        case Cancelled(error):
            return "cancelled", error


ERROR = KeyError(1)
CANCELLATION = CancelledError()


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Value(3), ("value", 3)),
        (Failure(ERROR), ("failure", ERROR)),
        (Cancelled(CANCELLATION), ("cancelled", CANCELLATION)),
    ],
)
def test_match_tells_the_three_apart(outcome, expected):
    assert describe(outcome) == expected
    assert isinstance(outcome, Outcome)


def test_unwrap_returns_the_value():
    assert Value(3).unwrap() == 3


def test_unwrap_raises_the_error_itself():
    with pytest.raises(KeyError) as caught:
        Failure(ERROR).unwrap()
    assert caught.value is ERROR


def test_unwrap_inside_an_except_block_keeps_the_errors_own_context():
    inner = OSError()
    error = ValueError("outer")
    error.__context__ = inner

    try:
        raise LookupError
    except LookupError:
        with pytest.raises(ValueError, match="outer"):
            Failure(error).unwrap()

    assert error.__context__ is inner


def test_unwrap_of_a_cancellation_says_that_a_child_was_cancelled():
    with pytest.raises(ChildCancelled, match="too slow") as caught:
        Cancelled(CANCELLATION, reason="too slow").unwrap()
    assert caught.value.__cause__ is CANCELLATION


def test_outcomes_have_no_room_for_other_attributes():
    for outcome in (Value(1), Failure(ERROR), Cancelled(CANCELLATION)):
        with pytest.raises(AttributeError):
            outcome.other = 1


def test_release_frames_reaches_causes_members_and_what_was_survived():
    def fail(error, local="large"):
        raise error

    errors = [OSError(), KeyError(), ValueError()]
    for error in errors:
        with pytest.raises(type(error)):
            fail(error)
    group = ExceptionGroup("g", [errors[0]])
    group.__cause__ = errors[1]
    Failure(group, survived=(errors[2],)).release_frames()

    for error in errors:
        assert "local" not in error.__traceback__.tb_next.tb_frame.f_locals


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (Value(1), "Value(1)"),
        (Value(1, 4, "k", 2, 0.5, (ERROR,)), "Value(1, index=4, key='k', attempts=2, survived=1)"),
        (Failure(ERROR, 4), "Failure(KeyError(1), index=4)"),
        (Cancelled(CANCELLATION, reason="why"), "Cancelled('why')"),
    ],
)
def test_repr_shows_what_differs_from_the_usual(outcome, text):
    assert repr(outcome) == text


async def test_releasing_frames_leaves_a_task_alone_that_caught_the_error_and_went_on():
    """Before 3.13, clearing a suspended coroutine's frame closes it (``frame.clear``)."""

    async def fails():
        await asyncio.sleep(0)
        raise OSError

    async def catches(task):
        try:
            await task
        except OSError as error:
            caught.append(error)
        await asyncio.sleep(1)
        return "went on"

    caught = []
    failing = asyncio.create_task(fails())
    catching = asyncio.create_task(catches(failing))
    await asyncio.sleep(0.5)

    Failure(caught[0]).release_frames()

    assert await catching == "went on"

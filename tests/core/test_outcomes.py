import copy
import pickle
from asyncio import CancelledError

import pytest

from unlost._core import Cancelled, Failure, Outcomes, Value, map, partial, settle, take_unheard  # noqa: A004
from unlost._core._outcomes import attach
from unlost.errors import ChildCancelled


class Rude(Exception):
    def __str__(self):
        raise RuntimeError


def test_values_are_all_values_in_order():
    assert Outcomes([Value(2), Value(1)]).values() == [2, 1]


def test_values_raises_one_group_of_all_failures_in_order():
    first, second = KeyError(1), OSError(2)

    with pytest.raises(ExceptionGroup, match="3 of 4 failed") as caught:
        Outcomes([Failure(first), Value(1), Failure(second), Cancelled(CancelledError(), 3, reason="why")]).values()
    assert caught.value.exceptions[:2] == (first, second)
    child_cancelled = caught.value.exceptions[2]
    assert isinstance(child_cancelled, ChildCancelled)
    assert str(child_cancelled) == "item 3 was cancelled: why"
    assert isinstance(child_cancelled.__cause__, CancelledError)


def test_a_group_with_what_is_no_exception_is_a_base_group():
    with pytest.raises(BaseExceptionGroup) as caught:
        Outcomes([Failure(GeneratorExit())]).values()
    assert not isinstance(caught.value, ExceptionGroup)


def test_failures_are_all_that_is_no_value():
    outcomes = Outcomes([Value(0, 0), Failure(KeyError(), 1), Cancelled(CancelledError(), 2)])

    assert [failure.index for failure in outcomes.failures] == [1, 2]


def test_str_counts_and_names_the_most_frequent_errors_first():
    outcomes = Outcomes([Value(index, index) for index in range(1200)])
    outcomes += [Failure(KeyError("price"), 1200), Failure(OSError("reset"), 1201), Failure(OSError("again"), 1202)]
    outcomes.append(Cancelled(CancelledError(), 1203, reason="stopped by hand"))

    assert str(outcomes).splitlines() == [
        "1,200 ok · 3 failed · 1 cancelled",
        "     2x  OSError: reset   first: item 1201",
        "     1x  KeyError: 'price'   first: item 1200",
        "     1x  Cancelled: stopped by hand   first: item 1203",
    ]


def test_str_survives_broken_exceptions_and_cuts_long_lists():
    outcomes = Outcomes([Failure(Rude(), 0), *(Failure(type(f"E{number}", (Exception,), {})()) for number in range(9))])

    assert "Rude: (its __str__ raised RuntimeError)" in str(outcomes)
    assert "and 5 more sorts of error" in str(outcomes)


def test_repr_never_shows_all_of_many():
    assert repr(Outcomes([Value(1)])) == "Outcomes([Value(1)])"
    assert repr(Outcomes(Value(number) for number in range(10**5))).endswith("Value(5), ... 100000 in all])")


def test_nothing_is_attached_to_an_ordinary_error():
    assert partial(ValueError()) is None


def test_a_pickled_error_comes_back_without_its_outcomes():
    error = OSError("broken")
    attach(error, Outcomes([Value(object())]))

    back = pickle.loads(pickle.dumps(error))

    assert back.args == ("broken",)
    assert partial(back) is None


def test_a_copied_error_has_the_outcomes_and_what_is_attached_to_it_later_is_its_own():
    error = OSError("broken")
    attach(error, Outcomes([Value(1)]))

    twin = copy.copy(error)
    attach(twin, Outcomes([Value(2)]))

    assert [outcome.value for outcome in partial(error)] == [1]
    assert [outcome.value for outcome in partial(twin)] == [1, 2]


@pytest.mark.parametrize("call", ["settle", "map"])
async def test_outcomes_that_nobody_looks_at_are_counted(call):
    take_unheard()

    await (settle(failing()) if call == "settle" else map(failing_with, [1], limit=1))

    (line,) = take_unheard()
    assert f"unlost.{call}, whose outcomes nobody looked at: 1 error in 1 call (last: OSError: nobody)" in line


@pytest.mark.parametrize(
    "look",
    [list, str, lambda outcomes: outcomes[0], lambda outcomes: outcomes.failures],
    ids=["list", "str", "[0]", "failures"],
)
async def test_outcomes_that_somebody_looked_at_are_not_counted(look):
    take_unheard()

    look(await settle(failing()))

    assert take_unheard() == []


async def failing():
    raise OSError("nobody")


async def failing_with(item):
    raise OSError("nobody")

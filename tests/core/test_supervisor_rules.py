"""The rules of restarting, as pure functions."""

from dataclasses import dataclass

import pytest

from unlost._core.supervision._rules import RestartWindow, falls_with, rises_again, starts_again


@dataclass(frozen=True)
class Child:
    name: str
    restart: str = "permanent"


@pytest.mark.parametrize(
    ("restart", "after_a_return", "after_a_crash"),
    [("permanent", True, True), ("transient", False, True), ("temporary", False, False)],
)
def test_who_starts_again(restart, after_a_return, after_a_crash):
    assert starts_again(restart, ended_well=True) is after_a_return
    assert starts_again(restart, ended_well=False) is after_a_crash


@pytest.mark.parametrize(("strategy", "fallen"), [("one_for_one", "b"), ("rest_for_one", "bc"), ("one_for_all", "abc")])
def test_who_falls_with_another(strategy, fallen):
    order = a, b, c = Child("a"), Child("b"), Child("c")

    assert "".join(child.name for child in falls_with(strategy, order, b)) == fallen
    assert list(falls_with("rest_for_one", order, c)) == [c]
    assert list(falls_with("rest_for_one", order, a)) == [a, b, c]


def test_who_is_temporary_does_not_rise_again():
    group = [Child("a"), Child("b", "temporary"), Child("c", "transient")]

    assert [child.name for child in rises_again(group)] == ["a", "c"]


def test_so_many_restarts_as_the_intensity_are_allowed_within_the_period():
    window = RestartWindow(2, 10.0)

    assert [window.add(now, ValueError(now)) for now in (0.0, 5.0, 10.0)] == [False, False, True]
    assert [str(crash) for crash in window.crashes] == ["0.0", "5.0", "10.0"]
    assert window.since == 10


def test_what_is_longer_ago_than_the_period_does_not_count():
    window = RestartWindow(2, 10.0)

    assert [window.add(now, ValueError(now)) for now in (0.0, 5.0, 10.1, 15.2)] == [False] * 4
    assert [str(crash) for crash in window.crashes] == ["10.1", "15.2"]


def test_an_intensity_of_nothing_allows_no_restart():
    assert RestartWindow(0, 10.0).add(0.0, ValueError())

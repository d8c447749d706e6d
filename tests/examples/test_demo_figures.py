"""The check at the end of the demo: it has to notice what is wrong."""

import sys
from dataclasses import replace

import pytest

from support.service import DEMO, MISBEHAVIOUR, expected, kind_of, load_demo

COUNT = 10_000
HOPELESS = {name for name, each in MISBEHAVIOUR.items() if each.for_ever}
OBTAINABLE = tuple(number for number in range(1, COUNT + 1) if kind_of(number) not in HOPELESS)


@pytest.fixture
def figures(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(DEMO), *sys.path])
    return load_demo("figures")


@pytest.fixture
def right(figures):
    should = expected(range(1, COUNT + 1))
    return figures.Figures(
        result_lines=tuple(reversed(OBTAINABLE)),
        ok=should.ok,
        failed=171,
        groups=(98, 35, 22, 16),
        recovered=should.recovered - 80,
        retries=700,
        sent_away=80,
        items_asked=COUNT,
        repeats=780,
    )


def test_right_figures_contradict_nothing(figures, right):
    assert figures.contradictions(right, COUNT) == []


def test_a_slow_machine_that_retries_more_contradicts_nothing(figures, right):
    slow = replace(right, recovered=400, retries=900, repeats=850)

    assert figures.contradictions(slow, COUNT) == []


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"ok": 9_828}, "9,828 ok instead of 9,829"),
        ({"failed": 170}, "170 failed instead of 171"),
        ({"groups": (98, 36, 37)}, "failures in groups of [98, 37, 36] instead of [98, 35, 22, 16]"),
        ({"result_lines": OBTAINABLE[1:]}, "the results file does not hold each item that can be had once"),
        ({"result_lines": (*OBTAINABLE, OBTAINABLE[0])}, "the results file does not hold each item"),
        ({"recovered": 307}, "307 recovered, 80 sent away instead of 388 or more"),
        ({"items_asked": 9_999}, "the service was asked for 9,999 items instead of 10,000"),
        ({"repeats": 781}, "the service was asked again 781 times, and 700 retries are counted"),
    ],
)
def test_a_wrong_figure_is_named(figures, right, wrong, sentence):
    found = figures.contradictions(replace(right, **wrong), COUNT)

    assert len(found) == 1
    assert found[0].startswith(sentence)

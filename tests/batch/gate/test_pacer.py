"""What a key learns from one rest to the next."""

import pytest

from unlost.batch.gate._pacer import Pacer


def test_a_cheap_refusal_of_calls_that_the_pace_held_back_does_not_lower_it() -> None:
    pacer = paced()
    before = pace(pacer, now=2.0)
    pacer.look(2.0)

    refuse(pacer, answers=50, now=7.0)

    assert pace(pacer, now=8.0) == pytest.approx(before, rel=0.01)


def test_a_refusal_at_a_pace_that_was_not_used_tells_nothing_of_a_lower_one() -> None:
    pacer = paced()
    before = pace(pacer, now=2.0)

    refuse(pacer, answers=50, now=7.0)

    assert pace(pacer, now=8.0) < 0.9 * before


def paced() -> Pacer:
    """Return a pacer that was refused something at about a hundred calls a second."""
    pacer = Pacer(0.0)
    refuse(pacer, answers=110, now=1.1)
    return pacer


def refuse(pacer: Pacer, *, answers: int, now: float) -> None:
    for _ in range(answers):
        pacer.answered(now)
    pacer.refused(0.1, in_vain=False)
    pacer.resume(now, now + 0.01)


def pace(pacer: Pacer, *, now: float) -> float:
    pacer.granted(now, 0.0)
    return 1 / (pacer.due - now)

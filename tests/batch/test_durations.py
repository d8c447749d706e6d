"""Durations are read as people write them, and refused where they are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlost.batch.options._durations import seconds, spelled


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("10", 10.0),
        ("10s", 10.0),
        (" 10 s ", 10.0),
        ("500ms", 0.5),
        ("2m", 120.0),
        ("1.5h", 5400.0),
        (".5", 0.5),
        ("0", 0.0),
        (10, 10.0),
        (0.25, 0.25),
    ],
)
def test_a_duration_is_seconds_unless_it_names_a_unit(written: object, read: float) -> None:
    assert seconds(written) == read


@pytest.mark.parametrize(
    "written",
    ["", "s", "-1", "1d", "1 2", "1e3", "nan", "\N{ARABIC-INDIC DIGIT ONE}", -1, float("nan"), True, None, []],
)
def test_what_is_no_duration_is_refused_with_examples(written: object) -> None:
    with pytest.raises(ValueError, match="expected a duration such as 10, 10s, 500ms"):
        seconds(written)


@pytest.mark.parametrize(
    ("duration", "written"),
    [(0, "0s"), (0.05, "50ms"), (1, "1s"), (59.5, "59.5s"), (90, "1.5m"), (3600, "1h")],
)
def test_a_duration_is_written_in_the_largest_fitting_unit(duration: float, written: str) -> None:
    assert spelled(duration) == written


@given(st.floats(0.001, 1e6))
def test_what_is_written_is_read_as_nearly_the_same(duration: float) -> None:
    assert seconds(spelled(duration)) == pytest.approx(duration, rel=1e-3)

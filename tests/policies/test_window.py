"""How the latest calls ended."""

from hypothesis import given
from hypothesis import strategies as st

from unlost.policies._window import CountWindow, Tally, TimeWindow

calls = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60)
timed = st.lists(st.tuples(st.floats(0, 30), st.booleans(), st.booleans()), max_size=60)


@given(st.integers(1, 12), calls)
def test_a_count_window_holds_the_last_calls_and_no_more(size, calls) -> None:
    window = CountWindow(size)
    for is_failed, is_slow in calls:
        if not is_failed and not is_slow:
            window.calls += 1  # as who sees a call succeed may
        else:
            window.record(0.0, ValueError() if is_failed else None, is_slow)

    latest = calls[-size:]
    assert window.tally(0.0) == Tally(len(latest), sum(f for f, _ in latest), sum(s for _, s in latest))
    assert len(window.errors()) == min(3, sum(f for f, _ in latest))


@given(timed)
def test_a_time_window_holds_what_is_in_it_and_nothing_older_by_more_than_a_tenth(waits) -> None:
    window, now, ends = TimeWindow(10.0), 0.0, []
    for wait, is_failed, is_slow in waits:
        now += wait
        ends.append((now, is_failed, is_slow))
        window.record(now, ValueError() if is_failed else None, is_slow)

    tally = window.tally(now)
    surely = [end for end in ends if end[0] > now - 10.0]
    perhaps = [end for end in ends if end[0] > now - 11.0 - 1e-6]
    assert len(surely) <= tally.calls <= len(perhaps)
    assert sum(end[1] for end in surely) <= tally.failed <= sum(end[1] for end in perhaps)
    assert sum(end[2] for end in surely) <= tally.slow <= sum(end[2] for end in perhaps)


def test_a_time_window_keeps_ten_buckets_however_many_calls_there_are() -> None:
    window = TimeWindow(10.0)
    for number in range(10_000):
        window.record(number / 100, None, False)

    assert len(window._buckets) <= 11
    assert window.tally(99.99).calls in range(1000, 1101)


def test_the_errors_kept_are_the_latest_oldest_first() -> None:
    errors = [ValueError(number) for number in range(5)]
    for window in (CountWindow(10), TimeWindow(10.0)):
        for at, error in enumerate(errors):
            window.record(float(at), error, False)

        assert window.errors() == tuple(errors[-3:])


def test_an_error_that_left_the_window_is_let_go() -> None:
    counted, timed = CountWindow(2), TimeWindow(10.0)
    counted.record(0.0, ValueError(), False)
    timed.record(0.0, ValueError(), False)

    counted.calls += 2
    counted.forget()
    timed.record(30.0, None, False)

    assert counted.errors() == timed.errors() == ()

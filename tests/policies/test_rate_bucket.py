"""The arithmetic of a bucket of tokens."""

import math
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from unlost.policies._bucket import Bucket

RATES = st.floats(0.01, 1e6)
# what is asked for after how many seconds
REQUESTS = st.lists(st.tuples(st.floats(0, 100), st.floats(0.01, 20)), max_size=60)


def test_a_full_bucket_gives_its_burst_at_once_and_then_at_the_rate():
    bucket = Bucket(rate=2, per=1, burst=3)

    assert [bucket.take(1, now=0) for _ in range(4)] == [True, True, True, False]
    assert bucket.due(1) == 0.5
    assert [bucket.take(1, now) for now in (0.49, 0.5, 0.99, 1.0)] == [False, True, False, True]


def test_a_bucket_fills_up_to_its_burst_and_no_further():
    bucket = Bucket(rate=1, per=1, burst=2)
    assert bucket.take(2, now=0)

    assert bucket.is_full(1e9)
    assert [bucket.take(1, now=1e9) for _ in range(3)] == [True, True, False]


def test_what_is_put_back_can_be_taken_again_up_to_the_burst():
    bucket = Bucket(rate=1, per=1, burst=2)
    assert bucket.take(2, now=0)

    bucket.give_back(5)

    assert [bucket.take(1, now=0) for _ in range(3)] == [True, True, False]


def test_what_was_never_there_is_not_given():
    bucket = Bucket(rate=1, per=1, burst=2)

    assert not any(bucket.take(tokens, now=0) for tokens in (2.1, 0, -1, math.nan, math.inf))


def test_after_a_million_tokens_the_next_one_comes_when_it_should():
    rate, number = 3.3, 1_000_000
    bucket = Bucket(rate=rate, per=0.7, burst=1)
    now = 12_345.678

    for _ in range(number):
        now = max(now, bucket.due(1))
        bucket.take(1, now)

    exact = Fraction(12_345.678) + (number - 1) * Fraction(0.7) / Fraction(rate)
    assert abs(now - float(exact)) < 1e-9


def test_served_late_each_time_the_millionth_is_due_when_it_should_be():
    bucket, number, now = Bucket(rate=1000, per=1, burst=1), 1_000_000, 0.0

    for turn in range(number):
        now = max(now, bucket.due(1)) + turn % 7 * 1e-4
        bucket.take(1, now, late=1e-3 if turn else 0)

    assert bucket.due(1) == number / 1000


def test_served_very_late_only_one_token_is_made_up_for():
    bucket = Bucket(rate=1, per=1, burst=1)
    assert bucket.take(1, now=0)

    assert [bucket.take(1, now=100, late=1) for _ in range(3)] == [True, True, False]


@given(RATES, st.floats(0.1, 100), st.floats(1, 20), REQUESTS)
def test_no_stretch_of_time_sees_more_than_the_burst_and_the_rate(rate, per, burst, requests):
    bucket = Bucket(rate, per, burst)
    now, taken = 0.0, []
    for pause, tokens in requests:
        now += pause
        if bucket.take(tokens, now):
            taken.append((now, tokens))

    for first, (began, _) in enumerate(taken):
        total = 0.0
        for moment, tokens in taken[first:]:
            total += tokens
            assert total <= (burst + rate * (moment - began) / per) * (1 + 1e-9)


@given(RATES, st.floats(0.1, 100), st.floats(1, 20), REQUESTS)
def test_it_gives_what_a_bucket_that_is_filled_exactly_would_give(rate, per, burst, requests):
    bucket, level, now, filled_at = Bucket(rate, per, burst), Fraction(burst), 0.0, 0.0
    for pause, tokens in requests:
        now += pause
        level = min(Fraction(burst), level + Fraction(rate) * Fraction(now - filled_at) / Fraction(per))
        filled_at = now
        is_close = abs(float(level) - tokens) < 1e-6 * burst

        was_given = bucket.take(tokens, now)

        assert is_close or was_given == (tokens <= level)
        if was_given:
            level -= Fraction(tokens)


@given(RATES, st.floats(1, 20), REQUESTS)
def test_what_is_due_is_there_when_it_is_due(rate, burst, requests):
    bucket, now = Bucket(rate, 1, burst), 0.0
    for pause, tokens in requests:
        now = max(now + pause, bucket.due(tokens))

        assert bucket.take(tokens, now) == (tokens <= burst)

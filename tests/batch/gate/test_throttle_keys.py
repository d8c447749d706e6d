"""Whose rates and rests an item shares, and what it will use."""

import pytest

from unlost.batch.gate._limit_key import estimate_function, key_function
from unlost.batch.options._options import resolve
from unlost.errors import UsageError
from unlost.policies import JobOptions


def by_customer(item):
    return item["customer"]


def test_by_default_all_items_share_one_key() -> None:
    assert key_function(resolve({}, JobOptions())) is None


@pytest.mark.parametrize(
    ("item", "key"),
    [
        ("https://user@API.example.com:8443/v1?x=1", "api.example.com"),
        ({"url": "http://127.0.0.1/a"}, "127.0.0.1"),
        ({"link": "http://127.0.0.1/a"}, None),
        ("no url", None),
        ("http://[broken", None),
        (5, None),
    ],
)
def test_host_is_that_of_the_url_that_the_item_is_or_has(item, key) -> None:
    key_of = key_function(resolve({"limit_key": "host"}, JobOptions()))

    assert key_of is not None
    assert key_of(item) == key


@pytest.mark.parametrize(
    ("item", "key"),
    [
        ({"account": {"id": "a"}}, "a"),
        ({"account.id": "b"}, "b"),
        ({"account": {"id": 1}}, "1"),
        ({"account": {"id": True}}, "true"),
        ({"account": {"id": None}}, None),
        ({"account": {"id": []}}, None),
        ({"account": "c"}, None),
        ("text", None),
    ],
)
def test_a_field_is_looked_up_as_a_key_is_and_an_item_without_it_has_the_key_none(item, key) -> None:
    key_of = key_function(resolve({"limit_key": "account.id"}, JobOptions()))

    assert key_of is not None
    assert key_of(item) == key


def test_a_function_of_the_decorator_is_called_and_its_name_is_what_the_journal_keeps() -> None:
    resolved = resolve({}, JobOptions(limit_key=by_customer))

    assert key_function(resolved) is by_customer
    assert resolved.options.limit_key == f"{__name__}:by_customer"


def test_a_flag_holds_over_the_decorators_function_and_none_takes_it_away() -> None:
    decorator = JobOptions(limit_key=by_customer, rate=("50/s", "tokens=2M/min"))

    assert key_function(resolve({"limit_key": "host"}, decorator)) is not by_customer
    assert key_function(resolve({"limit_key": "none"}, decorator)) is None
    assert resolve({}, decorator).options.rate == ("50/s", "tokens=2M/min")
    assert resolve({"rate": "none"}, decorator).options.rate == ()
    assert resolve(resolve({"rate": "none"}, decorator).given, decorator).options.rate == ()


def test_a_decorators_rate_is_refused_where_it_stands() -> None:
    with pytest.raises(UsageError, match=r"@job at jobs.py:3: rate=50: expected a rate such as 50/s"):
        resolve({}, JobOptions(rate="50"), decorated_at="jobs.py:3")


def test_without_an_estimate_nothing_is_estimated() -> None:
    assert estimate_function(resolve({}, JobOptions())) is None


@pytest.mark.parametrize(
    ("estimate", "amounts"),
    [
        (lambda item: len(item), {"tokens": 5}),
        (lambda item: {"input_tokens": 5, "output_tokens": 0.5}, {"input_tokens": 5, "output_tokens": 0.5}),
    ],
)
def test_an_estimate_is_a_number_of_tokens_or_a_mapping(estimate, amounts) -> None:
    estimate_of = estimate_function(resolve({}, JobOptions(estimate=estimate)))

    assert estimate_of is not None
    assert estimate_of("hello") == amounts


@pytest.mark.parametrize("wrong", [-1, "5", None, True, float("nan"), {"calls": 1}, {"words": 3}, {"tokens": "5"}])
def test_what_is_no_estimate_is_refused_with_what_to_return(wrong) -> None:
    estimate_of = estimate_function(resolve({}, JobOptions(estimate=lambda item: wrong)))

    assert estimate_of is not None
    with pytest.raises(UsageError, match="expected a number of tokens"):
        estimate_of("hello")

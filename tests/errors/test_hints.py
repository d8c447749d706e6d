"""Status codes and Retry-After, by the shape of the objects."""

import email.message
import urllib.error
from types import SimpleNamespace
from unittest.mock import MagicMock, Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlost.errors import retry_after, status_of


def error_with(**attributes) -> Exception:
    error = RuntimeError("failed")
    vars(error).update(attributes)
    return error


def answered(headers) -> Exception:
    return error_with(response=SimpleNamespace(status_code=429, headers=headers))


class Hostile(Exception):
    @property
    def response(self):
        raise ZeroDivisionError

    @property
    def status(self):
        raise ZeroDivisionError

    def __getattr__(self, name):
        raise ZeroDivisionError


class HostileItems:
    def items(self):
        while True:
            yield "Retry-After", HostileItems()


@pytest.mark.parametrize(
    "error",
    [
        error_with(response=SimpleNamespace(status_code=503)),
        error_with(response=SimpleNamespace(status=503)),
        error_with(status=503),
        error_with(status_code=503),
        error_with(code=503),
        error_with(response={"ResponseMetadata": {"HTTPStatusCode": 503}}),
        urllib.error.HTTPError("http://x", 503, "busy", {}, None),
    ],
    ids=["httpx", "response.status", "aiohttp", "openai", "code", "botocore", "urllib"],
)
def test_a_status_is_found_in_every_shape(error: Exception) -> None:
    assert status_of(error) == 503


@pytest.mark.parametrize(
    "error",
    [
        *(error_with(status=status) for status in (True, 99, 600, -1, "503", 503.0, None, Mock(), MagicMock())),
        error_with(response=Mock(), headers=Mock()),
        error_with(response=MagicMock(), headers=MagicMock()),
        error_with(response={"ResponseMetadata": "?"}, headers=7),
        error_with(headers=HostileItems()),
        Hostile(),
        SystemExit(500),
        ExceptionGroup("g", [error_with(status=503)]),
        KeyError("status"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_no_hint_gives_none_and_raises_nothing(error: BaseException) -> None:
    assert status_of(error) is None
    assert isinstance(error, ExceptionGroup) or retry_after(error) is None


def test_the_nearest_cause_with_a_status_is_told() -> None:
    error, between = RuntimeError(), RuntimeError()
    error.__cause__ = between
    between.__cause__ = error_with(status=429, headers={"Retry-After": "7"})
    between.__cause__.__cause__ = error_with(status=500, headers={"Retry-After": "9"})

    assert status_of(error) == 429
    assert retry_after(error) == 7


def test_a_cycle_of_causes_ends() -> None:
    error = RuntimeError()
    error.__cause__ = error

    assert status_of(error) is None
    assert retry_after(error) is None


@pytest.mark.parametrize("name", ["Retry-After", "retry-after", "RETRY-AFTER", b"retry-after"])
def test_the_name_of_a_header_has_no_case(name) -> None:
    assert retry_after(answered({name: "12"})) == 12


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("0", 0), ("120", 120), (" 1.5 ", 1.5), (b"3", 3), (4, 4)),
        *((text, None) for text in ("-5", "nan", "inf", "", "soon", "1_000", "1e3", None, "9" * 400)),
        ("\N{ARABIC-INDIC DIGIT THREE}", None),
    ],
)
def test_seconds_are_finite_and_not_negative(text, seconds: float | None) -> None:
    assert retry_after(answered({"Retry-After": text})) == seconds


def test_milliseconds_are_more_exact() -> None:
    assert retry_after(answered({"retry-after": "2", "retry-after-ms": "1500"})) == 1.5


def test_a_date_is_counted_from_the_answers_own_date() -> None:
    headers = {"Date": "Wed, 21 Oct 2015 07:27:30 GMT", "Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}

    assert retry_after(answered(headers)) == 30
    assert retry_after(answered(headers), lambda: 0.0) == 30


def test_a_date_is_counted_from_the_clock_given_where_the_answer_has_none() -> None:
    error = answered({"Retry-After": "Thu, 01 Jan 1970 00:01:40 GMT"})

    assert retry_after(error, lambda: 70.0) == 30
    assert retry_after(error, lambda: 1000.0) == 0
    assert retry_after(error) is None


def test_headers_are_found_beside_the_error_and_in_botocores_answer() -> None:
    message = email.message.Message()
    message["Retry-After"] = "5"
    aws = {"ResponseMetadata": {"HTTPHeaders": {"retry-after": "6"}}}

    assert retry_after(error_with(headers={"Retry-After": "4"})) == 4
    assert retry_after(urllib.error.HTTPError("http://x", 503, "busy", message, None)) == 5
    assert retry_after(error_with(response=aws)) == 6


def test_of_a_group_the_longest_wait_holds() -> None:
    group = ExceptionGroup("g", [answered({"Retry-After": "3"}), KeyError(), answered({"Retry-After": "8"})])

    assert retry_after(group) == 8


@given(st.text() | st.integers() | st.floats() | st.binary() | st.none())
def test_whatever_the_header_holds_the_wait_is_usable(value) -> None:
    wait = retry_after(answered({"Retry-After": value, "Date": value}), lambda: 0.0)

    assert wait is None or 0 <= wait < float("inf")

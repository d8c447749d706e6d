"""Which errors stop a run, by the shapes that services and their clients send."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from unlost.batch.gate._rest import HoldTooLong
from unlost.batch.gate._stops import stop_of
from unlost.batch.journal._spend import Amount
from unlost.batch.paid._purse import Purse
from unlost.observe import redact


class Answer(Exception):
    """An error of a client: what hangs on it is what the client hangs there."""

    def __init__(self, message: str = "", **attributes: Any) -> None:
        super().__init__(message)
        self.__dict__.update(attributes)


class Response:
    """As httpx has it, read."""

    def __init__(self, status_code: int, text: str = "") -> None:
        self.status_code = status_code
        self.text = text

    async def aread(self) -> bytes:
        return self.text.encode()


class Unread(Response):
    """As httpx has one that was streamed."""

    def __init__(self, status_code: int) -> None:
        self.status_code = status_code

    @property
    def text(self) -> str:  # type: ignore[override]  # as httpx raises
        raise RuntimeError("Attempted to access streaming response content, without having called `read()`.")


QUOTA_BODY = {"message": "You exceeded your current quota", "type": "insufficient_quota", "code": "insufficient_quota"}
CREDIT_BODY = {"type": "error", "error": {"type": "invalid_request_error", "message": "Your credit balance is too low"}}
GOOGLE_KEY = {"error": {"code": 400, "status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}}
GOOGLE_RATE = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "You exceeded your current quota"}}


def reason(error: BaseException) -> str | None:
    stop = stop_of(error, lambda leaf: type(leaf).__name__)
    return stop and stop.reason


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Answer(status_code=401), "authentication"),
        (Answer(response=Response(401)), "authentication"),
        (Answer(status=401), "authentication"),
        (Answer(code=400, status="INVALID_ARGUMENT", details=GOOGLE_KEY), "authentication"),
        (Answer(status_code=402), "quota"),
        (Answer(status_code=429, code="insufficient_quota", body=QUOTA_BODY), "quota"),
        (Answer(response=Response(429, str(QUOTA_BODY))), "quota"),
        (Answer("Error code: 429 - {'code': 'billing_not_active'}", status_code=429), "quota"),
        (Answer(status_code=400, code="billing_hard_limit_reached"), "quota"),
        (Answer(status_code=400, body=CREDIT_BODY), "quota"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "disk"),
    ],
)
def test_no_access_no_money_and_no_room_stop_the_run(error: Exception, expected: str) -> None:
    assert reason(error) == expected
    assert reason(ExceptionGroup("g", [ValueError(), error])) == expected


@pytest.mark.parametrize(
    "error",
    [
        Answer(status_code=403),
        Answer(status_code=429),
        Answer(code=429, status="RESOURCE_EXHAUSTED", details=GOOGLE_RATE),
        Answer(status_code=400, body={"message": "prompt is too long"}),
        Answer(status_code=500, body=QUOTA_BODY),
        Answer(response=Unread(429)),
        ConnectionError("down"),
        OSError(errno.ENOENT, "No such file"),
        ValueError("insufficient_quota"),
    ],
)
def test_what_another_item_may_not_meet_does_not(error: Exception) -> None:
    assert reason(error) is None


def test_a_cause_counts_and_the_error_itself_is_the_cause_of_the_stop() -> None:
    error = RuntimeError("the file could not be written")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")

    stop = stop_of(error, repr)

    assert stop is not None
    assert (stop.reason, stop.__cause__) == ("disk", error)


@pytest.mark.parametrize(
    "error",
    [Answer(status_code=401), Answer(status_code=402), OSError(errno.ENOSPC, "full")],
    ids=["authentication", "quota", "disk"],
)
def test_our_own_words_are_not_taken_for_secrets(error: BaseException) -> None:
    stop = stop_of(error, lambda _leaf: "HTTPStatusError status=401    jobs.py:13 in price")

    assert redact(str(stop)) == str(stop)


@pytest.mark.parametrize("unit", ["usd", "tokens", "input_tokens", "output_tokens"])
def test_nor_are_those_of_budgets_and_rests(unit: str) -> None:
    over = Purse([f"{unit}=5"]).over(Amount(10**12, 10**9, 10**9))
    too_long = HoldTooLong("Tenant7", 7200.0, 3600.0)

    assert redact(str(over)) == str(over)
    assert redact(str(too_long)) == str(too_long)

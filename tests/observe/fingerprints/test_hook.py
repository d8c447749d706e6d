"""The user's own key, and a hook that fails."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import unlost
from unlost.errors import UsageError
from unlost.observe import digest, fingerprint_hook, headline, record, variant, why
from unlost.observe.fingerprints import _hook


@pytest.fixture(autouse=True)
def no_hook_afterwards(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(_hook, "_faults", 0)
    monkeypatch.setattr(_hook, "at_exit", lambda _say: None)
    yield
    fingerprint_hook(None)


class QuotaError(Exception):
    tenant = "acme"


def test_a_text_stands_for_the_whole_fingerprint() -> None:
    fingerprint_hook(lambda error: "quota")
    one, other = record(QuotaError("a")), record(KeyError("b"))

    assert digest(one) == digest(other)
    assert variant(one) != variant(other)
    assert next(why(one)) == "your key: quota (from your hook)"


def test_a_text_beside_the_rest_splits_what_would_be_one_group() -> None:
    @fingerprint_hook
    def by_tenant(error: BaseException) -> Any:
        return (..., getattr(error, "tenant", "nobody's"))

    one, same, other = QuotaError("a"), QuotaError("a"), QuotaError("a")
    other.tenant = "umbrella"

    assert digest(record(one)) == digest(record(same)) != digest(record(other))
    assert digest(record(one)) != digest(record(QuotaError("other message")))


def test_none_leaves_an_error_alone() -> None:
    before = digest(record(KeyError("a")))
    fingerprint_hook(lambda error: "quota" if isinstance(error, QuotaError) else None)

    assert digest(record(KeyError("a"))) == before
    assert "own_key" not in record(KeyError("a"))


def test_the_key_outlives_the_process_in_the_record() -> None:
    fingerprint_hook(lambda error: "quota")
    stored = json.loads(json.dumps(record(QuotaError("a"))))
    before = digest(stored)
    fingerprint_hook(None)

    assert digest(stored) == before == digest(stored)
    assert digest(record(QuotaError("a"))) != before


def test_members_and_causes_are_asked_for_too() -> None:
    fingerprint_hook(lambda error: "quota" if isinstance(error, QuotaError) else None)
    wrapped, otherwise_wrapped = ValueError("x"), ValueError("x")
    wrapped.__cause__, otherwise_wrapped.__cause__ = QuotaError("a"), QuotaError("b")

    assert digest(record(ExceptionGroup("g", [QuotaError("a"), QuotaError("b")]))) == digest(record(QuotaError("c")))
    assert digest(record(wrapped)) == digest(record(otherwise_wrapped))


def test_a_key_is_redacted_cut_and_shown_without_driving_the_terminal() -> None:
    fingerprint_hook(lambda error: "password=hunter2 \x1b[31m " + "x" * 10_000)
    error = record(QuotaError("a"))

    assert "hunter2" not in json.dumps(error)
    assert len(error["own_key"]["text"]) <= 120
    assert "\x1b" not in next(why(error))


@pytest.mark.parametrize("answer", [7, (..., 7), ("a", "b"), ("quota", ...), b"quota"])
def test_a_wrong_answer_is_a_fault_and_groups_as_without_a_hook(answer: object) -> None:
    before = digest(record(QuotaError("a")))
    told: list[str] = []
    fingerprint_hook(lambda error: answer)  # type: ignore[arg-type, return-value]  # the mistake

    with unlost.report_to(lambda error, what: told.append(f"{what}: {error}")):
        error = record(QuotaError("a"))

    assert digest(error) == before
    assert "Return a str, (..., a str), or None." in told[0]


def test_a_fault_is_reported_once_and_said_by_the_record() -> None:
    told: list[BaseException] = []
    fault = LookupError("no tenant")

    @fingerprint_hook
    def failing(error: BaseException) -> str:
        raise fault

    with unlost.report_to(lambda error, _what: told.append(error)):
        errors = [record(QuotaError(str(number))) for number in range(3)]

    assert told == [fault]
    assert [list(why(error))[-1] for error in errors] == ["your hook failed: LookupError: no tenant"] * 3
    assert headline(errors[0]).title == "QuotaError <n>"


def test_a_reporter_that_records_what_it_is_told_does_not_ask_for_ever() -> None:
    told: list[str] = []

    @fingerprint_hook
    def failing(error: BaseException) -> str:
        raise LookupError("no tenant")

    with unlost.report_to(lambda error, _what: told.append(digest(record(error)))):
        record(QuotaError("a"))

    assert len(told) == 1


def test_what_the_hook_records_itself_is_recorded_without_it() -> None:
    plain = digest(record(QuotaError("a")))
    fingerprint_hook(lambda error: digest(record(error)))

    assert record(QuotaError("a"))["own_key"] == {"text": plain}


def test_what_may_be_a_signals_passes() -> None:
    @fingerprint_hook
    def interrupted(error: BaseException) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record(QuotaError("a"))


def test_what_cannot_be_called_is_refused() -> None:
    with pytest.raises(UsageError, match=r"Write fingerprint_hook\(lambda error: 'quota'\)"):
        fingerprint_hook("quota")  # type: ignore[type-var]  # the mistake


PROGRAM = """
from unlost.observe import fingerprint_hook, record

@fingerprint_hook
def by_tenant(error):
    return error.tenant

for number in range(1200):
    record(ValueError(number))
"""


def test_faults_are_told_at_exit() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60)

    assert done.returncode == 0
    assert "unlost: fingerprint hook by_tenant failed; errors are grouped as if there were none" in done.stderr
    assert done.stderr.endswith("unlost: the fingerprint hook failed 1,200 times; only the first was reported\n")

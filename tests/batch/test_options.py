"""A flag holds over the decorator, the decorator over the default, and ``--explain`` says which."""

import json
import sys
from typing import Any

import pytest

from unlost.batch.options._options import Options, resolve
from unlost.errors import Kind, UsageError
from unlost.policies import JobOptions

NOTHING = JobOptions()


def test_without_flag_and_decorator_the_defaults_hold() -> None:
    resolved = resolve({}, NOTHING)

    assert resolved.options == Options()
    assert resolved.retry_on == (Kind.TRANSIENT,)
    assert set(resolved.origins.values()) == {"default"}
    assert (resolved.options.concurrency, resolved.options.attempts, resolved.options.in_doubt) == (100, 1, "hold")


def test_a_flag_overrides_the_decorator_which_overrides_the_default() -> None:
    decorator = JobOptions(attempts=5, timeout=10.0, retry_on=OSError)
    resolved = resolve({"attempts": "7", "deadline": None}, decorator, decorated_at="jobs.py:12")

    assert (resolved.options.attempts, resolved.options.timeout, resolved.options.deadline) == (7, 10.0, None)
    assert resolved.retry_on == (OSError,)
    assert resolved.options.retry_on == ("OSError",)
    assert resolved.origins["attempts"] == "flag --attempts"
    assert resolved.origins["timeout"] == "@job at jobs.py:12"
    assert resolved.origins["deadline"] == "default"


def test_concurrency_is_called_by_its_flag() -> None:
    assert resolve({"concurrency": "5"}, NOTHING).origins["concurrency"] == "flag -j"


def test_arguments_of_a_program_are_called_arguments() -> None:
    resolved = resolve({"attempts": 5}, NOTHING, spelling="argument")

    assert resolved.origins["attempts"] == "argument attempts="
    with pytest.raises(UsageError, match=r"^attempts=0: expected a whole number from 1 to 10,000"):
        resolve({"attempts": 0}, NOTHING, spelling="argument")


def test_none_takes_a_decorators_limit_away_and_resuming_keeps_it_away() -> None:
    decorator = JobOptions(timeout=10)
    resolved = resolve({"timeout": "none"}, decorator)

    assert resolved.options.timeout is None
    assert resolve(resolved.given, decorator).options.timeout is None


def test_what_was_given_can_be_given_again_from_json() -> None:
    flags = {"concurrency": "7", "timeout": "500ms", "retry_on": "transient,TimeoutError", "key": "id", "first": "3"}
    resolved = resolve(flags, JobOptions(attempts=4))
    again = resolve(json.loads(json.dumps(dict(resolved.given))), JobOptions(attempts=9))

    assert set(resolved.given) == set(flags)
    assert again.options.to_json() == {**resolved.options.to_json(), "attempts": 9}
    assert again.retry_on == resolved.retry_on


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"attempts": "0"}, "--attempts 0: expected a whole number from 1 to 10,000"),
        ({"attempts": "many"}, "--attempts many: expected a whole number"),
        ({"attempts": 2.5}, "--attempts 2.5: expected a whole number"),
        ({"attempts": True}, "--attempts True: expected a whole number"),
        ({"concurrency": "100001"}, "-j 100001: expected a whole number from 1 to 100,000"),
        ({"timeout": "0"}, "--timeout 0: expected more than 0 seconds; write none for no limit"),
        ({"timeout": "soon"}, "--timeout soon: expected a duration such as 10"),
        ({"deadline": "-3"}, "--deadline -3: expected a duration"),
        ({"grace": "none"}, "--grace none: expected a duration"),
        ({"key": ""}, "--key '': expected the name of a field"),
        ({"format": "xml"}, "--format xml: expected auto or lines or jsonl or csv or null or dead"),
        ({"durability": "high"}, "--durability high: expected power or process"),
        ({"in_doubt": "drop"}, "--in-doubt drop: expected hold or retry"),
        ({"first": "0"}, "--first 0: expected a whole number"),
        ({"retry_on": "timeout"}, "--retry-on timeout: 'timeout' is not known"),
        ({"colour": "red"}, "There is no option 'colour'"),
    ],
)
def test_a_value_out_of_range_is_refused_in_the_words_that_were_typed(flags: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(flags, NOTHING)

    assert str(caught.value).startswith(said)


def test_a_huge_number_is_refused_not_converted() -> None:
    with pytest.raises(UsageError, match="expected a whole number"):
        resolve({"attempts": "9" * (sys.get_int_max_str_digits() + 1)}, NOTHING)


def test_a_timeout_longer_than_the_deadline_is_refused_with_both_origins() -> None:
    with pytest.raises(UsageError, match=r"30s \(@job at j\.py:1\), is longer .* 10s \(flag --deadline\)") as caught:
        resolve({"deadline": 10}, JobOptions(timeout=30), decorated_at="j.py:1")

    assert "Write --timeout 10s, or a longer --deadline" in str(caught.value)


def test_no_grace_at_all_is_allowed() -> None:
    assert resolve({"grace": "0"}, NOTHING).options.grace == 0

"""``--explain`` names each option, its value, its origin, and the worst case of one item."""

import pytest

from unlost.batch.options._explain import explain
from unlost.batch.options._options import resolve
from unlost.policies import JobOptions


def last_line(**flags: object) -> str:
    return explain(resolve(flags, JobOptions())).splitlines()[-1]


def test_each_option_has_its_aligned_line() -> None:
    resolved = resolve({"concurrency": "200", "timeout": "10"}, JobOptions(attempts=5), decorated_at="jobs.py:12")

    assert explain(resolved) == (
        "concurrency  200                flag -j\n"
        "attempts     5                  @job at jobs.py:12\n"
        "timeout      10s                flag --timeout\n"
        "deadline     no limit           default\n"
        "retry-on     transient          default\n"
        "key          hash of the input  default\n"
        "format       auto               default\n"
        "durability   power              default\n"
        "grace        10s                default\n"
        "in-doubt     hold               default\n"
        "first        all                default\n"
        "rate         no limit           default\n"
        "limit-key    one for all        default\n"
        "budget       no limit           default\n"
        "halt         never              default\n"
        "keep-going   no                 default\n"
        "outage       1h                 default\n"
        "max-hold     1h                 default\n"
        "inputs       keep               default\n"
        "max-record   16777216           default\n"
        "tag          none               default\n"
        "one item takes 51.5s at most: 5 attempts of 10s, waits of up to 1.5s in all; "
        "longer where a server's Retry-After says so"
    )


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({}, "one item takes as long as it likes; set a limit with --timeout or --deadline"),
        ({"timeout": 10}, "one item takes 10s at most: 1 attempt of 10s"),
        ({"deadline": 30}, "one item takes 30s at most: its deadline"),
        ({"deadline": 30, "timeout": 10, "attempts": 5}, "one item takes 30s at most: its deadline"),
    ],
)
def test_the_worst_case_of_an_item_follows_from_its_limits(flags: dict[str, object], said: str) -> None:
    assert last_line(**flags) == said


def test_waits_are_capped_in_the_worst_case() -> None:
    # 0.1 + 0.2 + ... + 25.6 is 51.1 s for nine waits, then 30 s each
    assert last_line(timeout=1, attempts=12).startswith("one item takes 2.052m at most: 12 attempts of 1s")

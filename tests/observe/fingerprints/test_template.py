"""What varies between two occurrences of one bug leaves the message; what names the bug stays."""

import pytest

from unlost.observe.fingerprints._template import template


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("GET https://h/items/3?*** failed", "GET <url> failed"),
        ("user bob.b+x@mail.example.com unknown", "user <email> unknown"),
        ("job 6f1a2b3c-0000-4000-8000-123456789abc is gone", "job <uuid> is gone"),
        ("at 2024-05-01T10:00:00.123Z", "at <date>"),
        ("at 2024-05-01 10:00:00", "at <date>"),
        ("at 10:00:00", "at <time>"),
        ("cannot read /data/a/3.csv", "cannot read <path>"),
        ("cannot read C:\\data\\3.csv", "cannot read <path>"),
        ("<Foo object at 0x7f3a2b>", "<Foo object at <hex>>"),
        ("digest 9f86d081884c7d659a2f differs", "digest <hex> differs"),
        ("host 10.0.0.1:8080 refused", "host <address> refused"),
        ("took 3.5e-3 s, 1,000 times, -4", "took <n> s, <n> times, <n>"),
        ("shard12 is down", "shard<n> is down"),
        ("invalid literal: 'abc'", "invalid literal: <str>"),
        ("can't open 'a' or \"b\"", "can't open <str> or <str>"),
        ("a deadbeef without digits is a word", "a deadbeef without digits is a word"),
    ],
)
def test_what_varies_becomes_a_placeholder(message: str, expected: str) -> None:
    assert template(message, names_matter=False) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("'price'", "'price'"),
        ("'item17'", "'item<n>'"),
        ("'user-8812'", "<str>"),
        ("8812", "<n>"),
        ("'NoneType' object has no attribute 'price'", "'NoneType' object has no attribute 'price'"),
    ],
)
def test_names_of_code_stay_where_the_error_is_a_defect(message: str, expected: str) -> None:
    assert template(message, names_matter=True) == expected

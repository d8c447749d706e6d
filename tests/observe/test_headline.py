"""One line that says what and where."""

from typing import Any

import pytest

from unlost.errors import DeadlineExceeded
from unlost.observe import Headline, headline, record


class HTTPStatusError(Exception):
    status_code = 503


def error_from(source: str, *arguments: object) -> BaseException:
    library: dict[str, Any] = {"__name__": "httpx._client", "HTTPStatusError": HTTPStatusError}
    client = "class Client:\n    def send(self): raise HTTPStatusError('503 for https://h/1')"
    exec(compile(client, "/v/site-packages/httpx/_client.py", "exec"), library)
    jobs: dict[str, Any] = {"__name__": "jobs", "Client": library["Client"]}
    exec(compile(source, "/app/jobs.py", "exec"), jobs)
    with pytest.raises(BaseException) as caught:  # noqa: PT011  # whatever the source raises
        jobs["fetch"](*arguments)
    return caught.value


def test_a_status_and_the_library_that_was_entered() -> None:
    line = headline(record(error_from("\n" * 41 + "def fetch(): Client().send()")))

    assert line == Headline("HTTPStatusError status=503", "jobs.py:42 in fetch → httpx.send")


def test_a_missing_key_and_the_innermost_function_of_ones_own() -> None:
    line = headline(record(error_from("def parse(item): return item['price']\ndef fetch(): parse({})")))

    assert str(line) == "KeyError 'price'    jobs.py:1 in parse"


def test_an_errno_has_its_name() -> None:
    assert headline(record(ConnectionRefusedError(111, "refused"))).title == "ConnectionRefusedError ECONNREFUSED"


def test_a_message_is_without_what_varies_and_of_one_short_line() -> None:
    line = headline(record(ValueError("item 3 " + "is wrong " * 20 + "\nmore")))

    assert line.title.startswith("ValueError item <n> is wrong")
    assert line.title.endswith("…")
    assert len(line.title) <= len("ValueError ") + 60


def test_an_error_without_a_message_is_its_type() -> None:
    assert headline(record(ValueError())) == Headline("ValueError", "")


def test_a_group_names_its_distinct_members() -> None:
    group = ExceptionGroup("g", [KeyError("price"), KeyError("price"), HTTPStatusError()])

    assert headline(record(group)).title == "ExceptionGroup of KeyError 'price', HTTPStatusError status=503"


def test_an_error_raised_outside_ones_own_code_is_placed_by_its_cause() -> None:
    deadline = DeadlineExceeded(3, 3.1, "item deadline")
    deadline.__cause__ = error_from("def fetch(): Client().send()")

    assert headline(record(deadline)).where == "jobs.py:1 in fetch → httpx.send"


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert "\x1b" not in str(headline(record(ValueError("\x1b[31mred\x1b[0m"))))

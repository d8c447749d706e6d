"""Whatever an error does, it is recorded: as JSON in UTF-8, within 64 KiB, with the error itself let go."""

import asyncio
import contextlib
import gc
import json
import socket
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import pytest

from unlost.errors import DeadlineExceeded, attach_attempts
from unlost.observe import ErrorRecord, fingerprint, headline, record, render

LIMIT = 64 * 1024


def raised(error: BaseException) -> BaseException:
    """Return ``error`` with a traceback."""
    with contextlib.suppress(BaseException):
        raise error
    return error


def recorded(error: BaseException) -> ErrorRecord:
    """Record ``error`` and hold the promises that every record makes."""
    error_record = record(error)
    encoded = json.dumps(error_record, allow_nan=False).encode()
    json.dumps(error_record, ensure_ascii=False, allow_nan=False).encode("utf-8")
    assert len(encoded) <= LIMIT
    assert json.loads(encoded) == error_record
    render(error_record).encode("utf-8")
    str(headline(error_record)).encode("utf-8")
    assert len(fingerprint(error_record)) == 6
    return error_record


class BrokenStrError(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


class CancellingStrError(Exception):
    def __str__(self) -> str:
        raise asyncio.CancelledError


class NumberStrError(Exception):
    def __str__(self) -> str:
        return 42  # type: ignore[return-value]  # the mistake that is tested


class BrokenReprError(Exception):
    def __repr__(self) -> str:
        raise ValueError("no repr")


class KeywordOnlyError(Exception):
    def __init__(self, *, what: str) -> None:
        super().__init__(what)


class Response:
    status_code = 429

    def __init__(self) -> None:
        self.headers = {"retry-after": "7"}
        self.lock = threading.Lock()


class RateLimitError(Exception):
    """Shaped like openai's."""

    def __init__(self, message: str, *, response: Response, body: object) -> None:
        super().__init__(message)
        self.response = response
        self.status_code = response.status_code
        self.request_id = "req_123"
        self.code = "rate_limit_exceeded"
        self.body = body


class HolderError(Exception):
    def __init__(self, held: object) -> None:
        super().__init__("holds")
        self.held = held


class StrangeMeta(type):
    def __getattribute__(cls, name: str) -> Any:
        if name in ("__name__", "__qualname__", "__module__"):
            raise RuntimeError(f"no {name}")
        return super().__getattribute__(name)


class NamelessError(Exception, metaclass=StrangeMeta):
    pass


@dataclass(frozen=True)
class FrozenError(Exception):
    code: int


class SlottedError(Exception):
    __slots__ = ("seconds",)


class OddGroup(ExceptionGroup):
    def derive(self, _errors: Any) -> Any:
        raise RuntimeError("no derive")


class HostileError(Exception):
    """Every attribute that its class can spoil is spoilt."""

    @property
    def __class__(self) -> Any:
        raise RuntimeError("no class")

    @property
    def __cause__(self) -> Any:
        raise RuntimeError("no cause")

    @property
    def __notes__(self) -> Any:
        raise RuntimeError("no notes")

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"no {name}")


class AnyAttributeError(Exception):
    """Like a mock: has every attribute."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return AnyAttributeError()


def recursive(depth: int) -> None:
    recursive(depth + 1)


def ping(depth: int) -> None:
    pong(depth + 1)


def pong(depth: int) -> None:
    ping(depth + 1)


def recursion_error(enter: Callable[[int], None]) -> BaseException:
    with pytest.raises(RecursionError) as caught:
        enter(0)
    return caught.value


def chain(length: int) -> BaseException:
    """A root cause and ``length`` errors above it."""
    error: BaseException = ValueError("root cause")
    for number in range(length):
        above = RuntimeError(f"level {number}")
        above.__cause__ = error
        error = above
    return error


@pytest.mark.parametrize("error_type", [BrokenStrError, CancellingStrError, NumberStrError])
def test_a_broken_str_is_named_in_the_message(error_type: type[Exception]) -> None:
    error_record = recorded(raised(error_type()))

    assert error_record["message"].startswith("<__str__ raised ")
    assert error_record["type"]["qualname"] == error_type.__qualname__


@pytest.mark.parametrize("passing", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_passes_through_a_recording(passing: type[BaseException]) -> None:
    class InterruptingStrError(Exception):
        def __str__(self) -> str:
            raise passing

    with pytest.raises(passing):
        record(InterruptingStrError())


@pytest.mark.parametrize(
    "error",
    [
        BrokenReprError("x"),
        KeywordOnlyError(what="x"),
        HolderError(threading.Lock()),
        NamelessError("x"),
        FrozenError(3),
        SlottedError("x"),
        OddGroup("odd", [ValueError(1)]),
        AnyAttributeError("x"),
        KeyboardInterrupt(),
        SystemExit("bye"),
        GeneratorExit(),
        asyncio.CancelledError("stop"),
        MemoryError(),
        StopIteration(BrokenReprError()),
        BaseExceptionGroup("base", [KeyboardInterrupt()]),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad byte"),
        OSError(2, "No such file", "/tmp/x"),
        Exception(),
        type("Dynamic" * 1000, (Exception,), {"__module__": 3})("x"),
        type("Surrogate", (Exception,), {"__module__": "m\udc80"})("x"),
        ValueError("\udc80 \x00 \x1b[31m \U0001f600"),
    ],
    ids=lambda error: type.__dict__["__qualname__"].__get__(type(error))[:20].encode("ascii", "replace").decode(),
)
def test_an_odd_error_is_recorded(error: BaseException) -> None:
    error_record = recorded(raised(error))

    assert error_record["frames"]


def test_an_error_whose_class_spoils_every_attribute_is_recorded() -> None:
    error = HostileError("still here")
    with pytest.raises(HostileError) as caught:
        raise error
    caught.value.args = ("still here",)

    assert recorded(error)["message"] == "still here"


def test_an_error_that_holds_a_socket_is_recorded() -> None:
    with socket.socket() as held:
        assert recorded(raised(HolderError(held)))["message"] == "holds"


def test_an_openai_shaped_error_keeps_its_status_and_request() -> None:
    error_record = recorded(raised(RateLimitError("slow down", response=Response(), body=object())))

    assert error_record["attributes"] == {
        "status": 429,
        "retry_after": 7.0,
        "code": "rate_limit_exceeded",
        "request_id": "req_123",
    }


def test_the_text_of_a_syntax_error_is_no_attribute() -> None:
    with pytest.raises(SyntaxError) as caught:
        compile("password = = 'hunter2'", "config.py", "exec")

    error_record = recorded(caught.value)
    assert error_record["attributes"]["filename"] == "config.py"
    assert "hunter2" not in json.dumps(error_record)


def test_a_key_error_keeps_its_quotes() -> None:
    assert recorded(raised(KeyError("price")))["message"] == "'price'"


def test_numbers_that_json_cannot_hold_become_text() -> None:
    error = Exception()
    error.seconds, error.pos, error.code = float("nan"), 10**5000, HTTPStatus.NOT_FOUND  # type: ignore[attr-defined]

    attributes = recorded(error)["attributes"]
    assert attributes["seconds"] == "nan"
    assert attributes["pos"] == "<an integer of 16,610 bits>"
    assert type(attributes["code"]) is int


def test_a_deep_recursion_is_one_frame_with_a_count() -> None:
    error_record = recorded(recursion_error(recursive))

    repeated = [frame for frame in error_record["frames"] if frame["function"] == "recursive"]
    assert len(repeated) <= 3
    assert sum(1 + frame.get("repeats", 0) for frame in repeated) > 500


def test_a_mutual_recursion_keeps_its_ends_and_counts_the_rest() -> None:
    frames = recorded(recursion_error(ping))["frames"]

    assert len(frames) <= 48
    assert frames[0]["function"] == "recursion_error"
    assert sum(frame.get("skipped", 0) for frame in frames) > 500


def test_an_application_frame_deep_inside_a_library_stack_is_kept() -> None:
    library: dict[str, Any] = {"__name__": "lib"}
    source = "def down(n, then):\n    return then() if n == 0 else (down(n - 1, then) if n % 2 else up(n - 1, then))\n"
    source += "def up(n, then):\n    return then() if n == 0 else (up(n - 1, then) if n % 2 else down(n - 1, then))\n"
    exec(compile(source, "/venv/site-packages/lib/core.py", "exec"), library)

    def user_code() -> None:
        library["down"](100, lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError) as caught:
        library["down"](100, user_code)

    functions = [frame["function"].rpartition(".")[2] for frame in recorded(caught.value)["frames"]]
    assert "user_code" in functions
    assert functions[functions.index("user_code") + 1] == "down"


def test_an_error_that_is_its_own_cause_is_recorded_once() -> None:
    error = ValueError("loop")
    error.__cause__ = error

    error_record = recorded(error)
    assert error_record["cause"]["seen"] is True
    assert "cause" not in error_record["cause"]


def test_a_cycle_of_contexts_ends_at_what_was_seen() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__context__, second.__context__ = second, first

    error_record = recorded(first)
    assert error_record["context"]["message"] == "second"
    assert error_record["context"]["context"]["seen"] is True


def test_a_group_whose_member_has_the_group_as_cause_is_recorded() -> None:
    member = ValueError("member")
    group = ExceptionGroup("group", [member, member])
    member.__cause__ = group

    error_record = recorded(group)
    assert error_record["members"][0]["cause"]["seen"] is True
    assert error_record["members"][1]["seen"] is True


def test_a_chain_of_ten_thousand_causes_keeps_its_root_and_counts_what_is_between() -> None:
    node = recorded(chain(10_000))
    depth = 0
    while "cause" in node:
        node, depth = node["cause"], depth + 1

    assert node["message"] == "root cause"
    assert depth + node["cut"]["between"] == 10_000


def test_a_chain_that_fits_is_kept_whole() -> None:
    node = recorded(chain(16))
    levels = []
    while "cause" in node:
        node = node["cause"]
        levels.append(node["message"])

    assert levels == [f"level {number}" for number in reversed(range(15))] + ["root cause"]
    assert "cut" not in node


def test_a_group_of_ten_thousand_keeps_the_first_and_counts_the_rest() -> None:
    error_record = recorded(ExceptionGroup("wide", [raised(ValueError(number)) for number in range(10_000)]))

    assert error_record["members"][0]["message"] == "0"
    assert len(error_record["members"]) + error_record["cut"]["members"] == 10_000


def test_groups_in_groups_beyond_the_depth_are_counted() -> None:
    group = ExceptionGroup("innermost", [ValueError()])
    for level in range(50):
        group = ExceptionGroup(f"level {level}", [group])

    node = recorded(group)
    while "members" in node:
        node = node["members"][0]
    assert node["cut"] == {"members": 1}


def test_a_group_that_doubles_at_every_level_is_recorded_in_bounded_time() -> None:
    group: BaseException = ValueError()
    for _ in range(500):
        group = ExceptionGroup("twice", [group, group])

    assert recorded(group)["members"][1]["seen"] is True


def test_a_megabyte_message_is_cut_and_says_so() -> None:
    error_record = recorded(ValueError("x" * 1_000_000))

    assert error_record["message"].startswith("xxx")
    assert error_record["message"].endswith("... [996,000 more characters]")


@pytest.mark.parametrize("character", ["\U0001f600", "\x00", "\udc80", "\\"])
def test_the_worst_characters_stay_within_the_size(character: str) -> None:
    name = character.replace("\x00", "\U0001f600") * 500
    namespace: dict[str, Any] = {"__name__": name}
    exec(compile("def f(n, e):\n    if n:\n        f(n - 1, e)\n    raise e\n", "f.py", "exec"), namespace)
    error = type("E", (Exception,), {"__module__": name})(character * 1_000_000)
    error.__notes__ = [character * 100_000] * 100
    error.filename = error.request_id = error.code = error.reason = character * 10_000
    error.__cause__ = ValueError(character * 100_000)
    with pytest.raises(BaseException) as caught:  # noqa: PT011  # its class was made above
        namespace["f"](30, error)

    assert recorded(caught.value)["message"].endswith("more characters]")


def test_a_secret_that_the_cut_would_split_does_not_survive() -> None:
    key = "sk-proj-" + "a1b2c3d4" * 12
    for padding in range(3900, 4101, 10):
        error_record = recorded(ValueError("x" * padding + " " + key + " " + "y" * 5_000))

        assert "a1b2c3d4" not in error_record["message"]


def test_a_secret_that_is_split_where_looking_ended_does_not_survive() -> None:
    query, password = "https://h/?" + "q" * 2000, "a1b2c3d4" * 12
    for padding in range(2900, 3101, 10):
        error_record = recorded(ValueError(f"{query} {'x' * padding} https://user:{password}@h/ {'y' * 5_000}"))

        assert "a1b2c3d4" not in error_record["message"]


def test_notes_are_kept_and_a_broken_one_is_named() -> None:
    error = ValueError()
    error.__notes__ = ["first", BrokenStrError(), 3]  # type: ignore[list-item]  # what a careless program does

    assert recorded(error)["notes"] == ["first", "<__str__ raised ValueError>", "3"]


def test_notes_that_are_no_list_are_said_to_be_none() -> None:
    error = ValueError()
    error.__notes__ = {"a": 1}  # type: ignore[assignment]  # what a careless program does

    assert recorded(error)["notes"] == ["<__notes__ is of type dict, not a list>"]


def test_notes_beyond_the_limit_are_counted() -> None:
    error = ValueError()
    for number in range(100):
        error.add_note(str(number))

    error_record = recorded(error)
    assert len(error_record["notes"]) + error_record["cut"]["notes"] == 100


def test_an_explicit_cause_hides_the_context_and_from_none_hides_both() -> None:
    cause, context = ValueError("cause"), ValueError("context")
    with_cause, with_none, plain = RuntimeError(), RuntimeError(), RuntimeError()
    for error in (with_cause, with_none, plain):
        error.__context__ = context
    with_cause.__cause__ = cause
    with_none.__cause__ = None

    assert {"cause", "context"} & recorded(with_cause).keys() == {"cause"}
    assert {"cause", "context"} & recorded(with_none).keys() == set()
    assert {"cause", "context"} & recorded(plain).keys() == {"context"}


def test_attempts_are_recorded_in_order_and_their_listing_is_not_repeated_as_a_note() -> None:
    last = ConnectionError("third")
    last.add_note("mine")
    attach_attempts(last, (raised(ConnectionError("first")), last, raised(ConnectionError("second"))))

    error_record = recorded(raised(last))
    assert [attempt["message"] for attempt in error_record["attempts"]] == ["first", "third", "second"]
    assert error_record["attempts"][1]["seen"] is True
    assert error_record["notes"] == ["mine"]


def test_what_else_happened_at_a_deadline_is_recorded() -> None:
    error = DeadlineExceeded(3, 3.2, "item deadline", (ValueError("cleanup"),))

    error_record = recorded(error)
    assert [also["message"] for also in error_record["errors"]] == ["cleanup"]
    assert error_record["attributes"] == {"name": "item deadline", "seconds": 3, "elapsed": 3.2}


def test_locals_are_nowhere_in_a_record() -> None:
    local_secret = "hunter" + "2" * 3
    with pytest.raises(ZeroDivisionError) as caught:
        len(local_secret) / 0

    assert local_secret not in json.dumps(recorded(caught.value))


def test_secrets_are_masked_in_every_text() -> None:
    error = OSError(5, "password=hunter2", "https://u:hunter2@h/?token=hunter2")
    error.add_note("Authorization: Bearer hunter2")
    error.__cause__ = ExceptionGroup("api_key=hunter2", [ValueError("secret=hunter2")])
    attach_attempts(error, (ValueError("token=hunter2"),))

    assert "hunter2" not in json.dumps(recorded(error))
    assert "hunter2" in json.dumps(record(error, redact=False))


def test_a_record_holds_neither_the_error_nor_its_frames() -> None:
    class Local:
        pass

    def fail() -> None:
        local = Local()
        references.append(weakref.ref(local))
        raise ValueError

    references: list[weakref.ref[Local]] = []
    gc.disable()
    try:
        with contextlib.suppress(ValueError):
            try:
                fail()
            except ValueError as error:
                kept = record(error)
                raise

        assert kept["message"] == ""
        assert references[0]() is None
    finally:
        gc.enable()


def test_own_packages_are_application_code_wherever_they_are_installed() -> None:
    namespace: dict[str, Any] = {"__name__": "myjobs.fetching"}
    exec(compile("def fail():\n    1 / 0\n", "/venv/lib/site-packages/myjobs/fetching.py", "exec"), namespace)
    with pytest.raises(ZeroDivisionError) as caught:
        namespace["fail"]()

    assert [frame["app"] for frame in record(caught.value)["frames"]] == [True, False]
    assert [frame["app"] for frame in record(caught.value, own={"myjobs"})["frames"]] == [True, True]

"""From an exception to its kind."""

import asyncio
import errno
import json
import socket
import sqlite3
import ssl
import urllib.error
from itertools import pairwise

import pytest

from unlost.errors import (
    ChildCancelled,
    DeadlineExceeded,
    Kind,
    Kinds,
    PermanentError,
    TransientError,
    UsageError,
    classify,
    default_kinds,
    extend_kinds,
)

TRANSIENT, PERMANENT, DEFECT, CANCELLED = Kind.TRANSIENT, Kind.PERMANENT, Kind.DEFECT, Kind.CANCELLED


def foreign(*names: str, **attributes) -> Exception:
    """Return an instance of a class hierarchy like a client library's, most specific name first."""
    base: type = Exception
    for name in reversed(names):
        module, _, qualname = name.rpartition(".")
        base = type(qualname, (base,), {"__module__": module})
    error = base("message")
    vars(error).update(attributes)
    return error


def chain(*errors: BaseException) -> BaseException:
    """Return the first error, with each the cause of the one before."""
    for error, cause in pairwise(errors):
        error.__cause__ = cause
    return errors[0]


def json_error(text: str) -> json.JSONDecodeError:
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads(text)
    return caught.value


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TimeoutError(), TRANSIENT),
        (ConnectionRefusedError(), TRANSIENT),
        (BrokenPipeError(), TRANSIENT),
        (OSError(errno.ENETUNREACH, "unreachable"), TRANSIENT),
        (OSError(errno.EMFILE, "too many open files"), TRANSIENT),
        (OSError(errno.ENOSPC, "no space left"), PERMANENT),
        (OSError("says nothing"), PERMANENT),
        (FileNotFoundError(), PERMANENT),
        (PermissionError(), PERMANENT),
        (socket.gaierror(socket.EAI_AGAIN, "try again"), TRANSIENT),
        (socket.gaierror(socket.EAI_NONAME, "no such name"), PERMANENT),
        (ssl.SSLCertVerificationError(1, "self-signed"), PERMANENT),
        (ssl.SSLEOFError(8, "eof"), TRANSIENT),
        (ssl.SSLError(1, "wrong version number"), PERMANENT),
        (asyncio.IncompleteReadError(b"", 10), TRANSIENT),
        (asyncio.CancelledError(), CANCELLED),
        (KeyboardInterrupt(), CANCELLED),
        (GeneratorExit(), CANCELLED),
        (SystemExit(503), PERMANENT),
        (MemoryError(), PERMANENT),
        (ChildCancelled(), CANCELLED),
        (DeadlineExceeded(1, 1), TRANSIENT),
        (UsageError(), DEFECT),
        (ValueError(), PERMANENT),
        (LookupError(), PERMANENT),
        (UnicodeDecodeError("utf-8", b"", 0, 1, "bad"), PERMANENT),
        (RuntimeError("unknown"), PERMANENT),
        (Exception("unknown"), PERMANENT),
        (urllib.error.HTTPError("http://x", 503, "busy", {}, None), TRANSIENT),
        (urllib.error.HTTPError("http://x", 404, "gone", {}, None), PERMANENT),
        (urllib.error.URLError(socket.gaierror(socket.EAI_NONAME, "no name")), PERMANENT),
        (urllib.error.URLError(ConnectionRefusedError()), TRANSIENT),
    ],
    ids=repr,
)
def test_the_standard_library_is_known(error: BaseException, kind: Kind) -> None:
    assert classify(error) is kind


@pytest.mark.parametrize(
    "bug",
    [
        *(TypeError, KeyError, AttributeError, IndexError, NameError, UnboundLocalError, ZeroDivisionError),
        *(AssertionError, NotImplementedError, RecursionError, ImportError, ModuleNotFoundError, SyntaxError),
    ],
)
def test_a_bug_is_a_defect(bug: type[Exception]) -> None:
    assert classify(bug()) is DEFECT


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, TRANSIENT) for status in (408, 425, 429, 500, 502, 503, 504, 529, 599)),
        *((status, PERMANENT) for status in (400, 401, 403, 404, 409, 422, 501, 505)),
    ],
)
def test_a_status_decides(status: int, kind: Kind) -> None:
    assert classify(foreign("somewhere.Error", status=status)) is kind


def test_a_status_is_more_specific_than_a_built_in_base() -> None:
    class Answer(ValueError):
        status = 503

    assert classify(Answer()) is TRANSIENT


def test_a_status_that_is_no_error_says_nothing() -> None:
    assert classify(chain(foreign("somewhere.Error", status=200), ConnectionError())) is TRANSIENT


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (foreign("httpx.ReadTimeout", "httpx.TimeoutException", "httpx.TransportError"), TRANSIENT),
        (foreign("httpx.RemoteProtocolError", "httpx.TransportError"), TRANSIENT),
        (foreign("httpx.UnsupportedProtocol", "httpx.TransportError"), PERMANENT),
        (foreign("httpx.InvalidURL"), PERMANENT),
        (foreign("aiohttp.client_exceptions.ClientPayloadError", "aiohttp.ClientError"), TRANSIENT),
        (foreign("aiohttp.client_exceptions.ServerDisconnectedError", "aiohttp.ClientConnectionError"), TRANSIENT),
        (foreign("aiohttp.ClientConnectorCertificateError", "aiohttp.ClientConnectionError"), PERMANENT),
        (foreign("aiohttp.ContentTypeError", "aiohttp.ClientResponseError", status=503), TRANSIENT),
        (
            foreign("aiohttp.ClientConnectorError", "aiohttp.ClientConnectionError", os_error=socket.gaierror(-2, "")),
            PERMANENT,
        ),
        (foreign("openai._exceptions.APIConnectionError"), TRANSIENT),
        (foreign("openai.RateLimitError", "openai.APIStatusError", status_code=429), TRANSIENT),
        (foreign("openai.RateLimitError", status_code=429, code="insufficient_quota"), PERMANENT),
        (foreign("anthropic.OverloadedError", status_code=529), TRANSIENT),
        (foreign("botocore.exceptions.ReadTimeoutError", "botocore.exceptions.HTTPClientError"), TRANSIENT),
        (
            foreign(
                "botocore.errorfactory.ThrottlingException",
                "botocore.exceptions.ClientError",
                response={"Error": {"Code": "ThrottlingException"}, "ResponseMetadata": {"HTTPStatusCode": 400}},
            ),
            TRANSIENT,
        ),
        (
            foreign("botocore.ClientError", response={"ResponseMetadata": {"HTTPStatusCode": 403}}),
            PERMANENT,
        ),
        (foreign("asyncpg.DeadlockDetectedError", "asyncpg.PostgresError", sqlstate="40P01"), TRANSIENT),
        (foreign("asyncpg.UniqueViolationError", "asyncpg.PostgresError", sqlstate="23505"), PERMANENT),
        (foreign("psycopg.OperationalError", "psycopg.Error", sqlstate=None), TRANSIENT),
        (foreign("psycopg.OperationalError", "psycopg.Error", sqlstate="28P01"), PERMANENT),
        (foreign("redis.exceptions.BusyLoadingError", "redis.exceptions.ConnectionError"), TRANSIENT),
        (foreign("redis.exceptions.AuthenticationError", "redis.exceptions.ConnectionError"), PERMANENT),
    ],
    ids=lambda value: type(value).__module__ + "." + type(value).__name__ if isinstance(value, Exception) else "",
)
def test_clients_are_known_by_their_names(error: Exception, kind: Kind) -> None:
    assert classify(error) is kind


def test_a_connection_fails_for_good_where_the_name_or_the_certificate_is_wrong() -> None:
    def connect_error(reason: Exception) -> BaseException:
        return chain(foreign("httpx.ConnectError", "httpx.TransportError"), foreign("httpcore.ConnectError"), reason)

    assert classify(connect_error(ConnectionRefusedError())) is TRANSIENT
    assert classify(connect_error(socket.gaierror(socket.EAI_AGAIN, ""))) is TRANSIENT
    assert classify(connect_error(socket.gaierror(socket.EAI_NONAME, ""))) is PERMANENT
    assert classify(connect_error(ssl.SSLCertVerificationError(1, "expired"))) is PERMANENT


@pytest.mark.parametrize("text", ['{"a": [1, 2', '{"a": "cut of', '{"a":', "", '{"a": 1, '])
def test_json_that_ends_too_early_is_transient(text: str) -> None:
    assert classify(json_error(text)) is TRANSIENT


@pytest.mark.parametrize("text", ["<html>503</html>", '{"a": nope}', '{"a": 1} extra', "{'a': 1}"])
def test_json_that_is_wrong_is_permanent(text: str) -> None:
    assert classify(json_error(text)) is PERMANENT


def test_a_busy_sqlite_database_is_transient(tmp_path) -> None:
    path = tmp_path / "busy.db"
    with sqlite3.connect(path) as holder, sqlite3.connect(path, timeout=0) as other:
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError) as busy:
            other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError) as wrong:
            other.execute("SELECT nonsense")
    holder.close()
    other.close()

    assert classify(busy.value) is TRANSIENT
    assert classify(wrong.value) is PERMANENT


def test_the_users_bases_decide_whatever_caused_them() -> None:
    class Busy(TransientError, ValueError): ...

    class Refused(PermanentError):
        status = 503

    assert classify(chain(Busy(), KeyError())) is TRANSIENT
    assert classify(chain(Refused(), ConnectionError())) is PERMANENT


def test_an_error_that_says_nothing_is_what_its_cause_is() -> None:
    class FetchFailed(Exception): ...

    assert classify(chain(FetchFailed(), RuntimeError(), ConnectionResetError())) is TRANSIENT
    assert classify(chain(FetchFailed(), KeyError())) is DEFECT


def test_what_an_error_was_raised_during_says_nothing_of_it() -> None:
    error = RuntimeError()
    error.__context__ = ConnectionError()

    assert classify(error) is PERMANENT


def test_a_cycle_of_causes_is_permanent() -> None:
    one, other = RuntimeError(), RuntimeError()
    chain(one, other, one)

    assert classify(one) is PERMANENT


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ([ConnectionError(), TimeoutError()], TRANSIENT),
        ([ConnectionError(), RuntimeError()], PERMANENT),
        ([ConnectionError(), asyncio.CancelledError()], CANCELLED),
        ([RuntimeError(), asyncio.CancelledError()], PERMANENT),
        ([ConnectionError(), RuntimeError(), ExceptionGroup("inner", [KeyError()])], DEFECT),
    ],
)
def test_the_worst_member_decides_for_a_group(members: list[BaseException], kind: Kind) -> None:
    assert classify(BaseExceptionGroup("g", members)) is kind


def test_a_group_as_cause_is_asked() -> None:
    assert classify(chain(RuntimeError(), ExceptionGroup("g", [ConnectionError(), KeyError()]))) is DEFECT


def test_a_table_is_extended_by_types_names_and_functions() -> None:
    class Mine(Exception):
        def __init__(self, code: int) -> None:
            self.code = code

    table = default_kinds().extend(
        {
            Mine: lambda error: TRANSIENT if error.code == 1 else None,
            ("vendor.Busy", "vendor.Slow"): TRANSIENT,
            KeyError: Kind.INPUT,
        }
    )

    assert classify(Mine(1), table) is TRANSIENT
    assert classify(Mine(2), table) is PERMANENT
    assert classify(foreign("vendor.deep.Slow"), table) is TRANSIENT
    assert classify(KeyError(), table) is Kind.INPUT
    assert classify(KeyError()) is DEFECT


def test_the_most_specific_class_decides() -> None:
    table = Kinds().extend({Exception: TRANSIENT, ConnectionResetError: DEFECT})

    assert classify(ConnectionResetError(), table) is DEFECT
    assert classify(ConnectionAbortedError(), table) is TRANSIENT
    assert classify(RuntimeError(), table) is TRANSIENT


def test_the_table_of_the_process_is_extended_in_place() -> None:
    class OnlyHere(Exception): ...

    extend_kinds({OnlyHere: Kind.OUTPUT})

    assert classify(OnlyHere()) is Kind.OUTPUT


@pytest.mark.parametrize("rules", [{int: TRANSIENT}, {ConnectionError: "transient"}, {(OSError, 5): TRANSIENT}])
def test_a_rule_that_cannot_work_is_refused_with_what_to_write(rules) -> None:
    with pytest.raises(UsageError, match="Write "):
        Kinds().extend(rules)


def test_the_values_of_kinds_are_their_words() -> None:
    assert [kind.value for kind in Kind] == ["transient", "permanent", "defect", "cancelled", "input", "output"]

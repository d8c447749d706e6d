"""
What is known about the errors of the standard library and of widely used clients.

A rule is a kind, or a function that reads the error and may say nothing (None). A class is named by itself, or by
``package.Name``, so that no client is imported: ``httpx.TransportError`` is the class ``TransportError`` of any module
of the package ``httpx``.

Decided here, since opinions differ:

- ``MemoryError`` and ``SystemExit`` are permanent: to try again at once makes the first worse, and the second is
  somebody's decision. ``KeyboardInterrupt`` and ``GeneratorExit`` are cancellations.
- ``json.JSONDecodeError`` is transient where the text ends too early (an answer cut short), permanent where the text
  is wrong (an answer that is no JSON will be none next time).
- ``ValueError`` and ``LookupError`` are permanent: a value is at fault. ``KeyError``, ``IndexError`` are defects: the
  program took for granted what is not there.
"""

from __future__ import annotations

import errno
import socket
from asyncio import CancelledError, IncompleteReadError, InvalidStateError, LimitOverrunError
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from unlost.errors._exceptions import (
    BreakerOpen,
    ChildCancelled,
    DeadlineExceeded,
    LimitExceeded,
    PermanentError,
    StreamIncomplete,
    TransientError,
    UsageError,
)
from unlost.errors._kinds import Kind

# Any: the rule of a class takes errors of that class
Rule: TypeAlias = Kind | Callable[[Any], Kind | None]


def kind_of_status(status: int | None) -> Kind | None:
    """408, 425, 429 and 5xx but for 501 and 505 are transient, all other 4xx and 5xx permanent."""
    if status is None or status < 400:
        return None
    if status in (408, 425, 429) or (status >= 500 and status not in (501, 505)):
        return Kind.TRANSIENT
    return Kind.PERMANENT


_TRANSIENT_ERRNOS: Final = frozenset(
    getattr(errno, name)
    for name in (
        *("EAGAIN", "EWOULDBLOCK", "EINTR", "EBUSY", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "ETIMEDOUT", "EPIPE"),
        *("ECONNABORTED", "ECONNREFUSED", "ECONNRESET", "ENOTCONN", "ESHUTDOWN", "EINPROGRESS", "EALREADY"),
        *("EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN", "ENETRESET", "ENETUNREACH"),
    )
    if hasattr(errno, name)
)
_TRANSIENT_LOOKUPS: Final = (socket.EAI_AGAIN, getattr(socket, "EAI_SYSTEM", socket.EAI_AGAIN))
# Connection lost, transaction rolled back, resources exhausted, operator intervention: PostgreSQL, appendix A.
_TRANSIENT_SQLSTATES: Final = ("08", "40", "53", "57")
_THROTTLED: Final = frozenset(
    (
        *("Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException"),
        *("TooManyRequestsException", "ProvisionedThroughputExceededException", "RequestLimitExceeded", "SlowDown"),
        *("BandwidthLimitExceeded", "LimitExceededException", "PriorRequestNotComplete", "EC2ThrottledException"),
        *("TransactionInProgressException", "RequestTimeout", "RequestTimeoutException", "InternalError"),
    )
)


def _by_errno(error: OSError) -> Kind | None:
    if not isinstance(error.errno, int):
        return None
    return Kind.TRANSIENT if error.errno in _TRANSIENT_ERRNOS else Kind.PERMANENT


def _by_lookup(error: socket.gaierror) -> Kind:
    return Kind.TRANSIENT if error.errno in _TRANSIENT_LOOKUPS else Kind.PERMANENT


def _by_sqlstate(error: Any) -> Kind | None:  # Any: the database clients' shapes
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if not isinstance(state, str):
        return None
    return Kind.TRANSIENT if state[:2] in _TRANSIENT_SQLSTATES or state == "55P03" else Kind.PERMANENT


def _by_sqlite(error: Any) -> Kind:  # Any: importing sqlite3 for its type would load it for everybody
    code = getattr(error, "sqlite_errorcode", 0)
    busy_or_locked = isinstance(code, int) and code & 0xFF in (5, 6)
    return Kind.TRANSIENT if busy_or_locked else Kind.PERMANENT


def _by_connection(error: Any) -> Kind:  # Any: httpx's and aiohttp's shapes
    """A connection that failed may come about next time, but for a name or a certificate that is wrong."""
    link = getattr(error, "os_error", None) or getattr(error, "reason", None) or error.__cause__
    for _ in range(10):
        if not isinstance(link, BaseException):
            break
        if isinstance(link, socket.gaierror):
            return _by_lookup(link)
        if any(base.__name__ == "SSLCertVerificationError" for base in type(link).__mro__):
            return Kind.PERMANENT
        link = link.__cause__
    return Kind.TRANSIENT


def _by_quota(error: Any) -> Kind | None:  # Any: openai's shape
    return Kind.PERMANENT if getattr(error, "code", None) == "insufficient_quota" else None


def _by_aws_code(error: Any) -> Kind | None:  # Any: botocore's shape
    response = getattr(error, "response", None)
    details = response.get("Error") if isinstance(response, dict) else None
    code = details.get("Code") if isinstance(details, dict) else None
    return Kind.TRANSIENT if isinstance(code, str) and code in _THROTTLED else None


def _by_json_end(error: Any) -> Kind:  # Any: json's shape, which other decoders share
    doc, pos = getattr(error, "doc", ""), getattr(error, "pos", 0)
    ends_too_early = str(getattr(error, "msg", "")).startswith("Unterminated string")
    if isinstance(doc, str | bytes) and isinstance(pos, int):
        ends_too_early = ends_too_early or not doc[pos:].strip()
    return Kind.TRANSIENT if ends_too_early else Kind.PERMANENT


_TRANSIENT_NAMES: Final = (
    *("httpx.TimeoutException", "httpx.DecodingError", "httpcore.TimeoutException", "httpcore.RemoteProtocolError"),
    *("aiohttp.ClientPayloadError", "requests.Timeout", "requests.ChunkedEncodingError", "urllib3.ProtocolError"),
    *("urllib3.TimeoutError", "http.IncompleteRead", "http.RemoteDisconnected", "h11.RemoteProtocolError"),
    *("openai.APITimeoutError", "anthropic.APITimeoutError", "botocore.HTTPClientError"),
    *("redis.ConnectionError", "redis.TimeoutError", "redis.TryAgainError", "redis.ClusterDownError"),
    *("ssl.SSLEOFError", "ssl.SSLZeroReturnError", "ssl.SSLWantReadError", "ssl.SSLWantWriteError"),
    *("websockets.ConnectionClosedError", "anyio.BrokenResourceError", "anyio.EndOfStream"),
)
_PERMANENT_NAMES: Final = (
    *("httpx.UnsupportedProtocol", "httpx.LocalProtocolError", "httpx.TooManyRedirects", "httpx.InvalidURL"),
    *("httpcore.UnsupportedProtocol", "httpcore.LocalProtocolError", "requests.SSLError", "requests.InvalidURL"),
    *("aiohttp.ClientConnectorCertificateError", "aiohttp.ServerFingerprintMismatch", "aiohttp.InvalidURL"),
    *("aiohttp.TooManyRedirects", "ssl.SSLError", "ssl.SSLCertVerificationError", "botocore.SSLError"),
    *("botocore.NoCredentialsError", "botocore.ParamValidationError", "redis.AuthenticationError"),
    *("redis.ResponseError", "redis.DataError"),
)

KNOWN: Final[Mapping[type[BaseException] | str, Rule]] = {
    TransientError: Kind.TRANSIENT,
    DeadlineExceeded: Kind.TRANSIENT,
    PermanentError: Kind.PERMANENT,
    BreakerOpen: Kind.PERMANENT,  # whatever opened it: it says so itself when trying again may help
    LimitExceeded: Kind.TRANSIENT,
    UsageError: Kind.DEFECT,
    ChildCancelled: Kind.CANCELLED,
    **dict.fromkeys((CancelledError, KeyboardInterrupt, GeneratorExit, "concurrent.CancelledError"), Kind.CANCELLED),
    **dict.fromkeys((TimeoutError, ConnectionError, BlockingIOError, InterruptedError), Kind.TRANSIENT),
    **dict.fromkeys((FileNotFoundError, FileExistsError, PermissionError), Kind.PERMANENT),
    **dict.fromkeys((IsADirectoryError, NotADirectoryError, LimitOverrunError), Kind.PERMANENT),
    **dict.fromkeys((MemoryError, SystemExit, ValueError, LookupError, ArithmeticError), Kind.PERMANENT),
    **dict.fromkeys((TypeError, KeyError, IndexError, AttributeError, NameError, AssertionError), Kind.DEFECT),
    **dict.fromkeys((ZeroDivisionError, NotImplementedError, RecursionError, InvalidStateError), Kind.DEFECT),
    **dict.fromkeys((ImportError, SyntaxError, SystemError, StopIteration, StopAsyncIteration), Kind.DEFECT),
    **dict.fromkeys((IncompleteReadError, StreamIncomplete), Kind.TRANSIENT),
    OSError: _by_errno,
    socket.gaierror: _by_lookup,
    **dict.fromkeys(_TRANSIENT_NAMES, Kind.TRANSIENT),
    **dict.fromkeys(_PERMANENT_NAMES, Kind.PERMANENT),
    **dict.fromkeys(("httpx.TransportError", "httpcore.NetworkError", "httpcore.ProxyError"), _by_connection),
    **dict.fromkeys(("aiohttp.ClientConnectionError", "requests.ConnectionError"), _by_connection),
    **dict.fromkeys(("openai.APIConnectionError", "anthropic.APIConnectionError"), _by_connection),
    "openai.RateLimitError": _by_quota,
    "urllib.HTTPError": lambda error: kind_of_status(error.code) or Kind.PERMANENT,
    "urllib.URLError": _by_connection,
    "botocore.ClientError": _by_aws_code,
    **dict.fromkeys(("asyncpg.PostgresError", "psycopg.Error", "psycopg2.Error"), _by_sqlstate),
    # without a state: the connection failed before the server could say one
    "psycopg.OperationalError": lambda error: _by_sqlstate(error) or Kind.TRANSIENT,
    "psycopg2.OperationalError": lambda error: _by_sqlstate(error) or Kind.TRANSIENT,
    "sqlite3.OperationalError": _by_sqlite,
    "json.JSONDecodeError": _by_json_end,
}

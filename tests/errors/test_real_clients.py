"""The shapes that are duck-typed elsewhere, against the libraries themselves."""

import ssl

import aiohttp
import httpx
import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from unlost.errors import Kind, classify, retry_after, status_of


def httpx_error(status: int, headers: dict[str, str]) -> httpx.HTTPStatusError:
    response = httpx.Response(status, headers=headers, request=httpx.Request("GET", "http://x"))
    with pytest.raises(httpx.HTTPStatusError) as caught:
        response.raise_for_status()
    return caught.value


def aiohttp_error(status: int, headers: dict[str, str]) -> aiohttp.ClientResponseError:
    request = aiohttp.RequestInfo(URL("http://x"), "GET", CIMultiDictProxy(CIMultiDict()), URL("http://x"))
    return aiohttp.ClientResponseError(request, (), status=status, headers=CIMultiDict(headers))


@pytest.mark.parametrize("error_of", [httpx_error, aiohttp_error])
def test_status_and_hint_are_found(error_of) -> None:
    error = error_of(429, {"Retry-After": "3"})

    assert status_of(error) == 429
    assert retry_after(error) == 3
    assert classify(error) is Kind.TRANSIENT
    assert classify(error_of(404, {})) is Kind.PERMANENT


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ReadTimeout("slow"), Kind.TRANSIENT),
        (httpx.RemoteProtocolError("cut"), Kind.TRANSIENT),
        (httpx.ConnectError("refused"), Kind.TRANSIENT),
        (httpx.UnsupportedProtocol("ftp"), Kind.PERMANENT),
        (httpx.InvalidURL("?"), Kind.PERMANENT),
        (aiohttp.ServerDisconnectedError(), Kind.TRANSIENT),
        (aiohttp.ClientPayloadError(), Kind.TRANSIENT),
        (aiohttp.ClientConnectorCertificateError(None, ssl.CertificateError("bad")), Kind.PERMANENT),
        (aiohttp.InvalidURL("?"), Kind.PERMANENT),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_clients_own_errors_are_known(error: Exception, kind: Kind) -> None:
    assert classify(error) is kind


@pytest.mark.stock
async def test_a_host_that_refuses_is_transient_in_both_clients(unused_tcp_port: int) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}/"
    async with httpx.AsyncClient(trust_env=False) as client, aiohttp.ClientSession() as session:
        with pytest.raises(httpx.ConnectError) as by_httpx:
            await client.get(url)
        with pytest.raises(aiohttp.ClientConnectorError) as by_aiohttp:
            await session.get(url)

    assert classify(by_httpx.value) is Kind.TRANSIENT
    assert classify(by_aiohttp.value) is Kind.TRANSIENT

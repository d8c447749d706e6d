"""Errors as real HTTP clients raise them."""

import pytest

from unlost.observe import headline, record

httpx = pytest.importorskip("httpx", reason="a client is installed for development, not on every interpreter")


def fetch(client: "httpx.Client", url: str) -> None:
    client.get(url, headers={"authorization": "Bearer hunter2"}).raise_for_status()


def error_of(handler: object, url: str = "https://u:hunter2@api.example/items/3?token=hunter2") -> Exception:
    client = httpx.Client(transport=httpx.MockTransport(handler))
    with pytest.raises(httpx.HTTPError) as caught:
        fetch(client, url)
    return caught.value


def test_an_httpx_status_error_tells_status_hint_and_request_without_secrets() -> None:
    error_record = record(error_of(lambda _request: httpx.Response(503, headers={"Retry-After": "3"})))

    assert error_record["attributes"] == {
        "status": 503,
        "retry_after": 3.0,
        "method": "GET",
        "url": "https://***@api.example/items/3?***",
    }
    assert "hunter2" not in str(error_record)
    assert error_record["kind"] == "transient"
    title, where = headline(error_record).title, headline(error_record).where
    assert title == "HTTPStatusError status=503"
    assert where.endswith(" in fetch → httpx.raise_for_status")


def test_an_httpx_transport_error_without_a_status_is_placed_where_the_request_was_sent() -> None:
    def refuse(request: "httpx.Request") -> "httpx.Response":
        raise httpx.ConnectError("All connection attempts failed", request=request)

    error_record = record(error_of(refuse))

    assert "status" not in error_record["attributes"]
    assert error_record["attributes"]["method"] == "GET"


def test_an_httpx_error_that_has_no_request_yet_is_recorded() -> None:
    assert "attributes" not in record(httpx.ReadTimeout("slow"))

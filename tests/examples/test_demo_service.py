"""The demo service, seen through httpx: real sockets, a process of its own."""

import asyncio
import json
import signal
from collections import Counter
from contextlib import suppress

import httpx
import pytest

from support.service import MISBEHAVIOUR, base_url, expected, item_of, kind_of, running_service, service_process

pytestmark = pytest.mark.stock

RECOVERING = [name for name, each in MISBEHAVIOUR.items() if not each.for_ever]


@pytest.fixture(scope="module")
def url():
    with running_service() as base:
        yield base


@pytest.fixture
async def client(url):
    async with httpx.AsyncClient(base_url=url, timeout=5, trust_env=False) as client:
        yield client


def path_of(kind, nth=1):
    return f"/items/{item_of(kind, nth)}"


async def test_a_well_behaved_item_has_an_id_a_price_and_a_name(client):
    number = item_of("ok")

    response = await client.get(f"/items/{number}")

    assert response.status_code == 200
    item = response.json()
    assert item["id"] == number
    assert item["price"] > 0
    assert item["name"] == f"item {number}"


async def test_an_item_costs_the_same_each_time_it_is_asked_for(client):
    first = await client.get(path_of("ok"))
    second = await client.get(path_of("ok"))

    assert first.json() == second.json()


async def test_a_busy_item_recovers_on_the_second_request(client):
    statuses = [(await client.get(path_of("503 once"))).status_code for _ in range(3)]

    assert statuses == [503, 200, 200]


async def test_a_limited_item_says_when_to_come_again(client):
    limited = await client.get(path_of("429 once"))
    later = await client.get(path_of("429 once"))

    assert limited.status_code == 429
    assert limited.headers["retry-after"] == "0"
    assert limited.headers["retry-after-ms"] == "20"
    assert later.status_code == 200


async def test_a_reset_connection_is_a_read_error(client):
    with pytest.raises(httpx.ReadError):
        await client.get(path_of("reset once"))


async def test_a_truncated_body_is_a_protocol_error(client):
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        await client.get(path_of("truncated once"))


async def test_a_slow_item_outlasts_an_attempt(client):
    with pytest.raises(httpx.ReadTimeout):
        await client.get(path_of("slow once"), timeout=0.1)


@pytest.mark.parametrize("kind", RECOVERING)
async def test_what_misbehaves_once_is_answered_properly_from_then_on(client, kind):
    path = path_of(kind, nth=2)
    with suppress(httpx.TransportError):
        await client.get(path, timeout=0.1)

    for _ in range(2):
        assert (await client.get(path)).json()["id"] == item_of(kind, nth=2)


async def test_a_lasting_503_lasts(client):
    statuses = [(await client.get(path_of("503 for ever"))).status_code for _ in range(6)]

    assert statuses == [503] * 6


async def test_a_missing_item_is_missing_each_time(client):
    statuses = [(await client.get(path_of("404 for ever"))).status_code for _ in range(2)]

    assert statuses == [404, 404]


async def test_invalid_json_comes_with_status_200(client):
    response = await client.get(path_of("invalid JSON for ever"))

    assert response.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        response.json()


async def test_an_item_without_a_price_is_valid_json_that_the_parser_trips_over(client):
    item = (await client.get(path_of("no price for ever"))).json()

    with pytest.raises(KeyError, match="price"):
        item["price"]


async def test_credentials_in_query_and_header_are_accepted(client):
    response = await client.get(f"{path_of('ok')}?api_key=sk-demo-1", headers={"Authorization": "Bearer sk-demo-2"})

    assert response.status_code == 200


@pytest.mark.parametrize("path", ["/", "/items", "/items/", "/items/one", "/items/1/2", "/items/-1"])
async def test_an_unknown_path_is_told_which_paths_there_are(client, path):
    response = await client.get(path)

    assert response.status_code == 404
    assert response.text == "write /items/<number> or /stats"


async def test_one_connection_carries_many_requests(url):
    reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(url).port)
    answers = []
    for nth in (1, 2, 3):
        writer.write(f"GET {path_of('ok', nth)} HTTP/1.1\r\nHost: demo\r\n\r\n".encode())
        answers.append(await _one_answer(reader))
    writer.close()
    await writer.wait_closed()

    assert [json.loads(answer)["id"] for answer in answers] == [item_of("ok", nth) for nth in (1, 2, 3)]


async def test_a_client_that_does_not_speak_http_is_cut_off_without_noise(capfd):
    with running_service() as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(url).port)
        writer.write(b"hello?\r\n\r\n")
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()

    assert answer == b""
    assert capfd.readouterr().err == ""


async def test_the_stats_and_the_log_count_every_request(tmp_path):
    log = tmp_path / "requests.log"
    log.write_text("from an earlier start\n")
    numbers = [item_of("ok"), item_of("503 once"), item_of("503 once"), item_of("404 for ever")]
    with running_service(log) as url:
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            for number in numbers:
                await client.get(f"/items/{number}?api_key=sk-demo-1")
            stats = (await client.get("/stats")).json()

    by_kind = {"ok": 1, "503 once": 2, "404 for ever": 1}
    assert stats == {"requests": 4, "items": 3, "repeats": 1, "by_kind": by_kind}
    assert log.read_text().splitlines() == [
        "from an earlier start",
        f"{numbers[0]} ok 1",
        f"{numbers[1]} 503 once 1",
        f"{numbers[2]} 503 once 2",
        f"{numbers[3]} 404 for ever 1",
    ]


async def test_a_thousand_items_come_out_in_the_proportions_of_the_table():
    numbers = range(1, 1_001)
    with running_service() as url:
        limits = httpx.Limits(max_connections=50, max_keepalive_connections=20)
        async with httpx.AsyncClient(base_url=url, limits=limits, timeout=2, trust_env=False) as client:
            remaining = iter(numbers)
            came_out = Counter()
            async with asyncio.TaskGroup() as workers:
                for _ in range(50):
                    workers.create_task(_ask_twice_for_each(remaining, client, came_out))

    figures = expected(numbers)
    assert came_out == {"ok": figures.ok, **{kind: count for kind, count in figures.failed.items() if count}}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_the_service_cleanly_even_while_it_answers(number, capfd):
    with service_process() as process:
        async with httpx.AsyncClient(base_url=base_url(process), trust_env=False) as client:
            slow = asyncio.create_task(client.get(path_of("slow once"), timeout=30))
            while (await client.get("/stats")).json()["requests"] == 0:
                pass
            process.send_signal(number)
            with pytest.raises(httpx.RemoteProtocolError):
                await slow

        assert process.wait(timeout=10) == 0
    assert capfd.readouterr().err == ""


def test_the_service_stops_with_the_process_that_holds_its_standard_input():
    with service_process() as process:
        base_url(process)
        process.stdin.close()

        assert process.wait(timeout=10) == 0


def test_a_service_that_cannot_start_says_so(url):
    taken = str(httpx.URL(url).port)
    with service_process("--port", taken) as process, pytest.raises(RuntimeError, match="ended with status 1"):
        base_url(process)


async def _one_answer(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.splitlines() if line.lower().startswith(b"content-length"))
    return await reader.readexactly(length)


async def _ask_twice_for_each(numbers, client, came_out):
    for number in numbers:
        try:
            result = await _price(client, number)
        except (httpx.TransportError, httpx.HTTPStatusError):
            result = await _price_or_kind(client, number)
        except (json.JSONDecodeError, KeyError):
            result = kind_of(number)
        came_out["ok" if isinstance(result, float) else result] += 1


async def _price_or_kind(client, number):
    try:
        return await _price(client, number)
    except httpx.HTTPStatusError:
        return kind_of(number)


async def _price(client, number):
    response = await client.get(f"/items/{number}")
    return response.raise_for_status().json()["price"]

"""The stand-in for a paid API charges what it says, once for an idempotency key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from support.paid_process import PaidApi
from support.paid_rules import Call, Rules, Till, completion_of, price_of

WALL = 1_700_000_000.0


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as client:
        yield client


def test_a_price_follows_from_the_prompt_and_is_what_the_answer_says() -> None:
    prices = {price_of(f"prompt {n}") for n in range(500)}

    assert len(prices) > 490
    assert all(price == price.quantize(Decimal("1e-9")) for price in prices)
    assert Decimal(str(completion_of("prompt 7", 1)["cost_usd"])) == price_of("prompt 7")


def test_the_same_key_is_charged_once_and_replays_a_failure_too() -> None:
    till = Till(Rules(fail_every=2))

    first, second, again = (till.take(Call("p", None, key), 0, WALL) for key in ("a", "b", "b"))

    assert (first.status, second.status, second.word) == (200, 500, "failed")
    assert (again.status, again.body, again.word) == (500, second.body, "replayed")
    assert till.usd == 2 * price_of("p")


def test_a_call_whose_key_is_being_answered_is_in_conflict_where_the_rules_say_so() -> None:
    till, call = Till(Rules(race="conflict")), Call("p", None, "a")

    till.take(call, 0, WALL)
    racing = till.take(call, 0, WALL)
    till.answered(call)
    late = till.take(call, 0, WALL)

    assert (racing.status, late.status, late.word) == (409, 200, "replayed")


def test_it_bears_a_burst_and_then_the_rate() -> None:
    till = Till(Rules(allow=10, burst=5))

    at_once = [till.take(Call("p"), 0, WALL).status for _ in range(7)]
    later = [till.take(Call("p"), 0.25, WALL).status for _ in range(3)]

    assert at_once == [200] * 5 + [429] * 2
    assert later == [200] * 2 + [429]


@pytest.mark.parametrize(
    ("form", "header"),
    [
        ("seconds", ("retry-after", "2")),
        ("ms", ("retry-after-ms", "1500")),
        ("date", ("retry-after", "Tue, 14 Nov 2023 22:13:22 GMT")),
    ],
)
def test_a_429_says_how_long_to_rest_and_costs_nothing(form: str, header: tuple[str, str]) -> None:
    till = Till(Rules(allow=1, retry_after=form, rest=1.5))  # type: ignore[arg-type]  # one of the literals

    till.take(Call("p"), 0, WALL)
    refused = till.take(Call("p"), 0, WALL)

    assert (refused.status, refused.headers, refused.usd) == (429, (header,), 0)


def test_no_money_and_no_key_are_said_in_the_providers_shape() -> None:
    till = Till(Rules(quota=1, key="secret"))

    stranger = till.take(Call("p"), 0, WALL)
    _paid, unpaid = (till.take(Call("p", "Bearer secret"), 0, WALL) for _ in range(2))

    assert (stranger.status, json.loads(stranger.body)["error"]["code"]) == (401, "invalid_api_key")
    assert (unpaid.status, json.loads(unpaid.body)["error"]["type"]) == (429, "insufficient_quota")
    assert till.usd == price_of("p")


@pytest.mark.stock
def test_every_call_is_in_the_log_with_what_it_cost(tmp_path: Path, client: httpx.Client) -> None:
    with PaidApi(tmp_path, "--broken-every", "2") as api:
        answers = [client.post(f"{api.url}/v1/complete", json={"prompt": f"p{n}"}) for n in range(4)]
        stats = api.stats()

    assert [call.word for call in api.log()] == ["ok", "broken", "ok", "broken"]
    assert api.total_usd() == sum(price_of(f"p{n}") for n in range(4)) == Decimal(stats["usd"])
    assert answers[0].json()["cost_usd"] == f"{price_of('p0'):f}"
    with pytest.raises(json.JSONDecodeError):
        answers[1].json()


@pytest.mark.stock
def test_while_it_is_down_it_refuses_and_resets_and_then_goes_on_at_the_same_address(
    tmp_path: Path, client: httpx.Client
) -> None:
    with PaidApi(tmp_path) as api:
        complete = f"{api.url}/v1/complete"
        client.post(complete, json={"prompt": "before"})
        api.down()
        for _ in range(3):
            with pytest.raises(httpx.TransportError):
                client.post(complete, json={"prompt": "meanwhile"})
        api.up()
        client.post(complete, json={"prompt": "after"})

        assert [call.prompt for call in api.log()] == ["before", "after"]

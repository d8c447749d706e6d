from __future__ import annotations

import asyncio
import sys
from typing import Any  # ASGI's own shapes

import pytest

from asgi.conftest import Ran
from unlost.asgi import Middleware
from unlost.observe.watch import during

TELLS = ": nobody ever took it"

is_monitored = pytest.mark.skipif(sys.version_info < (3, 12), reason="before 3.12 nobody knows who handles it")

BREAKS = """
async def breaks(scope, receive, send):
    raise ValueError("it broke")
"""


@pytest.mark.parametrize("error", [ValueError("it broke"), asyncio.CancelledError("stop"), GeneratorExit()])
async def test_what_the_application_raises_goes_on_as_it_is(error: BaseException) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        await Middleware(app)({"type": "http", "path": "/"}, None, None)  # type: ignore[arg-type]  # never called

    assert caught.value is error


async def test_the_application_gets_the_servers_own_objects() -> None:
    seen: list[object] = []

    async def app(*given: Any) -> None:
        seen.extend(given)

    given: Any = ({"type": "http", "path": "/"}, object(), object())
    await Middleware(app)(*given)

    assert [id(one) for one in seen] == [id(one) for one in given]


async def test_what_outlives_a_request_has_its_name_and_not_its_scope() -> None:
    left: list[asyncio.Task[str]] = []

    async def later() -> str:
        await asyncio.sleep(1)
        return str(during.get())

    async def app(scope: Any, receive: Any, send: Any) -> None:
        left.append(asyncio.ensure_future(later()))

    given = {"type": "http", "method": "GET", "path": "/"}
    await Middleware(app)(given, None, None)  # type: ignore[arg-type]  # never called
    given.clear()

    assert await left[0] == "GET /"
    assert during.get() == ""


async def test_a_cancellation_from_outside_keeps_its_count_and_its_message() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(60)

    task = asyncio.ensure_future(Middleware(app)({"type": "http", "path": "/"}, None, None))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    task.cancel("the client went away")

    with pytest.raises(asyncio.CancelledError, match="the client went away"):
        await task
    assert task.cancelling() == 1


@is_monitored
def test_what_left_the_application_is_told_with_its_request(ran: Ran) -> None:
    told = ran(f"{BREAKS}\nasyncio.run(call(Middleware(breaks), '/items/7', method='PUT'))")

    assert told.count(TELLS) == 1
    assert f"lost by the server during PUT /items/7{TELLS}  [" in told
    assert "sesame" not in told


@is_monitored
def test_what_the_server_logs_is_not_told(ran: Ran) -> None:
    told = ran(
        f"{BREAKS}\nasync def main():\n"
        "    try: await Middleware(breaks)({'type': 'http', 'path': '/'}, None, None)\n"
        "    except Exception as error: logging.getLogger('server').error('it failed', exc_info=error)\n"
        "asyncio.run(main())"
    )

    assert "it failed" in told
    assert TELLS not in told


@is_monitored
@pytest.mark.parametrize("name", ["ClientDisconnect", "WebSocketDisconnect"])
def test_that_the_client_went_away_is_no_loss(ran: Ran, name: str) -> None:
    told = ran(
        f"class {name}(Exception): pass\n"
        f"async def app(scope, receive, send): raise {name}\n"
        "asyncio.run(call(Middleware(app)))"
    )

    assert told == ""


def test_start_up_that_says_failed_without_a_word_is_told(ran: Ran) -> None:
    told = ran(
        "async def app(scope, receive, send):\n"
        "    await receive()\n"
        "    try: raise ValueError('no database')\n"
        "    except ValueError: await send({'type': 'lifespan.startup.failed'})\n"
        "sent = []\n"
        "asyncio.run(live(Middleware(app), None, sent))\n"
        "assert sent == ['lifespan.startup.failed']"
    )

    assert told.count(TELLS) == 1
    assert "during lifespan startup" in told
    assert "no database" in told


def test_start_up_that_raises_while_the_server_goes_on_without_is_told(ran: Ran) -> None:
    told = ran(
        "async def app(scope, receive, send):\n"
        "    await receive()\n"
        "    raise ValueError('no database')\n"
        "asyncio.run(live(Middleware(app), None, []))"
    )

    assert told.count(TELLS) == 1
    assert "no database" in told


def test_an_application_without_a_lifespan_says_so_and_that_is_no_loss(ran: Ran) -> None:
    told = ran(
        "async def app(scope, receive, send):\n"
        "    assert scope['type'] == 'http'\n"
        "asyncio.run(live(Middleware(app), None, []))"
    )

    assert told == ""


def test_when_the_lifespan_has_ended_what_is_held_was_told_and_a_later_call_begins_anew(ran: Ran) -> None:
    told = ran(
        "held = []\n"
        "async def boom(): raise ValueError('it broke')\n"
        "async def app(scope, receive, send):\n"
        "    if scope['type'] == 'lifespan':\n"
        "        await receive()\n"
        "        await send({'type': 'lifespan.startup.complete'})\n"
        "        await receive()\n"
        "    else:\n"
        "        held.append(asyncio.create_task(boom()))\n"
        "        await asyncio.sleep(0.01)\n"
        "async def main():\n"
        "    watched = Middleware(app)\n"
        "    await live(watched, lambda: call(watched), [])\n"
        "    print('=====', file=sys.stderr)\n"
        "    await call(watched, '/again')\n"
        "    held.clear()\n"
        "asyncio.run(main())"
    )

    before, _, after = told.partition("=====")
    assert "undelivered" in before
    assert "what became of the exceptions" in before
    assert f"lost during GET /again{TELLS}" in after


def test_two_of_them_in_one_process_tell_once(ran: Ran) -> None:
    told = ran(
        "async def boom(): raise ValueError('it broke')\n"
        "async def app(scope, receive, send):\n"
        "    asyncio.create_task(boom())\n"
        "    await asyncio.sleep(0.01)\n"
        "asyncio.run(call(Middleware(Middleware(app))))"
    )

    assert told.count(TELLS) == 1


def test_an_error_that_sentry_was_sent_is_not_told_again(ran: Ran) -> None:
    told = ran(
        "import sentry_sdk\n"
        "from sentry_sdk.integrations.asgi import SentryAsgiMiddleware\n"
        "events = []\n"
        "sentry_sdk.init('https://key@localhost/1', before_send=lambda event, hint: events.append(event))\n"
        f"{BREAKS}\n"
        "asyncio.run(call(SentryAsgiMiddleware(Middleware(breaks))))\n"
        "sentry_sdk.flush()\n"
        "assert len(events) == 1, events"
    )

    assert TELLS not in told


def test_a_sink_that_does_not_exist_is_told_to_who_serves(ran: Ran) -> None:
    told = ran(
        "from unlost import UsageError\n"
        "async def app(scope, receive, send): pass\n"
        "async def main():\n"
        "    try: await Middleware(app, sinks=['nowhere'])({'type': 'http', 'path': '/'}, None, None)\n"
        "    except UsageError as error: print('UsageError', error, file=sys.stderr)\n"
        "asyncio.run(main())"
    )

    assert "UsageError There is no sink 'nowhere'" in told


@is_monitored
def test_sinks_from_an_iterator_are_told_in_each_lifetime(ran: Ran) -> None:
    told = ran(
        "async def starts(scope, receive, send):\n"
        "    await receive()\n"
        "    if scope['type'] == 'http': raise ValueError('it broke')\n"
        "async def main():\n"
        "    app = Middleware(starts, sinks=iter(['stderr']))\n"
        "    for _ in range(2):\n"
        "        await call(app)\n"
        "        await live(app, None, [])\n"
        "asyncio.run(main())"
    )

    assert told.count(TELLS) == 2


def test_a_request_that_does_not_end_says_for_what_it_waits(ran: Ran) -> None:
    told = ran(
        "async def app(scope, receive, send):\n"
        "    with contextlib.suppress(TimeoutError):\n"
        "        await asyncio.wait_for(asyncio.Event().wait(), 1)\n"
        "asyncio.run(call(Middleware(app, hang=0.3)))"
    )

    assert told.count("no task has made a step for 0.") == 1
    assert "waits for" in told

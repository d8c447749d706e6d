"""WebSockets through the middleware: what a handler loses is told, and that the other side goes away is no loss."""

from __future__ import annotations

import sys

import pytest

from services.apps.errors import SECRET
from services.conftest import HYPERCORN, UVICORN, Serve
from support.websocket import WebSocket

APP = "services.apps.with_websockets:app"
TELLS = ": nobody ever took it"
SERVERS = {"uvicorn": UVICORN, "uvicorn, uvloop": (*UVICORN, "--loop", "uvloop"), "hypercorn": HYPERCORN}


@pytest.mark.parametrize("server", SERVERS)
def test_what_a_handler_forgot_is_told_and_what_left_it_is_told_by_the_server(serve: Serve, server: str) -> None:
    service = serve(*SERVERS[server], APP)

    with WebSocket(service.port, f"/forgets/42?token={SECRET}") as client:
        client.send("hello")
        echo, code = client.receive(), client.receive()
    service.wait_for(TELLS)
    with WebSocket(service.port, "/breaks/42") as client:
        client.send("hello")
        client.receive()
    service.wait_for("ValueError: socket broke")
    told = service.stop()

    assert (echo, code) == ("hello", 1000)
    assert told.count(TELLS) == 1
    assert f"lost during websocket /forgets/{{number}}{TELLS}" in told
    assert "forgotten broke" in told
    assert told.count("ValueError: socket broke") == 1
    assert not [line for line in told.splitlines() if SECRET in line and "[accepted]" not in line]  # the server's own


@pytest.mark.skipif(sys.version_info < (3, 12), reason="before 3.12 nobody knows whether what is around handles it")
def test_what_left_a_handler_and_nobody_logs_is_told(serve: Serve) -> None:
    service = serve(*UVICORN, "--log-level", "critical", APP)

    with WebSocket(service.port, "/breaks/42") as client:
        client.send("hello")
        client.receive()
    told = service.stop()

    assert told.count(f"lost by the server during websocket /breaks/{{number}}{TELLS}") == 1
    assert "socket broke" in told


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn"])
def test_that_the_other_side_goes_away_is_no_loss(serve: Serve, server: str) -> None:
    quiet = ("--log-level", "critical") if "uvicorn" in server else ()
    service = serve(*SERVERS[server], *quiet, APP)

    for path, what in (("/listens", "listening"), ("/does-both", "doing both")):
        WebSocket(service.port, path).close()
        service.wait_for(f"the other side of {what} went away")
        with WebSocket(service.port, path) as client:
            client.receive()
        service.wait_for(f"the other side of {what} went away", times=2)
    told = service.stop()

    assert "what became of the exceptions" not in told
    assert "nobody" not in told


def test_that_it_goes_away_from_who_only_talks_is_no_loss(serve: Serve) -> None:
    service = serve(*SERVERS["uvicorn, uvloop"], "--log-level", "critical", APP)

    with WebSocket(service.port, "/talks") as client:
        client.receive()
    service.wait_for("the other side of talking went away")
    told = service.stop()

    assert "what became of the exceptions" not in told

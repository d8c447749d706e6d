"""A service that calls ``unlost.install()`` itself: each server ends it as ever, and what is left is told by then."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from services.conftest import GUNICORN, HYPERCORN, UVICORN, Serve

APP = "services.apps.installed:app"
LEFT = ": it was still held when the program ended"
SUMS = "what became of the exceptions"

# with how each ends at SIGTERM, which is the same without
SERVERS = {
    "uvicorn": ((*UVICORN, APP), -signal.SIGTERM),
    "uvicorn, a factory": ((*UVICORN, "--factory", "services.apps.installed:make"), -signal.SIGTERM),
    "uvicorn, two workers": ((*UVICORN, "--workers", "2", APP), 0),
    "uvicorn, uvloop": ((*UVICORN, "--loop", "uvloop", APP), -signal.SIGTERM),
    "hypercorn": ((*HYPERCORN, APP), 0),
    "hypercorn, two workers": ((*HYPERCORN, "--workers", "2", APP), 0),
    "hypercorn, no worker": ((*HYPERCORN, "--workers", "0", APP), 0),
    "gunicorn": ((*GUNICORN, APP), 0),
    "gunicorn, loaded before the fork": ((*GUNICORN, "--preload", APP), 0),
}


@pytest.mark.parametrize("server", SERVERS)
def test_at_sigterm_what_nobody_asked_for_is_told_and_it_ends_as_ever(serve: Serve, server: str) -> None:
    command, code = SERVERS[server]
    service = serve(*command)

    service.get("/keeps/42")
    told = service.stop()

    assert told.count(LEFT) == 1
    assert "kept broke" in told
    assert told.count(SUMS) == 1
    assert service.code == code


def test_without_it_uvicorn_ends_the_same_way_and_nothing_is_told(serve: Serve) -> None:
    service = serve(*UVICORN, APP, UNLOST="off")

    service.get("/keeps/42")
    told = service.stop()

    assert "unlost" not in told
    assert LEFT not in told
    assert service.code == -signal.SIGTERM


def test_where_the_server_runs_no_lifespan_the_middlewares_is_told_all_the_same(serve: Serve) -> None:
    service = serve(*UVICORN, "--lifespan", "off", "services.apps.on_starlette:app")

    service.get("/keeps/42")
    told = service.stop()

    assert told.count(LEFT) == 1
    assert service.code == -signal.SIGTERM


def test_at_sigterm_a_request_that_goes_on_is_answered_to_its_end(serve: Serve) -> None:
    service = serve(*UVICORN, APP)

    with service.answered("/slow") as rest:
        service.send(signal.SIGTERM)
        answer = rest()
    service.ended()

    assert answer.startswith("begun")
    assert answer.endswith(", ended")


@pytest.mark.parametrize("switch", ["on", "off"])
def test_ctrl_c_twice_ends_it_at_once_as_ever(serve: Serve, switch: str) -> None:
    service = serve(*UVICORN, APP, UNLOST=switch)

    service.get("/keeps/42")
    with service.streaming("/streams"):
        service.send(signal.SIGINT)
        service.wait_for("Waiting for connections to close")
        service.send(signal.SIGINT)
        told = service.ended()

    assert service.code == 0
    assert told.count(LEFT) == (switch == "on")


def test_what_is_loaded_again_is_watched_again(serve: Serve, tmp_path: Path) -> None:
    source = tmp_path / "source.py"
    source.touch()
    service = serve(*UVICORN, "--reload", "--reload-dir", str(tmp_path), APP)

    service.get("/keeps/42")
    service.change_until(source, "Reloading...")
    service.wait_for(LEFT)
    service.wait_for("Application startup complete", times=2)
    service.get("/forgets/42")
    service.wait_for("lost: nobody ever took it")
    told = service.stop()

    assert told.count(LEFT) == 1
    assert told.count(SUMS) == 2

"""Starlette, FastAPI and Quart, each under uvicorn: what is told once by somebody, and by whom."""

from __future__ import annotations

import pytest

from services.apps.errors import SECRET
from services.conftest import Serve

FRAMEWORKS = ("on_starlette", "on_fastapi", "on_quart")
TELLS = ": nobody ever took it"

pytestmark = pytest.mark.parametrize("app", FRAMEWORKS)


def test_a_task_that_the_handler_forgot_is_told_once_with_its_request(on_uvicorn: Serve, app: str) -> None:
    service = on_uvicorn(app)

    service.get(f"/forgets/42?token={SECRET}")
    service.wait_for(TELLS)
    told = service.stop()

    route = "/forgets/42" if app == "on_quart" else "/forgets/{number}"
    assert told.count(TELLS) == 1
    assert f"lost during GET {route}{TELLS}" in told
    assert "forgotten broke" in told
    assert SECRET not in told


@pytest.mark.parametrize("where", ["handler", "background", "stream", "middleware"])
def test_what_the_framework_or_the_server_logs_is_not_told_again(on_uvicorn: Serve, app: str, where: str) -> None:
    service = on_uvicorn(app)

    service.get(f"/{where}/42")
    service.wait_for(f"{where} broke")
    told = service.stop()

    assert told.count(f"ValueError: {where} broke") == 1
    assert TELLS not in told
    assert "what became of the exceptions" not in told


def test_an_error_in_start_up_is_told_once_with_its_place(on_uvicorn: Serve, app: str) -> None:
    told = on_uvicorn(app, up=False, BREAKS="startup").ended()

    assert told.count("ValueError: startup broke") == 1
    assert "in boom" in told


def test_an_error_in_shut_down_is_told_once_with_its_place(on_uvicorn: Serve, app: str) -> None:
    told = on_uvicorn(app, BREAKS="shutdown").stop()

    assert told.count("ValueError: shutdown broke") == 1
    assert "in boom" in told


def test_a_client_that_goes_away_is_no_loss(on_uvicorn: Serve, app: str) -> None:
    service = on_uvicorn(app)

    service.leave_in_the_middle("/streams")
    service.get("/")
    told = service.stop()

    assert "Traceback" not in told
    assert "unlost" not in told
    assert "what became of the exceptions" not in told


def test_at_sigterm_what_nobody_asked_for_is_told(on_uvicorn: Serve, app: str) -> None:
    service = on_uvicorn(app)

    service.get("/keeps/42")
    told = service.stop()

    assert told.count("kept broke") == 1
    assert "undelivered" in told
    assert "what became of the exceptions" in told


def test_the_environment_turns_it_off(on_uvicorn: Serve, app: str) -> None:
    service = on_uvicorn(app, UNLOST="off")

    service.get("/forgets/42")
    service.wait_for("never retrieved")
    told = service.stop()

    assert TELLS not in told
    assert "what became of the exceptions" not in told

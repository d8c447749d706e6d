"""Servers that log nothing: what leaves the application is told all the same, where it is known that nobody has it."""

from __future__ import annotations

import sys

import pytest

from services.conftest import Serve

TELLS = "lost by the server during "
EVERYWHERE = ("handler", "background", "stream", "middleware")
LEAVES = [(app, where) for app in ("on_starlette", "on_fastapi") for where in EVERYWHERE]
LEAVES.append(("on_quart", "middleware"))  # it handles all else within the application

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 12), reason="before 3.12 nobody knows whether what is around handles it"
)


@pytest.mark.parametrize(("app", "where"), LEAVES)
def test_what_left_the_application_and_nobody_logs_is_told(on_uvicorn: Serve, app: str, where: str) -> None:
    service = on_uvicorn(app, "--log-level", "critical")

    service.get(f"/{where}/42")
    told = service.stop()  # at the latest: FastAPI's errors are in cycles, and wait for the garbage collector

    route = "/middleware/42" if where == "middleware" else f"/{where}/{{number}}"
    assert told.count(TELLS) == 1
    assert f"{TELLS}GET {route}: nobody ever took it" in told
    assert f"{where} broke" in told


def test_what_a_middleware_of_the_applications_handles_is_not_told(on_uvicorn: Serve) -> None:
    service = on_uvicorn("with_handlers", "--log-level", "critical")

    answer = service.get("/handler/42")
    told = service.stop()

    assert answer == "sorry"
    assert TELLS not in told

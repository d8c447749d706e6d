"""Hypercorn with the middleware: what is told once by somebody, and by whom."""

from __future__ import annotations

import pytest

from services.conftest import HYPERCORN, Serve

TELLS = ": nobody ever took it"
LEFT = ": it was still held when the program ended"
SUMS = "what became of the exceptions"
EVERYWHERE = ("handler", "background", "stream", "middleware")


@pytest.mark.parametrize(("app", "worker"), [("on_starlette", "asyncio"), ("on_quart", "uvloop")])
def test_it_tells_what_leaves_the_application_and_the_watch_tells_the_rest(serve: Serve, app: str, worker: str) -> None:
    service = serve(*HYPERCORN, "--worker-class", worker, f"services.apps.{app}:app")

    service.get("/forgets/42")
    service.wait_for(TELLS)
    for where in EVERYWHERE:
        service.get(f"/{where}/42")
        service.wait_for(f"ValueError: {where} broke")
    service.leave_in_the_middle("/streams")
    service.get("/keeps/42")
    told = service.stop()

    route = "/forgets/42" if app == "on_quart" else "/forgets/{number}"
    assert told.count(TELLS) == 1
    assert f"lost during GET {route}{TELLS}" in told
    assert [told.count(f"ValueError: {where} broke") for where in EVERYWHERE] == [1] * 4
    assert told.count(LEFT) == 1
    assert told.count(SUMS) == 1


@pytest.mark.parametrize("phase", ["startup", "shutdown"])
def test_an_error_in_start_up_and_shut_down_is_told_with_its_place(serve: Serve, phase: str) -> None:
    service = serve(*HYPERCORN, "services.apps.on_starlette:app", up=phase == "shutdown", BREAKS=phase)

    told = service.ended() if phase == "startup" else service.stop()

    assert f"ValueError: {phase} broke" in told
    assert "in boom" in told

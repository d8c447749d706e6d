"""Servers that start workers, run by ``unlost watch``: one report has what all of them lost and held."""

from __future__ import annotations

import re
import subprocess

import pytest

from services.conftest import GUNICORN, HYPERCORN, UVICORN, Serve, Service

WATCH = ("-m", "unlost", "watch")
APP = "services.apps.unwatched:app"
HEADING = "unlost watch: what became of the exceptions"
DURING = re.compile(r"^  during +a process that the program started$", re.MULTILINE)

SERVERS = {
    "uvicorn": (*UVICORN, "--workers", "2", APP),
    "gunicorn": (*GUNICORN, "-w", "2", APP),
    "gunicorn, loaded before the fork": (*GUNICORN, "--preload", "-w", "2", APP),
}


def wait_for_both(service: Service) -> None:
    """Ask until both workers have answered: one that starts yet is ended by the signal, and tells nothing."""
    answered: set[str] = set()
    for _ in range(2_000):
        answered.add(service.get("/"))
        if len(answered) == 2:
            return
    raise AssertionError(f"of two workers only {answered} answered")


@pytest.mark.parametrize("server", SERVERS)
def test_what_workers_lost_and_held_at_sigterm_is_in_the_one_report(serve: Serve, server: str) -> None:
    service = serve(*WATCH, *SERVERS[server])

    wait_for_both(service)
    service.get("/forgets/1")
    service.get("/keeps/42")
    told = service.stop()

    assert service.code == 0
    assert told.count(HEADING) == 1, told
    assert "\nlost: " in told
    assert "\nundelivered: " in told
    assert len(DURING.findall(told)) == 2
    assert "did not tell" not in told


def test_a_worker_that_is_ended_by_a_signal_before_it_has_ended_by_itself_is_counted(serve: Serve) -> None:
    service = serve(*WATCH, *HYPERCORN, "--workers", "2", APP)  # once one has ended the others are sent it

    wait_for_both(service)
    service.get("/forgets/1")
    service.get("/keeps/42")
    told = service.stop()

    assert service.code == 0
    assert told.count(HEADING) == 1, told
    assert "\nlost: " in told
    unheard = re.search(r"did not tell .*: (\d)\.", told)
    assert len(DURING.findall(told)) + (int(unheard[1]) if unheard else 0) >= 2, told


def test_of_a_worker_that_was_killed_it_is_told_what_it_had_lost(serve: Serve) -> None:
    service = serve(*WATCH, *GUNICORN, "-w", "1", APP)
    service.get("/forgets/1")
    worker = service.get("/").strip().rpartition(" ")[2]

    subprocess.run(["kill", "-9", worker], check=True)
    service.wait_for("was sent SIGKILL")
    service.get("/")
    told = service.stop()

    assert told.count(HEADING) == 1
    assert "\nlost: " in told
    assert "which prints a report of its own): 1." in told

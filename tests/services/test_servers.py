"""Servers that fork, and tools that use ``sys.monitoring`` beside the watch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from services.conftest import GUNICORN, PATIENCE, TESTS, UVICORN, Serve, Service

TELLS = "lost during GET /forgets/{number}: nobody ever took it"
APP = "services.apps.on_starlette:app"

is_monitored = pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring is 3.12's")


def ask_until_two_workers_told(service: Service) -> set[str]:
    """Let each of two processes lose an error; return who answered."""
    answered: set[str] = set()
    for _ in range(400):
        answered.add(service.get("/"))
        service.get("/forgets/1")
        if len(answered) == 2 and service.text().count(TELLS) >= 2:
            break
    return answered


def test_each_of_uvicorns_workers_tells_its_own(serve: Serve) -> None:
    service = serve(*UVICORN, "--workers", "2", APP)

    answered = ask_until_two_workers_told(service)
    told = service.stop()

    assert len(answered) == 2
    assert told.count(TELLS) == 2
    assert told.count("what became of the exceptions") == 2


def test_gunicorns_workers_tell_what_the_process_that_preloaded_the_application_does_not(serve: Serve) -> None:
    service = serve(*GUNICORN, "--preload", "-w", "2", APP)

    answered = ask_until_two_workers_told(service)
    told = service.stop()

    assert len(answered) == 2
    assert told.count(TELLS) == 2
    assert told.count("what became of the exceptions") == 2
    assert "Handling signal: term" in told


def test_after_a_worker_was_killed_the_next_one_watches_too(serve: Serve) -> None:
    service = serve(*GUNICORN, "--preload", "-w", "1", APP)
    first = service.get("/").strip().rpartition(" ")[2]

    subprocess.run(["kill", "-9", first], check=True)
    service.wait_for("was sent SIGKILL")
    service.get("/forgets/1")
    service.wait_for(TELLS)
    told = service.stop()

    assert told.count(TELLS) == 1


@is_monitored
def test_where_two_tools_have_the_places_the_end_says_what_was_not_seen(serve: Serve) -> None:
    service = serve(*UVICORN, "services.apps.on_starlette_held:app")

    service.get("/forgets/1")
    told = service.stop()

    assert told.count(TELLS) == 1
    assert "Two other tools have taken the places in sys.monitoring" in told


@is_monitored
def test_coverage_by_sys_monitoring_is_the_same_with_and_without(serve: Serve, tmp_path: Path) -> None:
    settings = tmp_path / "coverage.ini"
    settings.write_text("[run]\nsigterm = true\n", encoding="utf-8")
    covered: list[dict[str, object]] = []
    for number, switch in enumerate(("", "off")):
        data = tmp_path / f"coverage-{number}"
        run = ("-m", "coverage", "run", f"--data-file={data}", "--source=services/apps", f"--rcfile={settings}")
        service = serve(*run, *UVICORN, APP, COVERAGE_CORE="sysmon", UNLOST=switch)
        service.get("/")
        for path in ("handler", "background", "stream", "forgets"):
            service.get(f"/{path}/1")
        told = service.stop()
        assert told.count(TELLS) == (0 if switch else 1)
        covered.append(lines_in(data))

    assert covered[0] == covered[1]
    assert any(covered[0].values())


def lines_in(data: Path) -> dict[str, object]:
    """Return the lines that ran, by file."""
    report = data.with_suffix(".json")
    subprocess.run(
        [sys.executable, "-m", "coverage", "json", f"--data-file={data}", "-o", str(report), "-q"],
        cwd=TESTS,
        check=True,
        timeout=PATIENCE,
    )
    files = json.loads(report.read_text(encoding="utf-8"))["files"]
    return {name: found["executed_lines"] for name, found in files.items()}


def test_beside_a_debugger_that_listens_it_tells_the_same(serve: Serve) -> None:
    debugger = ("-Xfrozen_modules=off", "-m", "debugpy", "--listen", "127.0.0.1:0")
    service = serve(*debugger, *UVICORN, APP)

    service.get("/handler/1")
    service.get("/forgets/1")
    service.wait_for(TELLS)
    told = service.stop()

    assert told.count(TELLS) == 1
    assert told.count("ValueError: handler broke") == 1

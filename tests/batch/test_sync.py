"""Syncing a file asks for what the platform needs to have it on the disk."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from unlost.batch._sync import sync
from unlost.batch.journal._results import ResultsFile
from unlost.batch.source._spool import spool


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked for on a macOS whose file system knows ``F_FULLFSYNC``."""
    calls: list[str] = []
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", lambda _descriptor, command: calls.append(f"fcntl {command}"))
    monkeypatch.setattr(os, "fsync", lambda _descriptor: calls.append("fsync"))
    return calls


def test_macos_is_asked_for_the_drive_too(calls: list[str]) -> None:
    sync(0)

    assert calls == ["fcntl 51"]


def test_a_file_system_without_it_is_asked_for_what_it_has(calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_descriptor: int, _command: int) -> None:
        raise OSError(45, "Operation not supported")

    monkeypatch.setattr(fcntl, "fcntl", refuse)

    sync(0)

    assert calls == ["fsync"]


def test_elsewhere_it_is_fsync(calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")

    sync(0)

    assert calls == ["fsync"]


def sync_results(folder: Path) -> None:
    results = ResultsFile(folder / "out.jsonl")
    with open(folder / "out.jsonl", "wb") as results._file:
        results.sync(Connection())


class Connection:
    def execute(self, _sql: str, _parameters: object) -> None:
        """The length is noted."""


@pytest.mark.parametrize(
    "write", [sync_results, lambda folder: spool([b"a"], folder, ".txt")], ids=["results", "spool"]
)
def test_whatever_is_durable_goes_by_it(tmp_path: Path, calls: list[str], write: Callable[[Path], object]) -> None:
    write(tmp_path)

    assert "fcntl 51" in calls

"""Ways to handle, report, swallow or lose an error, each with its verdict; each again, after an edit that mends it."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "scenarios"
KINDS = ["stock", "stock-dev"] + ["uvloop"] * (sys.platform != "win32") + ["eager"] * (sys.version_info >= (3, 12))

is_monitored = sys.version_info >= (3, 12)


@dataclass(frozen=True)
class Scenario:
    """What a program says of itself."""

    name: str
    verdicts: tuple[str, ...]
    end: int | None


def scenarios() -> Iterator[Scenario]:
    """Read them; what is imported here would be seen by other tests under its short name."""
    for path in sorted(FOLDER.glob("*.py")):
        source = path.read_text(encoding="utf-8")
        ends = [number for number, line in enumerate(source.splitlines(), 1) if line.endswith("# ends here")]
        for node in ast.parse(source).body:
            if isinstance(node, ast.AsyncFunctionDef) and node.decorator_list:
                [mark] = node.decorator_list
                arguments = mark.args if isinstance(mark, ast.Call) else []
                verdicts = tuple(sorted(ast.literal_eval(argument) for argument in arguments))
                within = [line for line in ends if node.lineno <= line <= (node.end_lineno or 0)]
                yield Scenario(node.name, verdicts, within[0] if within else None)


@cache
def found_in(kind: str, folder: Path) -> dict[str, Any]:
    """Return what a fresh process finds in all of them, one after the other; ``-dev``: in the development mode."""
    kind, *mode = kind.split("-")
    command = [sys.executable, "-W", "error", *(["-X", "dev"] if mode else []), str(FOLDER / "scenario.py"), kind]
    done = subprocess.run(command, capture_output=True, cwd=folder, env={**os.environ, "PYTHONPATH": str(FOLDER)})
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.skipif(not is_monitored, reason="sys.monitoring is 3.12's; CI runs them there")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scenario", list(scenarios()), ids=lambda scenario: scenario.name)
def test_what_becomes_of_an_exception_is_told_and_where(
    scenario: Scenario, kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    found = found_in(kind, tmp_path_factory.getbasetemp())[scenario.name]

    assert found["found"] == list(scenario.verdicts)
    assert found["ends"] == ([] if scenario.end is None else [scenario.end])
    assert found["faults"] == {}


@pytest.mark.skipif(is_monitored, reason="boundary mode is that of 3.11; CI runs it there")
@pytest.mark.parametrize("kind", KINDS)
def test_before_3_12_nothing_is_told_that_is_not_so(kind: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    found = found_in(kind, tmp_path_factory.getbasetemp())
    told = {one.name: Counter(found[one.name]["found"]) for one in scenarios()}

    false = {one.name: told[one.name] - Counter(one.verdicts) for one in scenarios()}
    assert {name: counter for name, counter in false.items() if counter} == {}
    assert [name for name in told if found[name]["faults"]] == []
    assert sum(told[one.name] == Counter(one.verdicts) for one in scenarios() if one.verdicts) >= 15


def test_each_way_has_its_opposite() -> None:
    wrong = [scenario for scenario in scenarios() if scenario.verdicts]
    right = [scenario for scenario in scenarios() if not scenario.verdicts]

    assert len(wrong) >= 30
    assert len(right) >= len(wrong)

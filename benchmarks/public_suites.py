"""
The tests of public asyncio projects under ``pytest --unlost``: what is found, and that they end as they do without it.

    python benchmarks/public_suites.py --folder suites [NAME ...]
    python benchmarks/public_suites.py --folder suites --cost 5 NAME

Downloads each project's source package, installs it, editable, with what its tests need into an environment of its own,
and runs its tests without the plugin, with ``--unlost=report`` and with ``--unlost``. Printed is how many tests ended
otherwise, and each distinct finding once. It needs the internet, and many minutes. ``--cost`` times whole sessions
instead, with and without in turn: medians of the processors' seconds and of those on the clock, with their ratios.

What is found is judged by hand, in docs/watch-suites.md.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shlex
import shutil
import statistics
import subprocess
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from _suites import SUITES, Suite

ROOT: Final = Path(__file__).resolve().parent.parent
NOTED: Final = "_suites_noted"
MODES: Final = {"without": ("-p", "no:unlost"), "report": ("--unlost=report",), "fail": ("--unlost=fail",)}
# the last: where no byte code is kept, ours is compiled again by each session, since it is installed editable
NOT_PASSED_ON: Final = ("PYTEST", "UNLOST", "COV", "PYTHONDONTWRITEBYTECODE")
PINNED: Final = ("pytest==9.1.1",)


class Place:
    """Where a suite is installed."""

    def __init__(self, suite: Suite, folder: Path) -> None:
        self.suite = suite
        self.folder = folder
        self.source = folder / "sources" / suite.stem
        self.python = folder / "environments" / suite.name / "bin" / "python"
        self.noted = folder / "noted" / suite.name
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(NOT_PASSED_ON)
        } | dict(suite.environment)

    def prepare(self) -> None:
        """Download and install what is not there yet."""
        self.noted.mkdir(parents=True, exist_ok=True)
        if not self.source.exists():
            self._download()
        if not self.python.exists():
            subprocess.run([sys.executable, "-m", "venv", self.python.parent.parent], check=True)
            self._pip("install", *PINNED, *self.suite.needs.split(), "-e", str(ROOT))
            self._pip("install", "-e", str(self.source))

    def run(self, mode: str) -> tuple[tuple[float, float], dict[str, Any]]:  # Any: what JSON holds
        """Run the tests; return the seconds of the processors and of the clock, and what was noted."""
        noted = self.noted / f"{mode}.json"
        noted.unlink(missing_ok=True)
        plugins = self.folder / "plugins"
        plugins.mkdir(exist_ok=True)
        shutil.copy(Path(__file__).parent / f"{NOTED}.py", plugins)
        environment = {**self.environment, "UNLOST_NOTED": str(noted), "PYTHONPATH": str(plugins)}
        command = [
            str(self.python),
            "-m",
            "pytest",
            "-p",
            NOTED,
            *MODES[mode],
            "-q",
            *shlex.split(self.suite.arguments),
        ]
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        with (self.noted / f"{mode}.log").open("w", encoding="utf-8") as log:
            subprocess.run(command, cwd=self.source, env=environment, stdout=log, stderr=subprocess.STDOUT)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.perf_counter() - began)
        return took, json.loads(noted.read_text(encoding="utf-8"))

    def _download(self) -> None:
        archives = self.folder / "archives"
        archives.mkdir(parents=True, exist_ok=True)
        wanted = f"{self.suite.name}=={self.suite.version}"
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", wanted]
        subprocess.run(pip, cwd=archives, env=self.environment, check=True)
        with tarfile.open(archives / f"{self.suite.stem}.tar.gz") as archive:
            archive.extractall(self.folder / "sources", filter="data")

    def _pip(self, *arguments: str) -> None:
        subprocess.run([self.python, "-m", "pip", "-q", *arguments], env=self.environment, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(suite.name for suite in SUITES))
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--cost", type=int, metavar="ROUNDS")
    options = parser.parse_args()
    for suite in SUITES:
        if not options.names or suite.name in options.names:
            place = Place(suite, options.folder.resolve())
            place.prepare()
            for line in _cost(place, options.cost) if options.cost else _findings(place):
                print(line, flush=True)


def _findings(place: Place) -> Iterator[str]:
    noted = {mode: place.run(mode)[1] for mode in MODES}
    without = noted["without"]["tests"]
    yield f"== {place.suite.name} {place.suite.version}: {_totals(without)}"
    for mode in ("report", "fail"):
        yield f"{mode}: {_totals(noted[mode]['tests'])}"
        yield from (f"  otherwise: {text}" for text in _otherwise(noted["without"], noted[mode]))
    yield from _distinct(noted["report"])


def _totals(tests: dict[str, list[str]]) -> str:
    counts = Counter(outcomes[-1].split()[-1] for outcomes in tests.values())
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))


def _otherwise(first: dict[str, Any], second: dict[str, Any]) -> Iterator[str]:  # Any: what JSON holds
    """Yield what ended otherwise, for another reason than a finding."""
    for test in sorted(first["tests"].keys() | second["tests"].keys()):
        before, after = first["tests"].get(test), second["tests"].get(test)
        if before != after and not second["messages"].get(test, "").startswith("unlost: "):
            yield f"{test}: {before}, then {after}"


def _distinct(noted: dict[str, Any]) -> Iterator[str]:  # Any: as above
    times: Counter[str] = Counter()
    example: dict[str, tuple[str, str]] = {}
    for test, text in _texts(noted):
        key = re.findall(r"\[([0-9a-f]{12})\]", text)[0]
        times[key] += 1
        example.setdefault(key, (test, text))
    yield f"{len(times)} distinct findings, {times.total()} in all"
    for key, count in times.most_common():
        test, text = example[key]
        yield f"-- {count}× e.g. {test}\n{text}"


def _texts(noted: dict[str, Any]) -> Iterator[tuple[str, str]]:  # Any: as above
    for test, texts in noted["found"].items():
        for text in texts:
            yield from ((test, one) for one in text.split("\n\n"))
    for late in noted["late"]:
        test, _, text = late.partition("\n")
        yield f"{test} (late)", text


def _cost(place: Place, rounds: int) -> Iterator[str]:
    taken: dict[str, list[tuple[float, float]]] = {"without": [], "report": []}
    for _ in range(rounds):
        for mode, those in taken.items():
            those.append(place.run(mode)[0])
    for name, seconds in (("processors", 0), ("clock", 1)):
        without, report = (sorted(one[seconds] for one in those) for those in taken.values())
        first, second = statistics.median(without), statistics.median(report)
        yield (
            f"{place.suite.name} {place.suite.version}, {name}: "
            f"without {first:.2f} s ({without[0]:.2f} to {without[-1]:.2f}), "
            f"with {second:.2f} s ({report[0]:.2f} to {report[-1]:.2f}), ratio {second / first:.3f}"
        )


if __name__ == "__main__":
    main()

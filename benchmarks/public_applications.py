"""
Public asyncio applications under ``unlost watch``: what is found, and that they do what they do without it.

    python benchmarks/public_applications.py --folder applications [NAME ...]

Installs each application into an environment of its own, and runs its driver (``applications/drive_NAME.py``) twice:
the application as it is, and under ``unlost watch --json``. The driver uses it, makes things fail, and prints what came
of that, with exit codes and all that the application wrote. Printed here is where the two differ, and each distinct
finding once. It needs the internet to install, and no more: all that is asked listens on this machine.

What is found is judged by hand, in docs/watch-applications.md.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from _applications import APPLICATIONS, Application

ROOT: Final = Path(__file__).resolve().parent.parent
DRIVERS: Final = Path(__file__).resolve().parent / "applications"
NOT_PASSED_ON: Final = ("PYTEST", "UNLOST", "PYTHONDONTWRITEBYTECODE")
LONGEST: Final = 300  # seconds


class Place:
    """Where an application is installed and run."""

    def __init__(self, application: Application, folder: Path) -> None:
        self.application = application
        self.folder = folder / application.name
        self.python = self.folder / "environment" / "bin" / "python"

    def prepare(self) -> None:
        """Install what is not there yet."""
        if self.python.exists():
            return
        subprocess.run([sys.executable, "-m", "venv", self.python.parent.parent], check=True)
        pip = [str(self.python), "-m", "pip", "-q", "install", "--disable-pip-version-check"]
        subprocess.run([*pip, *self.application.options.split(), *self.application.needs.split()], check=True)
        subprocess.run([*pip, "-e", str(ROOT)], check=True)

    def run(self, mode: str) -> list[str]:
        """Run the driver; return what it printed."""
        place = self.folder / mode
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith(NOT_PASSED_ON)}
        if mode == "watched":
            (self.folder / "found").mkdir(exist_ok=True)
            for old in (self.folder / "found").iterdir():
                old.unlink()
            environment |= {"UNLOST_FOUND": str(self.folder / "found"), "UNLOST_OWN": self.application.own}
        driver = DRIVERS / f"drive_{self.application.name}.py"
        done = subprocess.run(
            [self.python, driver], cwd=place, env=environment, capture_output=True, text=True, timeout=LONGEST
        )
        (self.folder / f"{mode}.txt").write_text(done.stdout, encoding="utf-8")
        (self.folder / f"{mode}.err").write_text(done.stderr, encoding="utf-8")
        failed = [f"the driver failed: {done.stderr}"] if done.returncode else []
        return done.stdout.splitlines() + failed

    def found(self) -> Iterator[dict[str, Any]]:  # Any: what JSON holds
        """Yield what was written of each program, in the order they began; empty where nothing was."""
        begun = sorted((self.folder / "found").glob("*.begun"), key=lambda file: int(file.stem))
        for file in (one.with_suffix(".json") for one in begun):
            yield json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(one.name for one in APPLICATIONS))
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    for application in APPLICATIONS:
        if not options.names or application.name in options.names:
            place = Place(application, options.folder.resolve())
            try:
                place.prepare()
            except subprocess.CalledProcessError:  # pip has said why: not for this Python, mostly
                print(f"== {application.needs}: cannot be installed", flush=True)
                shutil.rmtree(place.folder, ignore_errors=True)
                continue
            for line in _about(place):
                print(line, flush=True)


def _about(place: Place) -> Iterator[str]:
    yield f"== {place.application.needs}"
    plain, watched = place.run("plain"), place.run("watched")
    differ = list(difflib.unified_diff(plain, watched, "plain", "watched", lineterm="", n=0))
    yield from differ or [f"{len(plain)} lines, all the same"]
    counts: Counter[str] = Counter()
    for program in place.found():
        if not program:
            yield "a program wrote nothing of what was found"
        counts.update(program.get("counts", {}))
        yield from (f"unseen: {line}" for line in program.get("unseen", []))
    yield ", ".join(f"{name} {count}" for name, count in counts.items()) or "nothing to follow"
    yield from _distinct(place)


def _distinct(place: Place) -> Iterator[str]:
    times: Counter[str] = Counter()
    example: dict[str, dict[str, Any]] = {}  # Any: as above
    for program in place.found():
        for one in program.get("found", []):
            times[one["key"]] += 1
            example.setdefault(one["key"], one)
    for key, one in sorted(example.items(), key=lambda pair: not pair[1]["bad"]):
        error = one.get("error") or {}
        told = "told" if one["bad"] else "not told"
        yield f"-- {times[key]}× {told}: {one['what']}"
        yield f"   {error.get('type', {}).get('qualname')}: {error.get('message', '')[:100]!r}"
        yield from (f"   {what} {_place(one[what])}" for what in ("raised", "ended") if one[what])


def _place(site: dict[str, Any]) -> str:  # Any: as above
    return f"{site['file'].rpartition('site-packages/')[2]}:{site['line']} in {site['function']}"


if __name__ == "__main__":
    main()

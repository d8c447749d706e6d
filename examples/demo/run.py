"""
What `make demo` does: start the service, run the job over 10,000 items, check the figures, say what to type next.

It starts afresh each time: the journal and the results of the last demo are removed.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from figures import Figures, contradictions
from inputs import write_inputs
from jobs import API_KEY
from service_process import running_service

HERE = Path(__file__).parent
JOURNALS = HERE / ".unlost"
INPUTS = HERE / "urls.jsonl"
RESULTS = HERE / "results.jsonl"
COUNT = 10_000
SOME_FAILED = 1

# not resolved: that would lead out of the virtual environment
UNLOST = Path(sys.executable).with_name("unlost")
COMMAND = ("run", "jobs:fetch", INPUTS.name, "-j", "100", "--out", RESULTS.name)

NEXT = """\
What to type next:
  source .venv/bin/activate; cd examples/demo
  unlost runs                                           every run, and how it stands
  unlost show fetch-1                                   what failed, in groups
  unlost show fetch-1 {fingerprint:<34}the largest of them, in full
  less jobs.py                                          the job: 20 lines
To run it by hand, and kill it half way: python service.py --port 8765   and in a second terminal
  unlost run jobs:fetch urls.jsonl --new --out mine.jsonl"""

GO_ON = """\
The service has stopped too. To go on with this run:
  source .venv/bin/activate; cd examples/demo
  python service.py --port 8765   and in a second terminal
  unlost resume fetch-1"""


def main() -> int:
    """Return 0 if the figures add up, else the status of the run, or 1."""
    shutil.rmtree(JOURNALS, ignore_errors=True)
    RESULTS.unlink(missing_ok=True)
    write_inputs(INPUTS, COUNT)
    with running_service() as url:
        status = run_job(url)
        if status != SOME_FAILED:
            print(f"The run ended with status {status} instead of {SOME_FAILED}: see above.", GO_ON, sep="\n")
            return status or 1
        report = unlost_json("show", "fetch-1")
        found = contradictions(read_figures(report, service_stats(url)), COUNT) + leaks()
    print()
    if found:
        print("The figures do not add up:", *found, sep="\n  ")
        return 1
    print(summary(report))
    print(NEXT.format(fingerprint=report["groups"][0]["fingerprint"][:6]))
    return 0


def run_job(url: str) -> int:
    """Run the command that this demo is about, its output going where ours goes; return its exit status."""
    print("$ cd examples/demo; unlost", *COMMAND, flush=True)
    process = subprocess.Popen([UNLOST, *COMMAND], cwd=HERE, env={**os.environ, "DEMO_URL": url})
    with left_to(process):
        return process.wait()


@contextmanager
def left_to(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Let ``process`` decide what a signal means, and be there when it has ended."""
    # Ctrl-C reaches it anyway, being in the same process group: passing it on would be the second Ctrl-C
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None),
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: process.terminate()),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def unlost_json(*arguments: str) -> Any:  # Any: JSON
    """Ask the command line for what the journal says."""
    asked = subprocess.run([UNLOST, *arguments, "--json"], cwd=HERE, stdout=subprocess.PIPE, check=True)
    return json.loads(asked.stdout)


def service_stats(url: str) -> Any:  # Any: JSON
    """Ask the service what it was asked."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(f"{url}/stats", timeout=10) as response:
        return json.load(response)


def read_figures(report: Any, stats: Any) -> Figures:  # Any: JSON
    """Gather the figures from the journal, the results file and the service."""
    books = report["books"]
    with RESULTS.open(encoding="utf-8") as results:
        lines = tuple(json.loads(line)["line"] for line in results)
    return Figures(
        result_lines=lines,
        ok=books["ok"],
        failed=books["failed"],
        groups=tuple(group["count"] for group in report["groups"]),
        recovered=books["recovered"],
        retries=books["retries"],
        sent_away=report["paused"]["refused"],
        items_asked=stats["items"],
        repeats=stats["repeats"],
    )


def leaks() -> list[str]:
    """Name each file of the journal's folder that holds the API key."""
    files = (path for path in JOURNALS.rglob("*") if path.is_file())
    return [f"the API key is in {path.name}" for path in files if API_KEY.encode() in path.read_bytes()]


def summary(report: Any) -> str:  # Any: JSON
    """Say in numbers that nothing is missing."""
    books, groups = report["books"], report["groups"]
    return (
        f"The figures add up: {books['ok']:,} ok ({books['recovered']:,} of them only after a retry) and "
        f"{books['failed']:,} failed in {len(groups)} groups,\njust as the service misbehaved. {RESULTS.name} has each "
        f"of the {books['ok']:,} once; the API key is nowhere in {JOURNALS.name}.\n"
    )


if __name__ == "__main__":
    sys.exit(main())

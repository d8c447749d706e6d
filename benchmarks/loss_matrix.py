"""
What is lost: scenarios by libraries, each cell `raised/lost`.

    python benchmarks/loss_matrix.py [--only SCENARIO ...] [--library LIBRARY ...] [--apis] [--jobs 2]

Every exception of a scenario is marked. It is lost where it can be reached neither from what the caller got (the
exception with its members, causes, contexts, attributes and, for ours, `unlost.attached`, `attempts` and `partial`;
the value that was returned; what the program was handed on the way), nor from any log record, warning or hook of the
interpreter, nor is named on standard output or standard error, up to the end of the process. `late` is what was
reported only after the entry point had returned: on collection, or while the interpreter exited. Each cell is a
process of its own. `-` is a job that the library has no word for. Real time, so that every library's own clock holds.

`--apis` prints, in place of the numbers, what of each library was used.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Final, TypeAlias

from _loss_cells import Cells
from _loss_run import BrokenCell, Count, cells_of, measure, run_cell
from _loss_scenarios import SCENARIOS

LIBRARIES: Final = (
    "asyncio",
    "asyncio_patched",
    "anyio",
    "trio",
    "aiotools",
    "aiometer",
    "tenacity",
    "stamina",
    "nopanic",
    "resilix",
    "pyresilience",
    "unlost",
)
NO_WORD: Final = "-"
_HEADS: Final = {"asyncio": "asyncio", "asyncio_patched": "asyncio, `install(patch=True)`"}

Counts: TypeAlias = dict[tuple[str, str], Count | BrokenCell]


def main() -> int:
    if sys.argv[1:2] == ["--cell"]:
        run_cell(*sys.argv[2:5])
        return 0
    options = _options()
    installed, missing = _installed(options.library)
    scenarios = [name for name in options.only if SCENARIOS[name].runs_here()]
    if options.apis:
        _print_apis(scenarios, installed)
        return 0
    counts = _measure_all(scenarios, installed, options.jobs)
    _print_counts(scenarios, installed, counts)
    for name in missing:
        print(f"\n{name} is not installed: pip install -e '.[bench]'")
    broken = [count for count in counts.values() if isinstance(count, BrokenCell)]
    for cell in broken:
        print(f"\nbroken: {cell}")
    return 1 if broken else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0].strip())
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, default=list(SCENARIOS), metavar="SCENARIO")
    parser.add_argument("--library", nargs="+", choices=LIBRARIES, default=list(LIBRARIES), metavar="LIBRARY")
    parser.add_argument("--apis", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    return parser.parse_args()


def _installed(names: list[str]) -> tuple[dict[str, Cells], list[str]]:
    installed: dict[str, Cells] = {}
    missing = []
    for name in names:
        try:
            installed[name] = cells_of(name)
        except ImportError:  # named in the output
            missing.append(name)
    return installed, missing


def _measure_all(scenarios: list[str], installed: dict[str, Cells], jobs: int) -> Counts:
    wanted = [(name, row) for row in scenarios for name, cells in installed.items() if row in cells.by_scenario]
    with ThreadPoolExecutor(jobs) as executor:
        return dict(zip(wanted, executor.map(lambda cell: _measured(*cell), wanted), strict=True))


def _measured(library: str, scenario: str) -> Count | BrokenCell:
    try:
        return measure(library, scenario)
    except BrokenCell as broken:
        return broken


def _print_counts(scenarios: list[str], installed: dict[str, Cells], counts: Counts) -> None:
    print(f"CPython {platform.python_version()}\n")
    _print_table(scenarios, installed, lambda name, row: str(_shown(counts.get((name, row)))))
    totals = [_total(name, scenarios, counts) for name in installed]
    print(f"| **exceptions raised/lost** | {' | '.join(totals)} |")
    ran = [str(sum((name, row) in counts for row in scenarios)) for name in installed]
    print(f"| scenarios it has a word for, of {len(scenarios)} | {' | '.join(ran)} |")


def _shown(count: Count | BrokenCell | None) -> str:
    if isinstance(count, Count):
        return f"**{count}**" if count.lost else str(count)
    return NO_WORD if count is None else "broken"


def _total(library: str, scenarios: list[str], counts: Counts) -> str:
    of_library = [counts.get((library, row)) for row in scenarios if SCENARIOS[row].is_counted]
    measured = [count for count in of_library if isinstance(count, Count)]
    return f"**{sum(count.raised for count in measured)}/{sum(len(count.lost) for count in measured)}**"


def _print_apis(scenarios: list[str], installed: dict[str, Cells]) -> None:
    def api(name: str, row: str) -> str:
        cell = installed[name].by_scenario.get(row)
        return NO_WORD if cell is None else cell.api

    _print_table(scenarios, installed, api)


def _print_table(scenarios: list[str], installed: dict[str, Cells], cell: Callable[[str, str], str]) -> None:
    heads = [_HEADS.get(name) or f"{name} {version(name)}" for name in installed]
    print(f"| | {' | '.join(heads)} |")
    print(f"| --- {'| --- ' * len(heads)}|")
    for row in scenarios:
        print(f"| {SCENARIOS[row].text} | {' | '.join(cell(name, row) for name in installed)} |")


if __name__ == "__main__":
    sys.exit(main())

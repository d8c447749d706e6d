"""One cell in a process of its own, and what came of it."""

from __future__ import annotations

import gc
import importlib
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from _loss_cells import Cell, Cells, got
from _loss_hooks import listen_everywhere
from _loss_record import TOKEN, open_record, write

_SCRIPT: Final = Path(__file__).with_name("loss_matrix.py")
_ENDED: Final = "-- the program has ended --"
_LONGEST: Final = 60.0


class BrokenCell(Exception):
    """The cell did not do what its scenario says: it raised nothing marked, did not end, or could not run."""


@dataclass(frozen=True, slots=True)
class Count:
    """
    What came of one cell.

    Attributes:
        raised: How many exceptions the program raised.
        lost: The tokens of those that reached nobody.
        late: The tokens of those that were reported after the entry point had returned: on collection, or at exit.
    """

    raised: int
    lost: tuple[str, ...]
    late: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.raised}/{len(self.lost)}" + (f" ({len(self.late)} late)" if self.late else "")


def measure(library: str, scenario: str) -> Count:
    """Run one cell in a new process and count."""
    with tempfile.TemporaryDirectory(prefix="loss-") as folder:
        record = os.path.join(folder, "record")
        try:
            process = subprocess.run(
                [sys.executable, str(_SCRIPT), "--cell", library, scenario, record],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_LONGEST,
                check=False,
            )
        except subprocess.TimeoutExpired as expired:
            raise BrokenCell(f"{library}, {scenario}: it did not end within {_LONGEST:g} s") from expired
        lines = [line.split(" ", 1) for line in Path(record).read_text().splitlines()] if os.path.exists(record) else []
    said = f"{library}, {scenario}, exit status {process.returncode}:\n{process.stdout}\n{process.stderr}"
    broken = [token for word, token in lines if word == "broken"]
    if broken or ["ended", ""] not in lines:
        raise BrokenCell(f"{''.join(broken) or 'it ended half-way'}\n{said}")
    counted = _count(lines, process.stderr, process.stdout)
    if not counted.raised:
        raise BrokenCell(f"it raised nothing\n{said}")
    return counted


def _count(lines: list[list[str]], *streams: str) -> Count:
    raised = [token for word, token in lines if word == "raised"]
    delivered = {token for word, token in lines if word == "delivered"}
    end = lines.index(["ended", ""])
    in_time = {token for word, token in lines[:end] if word == "reported"}
    late = {token for word, token in lines[end:] if word == "reported"}
    for stream in streams:
        before, _, after = stream.partition(_ENDED)
        in_time.update(TOKEN.findall(before))
        late.update(TOKEN.findall(after))
    in_time |= delivered
    return Count(
        len(raised),
        tuple(token for token in raised if token not in in_time | late),
        tuple(token for token in raised if token in late - in_time),
    )


def run_cell(library: str, scenario: str, record: str) -> None:
    """Be the process of one cell."""
    open_record(record)
    listen_everywhere()
    cell = cells_of(library).by_scenario[scenario]
    _run(cell)
    write("ended")
    for stream in (sys.stdout, sys.stderr):
        print(_ENDED, file=stream, flush=True)
    gc.collect()


def _run(cell: Cell) -> None:
    try:
        returned = cell.run(cell.main)
    except (AttributeError, ImportError, TypeError, NameError) as error:  # a mistake of the cell itself
        write("broken", f"{type(error).__name__}: {error}".replace("\n", " "))
        raise
    except BaseException as error:  # what the caller gets, whatever it is
        print(f"what came out: {error!r}")
        got(error)
    else:
        got(returned)


def cells_of(library: str) -> Cells:
    """
    Return the cells of a library.

    Raises:
        ImportError: The library is not installed.
    """
    cells = importlib.import_module(f"_loss_{library}").CELLS
    if not isinstance(cells, Cells):
        raise TypeError(f"_loss_{library}.CELLS is {cells!r}: expected Cells")
    return cells

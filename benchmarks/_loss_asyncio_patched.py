"""The standard library's asyncio once more, the same programs, under `unlost.install(patch=True)`'s drop-in alone."""

from __future__ import annotations

from dataclasses import replace

from _loss_asyncio import CELLS as STOCK
from _loss_cells import Cells, Main, run_asyncio

from unlost.observe.patch import patch_asyncio


def _run_patched(main: Main) -> object:
    patch_asyncio()
    return run_asyncio(main)


CELLS = Cells(_run_patched, {name: replace(cell, run=_run_patched) for name, cell in STOCK.by_scenario.items()})

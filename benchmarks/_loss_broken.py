"""A program that raises nothing: what the matrix has to refuse as a proof."""

from __future__ import annotations

from _loss_cells import Cells

CELLS = Cells()


@CELLS.cell("same_tick", "nothing at all")
async def same_tick() -> None:
    pass

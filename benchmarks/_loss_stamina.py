"""stamina: retry with safe defaults; it logs each retry without being asked."""

from __future__ import annotations

import asyncio

import stamina
from _loss_attempts import Attempts, cancelled_while_it_waits, two_in_a_group
from _loss_cells import Cells
from _loss_record import Boom

CELLS = Cells()
THREE = stamina.retry(on=Boom, attempts=3, wait_initial=0.001, wait_max=0.002, wait_jitter=0.0)
TWO = stamina.retry(on=Boom, attempts=2, wait_initial=0.001, wait_max=0.002, wait_jitter=0.0)
SLOW = stamina.retry(on=Boom, attempts=3, wait_initial=30, wait_max=30, wait_jitter=0.0, timeout=None)


@CELLS.cell("retry_fails", "retry")
async def retry_fails() -> object:
    return await THREE(Attempts(3).call)()


@CELLS.cell("retry_fails_listening", "retry")
async def retry_fails_listening() -> object:
    return await THREE(Attempts(3).call)()


@CELLS.cell("retry_survives", "retry")
async def retry_survives() -> object:
    return await THREE(Attempts(2).call)()


@CELLS.cell("retry_in_group", "retry, asyncio.TaskGroup")
async def retry_in_group() -> None:
    await two_in_a_group(TWO)


@CELLS.cell("retry_cancelled", "retry")
async def retry_cancelled() -> None:
    await cancelled_while_it_waits(SLOW(Attempts(3).call))


@CELLS.cell("total_runs_out", "retry, asyncio.timeout")
async def total_runs_out() -> object:
    growing = stamina.retry(
        on=Boom, attempts=3, wait_initial=0.01, wait_max=30, wait_exp_base=3000, wait_jitter=0.0, timeout=None
    )
    async with asyncio.timeout(0.1):
        return await growing(Attempts(3).call)()

"""tenacity: retry."""

from __future__ import annotations

import asyncio
import logging

from _loss_attempts import Attempts, cancelled_while_it_waits, two_in_a_group
from _loss_cells import Cells, Operations
from _loss_record import raise_
from tenacity import RetryCallState, before_sleep_log, retry, stop_after_attempt, wait_chain, wait_fixed

CELLS = Cells()
do = Operations(asyncio.sleep)
SHORT = wait_fixed(0.001)
LOGGED = before_sleep_log(logging.getLogger("program"), logging.WARNING)


@CELLS.cell("retry_fails", "retry")
async def retry_fails() -> object:
    return await retry(stop=stop_after_attempt(3), wait=SHORT)(Attempts(3).call)()


@CELLS.cell("retry_fails_listening", "retry(before_sleep=before_sleep_log)")
async def retry_fails_listening() -> object:
    return await retry(stop=stop_after_attempt(3), wait=SHORT, before_sleep=LOGGED)(Attempts(3).call)()


@CELLS.cell("retry_survives", "retry(before_sleep=before_sleep_log)")
async def retry_survives() -> object:
    return await retry(stop=stop_after_attempt(3), wait=SHORT, before_sleep=LOGGED)(Attempts(2).call)()


@CELLS.cell("retry_in_group", "retry, asyncio.TaskGroup")
async def retry_in_group() -> None:
    await two_in_a_group(retry(stop=stop_after_attempt(2), wait=SHORT))


@CELLS.cell("retry_cancelled", "retry")
async def retry_cancelled() -> None:
    await cancelled_while_it_waits(retry(stop=stop_after_attempt(3), wait=wait_fixed(30))(Attempts(3).call))


@CELLS.cell("total_runs_out", "retry, asyncio.timeout")
async def total_runs_out() -> object:
    async with asyncio.timeout(0.1):
        return await retry(stop=stop_after_attempt(3), wait=wait_chain(SHORT, wait_fixed(30)))(Attempts(3).call)()


@CELLS.cell("fallback_survives", "retry(retry_error_callback=, before_sleep=before_sleep_log)")
async def fallback_survives() -> object:
    async def fallback(_state: RetryCallState) -> object:
        return "value"

    only_once = retry(stop=stop_after_attempt(1), before_sleep=LOGGED, retry_error_callback=fallback)
    return await only_once(do.fail)("operation")


@CELLS.cell("fallback_fails", "retry(retry_error_callback=), twice")
async def fallback_fails() -> object:
    async def next_fallback(_state: RetryCallState) -> None:
        raise_("next fallback")

    async def fallback(_state: RetryCallState) -> object:
        return await retry(stop=stop_after_attempt(1), retry_error_callback=next_fallback)(do.fail)("fallback")

    return await retry(stop=stop_after_attempt(1), retry_error_callback=fallback)(do.fail)("operation")

"""A run in a real Jupyter kernel: its running loop, functions that stand in cells, the interrupt button."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager

pytestmark = pytest.mark.stock

SETUP = """
import asyncio
from unlost import Failure, Value
from unlost.batch import Run

async def work(item):
    if item == 3:
        raise ValueError("three")
    return 2 * item
"""

RUN = """
async with Run(work, range(10), concurrency=2) as run:
    outcomes = [outcome async for outcome in run]
print(run)
print(sorted(outcome.value for outcome in outcomes if isinstance(outcome, Value)))
print([str(outcome.error) for outcome in outcomes if isinstance(outcome, Failure)])
"""

SLOW = """
async def work(item):
    print("start", item, flush=True)
    await asyncio.sleep(0.01 if item < 3 else 1000)
    return item

async with Run(work, range(10), concurrency=2) as run:
    pass
"""


class Kernel:
    """A kernel of a notebook."""

    def __init__(self, client: AsyncKernelClient, manager: AsyncKernelManager) -> None:
        self._client = client
        self._manager = manager

    async def __call__(self, cell: str, *, interrupt_at: str | None = None) -> tuple[str, str]:
        """
        Execute a cell.

        Args:
            interrupt_at: Press the button once this was printed.

        Returns:
            What it printed, and the error that it ended with: ``UsageError: ...``; empty if there was none.
        """
        request = self._client.execute(cell)
        printed, error = "", ""
        while True:
            message: dict[str, Any] = await self._client.get_iopub_msg(timeout=60)
            if message["parent_header"].get("msg_id") != request:
                continue
            content = message["content"]
            match message["msg_type"]:
                case "stream":
                    printed += content["text"]
                    if interrupt_at is not None and interrupt_at in printed:
                        interrupt_at = None
                        await self._manager.interrupt_kernel()
                case "error":
                    error = f"{content['ename']}: {content['evalue']}"
                case "execute_result":
                    printed += content["data"]["text/plain"]
                case "status" if content["execution_state"] == "idle":
                    return printed, error


@pytest.fixture
async def kernel(tmp_path: Path) -> AsyncIterator[Kernel]:
    manager = AsyncKernelManager(kernel_name="python3")
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path / "ipython"), "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    await manager.start_kernel(cwd=str(tmp_path), env=environment)
    client = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=60)
        yield Kernel(client, manager)
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)


async def test_a_notebook(kernel: Kernel) -> None:
    assert await kernel(SETUP) == ("", "")

    first = await kernel(RUN)
    same = await kernel(SETUP + RUN)
    printed, refused = await kernel(SETUP.replace("2 * item", "3 * item") + RUN)
    accepted = await kernel(RUN.replace("concurrency=2", "accept_code=True"))
    another = await kernel(RUN.replace("concurrency=2", "new=True"))

    values = [0, 2, 4, 8, 10, 12, 14, 16, 18]
    assert first == (f"<Run work-1, complete: 9 ok · 1 failed of 10>\n{values}\n['three']\n", "")
    assert same == ("<Run work-1, complete: 9 ok · 1 failed of 10>\n[]\n[]\n", "")
    assert printed == ""
    assert refused == (
        "UsageError: the code of __main__:work is not what run work-1 ran last (the text of that function has changed)."
        "\nContinue with the new code: accept_code=True. Or start another run: new=True"
    )
    assert accepted == same
    assert another == (
        f"<Run work-2, complete: 9 ok · 1 failed of 10>\n{[3 * value // 2 for value in values]}\n['three']\n",
        "",
    )


async def test_interrupting_the_kernel_keeps_the_outcomes_and_the_same_cell_continues(kernel: Kernel) -> None:
    await kernel(SETUP)

    _, interrupted = await kernel(SLOW, interrupt_at="start 4")
    kept, _ = await kernel("run, run.books.in_doubt, run.books.pending, run.books.balance")
    later, error = await kernel(
        SLOW.replace("concurrency=2", "accept_code=True, in_doubt='retry'").replace("1000", "0.01")
        + "print(run, run.books.balance)"
    )

    assert interrupted.partition(":")[0] in ("KeyboardInterrupt", "CancelledError")
    assert kept == "(<Run work-1, cancelled: 3 ok · 0 failed of 10>, 2, 5, True)"
    assert error == ""
    assert sorted(later.splitlines()[:-1]) == [f"start {item}" for item in range(3, 10)]
    assert later.splitlines()[-1] == "<Run work-1, complete: 10 ok · 0 failed of 10> True"


async def test_a_run_goes_on_between_the_cells_and_can_be_looked_at(kernel: Kernel) -> None:
    await kernel(SETUP)
    await kernel("async def work(item):\n    await asyncio.sleep(0.05)\n    return item")

    started = await kernel("run = Run(work, range(8), concurrency=2)\nawait run.__aenter__()\nprint(run.is_open)")
    while "complete" not in (await kernel("run"))[0]:  # another process: no event to wait for  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    ended = await kernel("await run.__aexit__(None, None, None)\nprint(run)")

    assert started == ("True\n", "")
    assert ended == ("<Run work-1, complete: 8 ok · 0 failed of 8>\n", "")


async def test_a_cell_that_was_left_alone_does_not_block_the_kernel(kernel: Kernel) -> None:
    await kernel(SETUP)

    await kernel(SLOW, interrupt_at="start 4")
    alive = await kernel("print(6 * 7)")

    assert alive == ("42\n", "")

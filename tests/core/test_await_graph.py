"""Where asyncio keeps an await graph (3.14), groups and gather tell it who waits for whom."""

import subprocess
import sys

PROGRAM = """
import asyncio

graph, largest = set(), []

def add(future, waiter):
    graph.add((future.get_name(), waiter.get_name()))
    largest[:] = max(largest, sorted(graph), key=len)

asyncio.future_add_to_awaited_by = add
asyncio.future_discard_from_awaited_by = lambda future, waiter: graph.discard((future.get_name(), waiter.get_name()))

import unlost

async def child():
    await asyncio.sleep(0)

async def main():
    asyncio.current_task().set_name("main")
    async with unlost.TaskGroup() as group:
        group.start_soon(child, name="started")
        group.create_task(child(), name="created")
    print(largest, graph)
    largest.clear()
    given = asyncio.create_task(child(), name="given")
    await unlost.gather(given, given)
    print(largest, graph)

asyncio.run(main())
"""


def test_who_waits_for_whom_is_told_while_it_waits() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == [
        "[('created', 'main'), ('started', 'main')] set()",
        "[('given', 'main')] set()",
    ]

"""Who waits for what."""

from __future__ import annotations

import re
import sys
from itertools import pairwise

import pytest

from .conftest import Run

_PROGRAM = """
class App:
    def __init__(self): self.jobs, self.full = asyncio.Queue(), asyncio.Queue(1)
    async def feed(self):
        await self.jobs.put(1)
        raise ValueError("no more rows")
    async def work(self):
        while True: await self.jobs.get()
    async def fill(self):
        while True: await self.full.put(1)
async def until(event): await event.wait()
async def take(lock):
    async with lock: await asyncio.sleep(100)
async def consume(consumer):
    async with consumer:
        async for _ in consumer: pass
async def grouped(event):
    async with asyncio.TaskGroup() as group: group.create_task(until(event), name="member")
async def gathered(*tasks): await asyncio.gather(*tasks)
async def outer(task): await task
async def stream():
    async def serve(reader, writer):
        try: await reader.read()
        finally: writer.close()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    try: await reader.readline()
    finally:
        writer.close()
        server.close()
async def main():
    import unlost
    over = threading.Event()
    app, event, lock, channel = App(), asyncio.Event(), asyncio.Lock(), unlost.Channel(3, name="rows")
    producer = channel.producer()
    named = dict(work=app.work(), fill=app.fill(), until=until(event), holds=take(lock), locked=take(lock),
                 channel=consume(channel.consumer()), group=grouped(event), stream=stream(),
                 thread=asyncio.to_thread(over.wait, 60))
    tasks = [asyncio.create_task(coroutine, name=name) for name, coroutine in named.items()]
    tasks.append(asyncio.create_task(outer(tasks[0]), name="outer"))
    tasks.append(asyncio.create_task(gathered(tasks[1], tasks[2]), name="gather"))
    asyncio.create_task(app.feed(), name="feed")
    await asyncio.sleep(0.5)
    gc.collect()
    report = hang_report(asyncio.get_running_loop(), around.ends)
    over.set()
    for task in tasks: task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    producer.close()
    return report
report = run(main())
tell(report=report)
"""

WAITS = {
    "work": "an item from queue self.jobs; the only task that fed it, 'feed', died of ValueError: no more rows",
    "fill": "a place in queue self.full, which is full (1 of 1)",
    "until": "set() of event event",
    "holds": "the end of sleep(100), in 9",
    "locked": "release() of lock lock",
    "channel": "an item from channel 'rows'; of 1 producers 1 are open and 0 have failed",
    "group": "its task group: task 'member'",
    "member": "set() of event event",
    "stream": "data from ('127.0.0.1',",
    "thread": "a call in a thread or process",
    "outer": "task 'work'",
    "gather": "gather: task 'fill', task 'until'",
}


def test_each_pending_task_tells_for_what_it_waits(run: Run, kind: str) -> None:
    told = run(_PROGRAM, kind)

    lines = told.more["report"].splitlines()
    pairs = pairwise(lines)
    found = {line.split("'")[1]: after.strip() for line, after in pairs if line.startswith("  task '")}
    assert {name: found[name].startswith(f"waits for {what}") for name, what in WAITS.items()} == dict.fromkeys(
        WAITS, True
    ), told.more["report"]


def test_it_tells_where_a_task_stands_and_where_it_was_started(run: Run) -> None:
    told = run(_PROGRAM)

    report = told.more["report"]
    at = report.index("task 'work' (App.work()), at ")
    assert "in App.work\n" in report[at : at + 300]
    assert ", by a task started at " in report[at : at + 900]


def test_a_report_keeps_nothing_alive(run: Run) -> None:
    told = run(
        """
import weakref
class Thing: pass
async def hold():
    thing = Thing()
    held.append(weakref.ref(thing))
    queue = asyncio.Queue()
    try: await asyncio.wait_for(queue.get(), 0.05)
    except TimeoutError: pass
    del thing
    await asyncio.sleep(0.05)
    return held[0]() is None
held = []
async def main():
    task = asyncio.create_task(hold())
    await asyncio.sleep(0.01)
    hang_report()
    return await task
tell(gone=asyncio.run(main()))
"""
    )

    assert told.more["gone"] is True


def test_what_never_ran_and_what_was_eager_and_is_over_does_no_harm(run: Run, kind: str) -> None:
    told = run(
        """
async def nothing(): ...
async def main():
    first, second = asyncio.create_task(nothing(), name="fresh"), asyncio.create_task(asyncio.sleep(0))
    report = hang_report()
    await first
    await second
    return report
tell(report=run(main()))
""",
        kind,
    )

    assert ("task 'fresh'" in told.more["report"]) is (kind != "eager")


def test_a_program_that_stands_still_is_told_once(run: Run) -> None:
    told = run(
        """
said = []
async def main():
    stalled = Stalled(said.append, 0.3, around.ends, print)
    queue = asyncio.Queue()
    task = asyncio.create_task(queue.get(), name="waits")
    for _ in range(8): await asyncio.sleep(0.1)
    moving = len(said)
    waiter = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(1.5, waiter.set_result, None)
    await waiter
    stalled.stop()
    task.cancel()
    return moving
moving = asyncio.run(main())
tell(moving=moving, said=said)
"""
    )

    assert told.more["moving"] == 0
    assert len(told.more["said"]) == 1
    assert re.match(r"no task has made a step for 0\.\d s\n2 pending tasks", told.more["said"][0])


def test_a_call_that_blocks_the_loop_is_shown(run: Run) -> None:
    told = run(
        """
async def blocks(): time.sleep(0.6)
found = []
async def main():
    thread = threading.Timer(0.2, lambda: found.append(hang_report()))
    thread.start()
    await blocks()
    thread.join()
asyncio.run(main())
tell(report=found[0])
"""
    )

    assert "runs now" in told.more["report"]
    assert "the thread of a loop does not come back from:" in told.more["report"]
    assert "time.sleep(0.6)" in told.more["report"]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals of this sort")
def test_it_comes_on_a_signal(run: Run) -> None:
    told = run(
        """
import signal
from unlost._core.hooks import on_request
undo = on_request(signal.SIGUSR1, lambda: print(hang_report(), flush=True))
async def main():
    asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGUSR1)
    await asyncio.sleep(0.2)
run(main())
undo()
tell(back=signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL)
"""
    )

    assert "1 pending task, and what each waits for:" in told.out
    assert told.more["back"] is True

"""Every loop: where its tasks were started, and what it says of errors."""

from __future__ import annotations

import sys

import pytest

from .conftest import Run


def test_an_error_that_was_never_retrieved_is_lost_and_tells_where_its_task_was_started(run: Run, kind: str) -> None:
    told = run(
        """
async def main():
    task = asyncio.create_task(fail())
    await asyncio.sleep(0.01)
    del task
    gc.collect()
run(main())
tell()
""",
        kind,
    )

    assert told.err == ""
    assert told.verdicts == [("lost", "it failed")]
    assert told.findings[0]["spawned"][0] == "main"
    assert told.faults == {}


def test_the_ancestors_of_a_task_are_told(run: Run, kind: str) -> None:
    told = run(
        """
async def parent():
    asyncio.create_task(fail())
    await asyncio.sleep(0.01)
async def main():
    await asyncio.create_task(parent())
    gc.collect()
run(main())
tell()
""",
        kind,
    )

    assert told.findings[0]["spawned"][:2] == ["parent", "main"]


def test_a_task_that_starts_the_next_one_for_ever_keeps_few_ancestors(run: Run) -> None:
    told = run(
        """
from unlost._core.hooks import spawned_of
def length(chain):
    return 0 if chain is None else 1 + length(chain[2])
longest = 0
async def again(left):
    global longest
    longest = max(longest, length(asyncio.current_task()._unlost_chain))
    if left:
        asyncio.create_task(again(left - 1))
async def main():
    asyncio.create_task(again(500))
    while len(asyncio.all_tasks()) > 1:
        await asyncio.sleep(0)
run(main())
tell(longest=longest)
"""
    )

    assert 8 < told.more["longest"] <= 66


def test_a_task_that_is_older_than_the_watching_is_looked_for_on_the_stack_once(run: Run) -> None:
    told = run(
        """
from unlost._core.hooks import _spawning
looks = []
look = _spawning._while_it_is_made
_spawning._while_it_is_made = lambda task: (looks.append(1), look(task))[1]
async def main():
    await Older(begin(), loop=asyncio.get_running_loop())
class Older(asyncio.Task):
    pass
async def begin():
    for _ in range(3):
        await asyncio.create_task(asyncio.sleep(0))
run(main())
gc.collect()
tell(looks=len(looks), left=len(_spawning._elsewhere))
"""
    )

    assert told.more == {"looks": 1, "left": 0}


def test_a_log_line_of_asyncio_about_a_lost_error_is_no_report_but_one_of_the_users_handler_is(run: Run) -> None:
    told = run(
        """
async def main():
    task = asyncio.create_task(fail("asyncio said so"))
    await asyncio.sleep(0.01)
    del task
    gc.collect()
    handler = lambda loop, context: logging.getLogger("mine").critical("!", exc_info=context["exception"])
    logging.getLogger("mine").propagate = False
    logging.getLogger("mine").addHandler(logging.NullHandler())
    asyncio.get_running_loop().set_exception_handler(handler)
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)
    await asyncio.sleep(0.01)
run(main())
tell(reports=dict(watch.collector.reports))
"""
    )

    assert told.verdicts == [("lost", "asyncio said so")]
    assert told.more["reports"] == {"the event loop's exception handler": 1, "log record of 'mine'": 1}
    assert told.counts["reported"] == 1


def test_the_users_exception_handler_and_task_factory_stay_what_they_are(run: Run, kind: str) -> None:
    told = run(
        """
heard, made = [], []
def handler(loop, context): heard.append(context["message"])
def factory(loop, coro, **others):
    made.append(sorted(others))
    others = {key: value for key, value in others.items() if value is not None}
    return asyncio.Task(coro, loop=loop, **others)
async def main():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(handler)
    loop.set_task_factory(factory)
    same = loop.get_exception_handler() is handler and loop.get_task_factory() is factory
    task = asyncio.create_task(fail(), name="mine")
    exact = type(task) is asyncio.Task, task.get_name()
    await asyncio.sleep(0.01)
    del task
    gc.collect()
    return same, exact
same, exact = run(main())
tell(same=same, exact=exact, heard=heard, made=len(made))
""",
        kind,
    )

    assert told.more["same"] is True
    assert told.more["exact"] == [True, "mine"]
    assert told.more["heard"] == ["Task exception was never retrieved"]
    assert told.more["made"] >= 1
    assert told.findings[0]["spawned"][0] == "main"


def test_a_task_that_is_destroyed_while_pending_tells_where_it_was_started(run: Run) -> None:
    told = run(
        """
async def forever():
    await asyncio.get_running_loop().create_future()
async def main():
    asyncio.create_task(forever(), name="dropped")
    await asyncio.sleep(0)
    gc.collect()
run(main())
tell()
"""
    )

    assert told.kinds == ["destroyed while pending"]
    assert told.notices[0]["text"].startswith("task 'dropped' (forever()) was destroyed while it was pending")
    assert told.notices[0]["function"] == "main"


def test_names_types_and_representations_of_tasks_are_those_of_asyncio(run: Run, kind: str) -> None:
    told = run(
        """
async def nothing(): await asyncio.sleep(0)
async def main():
    plain, named = asyncio.create_task(nothing()), asyncio.create_task(nothing(), name="named")
    said = [isinstance(plain, asyncio.Task), type(plain).__name__, repr(plain)[:14], named.get_name(), plain.get_name()]
    await plain
    await named
    return said
tell(said=run(main()))
""",
        kind,
    )

    is_task, type_name, text, name, default = told.more["said"]
    assert (is_task, type_name, text, name) == (True, "Task", "<Task pending ", "named")
    # 3.13.0 itself names tasks so that a factory makes
    assert default.startswith("Task-") or (kind == "eager" and sys.version_info[:3] == (3, 13, 0))


def test_stop_puts_the_methods_of_the_loops_back(run: Run) -> None:
    told = run(
        """
around.stop()
after = [vars(asyncio.BaseEventLoop)[name] is method for name, method in before.items()]
after += [name in vars(uvloop.Loop) for name in before]
after += [asyncio.events._set_running_loop is setter, asyncio.Queue.put_nowait is put, "__get__" in dir(put)]
tell(after=after)
""",
        kind="uvloop",
        start="""
before = {name: vars(asyncio.BaseEventLoop)[name] for name in ("create_task", "call_exception_handler")}
setter, put = asyncio.events._set_running_loop, asyncio.Queue.put_nowait
watch = start()
around = watch_tasks(watch)
""",
    )

    assert told.more["after"] == [True, True, False, False, True, True, True]


def test_what_another_has_wrapped_meanwhile_stays_and_does_nothing_but_call_on(run: Run) -> None:
    told = run(
        """
ours = asyncio.BaseEventLoop.create_task
calls = []
def theirs(self, *args, **kwargs):
    calls.append(1)
    return ours(self, *args, **kwargs)
asyncio.BaseEventLoop.create_task = theirs
around.stop()
async def main():
    await asyncio.create_task(asyncio.sleep(0))
    return type(asyncio.current_task()) is asyncio.Task
tell(plain=asyncio.run(main()), stays=asyncio.BaseEventLoop.create_task is theirs, calls=len(calls))
"""
    )

    assert told.more["plain"] is True
    assert told.more["stays"] is True
    assert told.more["calls"] >= 2


def test_a_class_that_is_derived_from_one_that_was_told_is_not_told_again(run: Run) -> None:
    told = run(
        """
import uvloop
class Derived(uvloop.Loop): pass
with asyncio.Runner(loop_factory=Derived) as runner:
    runner.run(asyncio.sleep(0))
tell(told=["create_task" in vars(cls) for cls in (uvloop.Loop, Derived)])
"""
    )

    assert told.more["told"] == [True, False]


def test_a_loop_of_a_class_that_came_later_is_met(run: Run) -> None:
    told = run(
        """
class Later(asyncio.SelectorEventLoop):
    def create_task(self, coro, **kwargs):
        return asyncio.Task(coro, loop=self, **kwargs)
async def main():
    task = asyncio.create_task(fail())
    await asyncio.sleep(0.01)
    del task
    gc.collect()
asyncio.Runner(loop_factory=Later).run(main())
tell()
"""
    )

    assert told.findings[0]["spawned"][0] == "main"


@pytest.mark.parametrize("count", [100_000])
@pytest.mark.slow
def test_memory_stays_flat_over_many_failing_tasks(run: Run, mode: str, count: int) -> None:
    told = run(
        f"""
def now():
    gc.collect()
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
async def storm(count):
    for _ in range(count // 100):
        tasks = [asyncio.create_task(fail()) for _ in range(100)]
        await asyncio.gather(*tasks, return_exceptions=True)
async def main():
    await storm({count} // 5)
    before = now()
    await storm({count})
    return now() - before
tell(kilobytes=run(main()))
""",
        mode=mode,
    )

    assert told.faults == {}
    assert told.more["kilobytes"] < 4_000


def test_a_loop_of_a_kind_that_takes_no_attributes_runs_and_that_is_counted(run: Run) -> None:
    told = run(
        """
class Shut(type):
    def __setattr__(cls, name, value):
        raise RuntimeError("closed")
class Strange(asyncio.SelectorEventLoop, metaclass=Shut):
    def create_task(self, *args, **kwargs):
        return super().create_task(*args, **kwargs)
loop = Strange()
print(loop.run_until_complete(asyncio.sleep(0, "ran")))
loop.close()
tell()
"""
    )

    assert told.out.startswith("ran\n")
    assert [fault.partition(" ")[0] for fault in told.faults] == ["RuntimeError"]


def test_a_queue_takes_what_is_put_by_a_task_of_a_strange_kind(run: Run) -> None:
    told = run(
        """
class Strange:
    def get_name(self):
        raise KeyError("no name")
loop = asyncio.new_event_loop()
queue = asyncio.Queue()
def put():
    asyncio.tasks._enter_task(loop, stranger)
    try:
        queue.put_nowait(1)
    finally:
        asyncio.tasks._leave_task(loop, stranger)
stranger = Strange()
loop.call_soon(put)
loop.call_later(0.01, loop.stop)
loop.run_forever()
print(queue.qsize())
loop.close()
tell()
"""
    )

    assert told.out.startswith("1\n")
    assert [fault.partition(" ")[0] for fault in told.faults] == ["KeyError"]

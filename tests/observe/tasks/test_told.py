"""What hooks hear: uncaught errors, log records, dropped futures and coroutines, the end by a signal."""

from __future__ import annotations

import signal
import sys

import pytest

from .conftest import Run


def test_an_error_in_a_log_record_is_reported_wherever_the_record_has_it(run: Run, mode: str) -> None:
    told = run(
        """
log = logging.getLogger("mine")
log.propagate = False
log.addHandler(logging.NullHandler())
async def main():
    for say in (
        lambda error: log.error("failed", exc_info=error),
        lambda error: log.warning("failed: %r in %s", error, "here"),
        lambda error: log.warning("failed: %(error)r", {"error": error}),
        log.error,
    ):
        task = asyncio.create_task(fail())
        await asyncio.wait([task])
        say(task.exception())
        del task
run(main())
tell()
""",
        mode=mode,
    )

    assert told.findings == []
    assert told.counts == {"reported": 4}


def test_a_record_that_is_not_made_reports_nothing(run: Run) -> None:
    told = run(
        """
async def main():
    task = asyncio.create_task(fail())
    await asyncio.sleep(0.01)
    logging.getLogger("mine").debug("failed: %r", task._exception)
    del task
run(main())
tell()
"""
    )

    assert told.verdicts == [("lost", "it failed")]


def test_the_hooks_that_were_there_are_called_and_what_they_get_is_reported(run: Run) -> None:
    told = run(
        """
class Dying:
    def __del__(self): raise Boom("unraisable")
def work(): raise Boom("in a thread")
thread = threading.Thread(target=work)
thread.start()
thread.join()
Dying()
try: raise Boom("uncaught")
except Boom as error: sys.excepthook(type(error), error, error.__traceback__)
around.stop()
back = [sys.excepthook is mine[0], threading.excepthook is mine[1], sys.unraisablehook is mine[2]]
tell(heard=heard, back=back, reports=dict(watch.collector.reports))
""",
        start="""
heard = []
sys.excepthook = lambda kind, error, traceback: heard.append(str(error))
threading.excepthook = lambda arguments: heard.append(str(arguments.exc_value))
sys.unraisablehook = lambda arguments: heard.append(str(arguments.exc_value))
mine = sys.excepthook, threading.excepthook, sys.unraisablehook
watch = start()
around = watch_tasks(watch)
""",
    )

    assert told.more["heard"] == ["in a thread", "unraisable", "uncaught"]
    assert told.more["back"] == [True, True, True]
    assert told.more["reports"] == {"threading.excepthook": 1, "sys.unraisablehook": 1, "sys.excepthook": 1}


def test_a_coroutine_that_nobody_awaits_tells_where_it_was_dropped(run: Run, kind: str) -> None:
    told = run(
        """
async def save(): ...
async def main():
    save()
    await asyncio.sleep(0)
run(main())
tell()
""",
        kind,
    )

    assert told.kinds == ["never awaited"]
    assert told.notices[0]["function"] == "main"
    assert told.notices[0]["text"] == "save() was never awaited: it did nothing; it was dropped here"


def test_a_coroutine_that_nobody_awaits_tells_where_it_was_made_if_that_is_noted(run: Run) -> None:
    told = run(
        """
async def save(): ...
def make(): return save()
async def main():
    kept = make()
    await asyncio.sleep(0)
    del kept
run(main())
around.stop()
tell(depth=sys.get_coroutine_origin_tracking_depth())
""",
        start="watch = start()\naround = watch_tasks(watch, origins=1)\n",
    )

    assert told.notices[0]["function"] == "make"
    assert told.notices[0]["text"] == "save() was called here and never awaited: it did nothing"
    assert told.more["depth"] == 0


def test_the_warning_about_it_still_comes(run: Run) -> None:
    told = run(
        """
async def save(): ...
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    save()
tell(caught=[str(one.message) for one in caught])
"""
    )

    assert told.more["caught"] == ["coroutine 'save' was never awaited"]


FUTURES = {
    "an executor": """
from concurrent.futures import ThreadPoolExecutor
def work(): raise Boom("dropped")
with ThreadPoolExecutor() as pool:
    future = pool.submit(work)
""",
    "another thread's coroutine": """
async def main():
    loop = asyncio.get_running_loop()
    found = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run_coroutine_threadsafe(fail("dropped"), loop)))
    thread.start()
    await asyncio.sleep(0.05)
    thread.join()
    return found.pop()
future = run(main())
""",
}


@pytest.mark.parametrize("program", FUTURES.values(), ids=FUTURES)
def test_a_future_that_is_dropped_with_an_error_has_lost_it(run: Run, mode: str, program: str) -> None:
    told = run(program + "del future\ngc.collect()\ntell()\n", mode=mode)

    assert told.verdicts == [("lost", "dropped")]
    assert told.findings[0]["by"] == "a concurrent future" or mode == "best"


SUBMITTED = {
    "to an executor": """
from concurrent.futures import ThreadPoolExecutor
def begin(pool): pool.submit(int, "no number")
with ThreadPoolExecutor() as pool: begin(pool)
""",
    "by a loop": """
def begin(loop): loop.run_in_executor(None, int, "no number")
async def main():
    begin(asyncio.get_running_loop())
    await asyncio.sleep(0.05)
run(main())
""",
    "to another thread's loop": """
def begin(loop): asyncio.run_coroutine_threadsafe(fail("dropped"), loop)
async def main():
    thread = threading.Thread(target=begin, args=[asyncio.get_running_loop()])
    thread.start()
    await asyncio.sleep(0.05)
    thread.join()
run(main())
""",
}


@pytest.mark.parametrize("program", SUBMITTED.values(), ids=SUBMITTED)
def test_what_is_lost_in_a_future_tells_where_the_call_was_submitted(run: Run, mode: str, program: str) -> None:
    told = run(f"{program}gc.collect()\ntell()\n", mode=mode)

    assert [one["spawned"] for one in told.findings] == [["begin"]]


def test_what_a_gather_drops_of_several_executor_calls_is_unknown(run: Run, mode: str) -> None:
    told = run(
        """
def late(text): time.sleep(0.02); int(text)
async def main():
    loop = asyncio.get_running_loop()
    try:
        await asyncio.gather(loop.run_in_executor(None, int, "a"), loop.run_in_executor(None, late, "b"))
    except ValueError as error:
        print(error)
    await asyncio.sleep(0.2)
import time
run(main())
gc.collect()
tell()
""",
        mode=mode,
    )

    assert told.findings == []


def test_a_future_that_is_made_by_itself_was_submitted_nowhere(run: Run) -> None:
    told = run(
        "from concurrent.futures import Future\n"
        "future = Future()\nfuture.set_exception(Boom())\ndel future\ngc.collect()\ntell()\n"
    )

    assert [one["spawned"] for one in told.findings] == [[]]


PICKLED = """
import concurrent.futures.thread, pickle
from concurrent.futures import Future, ThreadPoolExecutor
class Kept(Future):
    def __setattr__(self, name, value):
        assert not name.startswith("_unlost"), name
        super().__setattr__(name, value)
    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name != "_condition"}
    def __setstate__(self, state):
        vars(self).update(state)
concurrent.futures.thread._base.Future = Kept
future = ThreadPoolExecutor().submit(int)
answer = future.result()
names = sorted(vars(future))
tell(made=pickle.loads(pickle.dumps(future))._result, answer=answer, names=names)
"""


def test_a_kind_of_futures_with_rules_for_its_attributes_keeps_them(run: Run) -> None:
    told = run(PICKLED)

    assert (told.more["answer"], told.more["made"]) == (0, 0)
    assert "_unlost_spot" in told.more["names"]


@pytest.mark.parametrize("program", FUTURES.values(), ids=FUTURES)
@pytest.mark.parametrize("ask", ["future.exception()", "try: future.result()\nexcept Boom as error: str(error)"])
def test_a_future_that_was_asked_for_its_error_has_not_lost_it(run: Run, mode: str, program: str, ask: str) -> None:
    told = run(program + ask + "\ndel future\ngc.collect()\ntell()\n", mode=mode)

    assert told.findings == []


def test_a_future_may_fail_with_what_is_no_exception(run: Run) -> None:
    told = run(
        "from concurrent.futures import Future\n"
        "future = Future()\nfuture.set_exception(1)\nmade = future.exception()\ntell(made=made)\n"
    )

    assert told.more["made"] == 1
    assert told.faults == {}


def test_the_traceback_of_a_future_is_what_it_was(run: Run) -> None:
    told = run(
        FUTURES["an executor"]
        + """
import traceback
try: future.result()
except Boom as error: names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
tell(names=names)
"""
    )

    assert told.more["names"] == ["<module>", "result", "__get_result", "run", "work"]


def test_a_task_that_died_while_the_program_lives_on_is_noticed_once(run: Run, kind: str) -> None:
    told = run(
        """
async def main():
    kept = asyncio.create_task(fail("the feed broke"), name="feed")
    asked = asyncio.create_task(fail("asked"))
    await asyncio.wait([asked])
    asked.exception()
    await asyncio.sleep(0.8)
    return kept
kept = run(main())
tell(still=kept._log_traceback)
""",
        kind,
    )

    assert told.kinds == ["died unasked"]
    assert told.notices[0]["text"].startswith("task 'feed' (fail()) died 0 s ago of Boom: the feed broke")
    assert told.notices[0]["function"] == "main"
    assert told.more["still"] is True


_ENDED = """
watch = start()
around = watch_tasks(watch, say=lambda name: print(f"said {name}", flush=True))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals of this sort")
@pytest.mark.parametrize("kind", ["asyncio", "uvloop"])
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_it_still_ends_the_process_by_the_signal_and_is_preceded_by_what_there_is_to_say(
    run: Run, name: str, kind: str
) -> None:
    number = signal.Signals[name]
    told = run(
        f"""
async def main():
    asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), {number:d})
    await asyncio.sleep(10)
run(main())
""",
        kind,
        start=_ENDED,
    )

    assert told.code == -number
    assert told.out == f"said {name}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals of this sort")
def test_a_signal_that_is_ignored_when_the_program_begins_stays_ignored(run: Run) -> None:
    told = run(
        "os.kill(os.getpid(), signal.SIGHUP)\ntell(handler=signal.getsignal(signal.SIGHUP))\n",
        start=f"import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\n{_ENDED}",
    )

    assert told.code == 0
    assert told.more["handler"] == signal.SIG_IGN


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_forked_child_ends_by_sigterm_without_a_word(run: Run) -> None:
    told = run(
        """
import signal
child = os.fork()
if not child:
    time.sleep(10)
    os._exit(1)
os.kill(child, signal.SIGTERM)
_, status = os.waitpid(child, 0)
tell(status=os.waitstatus_to_exitcode(status))
""",
        start=_ENDED,
    )

    assert told.more["status"] == -signal.SIGTERM
    assert "said" not in told.out


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals of this sort")
def test_a_handler_of_the_users_for_sigterm_stays_and_stop_gives_the_default_back(run: Run) -> None:
    told = run(
        """
import signal
ours = signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
around.stop()
default = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
mine = lambda number, frame: None
signal.signal(signal.SIGTERM, mine)
around = watch_tasks(watch, say=lambda name: None)
tell(ours=ours, default=default, mine=signal.getsignal(signal.SIGTERM) is mine)
""",
        start=_ENDED,
    )

    assert told.more == {"ours": True, "default": True, "mine": True}


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals of this sort")
def test_unlost_run_still_takes_sigterm_where_only_the_watching_has_it(run: Run) -> None:
    told = run(
        """
import signal, unlost
async def main():
    asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), 15)
    try:
        await asyncio.sleep(10)
    finally:
        print("cleaned up", flush=True)
unlost.run(main)
""",
        start=_ENDED,
    )

    assert "cleaned up" in told.out


def test_the_interpreters_own_hooks_are_still_what_it_keeps_as_such(run: Run) -> None:
    told = run(
        """
import code
same = lambda: [
    sys.excepthook is sys.__excepthook__,
    threading.excepthook is threading.__excepthook__,
    sys.unraisablehook is sys.__unraisablehook__,
]
class Console(code.InteractiveConsole):
    def write(self, data): written.append(data)
written = []
Console().push("1/0")
during = same()
sys.excepthook = sys.__excepthook__  # as who has put on another one does
around.stop()
tell(written=bool(written), during=during, after=same(), back=sys.excepthook is mine)
""",
        start="""
mine = sys.excepthook
watch = start()
around = watch_tasks(watch)
""",
    )

    assert told.more == {"written": True, "during": [True] * 3, "after": [True] * 3, "back": True}

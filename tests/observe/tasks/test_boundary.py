"""Where the interpreter cannot tell who takes an exception: what is said of errors that leave tasks."""

from __future__ import annotations

import pytest

from .conftest import Run

TELLS = {
    "lost": (
        """
async def main():
    task = asyncio.create_task(fail())
    await asyncio.sleep(0.01)
    del task
    gc.collect()
""",
        "lost",
        "",
    ),
    "the second of a gather": (
        """
async def main():
    try:
        await asyncio.gather(fail("first"), fail())
    except Boom as error:
        str(error)
    await asyncio.sleep(0)
""",
        "absorbed",
        "gather",
    ),
    "a callback": (
        """
async def main():
    asyncio.create_task(fail()).add_done_callback(lambda task: task.exception())
    await asyncio.sleep(0.01)
""",
        "absorbed",
        "callback",
    ),
}

CANNOT_TELL = {
    "await and handle": "try: await asyncio.create_task(fail())\n    except Boom as error: str(error)",
    "await and swallow": "try: await asyncio.create_task(fail())\n    except Exception: pass",
    "the first of a gather": "try: await asyncio.gather(fail())\n    except Exception: pass",
    "a value of a gather": "await asyncio.gather(fail(), return_exceptions=True)",
    "the future of another thread's": (
        "loop = asyncio.get_running_loop()\n"
        "    def call():\n"
        "        try: asyncio.run_coroutine_threadsafe(fail(), loop).result()\n"
        "        except Boom: pass\n"
        "    await asyncio.to_thread(call)"
    ),
    "wait": "done, _ = await asyncio.wait([asyncio.create_task(fail())])\n    [task.exception() for task in done]",
    "wait_for": "try: await asyncio.wait_for(asyncio.create_task(fail()), 1)\n    except Boom: pass",
    "shield": "try: await asyncio.shield(fail())\n    except Boom: pass",
    "as_completed": "for one in asyncio.as_completed([fail()]):\n        try: await one\n        except Boom: pass",
    "a task group": "try:\n        async with asyncio.TaskGroup() as g: g.create_task(fail())\n    except* Boom: pass",
}


@pytest.mark.parametrize(("program", "verdict", "by"), TELLS.values(), ids=TELLS)
@pytest.mark.parametrize("kind", ["asyncio", "uvloop"])
def test_what_left_a_task_and_was_dropped_there_is_told(
    run: Run, kind: str, program: str, verdict: str, by: str
) -> None:
    told = run(program + "run(main())\ntell()\n", kind, "boundary")

    assert told.mode == "boundary"
    assert told.verdicts == [(verdict, "it failed")]
    assert told.findings[0]["by"].startswith(by)
    assert told.faults == {}


@pytest.mark.parametrize("body", CANNOT_TELL.values(), ids=CANNOT_TELL)
@pytest.mark.parametrize("kind", ["asyncio", "uvloop"])
def test_what_was_raised_again_in_another_task_is_unknown_and_counted(run: Run, kind: str, body: str) -> None:
    told = run(f"async def main():\n    {body}\nrun(main())\ngc.collect()\ntell()\n", kind, "boundary")

    assert told.findings == []
    assert told.counts == {"unknown": 1}


def test_asyncio_still_says_that_an_error_was_never_retrieved(run: Run) -> None:
    told = run(
        """
said = []
async def main():
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: said.append(context["message"]))
    task = asyncio.create_task(fail())
    await asyncio.sleep(0.01)
    del task
    gc.collect()
run(main())
tell(said=said)
""",
        mode="boundary",
    )

    assert told.more["said"] == ["Task exception was never retrieved"]


def test_callbacks_can_be_taken_away_again(run: Run) -> None:
    told = run(
        """
async def main():
    task = asyncio.create_task(fail())
    called = []
    task.add_done_callback(called.append)
    removed = task.remove_done_callback(called.append)
    await asyncio.wait([task])
    task.exception()
    return removed, len(called)
tell(was=run(main()))
""",
        mode="boundary",
    )

    assert told.more["was"] == [1, 0]


def test_a_task_that_has_ended_keeps_no_callback_alive(run: Run) -> None:
    told = run(
        """
import weakref
class Callback:
    def __call__(self, task): ...
async def main():
    task = asyncio.create_task(asyncio.sleep(0))
    callback = Callback()
    task.add_done_callback(callback)
    alive = weakref.ref(callback)
    del callback
    await task
    await asyncio.sleep(0)
    return alive() is None
tell(gone=run(main()))
""",
        mode="boundary",
    )

    assert told.more["gone"] is True

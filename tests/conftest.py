"""
Which event loops a test runs on.

Virtual time, unless the test says that its claim is about real time or I/O (``stock``). The tests of the core and of
the policies run on every loop that people use, once on each; all others on asyncio's own. Where a test there pins what
only some loops do, it is marked with their names, and with why: ``@pytest.mark.asyncio(loop_factories=["asyncio"])``.
A test that is no coroutine and makes its own loop asks for ``virtual_loop``: a function that makes one, of each sort
in turn.
"""

import gc
import signal
from collections.abc import Generator, Mapping
from pathlib import Path

import pytest

from support.loops import REAL, VIRTUAL, LoopFactory, chosen

ON_EVERY_LOOP = {"core", "policies"}

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # as of a command that a script starts with &; Ctrl-C is tested here
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop() -> Generator[None, object, object]:
    """Leave what pytest has collected out of each test's ``gc.collect()``, which would take a quarter of a second."""
    gc.collect()
    gc.freeze()
    try:
        return (yield)
    finally:
        gc.unfreeze()


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, LoopFactory]:
    loops = REAL if item.get_closest_marker("stock") else VIRTUAL
    floor = item.path.relative_to(Path(__file__).parent).parts[0]
    return chosen(loops) if floor in ON_EVERY_LOOP else {"asyncio": loops["asyncio"]}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "virtual_loop" in metafunc.fixturenames:
        loops = chosen(VIRTUAL)
        metafunc.parametrize("virtual_loop", loops.values(), ids=loops)

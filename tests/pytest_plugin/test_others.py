"""What ends badly in the code of Python or of installed packages fails no test, and is counted."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Tested = Callable[..., "subprocess.CompletedProcess[str]"]

SHOP = """
import asyncio

async def sell():
    raise ValueError("sold out")

async def open_shop():
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    asyncio.create_task(sell())
    await asyncio.sleep(0.01)

def serve():
    loop = asyncio.new_event_loop()
    loop.run_until_complete(open_shop())
    loop.close()
"""
COUNTED = "ended in the code of Python or of installed packages, and are not told here."
USES = "import multiprocessing, shop\ndef test_it(): CALL\n"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return one in which a package is installed."""
    package = tmp_path / "site-packages" / "shop"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(SHOP, encoding="utf-8")
    return {"PYTHONPATH": os.pathsep.join([str(package.parent), *filter(None, [os.environ.get("PYTHONPATH")])])}


CALLS = {"here": "shop.serve()"} | {
    method: f"run = multiprocessing.get_context({method!r}).Process(target=shop.serve); run.start(); run.join()"
    for method in ("spawn", "fork")
    if method == "spawn" or hasattr(os, "fork")
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_what_an_installed_package_loses_is_counted(tested: Tested, environment: dict[str, str], call: str) -> None:
    done = tested(USES.replace("CALL", call), "--unlost", "-W", "ignore", environment=environment)

    assert "1 passed" in done.stdout
    assert f"1 {COUNTED}\nUNLOST_OWN=PACKAGE in the environment" in done.stdout


def test_what_pytest_swallows_itself_to_show_a_failure_is_not_counted(tested: Tested) -> None:
    done = tested("def test_it():\n    assert [1] == [2]\ndef test_next():\n    {}['x']\n", "--unlost")

    assert "2 failed" in done.stdout
    assert COUNTED not in done.stdout


def test_under_xdist_it_is_added_up(tested: Tested, environment: dict[str, str]) -> None:
    source = USES.replace("CALL", "shop.serve()") + "def test_next(): shop.serve()\n"

    assert f"2 {COUNTED}" in tested(source, "--unlost", "-n", "2", "-W", "ignore", environment=environment).stdout


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_one_that_the_environment_calls_ones_own_fails_the_test(
    tested: Tested, environment: dict[str, str], call: str
) -> None:
    own = environment | {"UNLOST_OWN": "shop"}

    done = tested(USES.replace("CALL", call), "--unlost", "-W", "ignore", environment=own)

    assert "1 failed" in done.stdout
    assert "unlost: lost: ValueError: sold out" in done.stdout
    assert COUNTED not in done.stdout


@pytest.mark.parametrize("how", [[], ["-n", "2"]], ids=["alone", "xdist"])
def test_a_name_that_nothing_is_imported_under_is_told_once(
    tested: Tested, environment: dict[str, str], how: list[str]
) -> None:
    own = environment | {"UNLOST_OWN": "shop, shpo, shop.parts"}

    done = tested("def test_it(): pass\ndef test_next(): pass\n", "--unlost", *how, environment=own)

    assert "2 passed" in done.stdout
    assert done.stdout.count("UNLOST_OWN names 'shpo', and no module of that name is found") == 1
    assert done.stdout.count("UNLOST_OWN names 'shop.parts'") == 1
    assert "UNLOST_OWN names 'shop'," not in done.stdout


def test_where_all_is_well_nothing_is_said(tested: Tested, environment: dict[str, str]) -> None:
    done = tested("def test_it(): pass\n", "--unlost", environment=environment | {"UNLOST_OWN": "shop"})

    assert "= unlost =" not in done.stdout


HANDLES = """
import asyncio, pytest
async def boom():
    raise ValueError("it broke")
async def test_it():
    try:
        await boom()
    except ValueError:
        pass
    with pytest.raises(ValueError):
        await asyncio.create_task(boom())
"""


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="from 3.12 on it is known who handles it")
@pytest.mark.parametrize("how", [[], ["-n", "2"]], ids=["alone", "xdist"])
def test_in_boundary_mode_what_was_handled_is_no_news(tested: Tested, how: list[str]) -> None:
    losing = "\nasync def test_loses():\n    asyncio.create_task(boom())\n    await asyncio.sleep(0.01)\n"

    handled = tested(HANDLES, "--unlost", *how)
    lost = tested(HANDLES + losing, "--unlost", *how)

    assert "= unlost =" not in handled.stdout, handled.stdout
    assert "Python before 3.12 does not tell" in lost.stdout
    assert "Exceptions of which that leaves the end unknown: 1." in lost.stdout
    assert "unknown 1×" not in lost.stdout

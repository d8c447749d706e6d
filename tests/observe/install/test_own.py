"""``UNLOST_OWN``: installed packages that are one's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SHOP = """
import asyncio
async def sell():
    raise ValueError("sold out")
async def open_shop():
    asyncio.create_task(sell())
    await asyncio.sleep(0.01)
def serve():
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)
    loop.run_until_complete(open_shop())
    loop.close()
"""
SAID = "UNLOST_OWN names 'shpo', and no module of that name is found: expected what stands after `import`"
INSTALLED = "import logging, unlost\nlogging.basicConfig(format='%(levelname)s %(message)s')\nunlost.install()\n"


def said(program: str, folder: Path, own: str, *how: str) -> str:
    """Run a program that has a package installed; return what it writes to standard error."""
    package = folder / "site-packages" / "shop"
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text(SHOP, encoding="utf-8")
    (folder / "app.py").write_text(program, encoding="utf-8")
    environment = {**os.environ, "UNLOST_OWN": own, "PYTHONPATH": str(package.parent)}
    arguments = [sys.executable, *how, "app.py"]
    done = subprocess.run(
        arguments, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stderr


@pytest.mark.parametrize(("own", "is_told"), [("shop", True), ("", False)])
def test_what_a_package_of_ones_own_loses_is_told(tmp_path: Path, own: str, is_told: bool) -> None:
    written = said(f"{INSTALLED}import shop\nshop.serve()\n", tmp_path, own)

    assert ("lost: nobody ever" in written) is is_told
    assert ("sold out" in written) is is_told


def test_a_name_that_nothing_is_imported_under_is_told_at_the_end(tmp_path: Path) -> None:
    installed = said(INSTALLED, tmp_path, "shpo,shop")
    watched = said("pass\n", tmp_path, "shpo,shop", "-m", "unlost", "watch")

    assert installed.startswith("WARNING what became of the exceptions")
    assert installed.count(SAID) == watched.count(SAID) == 1
    assert "UNLOST_OWN names 'shop'" not in installed + watched


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_processes_that_are_forked_do_not_tell_it_again(tmp_path: Path) -> None:
    forks = "import os\nif child := os.fork(): os.waitpid(child, 0)\n"

    assert said(INSTALLED + forks, tmp_path, "shpo").count(SAID) == 1


def test_where_each_name_is_found_nothing_is_told(tmp_path: Path) -> None:
    assert said(INSTALLED, tmp_path, "shop, json") == ""


def test_a_part_of_a_package_is_told_to_be_none_of_its_names_and_not_imported(tmp_path: Path) -> None:
    written = said(f"{INSTALLED}import json.decoder\n", tmp_path, "shop.parts json.decoder")

    assert "UNLOST_OWN names 'json.decoder'" in written
    assert "UNLOST_OWN names 'shop.parts'" in written

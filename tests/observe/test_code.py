"""Whose code it is decides what a reader sees first."""

import asyncio
import json
import os
import subprocess
import sys

import pytest

from unlost.observe import record
from unlost.observe._code import is_application


@pytest.mark.parametrize(
    "file",
    [
        *(json.__file__, asyncio.__file__, record.__code__.co_filename, "<frozen importlib._bootstrap>"),
        os.path.join(os.sep, "app", ".venv", "lib", "python3.11", "site-packages", "httpx", "_client.py"),
        os.path.join(os.sep, "usr", "lib", "python3", "dist-packages", "apt", "cache.py"),
    ],
)
def test_python_libraries_and_this_package_are_not_the_users(file: str) -> None:
    assert not is_application(file)


@pytest.mark.parametrize("file", [__file__, "jobs.py", "<stdin>", "<ipython-input-3-abc>", "/app/site-packages.py"])
def test_everything_else_is_the_users(file: str) -> None:
    assert is_application(file)


@pytest.mark.parametrize("words", ["shop,tools", "shop tools", " tools, shop,"])
def test_an_installed_package_that_the_environment_names_is_the_users(words: str) -> None:
    source = (
        "import os, sysconfig\n"
        "from unlost.observe._code import is_application\n"
        "packages = sysconfig.get_path('purelib')\n"
        "names = ['shop/x.py', 'shop/site-packages/y.py', 'tools.py', 'shopping/x.py', 'pip/shop/x.py']\n"
        "print([is_application(os.path.join(packages, *name.split('/'))) for name in names])\n"
    )
    environment = {**os.environ, "UNLOST_OWN": words}

    done = subprocess.run([sys.executable, "-c", source], env=environment, capture_output=True, text=True, check=True)

    assert done.stdout == "[True, False, True, False, False]\n"


def test_a_frame_of_the_standard_library_is_recorded_as_such() -> None:
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads("{")

    frames = record(caught.value)["frames"]
    assert [frame["app"] for frame in frames] == [True, False, False, False]

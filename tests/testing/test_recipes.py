"""What the documentation has to copy works when it is copied."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCUMENT = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
RECIPES = {block.partition("\n")[0].removeprefix("# conftest.py, "): block for block in BLOCKS[1:]}

TESTS = {
    "pytest-asyncio": """
        import asyncio, pytest

        @pytest.mark.asyncio
        async def test_an_hour():
            await asyncio.sleep(3600)
            assert asyncio.get_running_loop().time() == 3600
    """,
    "anyio": """
        import anyio, pytest

        @pytest.mark.anyio
        async def test_an_hour():
            await anyio.sleep(3600)
            assert anyio.current_time() == 3600
    """,
    "retries": """
        import asyncio, pytest, unlost

        def test_one_attempt():
            calls = []

            @unlost.retry(attempts=5)
            async def fetch():
                calls.append(1)
                raise ConnectionError

            with pytest.raises(ConnectionError):
                asyncio.run(fetch())
            assert len(calls) == 1
    """,
}
PLUGINS = {"pytest-asyncio": ["no:anyio"], "anyio": ["no:asyncio"], "retries": ["no:asyncio", "no:anyio"]}


@pytest.mark.stock
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_of_the_documentation_works(recipe, tmp_path):
    lines = TESTS[recipe].splitlines()
    (tmp_path / "conftest.py").write_text(RECIPES[recipe])
    (tmp_path / "test_it.py").write_text("\n".join(line[8:] for line in lines))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    plugins = [option for name in PLUGINS[recipe] for option in ("-p", name)]

    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugins, "."],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert "1 passed" in told.stdout, told.stdout + told.stderr


@pytest.mark.stock
def test_the_program_of_the_documentation_runs():
    subprocess.run([sys.executable, "-W", "error", "-c", BLOCKS[0]], check=True, timeout=60)


def test_the_documentation_has_each_recipe():
    assert set(RECIPES) == set(TESTS)


@pytest.mark.stock
def test_importing_the_library_does_not_load_it():
    script = "import sys, unlost; sys.exit('unlost.testing' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0

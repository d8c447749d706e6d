"""The interpreter's own warning of a coroutine that was never awaited is the one that there is without us."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """\
import sys
if "watched" in sys.argv:
    from unlost.observe.tasks import watch_tasks
    from unlost.observe.watch import start
    around = watch_tasks(start(), origins=int(sys.argv[1]))

import tracemalloc, warnings
tracemalloc.start()

async def job():
    pass

def drop():
    job()

def show(message, category, filename, lineno, file=None, line=None, source=None):
    print(category.__name__, filename, lineno, message)
warnings.showwarning = show

drop()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    drop()
[one] = caught
print(one.category.__name__, one.filename, one.lineno, one.message, type(one.source).__name__)
sys.set_coroutine_origin_tracking_depth(3)
drop()
"""


def said(folder: Path, *arguments: str, flags: tuple[str, ...] = ("-W", "always")) -> str:
    (folder / "app.py").write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, *flags, "app.py", *arguments], cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return re.sub(r"0x[0-9a-f]+", "0x", done.stdout + done.stderr)


@pytest.mark.parametrize("origins", ["0", "1"])
@pytest.mark.parametrize("flags", [("-W", "always"), ("-W", "error"), ("-X", "dev")], ids=" ".join)
def test_message_category_file_and_line_are_those_without_us(
    tmp_path: Path, origins: str, flags: tuple[str, ...]
) -> None:
    plain = said(tmp_path, origins, flags=flags)

    assert "was never awaited" in plain
    assert said(tmp_path, origins, "watched", flags=flags) == plain


def test_one_that_somebody_else_has_put_in_its_place_is_called_once_with_the_coroutine(tmp_path: Path) -> None:
    other = "import warnings\nwarnings._warn_unawaited_coroutine = lambda c: print('other', c.__qualname__)\n"
    program = other + "from unlost.observe.tasks import watch_tasks\nfrom unlost.observe.watch import start\n"
    program += (
        "watch = start()\naround = watch_tasks(watch)\nasync def job(): pass\njob()\nprint(watch.collector.noted)\n"
    )
    (tmp_path / "app.py").write_text(program, encoding="utf-8")

    done = subprocess.run([sys.executable, "app.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60)

    assert done.stdout == "other job\nCounter({'never awaited': 1})\n"
    assert done.stderr == ""

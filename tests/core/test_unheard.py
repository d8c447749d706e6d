"""What bare values survived while nobody listened."""

import subprocess
import sys
import threading

import pytest

from unlost._core._unheard import count_unheard, take_unheard


@pytest.fixture(autouse=True)
def _alone():
    take_unheard()
    yield
    take_unheard()


def run(*lines: str) -> str:
    code = "\n".join(lines)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr


def test_errors_are_counted_for_each_name():
    count_unheard("fetch", 1, OSError("a"))
    count_unheard("store", 1, OSError("b"))
    count_unheard("fetch", 2, ConnectionError("reset"))

    assert take_unheard() == [
        "survived without a listener: fetch: 3 errors in 2 calls (last: ConnectionError: reset)",
        "survived without a listener: store: 1 error in 1 call (last: OSError: b)",
    ]
    assert take_unheard() == []


def test_beyond_a_hundred_names_all_others_are_one():
    for number in range(1000):
        count_unheard(f"name {number}", 1, OSError(number))
    count_unheard("name 0", 1, OSError("again"))

    lines = take_unheard()
    assert len(lines) == 101
    assert "name 0: 2 errors" in lines[0]
    assert "(others): 900 errors in 900 calls (last: OSError: 999)" in lines[100]


def test_a_last_error_that_cannot_be_printed_is_named():
    class Broken(Exception):
        def __str__(self):
            raise RuntimeError

    count_unheard("fetch", 1, Broken())

    assert "Broken: (its __str__ raised RuntimeError)" in take_unheard()[0]


def test_no_count_is_lost_between_threads():
    def count():
        for _ in range(1000):
            count_unheard("fetch", 1, OSError())

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert "4000 errors in 4000 calls" in take_unheard()[0]


def test_they_are_told_once_on_standard_error_when_the_interpreter_exits():
    told = run(
        "import sys",
        "from unlost._core._unheard import count_unheard",
        "for name in ('fetch', 'store', 'fetch'): count_unheard(name, 1, OSError('no'))",
        "print('last words', file=sys.stderr)",
    )

    assert told.splitlines() == [
        "last words",
        "unlost: survived without a listener: fetch: 2 errors in 2 calls (last: OSError: no)",
        "unlost: survived without a listener: store: 1 error in 1 call (last: OSError: no)",
        "unlost: to have them: with unlost.receipt() as survived: ..., or unlost.listen(...)",
    ]


def test_nothing_is_registered_before_there_is_something_to_tell():
    told = run(
        "import atexit, sys",
        "registered = []",
        "atexit.register = registered.append",
        "import unlost",
        "from unlost._core._unheard import count_unheard, take_unheard",
        "at_import = [hook.__module__ for hook in registered if hook.__module__.startswith('unlost')]",
        "for _ in range(3): count_unheard('fetch', 1, OSError())",
        "at_use = [hook.__module__ for hook in registered if hook.__module__.startswith('unlost')]",
        "print(len(at_import), len(at_use), file=sys.stderr)",
    )

    assert told.split() == ["0", "1"]

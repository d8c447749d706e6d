"""Three doors of the house: one file starts tasks, one reads the clock, one installs process-wide hooks."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import unlost

SRC = Path(unlost.__file__).parent

STARTS_TASKS = {"create_task", "ensure_future", "Task", "run_coroutine_threadsafe"}
READS_THE_CLOCK = {
    "time.time",
    "time.monotonic",
    "time.perf_counter",
    "time.time_ns",
    "time.monotonic_ns",
    "datetime.now",
}
INSTALLS_HOOKS = {
    "signal.signal",
    "loop.add_signal_handler",
    "loop.set_exception_handler",
    "loop.set_task_factory",
    "asyncio.set_event_loop_policy",
    "sys.excepthook",
    "threading.excepthook",
    "sys.unraisablehook",
    "atexit.register",
    "gc.callbacks",
    "os.register_at_fork",
    "sys.meta_path",
    "faulthandler.enable",
    "logging.setLogRecordFactory",
    "sys.set_coroutine_origin_tracking_depth",
    "sys.setprofile",
    "sys.settrace",
    "warnings.showwarning",
}


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SRC.rglob("*.py")):
        yield path.relative_to(SRC).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}".lstrip(".")
    return node.id if isinstance(node, ast.Name) else ""


def _files_that_call(names: set[str]) -> set[str]:
    """Files with a call whose last name is one of these."""
    return {
        file
        for file, tree in _modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _dotted(node.func).rpartition(".")[2] in names
    }


def _files_that_use(dotted: set[str]) -> set[str]:
    """Files with one of these dotted names, or that import its last part from its first."""
    used = set()
    for file, tree in _modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and ".".join(_dotted(node).split(".")[-2:]) in dotted:
                used.add(file)
            if isinstance(node, ast.ImportFrom) and any(f"{node.module}.{name.name}" in dotted for name in node.names):
                used.add(file)
    return used


def test_one_file_starts_tasks() -> None:
    assert _files_that_call(STARTS_TASKS) == {"_core/_tasks.py"}


def test_one_file_reads_the_clock() -> None:
    assert _files_that_use(READS_THE_CLOCK) == {"_core/_clock.py"}


def test_one_file_and_the_room_beside_it_install_process_wide_hooks() -> None:
    installing = _files_that_use(INSTALLS_HOOKS)

    assert {file for file in installing if not file.startswith("_core/hooks/")} == {"_core/_hooks.py"}


def test_one_file_replaces_what_a_function_of_another_library_does() -> None:
    """By its code; no file of ours may do that to a function by any other way."""
    assigning = {
        file
        for file, tree in _modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "__code__" and not isinstance(node.ctx, ast.Load)
    }
    named = {
        file
        for file, tree in _modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _dotted(node.func).rpartition(".")[2] in {"setattr", "replace", "__setattr__"}
        if any(isinstance(argument, ast.Constant) and argument.value == "__code__" for argument in node.args)
    }

    assert assigning | named == {"_core/hooks/_code.py"}


def test_one_file_registers_with_the_interpreters_monitoring() -> None:
    assert _files_that_use({"sys.monitoring"}) == {"_core/_monitoring.py"}


def test_package_inits_re_export_and_do_nothing_else() -> None:
    allowed = (ast.Import, ast.ImportFrom, ast.Assign, ast.Expr)
    doors = {file: tree for file, tree in _modules() if file.endswith("__init__.py") and not file.startswith("cli/")}

    others = {file for file, tree in doors.items() if not all(isinstance(node, allowed) for node in tree.body)}

    assert others == set()


def test_every_public_name_of_a_door_exists() -> None:
    missing = [name for name in unlost.__all__ if not hasattr(unlost, name)]

    assert missing == []
    assert sorted(unlost.__all__) == unlost.__all__


def test_a_broad_handler_raises_or_uses_what_it_caught_or_says_on_its_line_where_that_goes() -> None:
    broad = {"Exception", "BaseException"}
    dropped = []
    for file, tree in _modules():
        lines = (SRC / file).read_text(encoding="utf-8").splitlines()
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler) and (node.type is None or _dotted(node.type) in broad):
                inner = [n for statement in node.body for n in ast.walk(statement)]
                raises = any(isinstance(n, ast.Raise) for n in inner)
                uses = any(isinstance(n, ast.Name) and n.id == node.name for n in inner)
                says = lines[node.lineno - 1].partition("#")[2].partition("# noqa")[0].strip()
                if not (raises or uses or (says and not says.startswith("noqa"))):
                    dropped.append(f"{file}:{node.lineno}")

    assert dropped == []

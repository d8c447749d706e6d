"""A program run inside of this process, as python itself would run it."""

from __future__ import annotations

import atexit
import io
import os
import re
import shlex
import sys
import threading
import traceback
import weakref
from collections.abc import Callable, Sequence
from functools import partial
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any, Final

from unlost._core.hooks import Undo, on_import, tell_uncaught
from unlost.cli._streams import write
from unlost.errors import UsageError

_MAIN: Final = "__main__.py"
_PYTHON: Final = re.compile(r"(python|pypy)[\d.]*t?(\.exe)?")
_WRITE: Final = "Write: unlost watch app.py, or unlost watch -m module"


def load(module: Sequence[str] | None, program: Sequence[str]) -> Callable[[], int | None]:
    """
    Return what runs a file, a folder with a ``__main__.py``, or a module, with its arguments.

    It returns the exit code; None where Ctrl-C ended it.

    ``sys.argv``, ``sys.path[0]`` and ``__main__`` become the program's now, and stay so.

    Raises:
        UsageError: There is no such file or module.
    """
    words = [*module, *program] if module is not None else list(program)
    if module is None and words[:1] == ["--"]:
        del words[0]
    if not words:
        raise UsageError(f"there is nothing to run. {_WRITE}")
    if not words[0]:
        raise UsageError(f"there is nothing to run: the first word is empty. {_WRITE}")
    main = ModuleType("__main__")
    try:
        code = _module(words, main) if module is not None else _file(words, main)
    except SyntaxError as refused:
        return partial(_tell_refused, refused.with_traceback(None))
    sys.argv[:] = words
    main.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = main
    return lambda: _exit_code(code, main.__dict__)


def _file(words: list[str], main: ModuleType) -> CodeType:
    path = Path(words[0])
    if (path / _MAIN).is_file():  # a folder is a program, too
        path /= _MAIN
        main.__package__ = ""
    _search_first(str(path.resolve().parent))
    try:
        with io.open_code(str(path.absolute())) as file:
            source = file.read()
    except OSError as reading_error:
        _refuse_python(words)
        raise UsageError(f"{words[0]} cannot be read: {reading_error.strerror}") from reading_error
    if b"\0" in source:
        _refuse_python(words)
    main.__file__ = str(path) if path.is_absolute() else os.path.abspath(path)
    main.__loader__ = SourceFileLoader("__main__", main.__file__)
    return compile(source, main.__file__, "exec", dont_inherit=True)


def _refuse_python(words: list[str]) -> None:
    """Say what to leave out, where what is no program of the user's is called as python itself is."""
    name = Path(words[0]).name
    if not _PYTHON.fullmatch(name):
        return
    says = f"{words[0]} is no program of yours: unlost watch runs by python already. Leave it out"
    if not words[1:]:
        raise UsageError(f"{says}. {_WRITE}")
    if words[1].startswith("-") and words[1] != "-m":
        raise UsageError(f"{says}; options of its own go before: {name} {words[1]} ... -m unlost watch ...")
    raise UsageError(f"{says}. Write: unlost watch {shlex.join(words[1:])}")


def _module(words: list[str], main: ModuleType) -> CodeType:
    _search_first(os.getcwd())
    spec = _spec_of(words[0])
    if spec is not None and spec.submodule_search_locations is not None:
        spec = _spec_of(f"{words[0]}.__main__")
    get_code = getattr(spec.loader if spec is not None else None, "get_code", None)
    if spec is None or get_code is None or (code := get_code(spec.name)) is None:
        raise UsageError(f"there is no module {words[0]} that can be run")
    assert isinstance(code, CodeType)
    words[0] = spec.origin or words[0]
    main.__file__, main.__spec__, main.__loader__ = spec.origin, spec, spec.loader
    main.__package__ = spec.parent
    return code


def _spec_of(name: str) -> ModuleSpec | None:
    if name.startswith("."):
        raise UsageError(
            f"{name} is a relative name of a module, which cannot be run. Write its full name, or its file"
        )
    try:
        return find_spec(name)
    except (ModuleNotFoundError, ValueError) as not_found:  # a parent that is not there; a module without a spec
        raise UsageError(f"there is no module {name} that can be run: {not_found}") from not_found


def _search_first(folder: str) -> None:
    """Put the program's folder where python puts it; it stands there for this command's own now."""
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0:1] = [folder]


def _exit_code(code: CodeType, namespace: dict[str, Any]) -> int | None:  # Any: a module's names
    before: list[int] = []

    def note(_util: ModuleType) -> Undo:
        before.append(_own_at_exit())
        return before.clear

    forget = on_import("multiprocessing.util", note)
    try:
        exec(code, namespace)
    except SystemExit as leaving:
        return _code_of(leaving)
    except KeyboardInterrupt as interrupt:
        _print(interrupt)
        return None
    except BaseException as uncaught:  # printed, as python does  # noqa: BLE001
        _print(uncaught)
        return 1
    finally:
        _join_threads()
        if before == [_own_at_exit()]:
            _join_processes()
        forget()
    return 0


def _tell_refused(error: SyntaxError) -> int:
    """Print what python itself would: there are no frames of the program's yet."""
    tell_uncaught(error, None)
    return 1


def _code_of(leaving: SystemExit) -> int:
    if leaving.code is None:
        return 0
    if isinstance(leaving.code, int):
        return leaving.code
    write(sys.stderr, f"{leaving.code}\n")
    return 1


def _print(error: BaseException) -> None:
    """Call the hook that the program may have set, with the frames that are its own."""
    frames: TracebackType | None = error.__traceback__
    own = frames.tb_next if frames is not None else None  # the first frame is that of exec() above
    tell_uncaught(error, own)


def _join_threads() -> None:
    """
    Wait for what python waits for before it exits.

    By the same function: it tells the executors of ``concurrent.futures`` first that all is over, without which the
    threads of one that nobody shut down never end. Called again when python exits, it does nothing.
    """
    try:
        threading._shutdown()  # type: ignore[attr-defined]  # not in the stubs; there in all versions
    except BaseException as fault:  # told and left at that, Ctrl-C too, as python does  # noqa: BLE001
        _tell_ignored(threading, fault)


def _own_at_exit() -> int:
    """Return how many functions are to be called at exit, without that of all finalizers."""
    # not in the stubs; there in all versions
    is_finalizing: bool = weakref.finalize._registered_with_atexit  # type: ignore[attr-defined]
    return atexit._ncallbacks() - is_finalizing


def _join_processes() -> None:
    """
    Wait for those of ``multiprocessing`` as that does at exit, and by the same function.

    Only where the program has registered nothing to be done at exit since that was imported: it comes first there, and
    they may wait for it. Called again when python exits, it does nothing.
    """
    process, util = sys.modules["multiprocessing.process"], sys.modules["multiprocessing.util"]
    here, children = os.getpid(), process.active_children()
    if not any(child._parent_pid == here and not child.daemon for child in children):
        return
    finish = util._exit_function
    try:
        finish()
    except BaseException as fault:  # as above  # noqa: BLE001
        _tell_ignored(finish, fault)


def _tell_ignored(where: object, fault: BaseException) -> None:
    write(sys.stderr, "".join([f"Exception ignored in: {where!r}\n", *traceback.format_exception(fault)]))

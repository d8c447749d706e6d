"""From ``module:function`` to the module: found as ``python -m`` finds it, the current folder first."""

from __future__ import annotations

import ast
import difflib
import importlib
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType, TracebackType

from unlost.errors import UsageError
from unlost.observe import is_application


def split_spec(spec: str, cwd: Path) -> tuple[str, str]:
    """
    Take ``module:function`` apart; a module spelled as a path below ``cwd`` (``pkg/jobs.py``) is understood.

    Returns:
        The module's dotted name and the dotted path of the function in it.

    Raises:
        UsageError: There is no colon, nothing on one side of it, or the path leads out of ``cwd``.
    """
    module, colon, path = spec.rpartition(":")
    if not colon or not module or not path or module.endswith(":"):
        raise UsageError(f"The target {spec!r} is not of the form module:function.{_colon_hint(spec, cwd)}")
    return _dotted(module, path, cwd), path


def import_target(module: str, cwd: Path) -> ModuleType:
    """
    Import ``module`` with ``cwd`` first on ``sys.path``, where it stays, as with ``python -m``.

    Raises:
        UsageError: There is no such module, or it raised when it was imported: that is then the cause.
    """
    if sys.path[:1] != [str(cwd)]:
        sys.path.insert(0, str(cwd))
    importlib.invalidate_caches()  # the file may be younger than the finder's view of the folder
    try:
        return importlib.import_module(module)
    except KeyboardInterrupt:  # a real one: a module may take long to import
        raise
    except BaseException as import_error:  # handed on as the cause of what we raise
        if _is_missing(import_error, module):
            raise UsageError(_not_found(module, cwd)) from import_error
        raise UsageError(_raised(module, import_error)) from import_error


def async_names(file: Path) -> list[str]:
    """Return the names of the async functions at the top of a source file, without importing it."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):  # this serves a hint in another error: no hint, then
        return []
    return [node.name for node in tree.body if isinstance(node, ast.AsyncFunctionDef)]


def _colon_hint(spec: str, cwd: Path) -> str:
    bare = spec.strip(":")
    file = cwd / (bare if bare.endswith(".py") else f"{bare.replace('.', '/')}.py")
    if file.is_file():
        names = async_names(file)
        module = bare.removesuffix(".py").replace("/", ".")
        has = f" {file.name} has: {', '.join(names)}." if len(names) > 1 else ""
        return f"{has} Write {module}:{names[0] if names else 'FUNCTION'}"
    module, dot, function = bare.rpartition(".")
    return f" Write {module}:{function}" if dot else f" Write {bare or 'jobs'}:FUNCTION"


def _dotted(module: str, function: str, cwd: Path) -> str:
    """Turn a path to a file into the module's name; a name stays as it is."""
    looks_like_path = "/" in module or "\\" in module or (module.endswith(".py") and (cwd / module).is_file())
    if not looks_like_path:
        return module
    file = (cwd / module.replace("\\", "/")).resolve()
    try:
        parts = file.with_suffix("").relative_to(cwd.resolve()).parts
    except ValueError:
        raise UsageError(
            f"The target's module {module!r} lies outside of the current folder {str(cwd)!r}. "
            f"Write: cd {file.parent} && unlost run {file.stem}:{function} ..."
        ) from None
    if not all(part.isidentifier() for part in parts):
        raise UsageError(f"{module!r} is no module that Python can import: {'.'.join(parts)!r} is not a dotted name.")
    return ".".join(parts)


def _is_missing(error: BaseException, module: str) -> bool:
    """Tell "there is no such module, or no package that it is in" from an import inside of it that found nothing."""
    return isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}.")


def _user_frame(trace: TracebackType | None) -> TracebackType | None:
    """Return the innermost frame of the user's code, whatever library it called; else the innermost one not of ours."""
    users = elsewhere = None
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if is_application(file) and file != "<string>":  # which is what dataclasses generate, ours among them
            users = trace
        elif not file.startswith(("<frozen importlib", _OWN, importlib.__file__)):
            elsewhere = trace
        trace = trace.tb_next
    return users or elsewhere


_OWN = f"{Path(__file__).parents[2]}{os.sep}"


def _not_found(module: str, cwd: Path) -> str:
    here = [entry.stem for entry in cwd.glob("*.py")] + [entry.parent.name for entry in cwd.glob("*/__init__.py")]
    close = difflib.get_close_matches(module, here, n=3)
    if close:
        there_is = f" Did you mean {' or '.join(close)}?"
    elif here:
        there_is = f" Modules there: {', '.join(sorted(here)[:10])}."
    else:
        there_is = " There are no .py files there: change to the folder that holds it."
    return f"There is no module {module!r}, neither in {str(cwd)!r} nor installed.{there_is}"


def _raised(module: str, error: BaseException) -> str:
    # a UsageError is ours: of @job, say; unlike str(error), the other cannot raise
    what = str(error) if type(error) is UsageError else traceback.format_exception_only(error)[-1].strip()
    frame = _user_frame(error.__traceback__)
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        place = f"{Path(error.filename).name}:{error.lineno}"
        return f"The module {module!r} was found but cannot be imported: {what} (at {place})"
    if frame is None:
        return f"The module {module!r} was found but cannot be imported: {what}"
    place = f"{Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}"
    return f"The module {module!r} was found and raised when it was imported: {what} (at {place})"

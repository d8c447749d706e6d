"""The user's async function: found, checked, and opened for a run."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias, cast

from unlost.batch._context import Context
from unlost.batch.target._code import file_hash, function_of, place_of, source_file_of, text_hash
from unlost.batch.target._modules import import_target, split_spec
from unlost.batch.target._shape import is_async, shape_of
from unlost.errors import UsageError
from unlost.policies import JobOptions, job_options

_MISSING = object()

Job: TypeAlias = Callable[[Any, Context], Awaitable[Any]]  # Any: the user's item and the user's result


@dataclass(frozen=True, slots=True)
class Target:
    """
    What a run runs.

    Attributes:
        spec: ``module:function``, the same however it was spelled.
        name: The function's name; runs are named after it.
        func: The object itself.
        source_file: Where it is defined; None in a notebook or an interactive session.
        source_hash: SHA-256 of that file's bytes, in hex (and of the file of the function inside, where a decorator or
            an import brought it from another one); in ``__main__`` and notebooks of the function's source alone.
        wants_context: Whether it is called with (item, context); False for a context manager, see ``open_target``.
        is_context_manager: Whether it is entered once a run and yields the function.
        options: What ``@unlost.job`` says, all None without it.
        defined_at: ``jobs.py:12``, the line of the function's first decorator or of its ``def``.
    """

    spec: str
    name: str
    func: Any  # a function, a partial, an object with __call__, a context manager
    source_file: Path | None
    source_hash: str
    wants_context: bool
    is_context_manager: bool
    options: JobOptions
    defined_at: str


def load_target(spec: str, cwd: Path | None = None) -> Target:
    """
    Import ``module:function`` and look at it; dots in the function's part lead into objects.

    Args:
        spec: ``jobs:fetch``, ``pkg.jobs:client.fetch``; ``pkg/jobs.py:fetch`` is understood too.
        cwd: Searched first, before what is installed; the current folder by default.

    Raises:
        UsageError: It cannot be found, imported or used as a job; the message says what to write instead.
    """
    folder = (cwd or Path.cwd()).absolute()
    module_name, path = split_spec(spec, folder)
    module = import_target(module_name, folder)
    func = _attribute(module, path)
    return _target(func, f"{module_name}:{path}", Path(module.__file__) if module.__file__ else None)


def target_of(func: Any) -> Target:  # Any: as Target.func
    """
    Look at a function that the program already has; its ``spec`` is the one that ``unlost run`` would take.

    Raises:
        UsageError: It cannot be used as a job.
    """
    function = function_of(func)
    return _target(func, f"{function.__module__}:{function.__qualname__}", None)


@asynccontextmanager
async def open_target(target: Target) -> AsyncIterator[Job]:
    """
    Yield the job as a function of (item, context), whatever its shape; a context manager is entered and left.

    What goes wrong in the body comes out, even where the target's context manager swallows it.

    Raises:
        UsageError: The context manager yields what cannot be a job.
    """
    if not target.is_context_manager:
        yield _of_two(target.func, wants_context=target.wants_context)
        return
    body_error: BaseException | None = None
    try:
        async with _manager(target.func) as yielded:
            try:
                yield _yielded_job(yielded, target.spec)
            except BaseException as error:
                body_error = error
                raise
        if body_error is not None:
            raise body_error
    finally:
        del body_error  # its traceback holds this frame


def _target(func: Any, spec: str, module_file: Path | None) -> Target:  # Any: as Target.func
    shape = shape_of(func, spec)
    function = function_of(func)
    files = [file for file in dict.fromkeys((module_file, source_file_of(function))) if file is not None]
    return Target(
        spec=spec,
        name=spec.rpartition(":")[2].rpartition(".")[2],
        func=func,
        source_file=files[0] if files else None,
        source_hash=text_hash(function) if spec.startswith("__main__:") or not files else file_hash(*files),
        wants_context=shape.wants_context,
        is_context_manager=shape.is_context_manager,
        options=job_options(func),
        defined_at=place_of(function),
    )


def _attribute(module: ModuleType, path: str) -> Any:  # Any: as Target.func
    """Follow the dotted path; refuse a method that would be called without its object."""
    *way, name = path.split(".")
    owner: Any = module
    for step in way:
        owner = _step(module, owner, step, path)
    found = _step(module, owner, name, path)
    if isinstance(owner, type) and inspect.isfunction(found) and inspect.isfunction(owner.__dict__.get(name)):
        raise UsageError(
            f"{module.__name__}:{path} is a method of the class {owner.__name__} and needs an object to be called on. "
            f"Make one at module level, client = {owner.__name__}(), and write {module.__name__}:client.{name}"
        )
    return found


def _step(module: ModuleType, owner: Any, name: str, path: str) -> Any:  # Any: a module or an object in it
    found = getattr(owner, name, _MISSING)
    if found is _MISSING:
        raise UsageError(_no_attribute(module, owner, name, path))
    return found


def _no_attribute(module: ModuleType, owner: Any, name: str, path: str) -> str:  # Any: as above
    spec, prefix = module.__name__, path.rpartition(".")[0]
    public = [other for other in dir(owner) if not other.startswith("_")]
    jobs = [other for other in public if is_async(getattr(owner, other, None))]
    shown = ", ".join(f"{spec}:{prefix + '.' if prefix and owner is not module else ''}{job}" for job in jobs[:10])
    close = difflib.get_close_matches(name, jobs or public, n=1)
    where = f"The module {spec!r} ({module.__file__})" if owner is module else f"{spec}:{prefix}"
    meant = f" Did you mean {close[0]!r}?" if close else ""
    has = f"Async functions: {shown}." if jobs else "It has no async functions."
    return f"{where} has no {name!r}.{meant} {has}"


def _manager(found: Any) -> AbstractAsyncContextManager[Any]:  # Any: as Target.func, and what it yields
    is_object = hasattr(found, "__aexit__") and not isinstance(found, type)
    return cast("AbstractAsyncContextManager[Any]", found if is_object else found())


def _yielded_job(yielded: Any, spec: str) -> Job:  # Any: whatever the user's context manager yields
    shape = shape_of(yielded, f"What {spec} yields")
    if shape.is_context_manager:
        raise UsageError(f"What {spec} yields is a context manager itself; yield an async function of one item.")
    return _of_two(yielded, wants_context=shape.wants_context)


def _of_two(func: Any, *, wants_context: bool) -> Job:  # Any: as Target.func
    if wants_context:
        return cast("Job", func)

    def without_context(item: Any, _context: Context) -> Awaitable[Any]:  # Any: as Job
        return cast("Awaitable[Any]", func(item))

    return without_context

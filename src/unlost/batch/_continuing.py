"""Whether a run can be continued as this time's command, or lines of Python, would have it; if not, what to write."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from unlost.batch.options._options import Options
from unlost.batch.source._source import Source
from unlost.batch.target._target import Target
from unlost.errors import UsageError

Spelling: TypeAlias = Literal["flag", "argument"]


def check_meta(run: str, meta: Mapping[str, str], source: Source, options: Options, spelling: Spelling) -> None:
    """
    Check that items are named, read and kept as they were when the run began.

    Args:
        run: Its name.
        meta: What its journal says about it.
        source: As it would be read now.
        options: That would hold now.
        spelling: How options are written where the run was asked for.

    Raises:
        UsageError: They are not; the message says what to write.
    """
    key, new = options.key or "", _spelled("new", True, spelling)
    if key != meta["key"]:
        was, now = _key(meta["key"], spelling), _key(key, spelling)
        raise UsageError(
            f"run {run} named its items by {was}, and this {_WHAT[spelling]} says {now}: none would be known again.\n"
            f"Say it as it was, or start another run: {new}"
        )
    if source.format != meta["format"]:
        raise UsageError(
            f"run {run} read its source as {meta['format']}, and this {_WHAT[spelling]} says {source.format}.\n"
            f"Write {_spelled('format', meta['format'], spelling)}, or start another run: {new}"
        )
    inputs = meta.get("inputs", "keep")
    if options.inputs != inputs:
        raise UsageError(
            f"run {run} was begun with {_spelled('inputs', inputs, spelling)}, and this {_WHAT[spelling]} says "
            f"{options.inputs}.\nWrite {_spelled('inputs', inputs, spelling)}, or start another run: {new}"
        )


def check_code(run: str, known: str | None, target: Target, spelling: Spelling) -> None:
    """
    Check that the code is what the run's items ran with last.

    Args:
        known: Its hash then; None where none ever ran.

    Raises:
        UsageError: It is not; the message says what to write.
    """
    if known is None or known == target.source_hash:
        return
    what = "the text of that function" if target.spec.startswith("__main__:") else target.source_file
    changed = f"{what} has changed" if what else "it has changed"
    raise UsageError(
        f"the code of {target.spec} is not what run {run} ran last ({changed}).\n"
        f"Continue with the new code: {_spelled('accept_code', True, spelling)}. "
        f"Or start another run: {_spelled('new', True, spelling)}"
    )


def refuse_main(run: str, spec: str) -> None:
    """Raise ``UsageError`` for a run of a function of ``__main__``: a command has another one."""
    module, _, function = spec.partition(":")
    if module == "__main__":
        raise UsageError(
            f"run {run} is of {function} in a program or a notebook, which a command cannot import.\n"
            f"Go on there: the same Run({function}, ...) continues it; again=Again() runs its dead letters again."
        )


def check_names(*files: Path | None) -> None:
    """Raise ``UsageError`` for a file whose name is no text: the journal could not say which it is."""
    for path in files:
        name = "" if path is None else str(path.resolve())
        try:
            name.encode()
        except UnicodeEncodeError as encoding_error:
            raise UsageError(
                f"the name {name!r} is not UTF-8, and the journal holds it.\n"
                "Rename it, or the folder of it that is not."
            ) from encoding_error


_WHAT: Mapping[Spelling, str] = {"flag": "command", "argument": "call"}


def _spelled(name: str, value: str | bool, spelling: Spelling) -> str:
    if spelling == "argument":
        return f"{name}={value!r}"
    flag = f"--{name.replace('_', '-')}"
    return flag if value is True else f"{flag} {value}"


def _key(name: str, spelling: Spelling) -> str:
    if name:
        return _spelled("key", name, spelling)
    return "no key=" if spelling == "argument" else "no --key"

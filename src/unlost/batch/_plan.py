"""
What a run will do, decided before anything is started or written: which function, which source, which journal.

Typing the same command again continues the last run of that target and source; so does naming the run.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unlost._core import wall
from unlost.batch._choice import Choice
from unlost.batch._continuing import Spelling, check_code, check_meta, check_names, refuse_main
from unlost.batch._folder import DEFAULT, Folder
from unlost.batch._selection import check_again
from unlost.batch.gate._known_key import check_limit_key
from unlost.batch.journal._again import Again
from unlost.batch.journal._door import SQLITE, Door
from unlost.batch.journal._opening import read_options
from unlost.batch.options._options import Resolved, Values, resolve
from unlost.batch.source._keys import check_field
from unlost.batch.source._source import AnySource, Source, open_source, source_of
from unlost.batch.target._revision import revision_of
from unlost.batch.target._target import Target, load_target
from unlost.errors import UsageError


@dataclass(frozen=True, slots=True)
class Plan:
    """
    A run that may start.

    Attributes:
        run: Its name.
        continues: Whether its journal exists.
        meta: What the journal says, or will say, about it.
        policy: The options that hold this time.
        out: The results file; None for none.
        folder: Where its journal is.
        door: Which SQLite.
        choice: Keeps other processes from choosing this run too; released when its journal is open.
        revision: The commit that the target's code is from; None where there is none.
        again: Which items are run although their outcome is known; None continues the run.
    """

    run: str
    continues: bool
    meta: Mapping[str, str]
    target: Target
    source: Source
    policy: Resolved
    out: Path | None
    folder: Folder
    door: Door
    choice: Choice
    revision: str | None = None
    again: Again | None = None

    @property
    def own(self) -> tuple[str, ...]:
        """The top-level package of the target: its code is the user's wherever it is installed."""
        return (self.target.spec.partition(":")[0].partition(".")[0],)

    @property
    def scans(self) -> bool:
        """Whether the source is read; a rerun goes by what was read before, unless that was not kept."""
        return self.again is None or self.source.inputs == "hash"

    def options_json(self) -> str:
        """Return what the journal keeps of this opening's options, for the next one."""
        return json.dumps({"given": dict(self.policy.given), "out": str(self.out.resolve()) if self.out else None})


@dataclass(frozen=True, slots=True)
class Where:
    """
    Which journal to write.

    Attributes:
        folder: Of journals.
        new: Start another run even if there is one to continue.
        accept_code: Continue although the target's code is another one.
        door: Which SQLite.
        again: Run these items of the last run, and no others; its code may have changed.
    """

    folder: Path = DEFAULT
    new: bool = False
    accept_code: bool = False
    door: Door = SQLITE
    again: Again | None = None


def plan_run(
    target: Target,
    source_spec: AnySource,
    flags: Values,
    where: Where,
    *,
    out: Path | None = None,
    spelling: Spelling = "flag",
) -> Plan:
    """
    Plan the command ``run``: continue the last run of this target and source, or start one.

    Raises:
        UsageError: Anything about it cannot be; nothing was started and no journal written.
    """
    policy = resolve(flags, target.options, decorated_at=target.defined_at, spelling=spelling)
    folder = Folder(where.folder, where.door)
    folder.make()
    options = policy.options
    source = open_source(
        source_spec, options.format, spool_folder=where.folder, inputs=options.inputs, max_record=options.max_record
    )
    check_names(source.path, out)
    check_field(policy.options.key, source.format)
    check_limit_key(policy, source)
    choice = Choice(where.folder)
    try:
        return _chosen(target, source, policy, where, folder, out, choice, spelling)
    except BaseException:
        choice.release()
        raise


def _chosen(
    target: Target,
    source: Source,
    policy: Resolved,
    where: Where,
    folder: Folder,
    out: Path | None,
    choice: Choice,
    spelling: Spelling,
) -> Plan:
    revision = revision_of(target.source_file)
    run = None if where.new else folder.latest(target.name, target=target.spec, source=source.identity)
    if run is not None:
        meta = folder.read_meta(run)
        again = where.again
        check_meta(run, meta, source, policy.options, spelling)
        if not (where.accept_code or again is not None):
            check_code(run, _last_code(folder, run), target, spelling)
        if again is not None:
            check_again(folder, run, again)
        out = out or _out_of(_last_options(folder, run))
        return Plan(run, True, meta, target, source, policy, out, folder, where.door, choice, revision, again)
    if where.again is not None:
        raise UsageError(
            f"there is no run of {target.spec} over this source that could be run again.\n"
            "Leave the argument again out to start one"
        )
    meta = {
        "run_id": uuid.uuid4().hex,
        "target": target.spec,
        "source": source.identity,
        "path": str(source.path),
        "format": source.format,
        "inputs": source.inputs,
        "key": policy.options.key or "",
        "created": str(wall()),
    }
    name = folder.next_name(target.name)
    return Plan(name, False, meta, target, source, policy, out, folder, where.door, choice, revision)


def plan_resume(run: str, flags: Values, where: Where, *, out: Path | None = None, again: Again | None = None) -> Plan:
    """
    Plan the command ``resume``: what the run's last opening was told holds, but for what is said anew.

    Args:
        run: Its name.
        flags: What is said anew.
        where: Its folder, and which items to run again.
        out: The results file; None is the one that it had.

    Raises:
        UsageError: There is no such run, or it cannot be continued.
    """
    folder = Folder(where.folder, where.door)
    meta = folder.read_meta(run)
    if not meta:
        raise UsageError(f"run {run} died before it was written. Type the command that started it again.")
    refuse_main(run, meta["target"])
    target = load_target(meta["target"])
    last = _last_options(folder, run)
    given = {
        **{name: value for name, value in last["given"].items() if name not in _ONCE},
        **{name: value for name, value in flags.items() if value is not None},
    }
    policy = resolve(given, target.options, decorated_at=target.defined_at)
    source = source_of(meta, policy.options.max_record)
    again = where.again
    if again is None or source.inputs == "hash":
        source.check()
        check_limit_key(policy, source)
    check_meta(run, meta, source, policy.options, "flag")
    if not (where.accept_code or again is not None):
        check_code(run, _last_code(folder, run), target, "flag")
    if again is not None:
        check_again(folder, run, again)
    check_names(out)
    out = out or _out_of(last)
    choice, revision = Choice(where.folder), revision_of(target.source_file)
    return Plan(run, True, meta, target, source, policy, out, folder, where.door, choice, revision, again)


_ONCE = frozenset({"first", "in_doubt", "tag"})
"""Options that are said for one opening: the next one does not inherit them."""


def _out_of(last: Mapping[str, Any]) -> Path | None:  # Any: what options_json wrote
    return Path(last["out"]) if last["out"] else None


def _last_code(folder: Folder, run: str) -> str | None:
    """Return the hash of the code that the run's items ran with last; None if none ever ran."""
    with folder.open(run) as connection:
        if connection is None:
            return None
        rows = connection.execute(
            """SELECT source_hash FROM epoch WHERE epoch IN (SELECT epoch FROM claim UNION SELECT epoch FROM outcome)
            ORDER BY epoch DESC LIMIT 1"""
        )
        found: str | None = next(iter(rows), (None,))[0]
        return found


def _last_options(folder: Folder, run: str) -> dict[str, Any]:  # Any: what options_json wrote
    """Return what the run's last opening was told."""
    with folder.open(run) as connection:
        return {"given": {}, "out": None} if connection is None else read_options(connection)

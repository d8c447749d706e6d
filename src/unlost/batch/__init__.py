"""
The main job: an async function over many inputs, each outcome journaled.

At-least-once execution, never 'exactly once'; nothing is silently done twice; the books balance. ``docs/run.md`` has
the promises.
"""

from unlost.batch._context import Context
from unlost.batch._engine import Halted, How
from unlost.batch._folder import DEFAULT as DEFAULT_FOLDER
from unlost.batch._folder import Folder
from unlost.batch._lock import Locked, is_held
from unlost.batch._plan import Plan, Where, plan_resume, plan_run
from unlost.batch._progress import Progress
from unlost.batch._run import Run
from unlost.batch._values import OutputError
from unlost.batch.journal._again import Again
from unlost.batch.journal._books import (
    Books,
    Dead,
    Group,
    InDoubt,
    read_books,
    read_dead,
    read_groups,
    read_in_doubt,
    read_results_file,
)
from unlost.batch.journal._writer import JournalError
from unlost.batch.options._explain import explain
from unlost.batch.options._options import Resolved, resolve
from unlost.batch.source._errors import InputError
from unlost.batch.target._target import load_target

__all__ = [
    "DEFAULT_FOLDER",
    "Again",
    "Books",
    "Context",
    "Dead",
    "Folder",
    "Group",
    "Halted",
    "How",
    "InDoubt",
    "InputError",
    "JournalError",
    "Locked",
    "OutputError",
    "Plan",
    "Progress",
    "Resolved",
    "Run",
    "Where",
    "explain",
    "is_held",
    "load_target",
    "plan_resume",
    "plan_run",
    "read_books",
    "read_dead",
    "read_groups",
    "read_in_doubt",
    "read_results_file",
    "resolve",
]

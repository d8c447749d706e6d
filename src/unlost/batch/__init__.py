"""
The main job: an async function over many inputs, each outcome journaled.

At-least-once execution, never 'exactly once'; nothing is silently done twice; the books balance. ``docs/run.md`` has
the promises.
"""

from unlost.batch._books import (
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
from unlost.batch._context import Context
from unlost.batch._engine import Halted, How
from unlost.batch._errors import InputError
from unlost.batch._explain import explain
from unlost.batch._folder import DEFAULT as DEFAULT_FOLDER
from unlost.batch._folder import Folder
from unlost.batch._lock import Locked, is_held
from unlost.batch._options import Resolved, resolve
from unlost.batch._plan import Plan, Where, plan_resume, plan_run
from unlost.batch._progress import Progress
from unlost.batch._run import Run
from unlost.batch._target import load_target
from unlost.batch._values import OutputError
from unlost.batch._writer import JournalError

__all__ = [
    "DEFAULT_FOLDER",
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

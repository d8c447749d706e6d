"""
The main job: an async function over many inputs, each outcome journaled.

At-least-once execution, never 'exactly once'; nothing is silently done twice; the books balance. ``docs/run.md`` has
the promises.
"""

from unlost.batch._blocked import NEVER, Blocked
from unlost.batch._context import Context
from unlost.batch._engine import Halted, How
from unlost.batch._folder import DEFAULT as DEFAULT_FOLDER
from unlost.batch._folder import Folder
from unlost.batch._lock import Locked, is_held
from unlost.batch._paper import Paper
from unlost.batch._plan import Plan, Where, plan_resume, plan_run
from unlost.batch._progress import Progress
from unlost.batch._purge import Purged, purge_inputs, purge_run
from unlost.batch._run import Run
from unlost.batch._values import OutputError
from unlost.batch.alone._lost import AloneFailed, CannotRunAlone, WorkerLost
from unlost.batch.export._file import write_file
from unlost.batch.export._lines import Inputs, export_lines
from unlost.batch.gate._rest import HoldTooLong
from unlost.batch.gate._self_stop import SelfStop
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
from unlost.batch.journal._ended_items import Chosen
from unlost.batch.journal._kept import KeptBriefly
from unlost.batch.journal._not_run import PutAside, read_no_items, read_put_aside
from unlost.batch.journal._opening import read_first, read_options
from unlost.batch.journal._pauses import NEVER_PAUSED, Paused, read_paused, read_why
from unlost.batch.journal._purging import read_note
from unlost.batch.journal._results import is_results_file
from unlost.batch.journal._spend import NOTHING_SPENT, Amount, Spent, dollars, read_spent, usd_text
from unlost.batch.journal._writer import JournalError
from unlost.batch.options._explain import explain
from unlost.batch.options._options import Resolved, resolve
from unlost.batch.paid._purse import BudgetSpent, larger_budgets
from unlost.batch.source._errors import InputError, SourceError
from unlost.batch.source._records import Format, kept_as
from unlost.batch.target._target import load_target

__all__ = [
    "DEFAULT_FOLDER",
    "NEVER",
    "NEVER_PAUSED",
    "NOTHING_SPENT",
    "Again",
    "AloneFailed",
    "Amount",
    "Blocked",
    "Books",
    "BudgetSpent",
    "CannotRunAlone",
    "Chosen",
    "Context",
    "Dead",
    "Folder",
    "Format",
    "Group",
    "Halted",
    "HoldTooLong",
    "How",
    "InDoubt",
    "InputError",
    "Inputs",
    "JournalError",
    "KeptBriefly",
    "Locked",
    "OutputError",
    "Paper",
    "Paused",
    "Plan",
    "Progress",
    "Purged",
    "PutAside",
    "Resolved",
    "Run",
    "SelfStop",
    "SourceError",
    "Spent",
    "Where",
    "WorkerLost",
    "dollars",
    "explain",
    "export_lines",
    "is_held",
    "is_results_file",
    "kept_as",
    "larger_budgets",
    "load_target",
    "plan_resume",
    "plan_run",
    "purge_inputs",
    "purge_run",
    "read_books",
    "read_dead",
    "read_first",
    "read_groups",
    "read_in_doubt",
    "read_no_items",
    "read_note",
    "read_options",
    "read_paused",
    "read_put_aside",
    "read_results_file",
    "read_spent",
    "read_why",
    "resolve",
    "usd_text",
    "write_file",
]

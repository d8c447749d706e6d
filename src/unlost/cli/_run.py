"""``unlost run``."""

from __future__ import annotations

import argparse
from pathlib import Path

from unlost.batch import Where, explain, load_target, plan_run, resolve
from unlost.cli._display import check_display
from unlost.cli._drive import drive
from unlost.cli._streams import UNWRITABLE, out

FLAGS = (
    "concurrency", "attempts", "timeout", "deadline", "retry_on", "first", "in_doubt", "durability", "grace", "rate",
    "limit_key", "budget", "halt", "keep_going", "outage", "max_hold", "tag",
)  # fmt: skip
"""Options that go by flag to ``run`` and ``resume`` alike."""


def execute(arguments: argparse.Namespace) -> int:
    check_display(arguments.display)
    flags = {name: getattr(arguments, name) for name in (*FLAGS, "key", "format", "inputs", "max_record")}
    target = load_target(arguments.target)
    if arguments.explain:
        written = out(explain(resolve(flags, target.options, decorated_at=target.defined_at)))
        return 0 if written else UNWRITABLE
    where = Where(Path(arguments.folder), arguments.new, arguments.accept_code)
    plan = plan_run(target, arguments.source, flags, where, out=Path(arguments.out) if arguments.out else None)
    report_to = Path(arguments.report) if arguments.report else None
    first_words = f"continuing run {plan.run}; --new starts another"
    return drive(
        plan, first_words, quiet=arguments.quiet, as_json=arguments.json, display=arguments.display, report_to=report_to
    )

"""``unlost resume``."""

from __future__ import annotations

import argparse
from pathlib import Path

from unlost.batch import Where, plan_resume
from unlost.cli._display import check_display
from unlost.cli._drive import drive
from unlost.cli._run import FLAGS


def execute(arguments: argparse.Namespace) -> int:
    check_display(arguments.display)
    flags = {name: getattr(arguments, name) for name in FLAGS}
    where = Where(Path(arguments.folder), accept_code=arguments.accept_code)
    plan = plan_resume(arguments.run, flags, where, out=Path(arguments.out) if arguments.out else None)
    report_to = Path(arguments.report) if arguments.report else None
    first_words = f"continuing run {plan.run}"
    return drive(
        plan, first_words, quiet=arguments.quiet, as_json=arguments.json, display=arguments.display, report_to=report_to
    )

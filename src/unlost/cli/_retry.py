"""``unlost retry``."""

from __future__ import annotations

import argparse
from pathlib import Path

from unlost.batch import Again, Where, plan_resume
from unlost.cli._display import check_display
from unlost.cli._drive import drive
from unlost.cli._run import FLAGS


def execute(arguments: argparse.Namespace) -> int:
    check_display(arguments.display)
    flags = {name: getattr(arguments, name) for name in FLAGS if name not in ("first", "in_doubt")}
    only = arguments.only.lower() if arguments.only else None
    again = Again(only, arguments.kind, arguments.in_doubt, arguments.fresh)
    out = Path(arguments.out) if arguments.out else None
    plan = plan_resume(arguments.run, flags, Where(Path(arguments.folder), again=again), out=out)
    report_to = Path(arguments.report) if arguments.report else None
    return drive(plan, quiet=arguments.quiet, as_json=arguments.json, display=arguments.display, report_to=report_to)

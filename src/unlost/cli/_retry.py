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
    first_words = f"run {plan.run}: {_what(again)} again"
    return drive(
        plan, first_words, quiet=arguments.quiet, as_json=arguments.json, display=arguments.display, report_to=report_to
    )


def _what(again: Again) -> str:
    if not again.dead:
        return "starting what is in doubt"
    return "running its dead letters and what is in doubt" if again.in_doubt else "running its dead letters"

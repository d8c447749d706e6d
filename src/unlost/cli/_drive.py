"""Driving a run from the command line: progress, Ctrl-C, the summary, the exit code."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import nullcontext, redirect_stdout
from pathlib import Path

from unlost._core import end_by_signal, on_signals, partial, report, run_to_its_end
from unlost.batch import NEVER, Halted, How, Plan, Run
from unlost.cli._display import display_of
from unlost.cli._streams import out, say
from unlost.cli._views import view_of
from unlost.errors import UsageError
from unlost.report import EXIT_CODES, View, exit_code, summary_as_json, summary_as_text


def drive(
    plan: Plan,
    first_words: str,
    *,
    quiet: bool,
    as_json: bool,
    display: str,
    report_to: Path | None = None,
) -> int:
    """
    Carry out the plan and write its report, if there is to be one; return the exit code.

    ``first_words`` are said on standard error where the run was begun before.
    """
    if report_to is not None:
        report_to = report_to.absolute()  # a job may change the current folder
        from unlost.cli._html import check_html

        check_html(report_to)
    if plan.continues and not quiet:
        say(f"unlost: {first_words}")
    driven = _Driven(plan, report_to)
    try:
        run_to_its_end(driven.main(quiet=quiet, as_json=as_json, display=display))
    except (SystemExit, KeyboardInterrupt) as late_exit:
        if not driven.over:
            raise
        report(late_exit, f"{type(late_exit).__name__} when the run had ended: in what {plan.target.spec} left behind")
    return driven.code


class _Driven:
    """A run under way, and what came of it."""

    def __init__(self, plan: Plan, report_to: Path | None) -> None:
        self.report_to = report_to
        self.how: How = "halted"
        self.seconds = 0.0
        self.ended = 0
        self.blocked = NEVER
        self.over = False
        self.code = 0
        self._plan = plan
        self._run = Run.of_plan(plan)
        self._signals = 0

    async def main(self, *, quiet: bool, as_json: bool, display: str) -> None:
        """Run, and say what came of it: before the loop closes, which can take as long as a thread that was left."""
        # with --json, what a job prints must not come between
        with redirect_stdout(sys.stderr) if as_json else nullcontext():
            await self._drive(quiet=quiet, display=display)
        self.code = _conclude(self._plan, self, as_json=as_json)
        self.over = True

    async def _drive(self, *, quiet: bool, display: str) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        self._main = asyncio.current_task()
        with on_signals(self._interrupt):
            try:
                async with self._run:
                    with display_of(self._run, "none" if quiet else display):
                        await self._run.finished()
            except asyncio.CancelledError:
                self.how = "cancelled"  # Ctrl-C while the target was being opened: asked for, and said by the exit code
            except UsageError:
                raise
            except Halted as halted:
                say(f"unlost: {halted}")
                if lost := partial(halted):
                    say(f"unlost: had ended, could not be journaled, and are in doubt: {lost}")
            except BaseException as target_error:  # of the target's context manager: reported  # noqa: BLE001
                report(target_error, f"{self._plan.target.spec} failed outside of its items")
            else:
                self.how = self._run.how
        if self.how == "halted" and self._signals:  # both, which stderr says: of two exit codes the higher one wins
            self.how = "stopped" if self._signals == 1 else "cancelled"
        self.seconds = loop.time() - started
        progress = self._run.progress
        self.ended = progress.done - progress.done_before
        self.blocked = progress.blocked
        if self.how == "complete" and not self.ended and self._plan.continues and not quiet:
            say(f"unlost: run {self._plan.run} had nothing left to do; what has failed is not tried again")

    def _interrupt(self, number: signal.Signals) -> None:
        self._signals += 1
        name = "Ctrl-C" if number == signal.SIGINT else number.name
        if not self._run.is_open:
            say(f"\nunlost: {name}: stopping before anything was started; once more kills")
            end_by_signal()
            if self._main is not None:
                self._main.cancel(name)
        elif self._signals == 1:
            grace = self._plan.policy.options.grace
            progress = self._run.progress
            running = progress.running - progress.waiting  # what waits is given back at once
            have = f"{running:,} running have {grace:g} s" if running else "nothing runs"
            say(f"\nunlost: {name}: starting nothing more; {have}. Once more cancels them, a third time kills.")
            self._run.stop()
            asyncio.get_running_loop().call_later(grace, self._end_grace, name)
        elif self._signals == 2:
            say(f"\nunlost: {name} again: cancelling what runs")
            self._cancel(f"{name}, twice")

    def _end_grace(self, name: str) -> None:
        running = self._run.progress.running
        if self._signals == 1 and running:
            self._signals = 2
            say(f"\nunlost: the grace is over: cancelling {running:,} that still run; {name} again kills")
            self._cancel(f"not done {self._plan.policy.options.grace:g} s after {name}")

    def _cancel(self, reason: str) -> None:
        self._run.cancel(reason)
        end_by_signal()


def _conclude(plan: Plan, driven: _Driven, *, as_json: bool) -> int:
    view = view_of(
        plan.folder,
        plan.run,
        how=driven.how,
        seconds=driven.seconds,
        ended=driven.ended,
        results=plan.out,
        blocked=driven.blocked,
    )
    out(json.dumps(summary_as_json(view), indent=2) if as_json else summary_as_text(view))
    if driven.report_to is not None:
        _write_report(driven.report_to, plan, view)
    code = exit_code(view.books, driven.how)
    assert code in EXIT_CODES
    return code


def _write_report(path: Path, plan: Plan, view: View) -> None:
    """Write it, or say why not: that changes nothing about the run, nor its exit code."""
    from unlost.cli._html import write_html

    try:
        write_html(path, plan.folder, view)
    except UsageError as unwritable:
        say(f"unlost: {unwritable}")

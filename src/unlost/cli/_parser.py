"""The command line, as argparse has it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from unlost.cli._joined import joined

_EXIT_CODES = """\
exit codes:
  0 all ok                     3 halted: the run stopped by itself
  1 some failed, in doubt      4 interrupted: Ctrl-C or SIGTERM
    or pending                 5 the books do not balance
  2 usage                      the highest that applies wins
"""
_VERDICTS = """\
verdicts; those with * fail where they fall in the program's own code:
  reported       somebody was given it: a log, a hook, a handler of the loop
  handled        who caught it last expects it, or looks at it
  converted      it is the cause or context of another
  swallowed *    who caught it last takes anything, and never looked at it
  returned       it was handed over as a value, and never raised or logged after
  absorbed *     what waited for its task took it, and it died unseen
  lost *         nobody ever took it
  undelivered *  it was still held, and never asked for, at the end
  unknown        somebody had it in hand, and what they did cannot be seen
also: * a cancellation that was swallowed, a coroutine that was never awaited, and a
task that was destroyed while pending. What is caught at once by who expects it is not
counted. Without --fail the exit code is the program's.
"""


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return what was typed; prints help or usage and exits with 0 or 2 where that is asked for."""
    parser = argparse.ArgumentParser(
        prog="unlost",
        description="Error handling for asyncio: every outcome reaches its owner.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_run(commands)
    _add_resume(commands)
    _add_retry(commands)
    _add_runs(commands)
    _add_show(commands)
    _add_export(commands)
    _add_purge(commands)
    _add_watch(commands)
    typed = list(sys.argv[1:] if argv is None else argv)
    typed = typed if typed[:1] == ["watch"] else joined(typed)  # what a program is given is its own
    arguments, unknown = parser.parse_known_args(typed)
    if unknown:  # told with the options of that command, not with those before it
        commands.choices[arguments.command].error(f"unrecognized arguments: {' '.join(unknown)}")
    return arguments


def _version() -> str:
    from unlost import __version__

    return f"unlost {__version__}"


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=text,
        description=text,
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--folder", metavar="DIR", default=".unlost", help="where journals are (default: .unlost)")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output, and nothing else there")
    return parser


def _add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "run", "run an async function over the inputs of a file; the same again continues")
    parser.add_argument("target", metavar="MODULE:FUNCTION", help="async function of (item) or (item, context)")
    parser.add_argument(
        "source", metavar="FILE", help="lines of text, JSONL (.jsonl) or a table (.csv), also .gz; - is standard input"
    )
    parser.add_argument("--new", action="store_true", help="start another run even if there is one to continue")
    parser.add_argument("--explain", action="store_true", help="print the options that hold and why; run nothing")
    parser.add_argument("--key", metavar="FIELD", help="the field of a JSON input that names it (default: a hash)")
    formats = parser.add_mutually_exclusive_group()
    choices = ("auto", "lines", "jsonl", "csv", "null", "dead")
    formats.add_argument("--format", choices=choices, help="how FILE is read (default: by suffix)")
    text = "inputs are text that ends with NUL, as find -print0 writes it"
    formats.add_argument("-0", "--null", dest="format", action="store_const", const="null", help=text)
    parser.add_argument("--inputs", choices=("keep", "hash"), help="whether inputs are kept in the journal (default)")
    parser.add_argument("--max-record", metavar="BYTES", help="of a record; a longer one fails alone (default: 16M)")
    _add_options(parser)


def _add_resume(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "resume", "continue a run by its name, with the options that it had")
    parser.add_argument("run", metavar="RUN", help="as `unlost runs` lists it: fetch-3")
    _add_options(parser)


def _add_retry(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "retry", "run dead letters again, from the journal; what they had kept is there")
    parser.add_argument("run", metavar="RUN", help="as `unlost runs` lists it: fetch-3")
    parser.add_argument("--only", metavar="FINGERPRINT", help="dead letters with this error")
    parser.add_argument(
        "--kind", choices=("transient", "permanent", "defect", "cancelled", "input", "output"), help="of them"
    )
    parser.add_argument("--in-doubt", action="store_true", help="what is in doubt; dead letters only if named as well")
    parser.add_argument("--fresh", action="store_true", help="forget what they had kept: call again")
    _add_options(parser, continuing=False)


def _add_runs(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    _command(commands, "runs", "list the runs of this folder")


def _add_show(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "show", "show a run: its books, its errors, what is in doubt")
    parser.add_argument("run", metavar="RUN", help="as `unlost runs` lists it: fetch-3")
    parser.add_argument("fingerprint", metavar="FINGERPRINT", nargs="?", help="one error in full, with all its items")
    text = "what the fingerprint is made of; with OTHER, how two differ"
    parser.add_argument("--why", metavar="OTHER", nargs="?", const="", help=text)
    parser.add_argument("--html", metavar="FILE", help="write the run as one HTML file, and print nothing")


def _add_export(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "export", "write the outcomes of a run as JSONL; dead letters are a source again")
    parser.add_argument("run", metavar="RUN", help="as `unlost runs` lists it: fetch-3")
    what = parser.add_mutually_exclusive_group(required=True)
    for name, text in (("ok", "results"), ("dead", "dead letters"), ("all", "both: dead letters have the name unlost")):
        what.add_argument(f"--{name}", dest="what", action="store_const", const=name, help=text)
    parser.add_argument("--order", choices=("input", "completion"), default="input", help="of lines (default: input)")
    parser.add_argument("--with-input", action="store_true", help="results with their input; dead letters have it")
    parser.add_argument("--withdrawn", action="store_true", help="also items that are gone from the source")
    parser.add_argument("--out", metavar="FILE", help="a file that is not there yet (default: standard output)")
    parser.add_argument("--force", action="store_true", help="replace FILE if it is there")


def _add_purge(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "purge", "delete a run: its journal and the copy of its input, not its results")
    parser.add_argument("run", metavar="RUN", help="as `unlost runs` lists it: fetch-3")
    parser.add_argument("--yes", action="store_true", help="although not everything in it is ok")
    parser.add_argument("--inputs", action="store_true", help="delete only the inputs of what is ok; keep the run")


def _add_watch(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "run a program as it is, and say what became of each exception"
    parser = commands.add_parser(
        "watch",
        help=text,
        description=text,
        epilog=_VERDICTS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--fail", action="store_true", help="exit with 1 where it would be 0 and a verdict fails, see below")
    add("--json", metavar="FILE", help="write what was found as JSON")
    add("--report", metavar="FILE", help="write what was found as one HTML file, to be opened in a browser")
    add("--hang", metavar="TIME", help="say who waits for what when no task makes a step for so long: 30s")
    # takes all that follows, as python's own does: the module's options are its own
    add("-m", dest="module", metavar="MODULE", nargs=argparse.REMAINDER, help="run a module, with all that follows")
    add("program", metavar="FILE ARGS...", nargs=argparse.REMAINDER, help="run a file, with all that follows")


def _add_options(parser: argparse.ArgumentParser, *, continuing: bool = True) -> None:
    add = parser.add_argument
    add("-j", "--concurrency", metavar="N", help="items that run at once (default: 100)")
    add("--attempts", metavar="N", help="how often an item is started at most, the first one counted (default: 1)")
    add("--timeout", metavar="TIME", help="for an attempt: 10, 500ms, 2m; none for no limit")
    add("--deadline", metavar="TIME", help="for an item: its attempts and the waits between them")
    add("--retry-on", metavar="WHAT", help="kinds or exceptions, comma-separated (default: transient)")
    add("--out", metavar="FILE", help="the results file: a line of JSON for each item that is ok")
    add("--durability", choices=("power", "process"), help="what an outcome survives (default: power, a power cut)")
    add("--grace", metavar="TIME", help="for what runs, after the first Ctrl-C (default: 10)")
    add("--rate", metavar="RATE", action="append", help="50/s, or tokens=2M/min; may be given for each unit")
    add("--limit-key", metavar="FIELD", help="rates and rests by this field of the input, or by host (default: one)")
    add("--budget", metavar="AMOUNT", action="append", help="usd=50, tokens=2M: then nothing more is started")
    add("--halt", metavar="WHEN", help="now,fail=N or soon,fail=N or soon,fail=5%%: stop when so many have failed")
    text = "do not stop where all seem to fail for one reason"
    add("--keep-going", action=argparse.BooleanOptionalAction, help=text)
    add("--outage", metavar="TIME", help="how long an outage is waited for (default: 1h); none for ever")
    add("--max-hold", metavar="TIME", help="the longest Retry-After that is waited for (default: 1h)")
    add("--tag", metavar="WORD", help="is with every outcome of this opening")
    if continuing:
        add("--first", metavar="N", help="run the first N inputs only; the full run does not repeat them")
        add("--in-doubt", choices=("hold", "retry"), help="what was started and has no outcome (default: hold)")
        add("--accept-code", action="store_true", help="continue although the target's code has changed")
    add("--report", metavar="FILE", help="one HTML file about the run, written when it ends")
    add("--display", choices=("auto", "plain", "rich"), default="auto", help="how progress is shown on a terminal")
    add("--quiet", action="store_true", help="print no progress")

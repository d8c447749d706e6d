"""What becomes of an item in a process of its own, where that is no value of the job's."""

from __future__ import annotations

import signal as signals

from unlost.errors import Kind, UnlostError, extend_kinds
from unlost.observe import ErrorRecord


class WorkerLost(UnlostError):
    """
    The process that ran an item alone ended before it said what came of the item: that is the item's failure.

    ``classify`` says ``Kind.PERMANENT``: it was the third start at least, and none was heard of again. The attempts
    that had failed before are ``attempts(error)``.

    Attributes:
        exitcode: What the process exited with; None where a signal ended it.
        signal: The signal's name, such as ``SIGSEGV``; None where it exited by itself. Windows knows no signals.
        stderr: The last lines that it printed, redacted.
    """

    def __init__(self, message: str, exitcode: int | None = None, signal: str | None = None, stderr: str = "") -> None:
        super().__init__(message)
        self.exitcode = exitcode
        self.signal = signal
        self.stderr = stderr


class AloneFailed(UnlostError):
    """
    What a job raised in a process of its own: the exception itself has ended with that process.

    ``classify`` says what it said of the exception there.

    Attributes:
        record: The exception as the journal has it; None of what a later attempt made good, and of which there is but
            its title, the message of this.
    """

    def __init__(self, title: str, record: ErrorRecord | None = None) -> None:
        super().__init__(title)
        self.record = record


class CannotRunAlone(UnlostError):
    """
    An item was not started: it was in doubt twice, and there can be no process of its own for it.

    It stays in doubt. This is reported once for each reason, and not raised.
    """


def _kind_there(error: BaseException) -> Kind | None:
    record = error.record if isinstance(error, AloneFailed) else None
    return Kind(record["kind"]) if record else None


extend_kinds({WorkerLost: Kind.PERMANENT, AloneFailed: _kind_there})


def lost(returncode: int, killed: str | None, stderr: str) -> WorkerLost:
    """
    Say that a process ended too soon.

    Args:
        returncode: As ``Popen`` has it: a signal is its number, negative.
        killed: Why this process killed it, if it did.
        stderr: Its last lines, redacted.
    """
    name = _signal_name(-returncode) if returncode < 0 else None
    if killed is not None:
        what = f"run alone, its process was killed: {killed}"
    elif name == "SIGKILL":
        what = "run alone, its process was ended by SIGKILL, as systems do where memory runs out"
    elif name is not None:
        what = f"run alone, its process was ended by {name}"
    else:
        what = f"run alone, its process exited with code {returncode} before it said what came of it"
    error = WorkerLost(what, None if name else returncode, name, stderr)
    if stderr:
        error.add_note(f"the last lines that it printed:\n{stderr}")
    return error


def _signal_name(number: int) -> str:
    try:
        return signals.Signals(number).name
    except ValueError:  # a real-time one
        return f"signal {number}"

"""One exception that came to no good end, and all that is known of it once it is gone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from unlost.observe.watch._verdict import Verdict


@dataclass(frozen=True, slots=True)
class Site:
    """
    A place in the program.

    Attributes:
        file: As its code object spells it.
        line: Counted from 1; 0 where the code has none.
        function: The qualified name.
        app: Whether it is the user's own code.
        module: The name that the file was imported under; empty where it was not.
    """

    file: str
    line: int
    function: str
    app: bool
    module: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line} in {self.function}"


@dataclass(frozen=True, slots=True)
class Origin:
    """
    The task that an exception left, or the call of an executor.

    Attributes:
        task: Its name; empty for a call.
        spawned: Where it was started, then where the task that started it was, and so on; empty where it is not known.
            Of a call, where it was submitted.
    """

    task: str
    spawned: tuple[Site, ...] = ()


def ended_at(site: Site | None, origin: Origin | None) -> Site | None:
    """Return where it ended: who took it, else the user's own place that started its task; None where none is known."""
    own = (started for started in (origin.spawned if origin is not None else ()) if started.app)
    return site or next(own, None)


class ErrorType(NamedTuple):
    """
    The class of an exception.

    Attributes:
        module: As the class names it; empty where it does not.
        qualname: Its qualified name, with ``<locals>`` where it was made in a function.
    """

    module: str
    qualname: str

    def __str__(self) -> str:
        return self.qualname if self.module in ("builtins", "") else f"{self.module}.{self.qualname}"


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One exception, and what became of it.

    Attributes:
        verdict: In a word.
        type: The class; ``str()`` of it is ``module.qualname``, that of a built-in one without its module.
        text: What it says, 500 characters at most.
        frames: Through which it came, outermost first; the last one raised it.
        site: Where it ended: who swallowed it; None where nobody did.
        by: Who took it, in words: ``gather``, ``TaskGroup``; empty where nobody did.
        origin: The task or call that it left last; None where it left none.
        cancellation: Whether it asked a task to end, and the task lived on.
        at: When the verdict fell, in seconds since the epoch.
        kind: What ``unlost.classify`` said of it (``"transient"``, ``"defect"``) while it was there; empty where it
            was not asked.
        during: The request that it came up in, as a service names it; empty where there was none.
        process: The number of the process that it came up in; 0 is this one.
    """

    verdict: Verdict
    type: ErrorType
    text: str
    frames: tuple[Site, ...]
    site: Site | None = None
    by: str = ""
    origin: Origin | None = None
    cancellation: bool = False
    at: float = 0.0
    during: str = ""
    kind: str = ""
    process: int = field(default=0, compare=False)

    @property
    def raised(self) -> Site | None:
        """The innermost frame of the user's own; the innermost of all where none is."""
        own = [frame for frame in self.frames if frame.app]
        return own[-1] if own else self.frames[-1] if self.frames else None

    def __str__(self) -> str:
        by = f" by {self.by}" if self.by else ""
        where = f" at {self.site}" if self.site else ""
        raised = f", raised at {self.raised}" if self.raised else ""
        text = f": {self.text}" if self.text else ""
        return f"{self.verdict.value}{by}{where}: {self.type}{text}{raised}"

"""The options of a run, and which of them hold: a flag over the decorator over the default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from unlost.batch.options._amounts import amount
from unlost.batch.options._budgets import read_budgets
from unlost.batch.options._durations import seconds, spelled
from unlost.batch.options._halts import read_halt
from unlost.batch.options._limit_keys import KeyFunction, name_of_function, read_limit_key
from unlost.batch.options._rates import read_rates
from unlost.batch.options._retry_on import RetryOn, as_tuple, names_of
from unlost.batch.source._records import Format
from unlost.errors import Kind, UsageError
from unlost.policies import Estimate, JobOptions

Readers = Mapping[str, Callable[[object], object]]
Values = Mapping[str, Any]  # Any: what was typed, by option name; each option has its reader


@dataclass(frozen=True, slots=True)
class Options:
    """
    What a run goes by. All of it is built-ins, since the journal keeps it as JSON.

    Attributes:
        concurrency: Items that run at once, 1 to 100,000.
        attempts: How often an item is started at most, the first one counted, 1 to 10,000. By default once: what has
            side effects is repeated only when somebody said so.
        timeout: Seconds for an attempt, above 0; None is no limit.
        deadline: Seconds for an item, its attempts and the waits between them, above 0; None is no limit.
        retry_on: Names of what is tried again, if ``attempts`` is above 1: kinds, exceptions, predicates.
        key: Field of the input that names an item; None hashes the input.
        format: How the source is read; ``auto`` goes by its suffix.
        durability: What an acknowledged outcome survives: a power cut, or only the death of the process (faster).
        grace: Seconds that running items have after the first Ctrl-C, 0 or more.
        in_doubt: Whether what was started and has no outcome waits for a decision or is started again.
        first: Run so many items only; None runs all.
        rate: How many calls start in a time, or tokens are used: ``50/s``, ``tokens=2M/min``; see ``rate_of``.
        limit_key: Field of the input, or ``host``, whose values have rates and rests of their own; a function by its
            name; None: one for all.
        budget: What the run may spend: ``usd=50``; see ``budget_of``. It then starts nothing more.
        halt: When failures stop the run: ``soon,fail=5%``; see ``halt_of``. None: never.
        keep_going: Do not stop where all items seem to fail for one reason.
        outage: Seconds for which an outage is waited for, above 0; None waits for ever.
        max_hold: Seconds that a server may ask to wait for; where it asks for more, the run stops.
        inputs: Whether inputs are kept in the journal, or only what tells whether they are the same: ``"hash"``.
        max_record: Bytes of the longest record; a longer one is a failed item.
        tag: A word of the user's for this opening; it is with every outcome.
    """

    concurrency: int = 100
    attempts: int = 1
    timeout: float | None = None
    deadline: float | None = None
    retry_on: tuple[str, ...] = (Kind.TRANSIENT.value,)
    key: str | None = None
    format: Literal["auto"] | Format = "auto"
    durability: Literal["power", "process"] = "power"
    grace: float = 10.0
    in_doubt: Literal["hold", "retry"] = "hold"
    first: int | None = None
    rate: tuple[str, ...] = ()
    limit_key: str | None = None
    budget: tuple[str, ...] = ()
    halt: str | None = None
    keep_going: bool = False
    outage: float | None = 3600.0
    max_hold: float = 3600.0
    inputs: Literal["keep", "hash"] = "keep"
    max_record: int = 16 * 2**20
    tag: str | None = None

    def to_json(self) -> dict[str, Any]:  # Any: built-ins that JSON can hold
        """Return the values as built-ins that JSON can hold."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Resolved:
    """
    The options that hold, and why.

    Attributes:
        options: Their values.
        origins: For each option where its value is from: ``flag -j``, ``@job at jobs.py:12``, ``default``.
        retry_on: What ``options.retry_on`` names, for ``Retry(on=...)``.
        given: What was given by flag or argument, as JSON can hold it: given again to ``resolve``, the same holds
            again, and what the decorator says by then.
        limit_key: The function whose name is ``options.limit_key``, where there is one and it holds.
        estimate: What the decorator says about the tokens that an item will use.
    """

    options: Options
    origins: Mapping[str, str]
    retry_on: tuple[RetryOn, ...]
    given: Mapping[str, Any] = field(default_factory=dict)  # Any: built-ins
    limit_key: KeyFunction | None = None
    estimate: Estimate | None = None


def resolve(
    flags: Values,
    decorator: JobOptions,
    *,
    decorated_at: str = "",
    spelling: Literal["flag", "argument"] = "flag",
) -> Resolved:
    """
    Decide each option: a flag over the decorator over the default.

    Args:
        flags: Values by option name, as typed (``"10s"``) or as objects (``10``); None is not given. The text ``none``
            takes a decorator's limit away.
        decorator: What ``@unlost.job`` says.
        decorated_at: Where it says so: ``jobs.py:12``.
        spelling: How origins and errors name what was given: ``flag -j`` or ``argument concurrency=``.

    Raises:
        UsageError: A value is not what its option takes, or two of them contradict each other.
    """
    place = f"@job at {decorated_at}" if decorated_at else "@job"
    decorated = {name: getattr(decorator, name) for name in _DECORATED if getattr(decorator, name) is not None}
    given = {name: value for name, value in flags.items() if value is not None}
    values = {  # the later one wins
        **{name: _read(name, value, f"{place}: {name}=", _DECORATED) for name, value in decorated.items()},
        **{name: _read(name, value, _spelled(name, spelling)) for name, value in given.items()},
    }
    origins = {
        **dict.fromkeys(_READERS, "default"),
        **dict.fromkeys(decorated, place),
        **{name: f"{spelling} {_spelled(name, spelling)}" for name in given},
    }
    retry_on = values.pop("retry_on", (Kind.TRANSIENT,))
    limit_key = values.get("limit_key") if callable(values.get("limit_key")) else None
    if limit_key is not None:
        values["limit_key"] = name_of_function(limit_key)
    options = Options(**values, retry_on=names_of(retry_on))
    _refuse_contradiction(options, origins)
    kept = options.to_json()
    given = {name: _kept(kept[name]) for name in given}
    return Resolved(options, MappingProxyType(origins), retry_on, given, limit_key, decorator.estimate)


FLAGS: Mapping[str, str] = MappingProxyType({"concurrency": "-j"})
"""Flags that are not spelled as their option is."""


def _spelled(name: str, spelling: str) -> str:
    if spelling == "argument":
        return f"{name}="
    return FLAGS.get(name, f"--{name.replace('_', '-')}")


def _read(name: str, value: object, where: str, readers: Readers | None = None) -> Any:  # Any: each has its own type
    reader = (_READERS if readers is None else readers).get(name)
    if reader is None:
        raise UsageError(f"There is no option {name!r}; there are {', '.join(_READERS)}.")
    try:
        return reader(value)
    except ValueError as refusal:
        instead = _instead(name) if value == "none" else ""
        # from its cause, if it has one: it says itself what the refusal says
        raise UsageError(f"{_as_typed(where, value)}: {refusal}{instead}.") from refusal.__cause__


def _as_typed(where: str, value: object) -> str:
    """Return an option as the user wrote it, a flag that was given several times as often."""
    if where.endswith("="):
        return f"{where}{_plain(value)}"
    given = value if isinstance(value, list | tuple) else [value]
    return " ".join(f"{where} {_plain(one)}" for one in given)


def _plain(value: object) -> str:
    return value if isinstance(value, str) and value and " " not in value else repr(value)


def _instead(name: str) -> str:
    """Say how to undo an option that there is no being without."""
    default = Options().to_json()[name]
    shown = (
        spelled(default) if isinstance(default, float) else ",".join(default) if isinstance(default, list) else default
    )
    return f"; it cannot be taken away, write {shown} for the default"


def _refuse_contradiction(options: Options, origins: Mapping[str, str]) -> None:
    timeout, deadline = options.timeout, options.deadline
    if timeout is not None and deadline is not None and timeout > deadline:
        raise UsageError(
            f"The timeout of an attempt, {spelled(timeout)} ({origins['timeout']}), is longer than the deadline of "
            f"its item, {spelled(deadline)} ({origins['deadline']}), and would never be reached. "
            f"Write --timeout {spelled(deadline)}, or a longer --deadline."
        )


def _kept(value: object) -> object:
    return "none" if value is None else value  # a limit taken away on purpose; None would mean: not given


def _count(most: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        try:
            number = int(value) if isinstance(value, str) else value
        except ValueError:
            number = None
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= most:
            raise ValueError(f"expected a whole number from 1 to {most:,}")
        return number

    return read


def _limit(value: object) -> float | None:
    if value == "none":
        return None
    read = seconds(value)
    if read == 0:
        raise ValueError("expected more than 0 seconds; write none for no limit")
    return read


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("expected the name of a field")
    return value


def _or_none(reader: Callable[[object], object]) -> Callable[[object], object]:
    """Return a reader that takes ``none`` too, which undoes what the decorator or an earlier opening said."""
    return lambda value: None if value == "none" else reader(value)


def _or_nothing(reader: Callable[[object], tuple[str, ...]]) -> Callable[[object], tuple[str, ...]]:
    """Do so for what may be given several times."""
    return lambda value: () if value in ("none", ["none"], ("none",)) else reader(value)


def _word(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 200 or any("\ud800" <= one <= "\udfff" for one in value):
        raise ValueError("expected a text of 1 to 200 characters that UTF-8 can write")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("expected True or False")
    return value


def _bytes(value: object) -> int:
    number = amount(value)
    if not 1 <= number <= 2**30:
        raise ValueError("expected a number of bytes from 1 to 1G, such as 200k or 16M")
    return int(number)


def _one_of(*words: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if value not in words:
            raise ValueError(f"expected {' or '.join(words)}")
        return str(value)

    return read


_READERS: Readers = MappingProxyType(
    {
        "concurrency": _count(100_000),
        "attempts": _count(10_000),
        "timeout": _limit,
        "deadline": _limit,
        "retry_on": as_tuple,
        "key": _text,
        "format": _one_of("auto", "lines", "jsonl", "csv", "null", "dead"),
        "durability": _one_of("power", "process"),
        "grace": seconds,
        "in_doubt": _one_of("hold", "retry"),
        "first": _or_none(_count(10**12)),
        "rate": _or_nothing(read_rates),
        "limit_key": read_limit_key,
        "budget": _or_nothing(read_budgets),
        "halt": _or_none(read_halt),
        "keep_going": _truth,
        "outage": _limit,
        "max_hold": seconds,
        "inputs": _one_of("keep", "hash"),
        "max_record": _bytes,
        "tag": _word,
    }
)

_DECORATED: Readers = MappingProxyType(
    {
        name: _READERS[name]
        for name in ("concurrency", "attempts", "timeout", "deadline", "retry_on", "rate", "limit_key")
    }
)
"""What ``@job`` says."""

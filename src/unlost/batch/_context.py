"""What a job of two parameters is told about the item it works on."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, SupportsIndex, TypeVar, cast

from unlost.batch._paper import Paper
from unlost.batch.journal._kept import Keep
from unlost.batch.journal._spend import Spend
from unlost.batch.paid._keeping import Kept, check_name, stored_form
from unlost.batch.paid._money import Usd, amount_of, charge_of
from unlost.batch.paid._turns import Turns, check_function, started

if TYPE_CHECKING:
    _Adapter = logging.LoggerAdapter[logging.Logger]
else:  # generic in the stubs; subscripting it at run time serves nobody
    _Adapter = logging.LoggerAdapter

P = ParamSpec("P")
T = TypeVar("T")

_LOGGER = logging.getLogger("unlost.job")


class Marked(Protocol):
    """
    Who hears that a job has told something.

    Attributes:
        is_unknown: Whether a call may have been done.
    """

    is_unknown: bool


class Context:
    """
    The item's place in its run, and what the run takes down for it.

    One that a test makes for itself, ``Context("run", "key", 1)``, checks what it is told as a run does, and keeps what
    is to be kept for as long as it lives.

    Attributes:
        key: What names the item in the journal, in ``unlost show`` and in the results file.
        line: The line of the source that it stands on, counted from 1.
        attempt: Which attempt this is, counted from 1; a resumed run counts from 1 again.
    """

    __slots__ = (
        "_epoch", "_generation", "_item", "_marked", "_paper", "_run_id", "_stored", "_turns",
        "attempt", "key", "line",
    )  # fmt: skip

    def __init__(
        self,
        run_id: str,
        key: str,
        line: int,
        generation: int = 1,
        *,
        item: int = 0,
        epoch: int = 0,
        kept: Mapping[str, bytes | str] | None = None,
        paper: Paper | None = None,
    ) -> None:
        self.key = key
        self.line = line
        self.attempt = 1
        self._run_id = run_id
        self._generation = generation
        self._item = item
        self._epoch = epoch
        self._stored = dict(kept) if kept else None  # most jobs keep nothing
        self._paper = paper
        self._marked: Marked | None = None
        self._turns: Turns | None = None

    def spend(
        self,
        usd: Usd | None = None,
        input_tokens: SupportsIndex | None = None,
        output_tokens: SupportsIndex | None = None,
        id: str | None = None,  # noqa: A002  # the providers' word
    ) -> None:
        """
        Say what a call cost, as soon as that is known: it counts whatever becomes of the attempt.

        It is in the journal before the outcome of the item is, under the attempt of this moment; it may be said in any
        thread, and after the item has ended too (by a thread that a timeout left behind, say).

        Args:
            usd: Dollars, 0 to 1,000,000, kept to the billionth, a half to the even one. A float counts as what it
                prints as: ``0.1`` is a tenth.
            input_tokens: That were sent, 0 or more.
            output_tokens: That came back, 0 or more.
            id: What names the charge to the service, such as the id of its response: 1 to 200 characters. The same one
                of an item counts once, as it was told first, however often it is told: an answer that was replayed
                to an idempotency key costs nothing more.

        Raises:
            UsageError: One of them is not what it should be, or no amount was given; nothing was noted.
            JournalError: The run has ended: its journal is closed, and the amount is in no sum.
        """
        amount, charge = amount_of(usd, input_tokens, output_tokens), charge_of(id)
        if self._paper is not None:
            self._mark()
            parts = (amount.nano_usd, amount.input_tokens, amount.output_tokens)
            self._paper.spend(Spend(self._item, self._generation, self._epoch, self.attempt, *parts, charge))

    def through(self, wrap: Callable[[Paper], Paper]) -> None:
        """Have what is told from now on pass through ``wrap(paper)``; for the run itself."""
        if self._paper is not None:
            self._paper = wrap(self._paper)

    def mark(self, marked: Marked) -> None:
        """Have ``is_unknown`` set on ``marked`` as soon as anything is told; for the run itself."""
        self._marked = marked

    @property
    def kept(self) -> Mapping[str, Any]:  # Any: bytes, or whatever JSON can hold
        """
        What this attempt, earlier ones, earlier openings and earlier generations kept, by name; read-only.

        Bytes come back as bytes, anything else as JSON has it (a tuple as a list), made anew by each reading.
        """
        return Kept(self._own())

    async def keep(self, name: str, value: T) -> T:
        """
        Keep a value for later attempts; return it when it is durable.

        What has cost money is kept before anything is done to it that can fail: the next attempt, and ``unlost retry``
        when that was corrected, find it in ``kept``. ``once`` does both.

        Args:
            name: 1 to 200 characters. What was kept under it before is replaced.
            value: Bytes, or what JSON can hold; 64 MiB at most.

        Raises:
            OutputError: JSON cannot hold it, or not in so many bytes; nothing was written.
            UsageError: The name is none, or these are more bytes; nothing was written.
            JournalError: The journal cannot be written; the run is about to halt.
            CancelledError: The caller was cancelled; it is kept all the same.
        """
        check_name("keep", name)
        stored = stored_form(name, value)
        own = self._own()
        before, own[name] = own.get(name), stored
        if self._paper is not None:
            self._mark()
            try:
                await self._paper.keep(Keep(self._item, name, self._generation, self._epoch, self.attempt, stored))
            except Exception:  # not where the waiting was cancelled: it is written all the same
                self._take_back(name, stored, before)
                raise
        return value

    async def once(self, name: str, func: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """
        Return what is kept under a name; where nothing is, await ``func(*args, **kwargs)``, keep it and return it.

            answer = await context.once("answer", ask, item)

        It comes back as ``kept`` has it from the first time on, so that what works on it once works on it later. What
        ``func`` raises comes out and is not kept. Of two callers at the same time the second waits for the first, and
        calls only if that failed.

        What stands behind it runs in each attempt, so say what the call cost inside of ``func``; or behind it with the
        charge's ``id``, which counts once.

        Raises:
            UsageError: The name is none, ``func`` is no async function, or ``func`` itself awaits this ``once``.
            OutputError: JSON cannot hold what ``func`` returned.
            JournalError: The journal cannot be written; the run is about to halt.
            CancelledError: The caller was cancelled; if ``func`` had returned, that is kept all the same.
        """
        check_name("once", name)
        check_function(name, func)
        if self._turns is None:
            self._turns = Turns()
        async with self._turns.of(name):
            if name not in self.kept:
                await self.keep(name, await started(name, func, *args, **kwargs))
            return cast("T", self.kept[name])  # as JSON made it

    def _mark(self) -> None:
        if self._marked is not None:
            self._marked.is_unknown = True

    def _take_back(self, name: str, stored: bytes | str, before: bytes | str | None) -> None:
        """Have under the name what was there before, unless that was replaced meanwhile."""
        own = self._own()
        if own.get(name) is stored:
            del own[name]
            if before is not None:
                own[name] = before

    def _own(self) -> dict[str, bytes | str]:
        if self._stored is None:
            self._stored = {}
        return self._stored

    @property
    def idempotency_key(self) -> str:
        """
        32 hex digits that are the same in every attempt at this item, after a crash and a resume too.

        Send it with what must not happen twice (as ``Idempotency-Key``, say): execution is at least once, and the
        service can then tell a repetition from a new request. Another item, another run, and an item of this run that
        somebody deliberately does anew have another one.
        """
        parts = (self._run_id, self.key, str(self._generation))
        # each part with its length: ("a", "bc") and ("ab", "c") must not meet
        text = "".join(f"{len(part)}:{part}" for part in parts)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    @property
    def logger(self) -> _Adapter:
        """The logger ``unlost.job``; each of its records has the attributes ``key``, ``line`` and ``attempt``."""
        return _ItemLogger(self)  # made on use and not kept: most jobs never log, and keeping it would be a cycle

    def __repr__(self) -> str:
        return f"Context(key={self.key!r}, line={self.line}, attempt={self.attempt})"


class _ItemLogger(_Adapter):
    def __init__(self, context: Context) -> None:
        super().__init__(_LOGGER, {})
        self._context = context

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        # Any: a log message may be any object, its keywords too
        item = {"key": self._context.key, "line": self._context.line, "attempt": self._context.attempt}
        kwargs["extra"] = {**(kwargs.get("extra") or {}), **item}
        return msg, kwargs

"""What a job of two parameters is told about the item it works on."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    _Adapter = logging.LoggerAdapter[logging.Logger]
else:  # generic in the stubs; subscripting it at run time serves nobody
    _Adapter = logging.LoggerAdapter

_LOGGER = logging.getLogger("unlost.job")


class Context:
    """
    The item's place in its run.

    Attributes:
        key: What names the item in the journal, in ``unlost show`` and in the results file.
        line: The line of the source that it stands on, counted from 1.
        attempt: Which attempt this is, counted from 1; a resumed run counts from 1 again.
    """

    __slots__ = ("_generation", "_run_id", "attempt", "key", "line")

    def __init__(self, run_id: str, key: str, line: int, generation: int = 1) -> None:
        self.key = key
        self.line = line
        self.attempt = 1
        self._run_id = run_id
        self._generation = generation

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

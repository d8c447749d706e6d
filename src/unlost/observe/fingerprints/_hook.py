"""
The user's own key for an error, in place of the fingerprint's parts or beside them.

The hook runs inside of whatever records an error. A fault of it never comes out: the error is grouped as without a
hook, the record says what the hook raised, the first fault is reported and the number of all is told at exit.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, local
from types import EllipsisType
from typing import TypeAlias, TypeVar

from unlost._core import report
from unlost._core._hooks import at_exit
from unlost._core._report import tell
from unlost.errors import UsageError, headline
from unlost.observe._schema import OwnKey
from unlost.observe._text import cut_redacted, encodable, guarded

Key: TypeAlias = "str | tuple[EllipsisType, str] | None"
Hook: TypeAlias = Callable[[BaseException], Key]
HookT = TypeVar("HookT", bound="Hook | None")

_WIDTH = 80  # characters of a key; the smallest record has room for them
_hook: Hook | None = None
_faults = 0
_lock = Lock()  # errors are recorded in any thread
_asking = local()  # while the hook runs: what it records itself is recorded without it


def fingerprint_hook(hook: HookT) -> HookT:
    """
    Let ``hook(error)`` say which errors are one bug, from now on in this process.

    It is asked for each error that is recorded, each member of a group and each cause, in any thread, and must be
    quick; a record that it makes itself is made without it. What it returned is kept in the record, redacted and cut
    to 80 characters, so that it outlives the process. Use it as a decorator, at the top of the module that a job is in.

    Args:
        hook: Returns a text that stands for the whole fingerprint; or ``(..., text)``, which splits what the
            fingerprint would make one group; or None to leave the error alone. It replaces the hook that was there;
            None in its place takes that away. What it raises is reported once, counted, and otherwise has no effect,
            but for ``KeyboardInterrupt`` and ``SystemExit``, which may be a signal's.

    Returns:
        ``hook``.

    Raises:
        UsageError: ``hook`` cannot be called.
    """
    global _hook  # one for each process, as the groups are
    if hook is not None and not callable(hook):
        raise UsageError(f"fingerprint_hook() got {hook!r}. Write fingerprint_hook(lambda error: 'quota').")
    _hook = hook
    return hook


def own_key(error: BaseException, redact: Callable[[str], str]) -> OwnKey | None:
    """Return what the hook says of ``error``, or how it failed; None where there is no hook, or it says nothing."""
    hook = _hook
    if hook is None or getattr(_asking, "now", False):
        return None
    _asking.now = True
    try:
        return guarded(lambda: _asked(hook, error, redact), lambda fault: _failed(hook, fault, redact))
    finally:
        _asking.now = False


def _asked(hook: Hook, error: BaseException, redact: Callable[[str], str]) -> OwnKey | None:
    match hook(error):
        case None:
            return None
        case str(text):
            return {"text": _shown(text, redact)}
        case (second, str(text)) if second is ...:
            return {"text": _shown(text, redact), "beside": True}
        case other:
            raise UsageError(f"{_name(hook)}() returned {other!r}. Return a str, (..., a str), or None.")


def _shown(text: str, redact: Callable[[str], str]) -> str:
    return cut_redacted(encodable(str.__str__(text)), _WIDTH, redact)


def _failed(hook: Hook, fault: BaseException, redact: Callable[[str], str]) -> OwnKey:
    global _faults  # told at exit
    with _lock:
        _faults += 1
        is_first = _faults == 1
    if is_first:
        at_exit(_tell)
        report(fault, f"fingerprint hook {_name(hook)} failed; errors are grouped as if there were none")
    return {"fault": _shown(headline(fault, _WIDTH), redact)}


def _tell() -> None:
    if _faults > 1:
        tell(f"unlost: the fingerprint hook failed {_faults:,} times; only the first was reported\n")


def _name(hook: Hook) -> str:
    return encodable(str(getattr(hook, "__qualname__", None) or type(hook).__qualname__))

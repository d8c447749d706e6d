"""Whether a handler looks at what it caught, or tells somebody who does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from unlost.observe.watch._instructions import Instruction

# Who is called by one of these names is told of the exception that is being handled.
_TELLING: Final = frozenset(
    {
        "call_exception_handler", "capture_exception", "exc_clear", "exc_info", "exception", "excepthook", "format_exc",
        "format_exception", "handleError", "post_mortem", "print_exc", "print_exception", "print_last",
        "record_exception", "set_exception",
    }
)  # fmt: skip
_TELLS: Final = (
    "capture", "dump", "emit", "fail", "handle", "log", "notice", "notify", "on_", "print", "record", "report", "send",
    "show", "track",
)  # fmt: skip
_WHAT: Final = ("err", "exc", "fault", "fail")


def looks_at(body: Sequence[Instruction], name: str | None) -> bool:
    """
    Say whether the instructions of a handler load the exception by its name, or call by a name that tells of it.

    Such are ``log.exception``, ``traceback.print_exc``, ``sys.exc_info``, any call with ``exc_info=`` or
    ``exception=`` and whatever is called ``handle_error``, ``on_exception``, ``report_failure`` and the like.
    """
    return any(loads(one, name) or _tells(one) for one in body)


def name_bound_by(first: Instruction) -> str | None:
    """Return the name that the first instruction of a clause binds the exception to."""
    if not first.opname.startswith("STORE_"):
        return None
    return str(first.argval[0] if isinstance(first.argval, tuple) else first.argval)


def loads(one: Instruction, name: str | None) -> bool:
    """Say whether an instruction reads the variable of a name."""
    if name is None:
        return False
    if one.opname == "STORE_FAST_LOAD_FAST":
        return bool(one.argval[1] == name)
    if not one.opname.startswith("LOAD_") or one.opname.startswith("LOAD_CONST"):
        return False
    return bool(name in one.argval if isinstance(one.argval, tuple) else one.argval == name)


def _tells(one: Instruction) -> bool:
    if isinstance(one.argval, tuple):  # the names of a call's keywords
        return "exc_info" in one.argval or "exception" in one.argval
    if not one.opname.startswith(("LOAD_GLOBAL", "LOAD_ATTR", "LOAD_METHOD", "LOAD_NAME", "LOAD_DEREF", "LOAD_FAST")):
        return False
    called = str(one.argval)
    if called in _TELLING:
        return True
    plain = called.lstrip("_").lower()
    return plain.startswith(_TELLS) and any(what in plain for what in _WHAT)

"""From an exception to its kind, by a table that users extend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from unlost.errors._exceptions import UsageError
from unlost.errors._hints import cause_of, own_status
from unlost.errors._kinds import Kind, worst
from unlost.errors._known_errors import KNOWN, Rule, kind_of_status

Named: TypeAlias = type[BaseException] | str
Rules: TypeAlias = Mapping[Named | tuple[Named, ...], Rule]


class Kinds:
    """
    A table from classes of exceptions to their kinds; it never changes, ``extend`` returns another.

    It starts with what is known about the standard library and widely used clients. The most specific class of an
    error decides, by its method resolution order.
    """

    __slots__ = ("_rules",)

    def __init__(self) -> None:
        self._rules: Mapping[Named, Rule] = KNOWN

    def extend(self, rules: Rules) -> Kinds:
        """
        Return a table in which ``rules`` replace what was said of the same classes.

        Args:
            rules: From an exception class, its name as ``"package.Name"`` (so that nothing needs to be imported), or a
                tuple of these, to a ``Kind`` or a function that takes the error and returns its kind, or None to
                leave it to the class's bases.

        Raises:
            UsageError: A key is no exception class or name, or a value neither kind nor function.
        """
        extended = Kinds()
        extended._rules = {**self._rules, **_flat(rules)}
        return extended

    def kind_of_class(self, error: BaseException) -> Kind | None:
        """
        Return what the table says of the error itself; None where it says nothing, so that its cause is asked.

        A status that the error carries is more specific than a built-in base: a ``ValueError`` with status 503 is
        transient.
        """
        status_asked = False
        for base in type(error).__mro__:
            if not status_asked and base.__module__ == "builtins":
                status_asked = True
                if (kind := kind_of_status(own_status(error))) is not None:
                    return kind
            if (kind := self._said_by(base, error)) is not None:
                return kind
        return None

    def _said_by(self, base: type, error: BaseException) -> Kind | None:
        rule = self._rules.get(base)
        if rule is None:
            rule = self._rules.get(f"{_package(base)}.{base.__name__}")
        return rule if rule is None or isinstance(rule, Kind) else rule(error)


_default = Kinds()


def default_kinds() -> Kinds:
    """Return the table that ``classify`` uses in this process."""
    return _default


def extend_kinds(rules: Rules) -> None:
    """Extend the table that ``classify`` uses in this process; for the rules see ``Kinds.extend``."""
    global _default
    _default = _default.extend(rules)


def classify(error: BaseException, table: Kinds | None = None) -> Kind:
    """
    Say what the owner of ``error`` can do about it.

    Where the table says nothing of the error itself, its ``__cause__`` is asked (what it was raised *from*), never its
    ``__context__`` (what it was raised *during*). Of a group the worst member decides: it may be tried again only if
    each member may, so the order is defect, input, output, permanent, cancelled, transient.

    An error that nothing is known of is permanent. To try again would cost little, but may repeat a side effect
    that nobody can undo; an error that was not tried again is told to its owner, who can.

    Args:
        error: Any exception.
        table: What to go by; None is the table of this process.

    Raises:
        UsageError: ``error`` is no exception; a class of them has no cause to look at.
        Exception: Whatever a rule of the user's raises.
    """
    if not isinstance(error, BaseException):
        raise UsageError(f"classify({error!r}) got no exception.\nWrite classify(error), with one that was caught.")
    table = table or _default
    found: list[Kind] = []
    seen: set[int] = set()
    pending = [error]
    while pending:
        link = pending.pop()
        if id(link) in seen:
            continue
        seen.add(id(link))
        kind = table.kind_of_class(link)
        if kind is not None:
            found.append(kind)
        elif isinstance(link, BaseExceptionGroup):
            pending.extend(link.exceptions)
        elif (cause := cause_of(link)) is not None:
            pending.append(cause)
        else:
            found.append(Kind.PERMANENT)
    return worst(found) if found else Kind.PERMANENT  # nothing found: a cycle of causes


def _package(cls: type) -> str:
    module: object = cls.__module__  # anything at all, in a class that was made by hand
    return module.partition(".")[0] if isinstance(module, str) else ""


def _flat(rules: Rules) -> dict[Named, Rule]:
    flat: dict[Named, Rule] = {}
    for key, rule in rules.items():
        if not isinstance(rule, Kind) and not callable(rule):
            raise UsageError(f"{rule!r} is neither a Kind nor a function. Write {{{key!r}: Kind.TRANSIENT}}.")
        for name in key if isinstance(key, tuple) else (key,):
            _check_name(name)
            flat[name] = rule
    return flat


def _check_name(name: object) -> None:
    if not isinstance(name, str) and not (isinstance(name, type) and issubclass(name, BaseException)):
        raise UsageError(
            f"{name!r} is no exception class. Write {{ConnectionError: Kind.TRANSIENT}}, "
            f'or {{"package.Name": Kind.TRANSIENT}} for a class that need not be imported.'
        )

"""
What the library itself raises, and the two bases that it offers.

.. code-block:: text

    Exception
    ├── UnlostError
    │   ├── BreakerOpen              a breaker lets no call through
    │   ├── ChannelClosed            a channel passes nothing on, at least not here
    │   │   ├── ConsumersGone        nobody takes what is put
    │   │   ├── EndOfChannel         everything was put, and was taken
    │   │   ├── ItemsLeft            nobody took what was put
    │   │   └── ProducerFailed       not everything was put
    │   ├── ChildCancelled           a child was cancelled; its owner was not
    │   ├── ChildFailed              a child failed, told where another exception is being handled
    │   ├── ChildReturned            a child returned that was to run for ever
    │   ├── ChildStillRunning        a child did not stop when it was asked to
    │   ├── DeadlineExceeded         time ran out             (also a TimeoutError)
    │   ├── LimitExceeded            a limit let a call not in, and nothing of it was started
    │   │   ├── BulkheadFull         as many run, and wait, as may
    │   │   └── RateExceeded         as many started, and wait, as may
    │   ├── StreamIncomplete         a stream ended without its end    (also an EOFError)
    │   ├── SupervisorGaveUp         its children crashed too often    (also an ExceptionGroup)
    │   ├── UnwantedResult           a value came that a retry was told not to take
    │   └── UsageError               the call itself is wrong (also a ValueError)
    ├── TransientError               inherit it: trying again may help
    └── PermanentError               inherit it: trying again will not help

``TransientError`` and ``PermanentError`` are no ``UnlostError``: they are bases of the user's own exceptions, and
``except UnlostError`` must not catch those.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from unlost.errors._attached import attach_errors, attached
from unlost.errors._private import dictionary_of, recall, remember


class UnlostError(Exception):
    """The library says that something went wrong."""


class BreakerOpen(UnlostError):
    """
    A breaker did not let a call through: too many of those before it failed.

    It is raised *from* the error that tipped the breaker, which is one object for all callers that are turned away.
    ``classify`` says ``Kind.PERMANENT``, so that a ``Retry`` around the breaker gives up at once: to wait until it is
    over in each of a thousand callers is what a breaker is there to prevent. Who wants to wait says so, with
    ``Retry(on=(Kind.TRANSIENT, BreakerOpen))``, and the wait is then ``retry_after``.

    Attributes:
        name: The breaker's.
        why: What it counted, or what ``trip`` was told.
        since: When it opened, in seconds since 1970.
        retry_after: Seconds until a call is let through again; 0 where probes are under way, ``math.inf`` where it
            stays open until ``reset``.
        errors: The latest failures that led to it, oldest first; the last of them is the cause. At most three are
            kept, with the frames of their tracebacks and the locals in them, until the breaker closes.
    """

    name: str
    why: str
    since: float
    retry_after: float

    def __init__(
        self, name: str, why: str, since: float, retry_after: float, errors: tuple[BaseException, ...] = ()
    ) -> None:
        super().__init__(f"breaker {name!r} is open{_for_how_long(retry_after)}: {why}")
        self.name = name
        self.why = why
        self.since = since
        self.retry_after = retry_after
        if errors:
            remember(self, "led to it", errors)

    @property
    def errors(self) -> tuple[BaseException, ...]:
        return recall(self, "led to it") or ()

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.name, self.why, self.since, self.retry_after), dictionary_of(self)


class ChannelClosed(UnlostError):
    """
    A channel passes nothing on: this end of it was closed, or the other side has left.

    Attributes:
        errors: What the other side failed with, in the order of their leaving; empty where nobody failed. A cancelled
            one is in it as ``ChildCancelled``. The cause is the one error, or one group of them.
    """

    def __init__(self, message: str, errors: tuple[BaseException, ...] = ()) -> None:
        super().__init__(message)
        if errors:
            remember(self, "other side", errors)

    @property
    def errors(self) -> tuple[BaseException, ...]:
        return recall(self, "other side") or ()


class ConsumersGone(ChannelClosed):
    """The last consumer has left before the producers: what ``put`` was given is not in the channel."""


class EndOfChannel(ChannelClosed):
    """All producers have left without an error, and every item was taken: the normal end."""


class ItemsLeft(ChannelClosed):
    """
    A channel was dropped with items in it that nobody took; reported, never raised.

    Attributes:
        items: What was left, oldest first. It stays in this process: a pickled error comes back without it.
    """

    def __init__(self, message: str, items: tuple[object, ...] = ()) -> None:
        super().__init__(message)
        if items:
            remember(self, "items", items)

    @property
    def items(self) -> tuple[object, ...]:
        return recall(self, "items") or ()


class ProducerFailed(ChannelClosed):
    """
    All producers have left, one or more with an error, so that something may be missing.

    Each consumer gets an object of its own, raised from the producer's error, which stays untouched.
    """


class ChildCancelled(UnlostError):
    """
    A child was cancelled from elsewhere, so that its owner gets no value.

    It is an ``Exception`` and not a ``CancelledError``: that the child was cancelled does not mean that the caller is.
    The child's ``CancelledError`` is its cause, the message says who cancelled and why, as far as that is known.
    """


class ChildFailed(UnlostError):
    """
    A child failed, and whoever awaited it was just handling another exception.

    The child's own exception is its ``__cause__``, untouched. Raised again inside of an ``except`` block, that object
    would get the exception which is being handled as its context, and lose its own (anyio#1098).
    """


class ChildReturned(UnlostError):
    """A supervisor's permanent child returned, although it was to run for ever."""


class ChildStillRunning(UnlostError):
    """A child did not stop within the time that it was given, and runs on; the message says where it is."""


class DeadlineExceeded(UnlostError, TimeoutError):
    """
    Time ran out.

    Attributes:
        seconds: The limit.
        elapsed: Seconds from the start to the moment the block was left: above ``seconds`` by what cleanup took.
        name: Which limit it was, where several are nested.
        errors: What else was raised when the time ran out, by cleanup for example, in order; a note lists them.
        where: Where the work stood when the time ran out, ``file.py:12 in function``; empty where that is not known.
    """

    seconds: float
    elapsed: float
    name: str
    where: str

    def __init__(
        self,
        seconds: float,
        elapsed: float,
        name: str = "deadline",
        errors: tuple[BaseException, ...] = (),
        where: str = "",
    ) -> None:
        super().__init__(f"{name} of {seconds:g} s exceeded after {elapsed:.4g} s")
        self.seconds = seconds
        self.elapsed = elapsed
        self.name = name
        self.where = where
        attach_errors(self, errors)

    @property
    def errors(self) -> tuple[BaseException, ...]:
        return attached(self)

    def __reduce__(self) -> tuple[object, ...]:
        # OSError's own would call the class with the message alone
        return type(self), (self.seconds, self.elapsed, self.name), dictionary_of(self)


class LimitExceeded(UnlostError):
    """
    A limit did not let a call in, and nothing of it was started.

    ``classify`` says ``Kind.TRANSIENT`` of it: later, there may be room.

    Attributes:
        name: The limit's.
        waiting: How many calls wait for it.
        retry_after: In how many seconds the call would be let in, if nobody else came; None where that depends on when
            other calls end.
    """

    def __init__(
        self, message: str, name: str = "limit", *, waiting: int = 0, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.name = name
        self.waiting = waiting
        self.retry_after = retry_after


class BulkheadFull(LimitExceeded):
    """
    As many calls run as may at once, and this one may not wait, or not any longer.

    Attributes:
        limit: How many may run.
        running: How many do.
    """

    def __init__(
        self, message: str, name: str = "bulkhead", *, limit: int = 0, running: int = 0, waiting: int = 0
    ) -> None:
        super().__init__(message, name, waiting=waiting)
        self.limit = limit
        self.running = running


class RateExceeded(LimitExceeded):
    """As many calls started as may in that time, and this one may not wait, or not that long."""


class StreamIncomplete(UnlostError, EOFError):
    """
    A stream ended, and none of its items was the one that says that it is complete.

    ``classify`` says ``Kind.TRANSIENT``. What had come is with whoever took it.

    Attributes:
        items: How many had come.
    """

    def __init__(self, message: str, items: int = 0) -> None:
        super().__init__(message)
        self.items = items


class SupervisorGaveUp(UnlostError, ExceptionGroup[Exception]):
    """
    Children of a supervisor crashed more often than its intensity allows, or one could not be replaced.

    Its members are the crashes that led to this, oldest first; a supervisor that gave up below this one is a member
    with members of its own. ``attempts(error)`` are earlier crashes, after which a restart had helped, and
    ``attached(error)`` is what was raised while the other children were stopped.

    Attributes:
        name: The supervisor's.
    """

    name: str = ""

    @property
    def crashes(self) -> tuple[Exception, ...]:
        """The members."""
        return self.exceptions

    def derive(self, crashes: Sequence[Exception], /) -> SupervisorGaveUp:  # type: ignore[override]  # all are Exceptions
        """Return another one with these members, as ``except*`` and ``split`` need it."""
        part = SupervisorGaveUp(self.message, crashes)
        part.name = self.name
        return part


class UnwantedResult(UnlostError):
    """
    A value came, and ``Retry(on_result=...)`` did not want it.

    The one of the last attempt is raised; of those before, each is one of ``attempts(error)``. Where the value is an
    HTTP response, ``status_of`` and ``retry_after`` read it, and ``classify`` goes by its status.

    Attributes:
        value: What came. It stays in this process: a pickled error comes back without it, with None.
    """

    def __init__(self, message: str, value: object = None) -> None:
        super().__init__(message)
        remember(self, "value", value)

    @property
    def value(self) -> object:
        return recall(self, "value")

    @property
    def response(self) -> object:
        """The value, by the name under which clients keep an answer with an error."""
        return self.value


class UsageError(UnlostError, ValueError):
    """
    The library was called in a way that cannot work: a mistake to correct where the call is written.

    The message says what to write instead.
    """


class TransientError(Exception):
    """
    A base for exceptions of yours after which trying again may help.

    ``classify`` says ``Kind.TRANSIENT`` of it, whatever caused it, so that ``Retry`` tries again.
    """


class PermanentError(Exception):
    """
    A base for exceptions of yours after which trying again will not help.

    ``classify`` says ``Kind.PERMANENT`` of it, whatever caused it, so that ``Retry`` gives up at once.
    """


def _for_how_long(seconds: float) -> str:
    if seconds == inf:
        return " until it is reset"
    return f" for {seconds:.3g} s more" if seconds else ", its probes are under way"

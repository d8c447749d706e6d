"""
What the library itself raises, and the two bases that it offers.

.. code-block:: text

    Exception
    ├── UnlostError
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
    │   ├── SupervisorGaveUp         its children crashed too often    (also an ExceptionGroup)
    │   └── UsageError               the call itself is wrong (also a ValueError)
    ├── TransientError               inherit it: trying again may help
    └── PermanentError               inherit it: trying again will not help

``TransientError`` and ``PermanentError`` are no ``UnlostError``: they are bases of the user's own exceptions, and
``except UnlostError`` must not catch those.
"""

from __future__ import annotations

from collections.abc import Sequence

from unlost.errors._attached import attach_errors, attached
from unlost.errors._private import dictionary_of, recall, remember


class UnlostError(Exception):
    """The library says that something went wrong."""


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
    """

    seconds: float
    elapsed: float
    name: str

    def __init__(
        self, seconds: float, elapsed: float, name: str = "deadline", errors: tuple[BaseException, ...] = ()
    ) -> None:
        super().__init__(f"{name} of {seconds:g} s exceeded after {elapsed:.4g} s")
        self.seconds = seconds
        self.elapsed = elapsed
        self.name = name
        attach_errors(self, errors)

    @property
    def errors(self) -> tuple[BaseException, ...]:
        return attached(self)

    def __reduce__(self) -> tuple[object, ...]:
        # OSError's own would call the class with the message alone
        return type(self), (self.seconds, self.elapsed, self.name), dictionary_of(self)


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

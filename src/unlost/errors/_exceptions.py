"""
What the library itself raises, and the two bases that it offers.

.. code-block:: text

    Exception
    ├── UnlostError
    │   ├── ChildCancelled           a child was cancelled; its owner was not
    │   ├── ChildFailed              a child failed, told where another exception is being handled
    │   ├── DeadlineExceeded         time ran out             (also a TimeoutError)
    │   └── UsageError               the call itself is wrong (also a ValueError)
    ├── TransientError               inherit it: trying again may help
    └── PermanentError               inherit it: trying again will not help

``TransientError`` and ``PermanentError`` are no ``UnlostError``: they are bases of the user's own exceptions, and
``except UnlostError`` must not catch those.
"""

from __future__ import annotations

from unlost.errors._private import dictionary_of, recall, remember


class UnlostError(Exception):
    """The library says that something went wrong."""


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


class DeadlineExceeded(UnlostError, TimeoutError):
    """
    Time ran out.

    Attributes:
        seconds: The limit.
        elapsed: Seconds from the start to the moment the block was left: above ``seconds`` by what cleanup took.
        name: Which limit it was, where several are nested.
        errors: What else was raised when the time ran out, by cleanup for example, in order.
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
        if errors:
            remember(self, "errors", errors)

    @property
    def errors(self) -> tuple[BaseException, ...]:
        return recall(self, "errors") or ()

    def __reduce__(self) -> tuple[object, ...]:
        # OSError's own would call the class with the message alone
        return type(self), (self.seconds, self.elapsed, self.name), dictionary_of(self)


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

"""From foreign exceptions to the user's own."""

import asyncio
import contextlib
import gc
import inspect
import traceback
import weakref
from types import SimpleNamespace

import pytest

from unlost.errors import (
    Kind,
    PermanentError,
    TransientError,
    UsageError,
    classify,
    leaves,
    retry_after,
    status_of,
    translate,
)


class ShopError(Exception): ...


class ShopBusy(ShopError): ...


class ShopGone(PermanentError): ...


class Answered(Exception):
    def __init__(self, *args, status=503, retry="7"):
        super().__init__(*args)
        self.response = SimpleNamespace(status_code=status, headers={"Retry-After": retry})


def translated(mapping, error: BaseException) -> BaseException:
    with pytest.raises(BaseException) as caught, translate(mapping):  # noqa: PT011  # whatever it is, it is returned
        raise error
    return caught.value


def test_a_foreign_error_becomes_the_users_with_the_original_as_cause() -> None:
    original = ConnectionError("lost")

    ours = translated({OSError: ShopError}, original)

    assert type(ours) is ShopError
    assert ours.args == ("lost",)
    assert ours.__cause__ is original
    assert ours.__context__ is original


@pytest.mark.parametrize("turn", [1, -1])
def test_the_most_specific_class_wins_whatever_the_order(turn: int) -> None:
    mapping = dict([(OSError, ShopError), (ConnectionError, ShopBusy)][::turn])

    assert type(translated(mapping, ConnectionResetError())) is ShopBusy
    assert type(translated(mapping, FileNotFoundError())) is ShopError


def test_a_tuple_of_classes_shares_a_target() -> None:
    assert type(translated({(KeyError, OSError): ShopError}, KeyError())) is ShopError


def test_an_error_that_is_not_named_passes_untouched() -> None:
    original = KeyError()

    assert translated({OSError: ShopError}, original) is original
    assert original.__cause__ is None


def test_an_error_of_a_target_class_passes_untouched() -> None:
    original = ShopBusy()

    assert translated({Exception: ShopError}, original) is original
    assert translated({Exception: ShopGone, OSError: ShopError}, original) is original


def test_a_function_makes_the_exception_or_lets_the_original_pass() -> None:
    original = FileNotFoundError(2, "no")
    mapping = {OSError: lambda error: ShopError(error.errno) if error.errno == 2 else None}

    assert translated(mapping, original).args == (2,)
    passed = PermissionError(13, "no")
    assert translated(mapping, passed) is passed


def test_a_function_that_returns_no_exception_is_told_so() -> None:
    with pytest.raises(UsageError, match="returned 'busy' for OSError: lost"), translate({OSError: lambda e: "busy"}):
        raise OSError("lost")


@pytest.mark.parametrize("stop", [asyncio.CancelledError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_being_told_to_stop_always_passes_and_cannot_be_named(stop: type[BaseException]) -> None:
    original = stop()

    assert translated({Exception: ShopError}, original) is original
    with pytest.raises(UsageError, match="Write translate"):
        translate({stop: ShopError})


@pytest.mark.parametrize(
    "mapping", [{"OSError": ShopError}, {OSError: 5}, {OSError: KeyboardInterrupt}, {5: ShopError}]
)
def test_a_mapping_that_cannot_work_is_refused_with_what_to_write(mapping) -> None:
    with pytest.raises(UsageError, match="Write "):
        translate(mapping)


def test_a_class_that_takes_no_message_is_refused_when_it_is_named() -> None:
    class Coded(Exception):
        def __init__(self, code, reason): ...

    with pytest.raises(UsageError, match=r"Write lambda error: .*Coded\(\.\.\.\)"):
        translate({OSError: Coded})


def test_an_unprintable_original_is_translated_all_the_same() -> None:
    class Unprintable(OSError):
        def __str__(self):
            raise RuntimeError

    assert "Unprintable" in str(translated({OSError: ShopError}, Unprintable()))


def test_kind_and_hints_follow_the_cause() -> None:
    ours = translated({Answered: ShopError}, Answered("busy"))

    assert classify(ours) is Kind.TRANSIENT
    assert status_of(ours) == 503
    assert retry_after(ours) == 7
    assert not hasattr(ours, "__notes__")


@pytest.mark.parametrize(
    ("original", "target", "note"),
    [
        (ConnectionError("lost"), ShopGone, "ConnectionError: lost was transient; as ShopGone it is permanent"),
        (KeyError("a"), TransientError, "KeyError: 'a' was defect; as TransientError it is transient"),
    ],
)
def test_a_kind_that_the_users_class_changes_is_noted(original, target, note: str) -> None:
    ours = translated({Exception: target}, original)

    assert ours.__notes__ == [note]


def test_in_a_group_leaves_are_translated_and_the_rest_is_kept() -> None:
    lost, bug, context = ConnectionError("lost"), KeyError("bug"), ValueError("context")
    group = ExceptionGroup("outer", [ExceptionGroup("inner", [lost]), bug])
    group.add_note("a note")
    with contextlib.suppress(ExceptionGroup):
        try:
            raise context
        except ValueError:
            raise group  # noqa: B904  # a context is what this is about

    ours = translated({Exception: ShopError, KeyError: ShopBusy}, group)

    assert [(type(leaf), leaf.__cause__) for leaf in leaves(ours)] == [(ShopError, lost), (ShopBusy, bug)]
    assert ours.message == "outer"
    assert ours.__notes__ == ["a note"]
    assert ours.__context__ is context
    assert list(leaves(group)) == [lost, bug]


def test_a_group_of_which_nothing_is_named_passes_as_the_same_object() -> None:
    group = ExceptionGroup("g", [KeyError()])

    assert translated({OSError: ShopError}, group) is group


def test_a_group_class_that_is_named_means_the_group_itself() -> None:
    group = ExceptionGroup("g", [KeyError()])

    assert translated({ExceptionGroup: ShopError}, group).__cause__ is group


def test_no_traceback_is_lost() -> None:
    def deep():
        raise ConnectionError

    with pytest.raises(ShopError) as caught, translate({OSError: ShopError}):
        deep()

    assert "deep" in [frame.name for frame in traceback.extract_tb(caught.value.__cause__.__traceback__)]


def test_a_function_is_translated_and_keeps_its_name() -> None:
    @translate({OSError: ShopError})
    def fetch(n: int) -> int:
        """Fetch."""
        if n:
            raise OSError
        return n

    assert fetch(0) == 0
    assert fetch.__doc__ == "Fetch."
    with pytest.raises(ShopError):
        fetch(1)


async def test_an_async_function_is_translated_and_stays_one() -> None:
    @translate({OSError: ShopError})
    async def fetch(n: int) -> int:
        await asyncio.sleep(0)
        if n:
            raise OSError
        return n

    assert inspect.iscoroutinefunction(fetch)
    assert await fetch(0) == 0
    with pytest.raises(ShopError):
        await fetch(1)


async def test_an_async_with_is_translated() -> None:
    with pytest.raises(ShopError):
        async with translate({OSError: ShopError}):
            raise OSError


def test_a_generator_is_translated_and_takes_what_is_sent() -> None:
    @translate({Exception: ShopError})
    def numbers():
        got = yield 1
        yield got
        raise OSError

    generator = numbers()

    assert next(generator) == 1
    assert generator.send("sent") == "sent"
    with pytest.raises(ShopError):
        next(generator)
    with pytest.raises(StopIteration):
        next(generator)


async def test_an_async_generator_is_translated_and_takes_what_is_sent_and_thrown() -> None:
    closed = []

    @translate({Exception: ShopError})
    async def numbers():
        try:
            got = yield 1
            try:
                yield got
            except KeyError:
                yield "caught"
        finally:
            closed.append(True)

    generator = numbers()

    assert await anext(generator) == 1
    assert await generator.asend("sent") == "sent"
    assert await generator.athrow(KeyError()) == "caught"
    with pytest.raises(StopAsyncIteration):
        await anext(generator)
    assert [n async for n in numbers()] == [1, None]
    abandoned = numbers()
    await anext(abandoned)
    await abandoned.aclose()
    assert closed == [True, True, True]


async def test_an_async_generators_error_is_translated() -> None:
    @translate({OSError: ShopError})
    async def numbers():
        yield 1
        raise OSError

    with pytest.raises(ShopError):
        [n async for n in numbers()]


def test_a_translation_leaves_no_cycle() -> None:
    class Weak(Exception): ...

    def act() -> weakref.ref:
        try:
            with translate({OSError: Weak}):
                raise OSError
        except Weak as error:
            return weakref.ref(error)

    gc.collect()
    gc.disable()
    try:
        assert act()() is None
    finally:
        gc.enable()


def test_what_cannot_be_called_is_not_decorated() -> None:
    with pytest.raises(UsageError, match="Write with translate"):
        translate({OSError: ShopError})(5)

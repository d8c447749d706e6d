"""Ways to take an exception in a handler."""
# ruff: noqa: SIM105  (written as people write it)

from __future__ import annotations

import contextlib
import dataclasses
import sys
import traceback
from collections.abc import Callable
from typing import Generic, TypeVar

from scenario import boom, expect, log, right

T = TypeVar("T")


@expect("swallowed")
async def except_exception_pass() -> None:
    try:
        await boom()
    except Exception:  # ends here
        pass


@right
async def except_exception_looked_at() -> None:
    try:
        await boom()
    except Exception as error:
        print(error)


@expect("swallowed")
async def bare_except() -> None:
    try:
        await boom()
    except:  # noqa: E722  # ends here
        pass


@right
async def bare_except_raised_on() -> None:
    try:
        with contextlib.suppress(ValueError):
            await boom()
    except:
        raise


@expect("swallowed")
async def bound_and_never_used() -> None:
    try:
        await boom()
    except Exception as error:  # noqa: F841  # ends here
        print("it failed")


@right
async def specific() -> None:
    try:
        await boom()
    except ValueError:
        pass


@expect("swallowed")
async def broad_in_a_tuple() -> None:
    try:
        await boom()
    except (ValueError, Exception):  # ends here
        pass


@right
async def printed_by_traceback() -> None:
    try:
        await boom()
    except Exception:
        traceback.print_exc()


@expect("swallowed")
async def broad_after_a_specific_one_that_does_not_match() -> None:
    try:
        await boom()
    except KeyError:
        pass
    except Exception:  # ends here
        pass


@right
async def specific_before_a_broad_one() -> None:
    try:
        await boom()
    except ValueError:
        pass
    except Exception:
        pass


@expect("swallowed")
async def return_in_finally() -> int:
    try:
        await boom()
    finally:
        return 1  # noqa: B012  # ends here


@right
async def return_after_finally() -> int:
    try:
        await boom()
    except ValueError:
        pass
    finally:
        print("done")
    return 1


@expect("swallowed")
async def break_in_finally() -> None:
    for _ in range(1):
        try:
            await boom()
        finally:
            break  # noqa: B012  # ends here


@right
async def finally_that_fails_and_is_handled_passes_on() -> None:
    try:
        try:
            await boom()
        finally:
            try:
                {}["x"]
            except KeyError:
                pass
    except ValueError:
        pass


@expect("swallowed", "swallowed")
async def forgotten_by_a_retry() -> None:
    with contextlib.suppress(ValueError):
        for attempt in range(3):
            try:
                await boom()
            except Exception:  # ends here
                if attempt == 2:
                    raise


@right
async def kept_by_a_retry() -> None:
    errors = []
    for _ in range(3):
        try:
            await boom()
        except Exception as error:
            errors.append(error)
    try:
        raise ExceptionGroup("all attempts", errors)
    except* ValueError:
        pass


@expect("swallowed")
async def another_is_raised_and_handled_within_the_handler() -> None:
    try:
        await boom()
    except Exception:  # ends here
        try:
            {}["x"]
        except KeyError:
            pass


@right
async def another_is_raised_in_its_place() -> None:
    try:
        try:
            await boom()
        except Exception:
            raise KeyError("x")  # noqa: B904
    except KeyError:
        pass


@expect("swallowed")
async def converted_and_then_swallowed() -> None:
    try:
        try:
            await boom()
        except ValueError as error:
            raise RuntimeError("converted") from error
    except Exception:  # ends here
        pass


@right
async def converted_and_logged() -> None:
    try:
        try:
            await boom()
        except Exception as error:
            raise RuntimeError("converted") from error
    except Exception:
        log.exception("failed")


@expect("swallowed")
async def raised_on_by_one_and_swallowed_by_the_next() -> None:
    try:
        try:
            await boom()
        except Exception:
            print("cleaning up")
            raise
    except Exception:  # ends here
        pass


@right
async def raised_on_to_who_means_it() -> None:
    try:
        try:
            await boom()
        except Exception:
            print("cleaning up")
            raise
    except ValueError:
        pass


@expect("swallowed")
async def suppressed() -> None:
    with contextlib.suppress(Exception):  # ends here
        await boom()


@right
async def suppressed_by_name() -> None:
    with contextlib.suppress(ValueError):
        await boom()


@expect("swallowed")
async def swallowed_in_a_generator_based_context() -> None:
    @contextlib.asynccontextmanager
    async def context():  # type: ignore[no-untyped-def]
        try:
            yield
        except Exception:  # ends here
            pass

    async with context():
        await boom()


@right
async def ended_by_an_exit_that_was_given_it() -> None:
    class Exit:
        def __enter__(self) -> None: ...

        def __exit__(self, *_error: object) -> bool:
            return True

    with Exit():
        await boom()


@expect("swallowed")
async def in_an_async_generator() -> None:
    async def source():  # type: ignore[no-untyped-def]
        yield 1
        try:
            await boom()
        except Exception:  # ends here
            yield 2

    print([item async for item in source()])


@right
async def out_of_an_async_generator() -> None:
    async def source():  # type: ignore[no-untyped-def]
        yield 1
        await boom()

    try:
        print([item async for item in source()])
    except ValueError:
        pass


@expect("swallowed")
async def its_text_raises() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise SystemExit(1)

    try:
        raise Broken
    except Exception:  # ends here
        pass


@right
async def logged_without_a_name() -> None:
    try:
        await boom()
    except Exception:
        log.error("failed", exc_info=True)


@expect("swallowed")
async def swallowed_at_each_level_of_a_recursion() -> None:
    def down(levels: int) -> None:
        try:
            raise ValueError("x")
        except Exception:  # ends here
            if levels:
                try:
                    down(levels - 1)
                except KeyError:
                    pass

    down(0)


@right
async def looked_at_by_a_function_that_is_called() -> None:
    def handle_error() -> None:
        print(sys.exc_info()[1])

    try:
        await boom()
    except Exception:
        handle_error()


@expect("swallowed")
async def another_crosses_a_finally_within_the_handler() -> None:
    try:
        await boom()
    except Exception:  # ends here
        try:
            try:
                {}["x"]
            finally:
                print("cleaning up")
        except KeyError:
            pass


@right
async def raised_in_its_place_by_a_handler_that_could_have_ended_it() -> None:
    try:
        for attempt in range(1):
            try:
                await boom()
            except Exception:
                if attempt == 0:
                    raise KeyError("x")  # noqa: B904
    except KeyError:
        pass


@expect("swallowed")
async def another_is_raised_on_by_the_same_handler_further_down() -> None:
    def down(levels: int) -> None:
        try:
            raise ValueError(levels)
        except Exception:  # ends here
            if not levels:
                raise
            try:
                down(levels - 1)
            except ValueError:
                pass

    down(1)


@right
async def raised_on_to_the_interpreter() -> None:
    class Finalized:
        def __init__(self, error: Exception) -> None:
            self.error = error

        def __del__(self) -> None:
            error = self.error
            try:
                raise error
            except Exception:
                if error.args:
                    raise

    unraisable, sys.unraisablehook = sys.unraisablehook, lambda _unraisable: None
    Finalized(ValueError("x"))
    Finalized(ExceptionGroup("one", [ValueError("x")]))
    sys.unraisablehook = unraisable


@right
async def printed_by_a_function_that_is_called() -> None:
    def dump() -> None:
        traceback.print_exc()

    try:
        await boom()
    except Exception:
        dump()


@expect("swallowed")
async def a_function_that_is_called_prints_where_it_is() -> None:
    def dump() -> None:
        traceback.print_stack()

    try:
        await boom()
    except Exception:  # ends here
        dump()


@right
async def handed_to_a_logger_by_its_keyword() -> None:
    class Logger:
        def opt(self, exception: bool) -> Logger:
            print(sys.exc_info() if exception else "")
            return self

    try:
        await boom()
    except Exception:
        Logger().opt(exception=True)


@right
async def noticed_by_an_agent() -> None:
    def notice_error() -> None:
        print(sys.exc_info())

    try:
        await boom()
    except Exception:
        notice_error()


@expect("swallowed")
async def laid_aside_and_never_read() -> None:
    try:
        await boom()
    except Exception as error:  # ends here
        last = error  # noqa: F841


@right
async def laid_aside_and_read() -> None:
    last = None
    try:
        await boom()
    except Exception as error:
        last = error
    print(last)


@expect("swallowed")
async def suppressed_by_a_stack() -> None:
    with contextlib.ExitStack() as stack:  # ends here
        stack.enter_context(contextlib.suppress(Exception))
        await boom()


@right
async def suppressed_by_a_stack_by_name() -> None:
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(contextlib.suppress(ValueError))
        await boom()


@expect("swallowed")
async def suppressed_by_an_asynchronous_stack() -> None:
    async with contextlib.AsyncExitStack() as stack:  # ends here
        stack.enter_context(contextlib.suppress(Exception))
        await boom()


EVERYTHING = Exception
SOME = (ValueError, OSError)


@expect("swallowed")
async def named_everything_by_the_module() -> None:
    try:
        await boom()
    except EVERYTHING:  # ends here
        pass


@right
async def named_everything_by_the_module_and_looked_at() -> None:
    try:
        await boom()
    except EVERYTHING as error:
        print(error)


@right
async def named_some_by_the_module() -> None:
    try:
        await boom()
    except SOME:
        pass


@expect("swallowed")
async def named_everything_by_a_variable() -> None:
    for errors in [(ValueError,), (KeyError, Exception)]:
        try:
            await boom()
        except errors:  # ends here
            pass


@right
async def named_some_by_a_variable() -> None:
    for errors in [(ValueError,), (KeyError, LookupError, ValueError)]:
        try:
            await boom()
        except errors:
            pass


@expect("swallowed")
async def named_everything_by_an_attribute() -> None:
    class Retry:
        on: tuple[type[BaseException], ...] = ()

        async def __call__(self) -> None:
            try:
                await boom()
            except self.on:  # ends here
                pass

    retry = Retry()
    retry.on = (ValueError,)
    await retry()
    retry.on = (ValueError, Exception)
    await retry()


@right
async def named_some_by_an_attribute() -> None:
    class Retry:
        on = (ValueError,)

        async def __call__(self) -> None:
            try:
                await boom()
            except self.on:
                pass

    await Retry()()


class Connection:
    """One whose helpers ask for what is being handled, as others' ``internal_error`` do."""

    lost: BaseException | None = None

    async def use(self) -> None:
        try:
            await boom()
        except Exception:
            self.internal_error("used")

    def internal_error(self, what: str) -> None:
        print(what)
        self.lost = sys.exc_info()[1]

    def close(self) -> None:
        print("closed")

    @staticmethod
    def abort() -> None:
        print(sys.exception())


@right
async def a_method_that_is_called_asks_for_what_is_handled() -> None:
    await Connection().use()


@expect("swallowed")
async def a_method_that_is_called_asks_for_nothing() -> None:
    one = Connection()
    try:
        await boom()
    except Exception:  # ends here
        one.close()


def asks() -> None:
    print(sys.exc_info())


def tidies_up() -> None:
    print("tidied up")


@right
async def a_function_that_is_called_asks_for_what_is_handled() -> None:
    try:
        await boom()
    except Exception:
        tidies_up()
        asks()


@right
async def a_static_method_that_is_called_asks_for_what_is_handled() -> None:
    one = Connection()
    try:
        await boom()
    except Exception:
        one.abort()


class Slotted:
    """One that keeps in a slot what asks."""

    __slots__ = ("then",)

    def __init__(self, then: Callable[[], None]) -> None:
        self.then = then


@right
async def a_function_in_a_slot_asks_for_what_is_handled() -> None:
    one = Slotted(asks)
    try:
        await boom()
    except Exception:
        one.then()


@expect("swallowed")
async def a_function_in_a_slot_asks_for_nothing() -> None:
    one = Slotted(tidies_up)
    try:
        await boom()
    except Exception:  # ends here
        one.then()


@expect("swallowed")
async def a_function_that_is_called_asks_for_nothing() -> None:
    try:
        await boom()
    except Exception:  # ends here
        tidies_up()


class Asking:
    """It answers by the same name as a ``Connection``, and asks for what is being handled."""

    def close(self) -> None:
        print(sys.exception())


@expect("swallowed")
async def the_method_of_another_object_asked_before() -> None:
    for one in (Asking(), Connection()):
        try:
            await boom()
        except Exception:  # ends here
            one.close()


@expect("swallowed")
async def the_method_of_another_object_asks_after() -> None:
    for one in (Connection(), Asking()):
        try:
            await boom()
        except Exception:  # ends here
            one.close()


@right
async def the_methods_of_two_objects_ask() -> None:
    one = Connection()
    one.close = one.abort  # type: ignore[method-assign]
    for each in (one, Asking()):
        try:
            await boom()
        except Exception:
            each.close()


@right
async def the_method_of_another_object_asked_for_nothing_where_there_was_nothing_to_tell() -> None:
    for one, error in ((Connection(), StopIteration()), (Asking(), ValueError("x"))):
        try:
            raise error
        except Exception:
            one.close()


@expect("swallowed")
async def another_function_that_was_called_by_that_name_asked() -> None:
    for call in (asks, tidies_up):
        try:
            await boom()
        except Exception:  # ends here
            call()


@right
async def another_function_that_was_called_by_that_name_asked_for_nothing() -> None:
    for call, error in ((tidies_up, StopIteration()), (asks, ValueError("x"))):
        try:
            raise error
        except Exception:
            call()


@right
async def a_method_asks_in_a_handler_that_catches_everything_by_a_variable() -> None:
    one = Connection()
    for errors in [(ValueError,), (KeyError, Exception)]:
        try:
            await boom()
        except errors:
            one.abort()


@dataclasses.dataclass(frozen=True)
class Box(Generic[T]):
    """What ``typing`` tries to set an attribute of, and does not mind if that is refused."""

    content: T


@right
async def refused_by_a_frozen_dataclass_and_dropped_by_typing() -> None:
    Box[int](1)


@expect("swallowed")
async def refused_by_a_frozen_dataclass_and_dropped() -> None:
    try:
        Box(1).content = 2  # type: ignore[misc]
    except Exception:  # ends here
        pass

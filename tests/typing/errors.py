"""What a type checker sees of kinds, groups, hints and translation: checked by mypy and pyright, never run."""

from collections.abc import AsyncIterator, Iterator
from typing import assert_type

from unlost import (
    Kind,
    PermanentError,
    attached,
    attempts,
    classify,
    leaves,
    rebuild,
    retry_after,
    split,
    status_of,
    translate,
    walk,
)


class ShopError(Exception): ...


TRANSLATION = translate({OSError: ShopError, (KeyError, ValueError): lambda error: PermanentError(str(error))})


@TRANSLATION
async def price(item: str) -> float:
    return float(item)


@TRANSLATION
def prices(items: list[str]) -> Iterator[float]:
    yield from map(float, items)


@translate({OSError: ShopError})
async def offers(item: str) -> AsyncIterator[str]:
    yield item


async def translation_keeps_the_type_of_what_it_decorates() -> None:
    assert_type(await price("a"), float)
    assert_type(prices(["a"]), Iterator[float])
    assert_type([offer async for offer in offers("a")], list[str])
    await price(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # it takes a text


def translation_swallows_nothing() -> int:
    with translate({OSError: ShopError}):
        return 1


async def nor_does_it_around_an_async_block() -> int:
    async with translate({OSError: ShopError}):
        return 1


def an_error_says_what_it_is(error: BaseException) -> None:
    assert_type(classify(error), Kind)
    assert_type(status_of(error), int | None)
    assert_type(retry_after(error), float | None)


def is_transient(error: BaseException) -> bool:
    return classify(error) is Kind.TRANSIENT


def what_travels_with_an_error_is_found(error: BaseException) -> None:
    assert_type(attached(error), tuple[BaseException, ...])
    assert_type(attempts(error), tuple[BaseException, ...])
    assert_type(leaves(error), Iterator[BaseException])
    assert_type(walk(error), Iterator[BaseException])
    assert_type(split(error, is_transient), tuple[BaseException | None, BaseException | None])
    assert_type(rebuild(error, lambda leaf: None), BaseException | None)

"""What a type checker sees of channels: checked by mypy and pyright, never run."""

from typing import assert_type

from unlost import Channel, ChannelStatistics, Consumer, Handle, Producer, TaskGroup


async def produce(producer: Producer[str]) -> None:
    async with producer as entered:
        assert_type(entered, Producer[str])
        await entered.put("a")
        entered.put_nowait("b")
        await entered.put(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # it is for texts


async def consume(consumer: Consumer[str]) -> int:
    async with consumer as entered:
        assert_type(entered, Consumer[str])
        assert_type(await entered.get(), str)
        assert_type(entered.get_nowait(), str)
        return sum([len(item) async for item in entered])


async def a_channels_ends_have_its_type() -> None:
    channel = Channel[str](1)
    assert_type(channel.producer(), Producer[str])
    assert_type(channel.consumer(), Consumer[str])
    assert_type(channel.take_remaining(), list[str])
    assert_type(channel.statistics(), ChannelStatistics)
    declared: Channel[str] = Channel(1, name="texts")
    async with TaskGroup() as group:
        assert_type(group.start_soon(consume, declared.consumer()), Handle[int])
        group.start_soon(produce, Channel[int](1).producer())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # of int


async def a_producer_of_more_is_none_of_less(numbers: Producer[int], mixed: Producer[int | str]) -> None:
    less: Producer[int] = mixed  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]  # invariant
    more: Producer[int | str] = numbers  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]  # invariant
    assert_type((less, more), tuple[Producer[int], Producer[int | str]])

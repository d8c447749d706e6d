"""Which event loop a test runs on: virtual time, unless the test says that its claim is about real time or I/O."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from support.virtual_time import VirtualTimeLoop

LoopFactories = Mapping[str, Callable[[], asyncio.AbstractEventLoop]]


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> LoopFactories:
    if item.get_closest_marker("stock"):
        return {"stock": asyncio.new_event_loop}
    return {"virtual": VirtualTimeLoop}

"""A bounded queue whose producers and consumers are linked."""

from unlost._core.channel._channel import Channel, ChannelStatistics
from unlost._core.channel._ends import Consumer, Producer

__all__ = [
    "Channel",
    "ChannelStatistics",
    "Consumer",
    "Producer",
]

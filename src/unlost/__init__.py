"""Error handling for asyncio: every outcome reaches its owner."""

__version__ = "0.1.0"

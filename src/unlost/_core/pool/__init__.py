"""A function over many items: ``map``, ``stream``, and the pool of workers under them."""

from unlost._core.pool._isolation import Isolation
from unlost._core.pool._map import map  # noqa: A004  # the user's word for it
from unlost._core.pool._stream import Stream, stream

__all__ = [
    "Isolation",
    "Stream",
    "map",
    "stream",
]

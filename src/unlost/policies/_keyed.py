"""One policy for each key, made when it is first asked for: a breaker for each host, a limit for each customer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from threading import RLock
from typing import Final, Generic, TypeVar
from weakref import WeakValueDictionary

from unlost.policies._checks import check_count

K = TypeVar("K", bound=Hashable)
P = TypeVar("P")

# How many of the oldest are looked at for each one that is made: two go for one that comes, so that it shrinks again.
_LOOKS: Final = 4
_DROPS: Final = 2


class Keyed(Generic[K, P]):
    """
    Makes and keeps one policy for each key; at most ``max_keys`` of them, as far as they are idle.

    Where there are more, the ones that were not asked for longest are dropped, and a key that comes again gets a new
    one. One that is not idle is kept, whatever its age, so that there can be more than ``max_keys`` for a while. One
    that anybody still holds is found again even after it was dropped: a key never has two at once.

    It can be used from several threads.

    Args:
        make: Makes the policy for a key. It must be possible to refer to it weakly. It is called under a lock, and may
            not wait for another thread.
        is_idle: Whether nothing is lost where this one is dropped, as long as nobody holds it: no call waits in it,
            and it remembers nothing that matters. Called under the same lock.
        max_keys: How many are kept; 1 or more.

    Raises:
        UsageError: ``max_keys`` is no int of 1 or more.
    """

    __slots__ = ("_held", "_is_idle", "_kept", "_lock", "_make", "_max_keys")

    def __init__(self, make: Callable[[K], P], is_idle: Callable[[P], bool], max_keys: int = 10_000) -> None:
        check_count("Keyed", "max_keys", max_keys)
        self._make = make
        self._is_idle = is_idle
        self._max_keys = max_keys
        self._kept: OrderedDict[K, P] = OrderedDict()  # what was asked for longest ago comes first
        self._held: WeakValueDictionary[K, P] = WeakValueDictionary()
        # reentrant: a signal handler of the main thread may ask while its own thread is in here
        self._lock = RLock()

    def __getitem__(self, key: K) -> P:
        """Return the one policy of ``key``."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
            found = self._held.get(key)
            if found is None:
                found = self._held[key] = self._make(key)
            self._kept[key] = found
            if len(self._kept) > self._max_keys:
                self._drop_idle_ones()
            return found

    def __contains__(self, key: object) -> bool:
        return key in self._kept

    def __iter__(self) -> Iterator[K]:
        """Go through the keys that are kept now, those that were not asked for longest first."""
        with self._lock:
            return iter(tuple(self._kept))

    def __len__(self) -> int:
        return len(self._kept)

    def _drop_idle_ones(self) -> None:
        dropped = 0
        newest = next(reversed(self._kept))
        for _ in range(_LOOKS):
            oldest = next(iter(self._kept))
            if oldest == newest or dropped == _DROPS or len(self._kept) <= self._max_keys:
                return
            if self._is_idle(self._kept[oldest]):
                del self._kept[oldest]
                dropped += 1
            else:  # in use now: it is as young as if it had been asked for, and the next look passes it by
                self._kept.move_to_end(oldest)

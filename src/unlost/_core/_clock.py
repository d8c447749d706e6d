"""The only file that reads the clock (held by ``tests/house``)."""

from time import monotonic as monotonic
from time import perf_counter as perf_counter
from time import time

wall = time

"""What outlives a call: ``spawn`` and its owners, and ``run``, which owns the program."""

from unlost._core.background._background import Background
from unlost._core.background._run import run
from unlost._core.background._spawn import spawn
from unlost._core.background._spawned import Spawned

__all__ = [
    "Background",
    "Spawned",
    "run",
    "spawn",
]

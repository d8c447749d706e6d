"""Cleanup that is not cut short: ``cleanup``, ``Finalizers``, and the shield under them."""

from unlost._core.cleaning._cleanup import cleanup
from unlost._core.cleaning._finalizers import Finalizers

__all__ = [
    "Finalizers",
    "cleanup",
]

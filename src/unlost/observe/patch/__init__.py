"""
The functions of asyncio, as a program calls them, keep what they drop; what callers see stays.

``patch_asyncio`` begins. What is dropped is attached to what comes out, told by asyncio itself, or reported.
"""

from unlost.observe.patch._kept import Kept
from unlost.observe.patch._patch import Patch, patch_asyncio

__all__ = [
    "Kept",
    "Patch",
    "patch_asyncio",
]

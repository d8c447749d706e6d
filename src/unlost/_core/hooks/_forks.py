"""A fork of this process: what has threads or tells things puts them away before it, and begins anew in the child."""

from __future__ import annotations

import os
from collections.abc import Callable


def on_fork(before: Callable[[], object], in_parent: Callable[[], object], in_child: Callable[[], object]) -> None:
    """
    Call ``before`` ahead of each fork, then ``in_parent`` and ``in_child``, each in its process.

    It cannot be taken back. Where there is no fork (Windows), nothing is called; a child that is started by other means
    (``subprocess``, ``spawn``) is not one.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=before, after_in_parent=in_parent, after_in_child=in_child)

"""An item that was in doubt twice, run in a process of its own: if that dies, nothing else does."""

"""
A module that is met when the program imports it, and not before.

What a module does when it is imported would else come at another time: ``multiprocessing.util`` registers a function
for ``atexit``, and those are called in the order in which they came.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

from unlost._core.hooks._replaced import Undo


def on_import(name: str, put_on: Callable[[ModuleType], Undo]) -> Undo:
    """
    Call ``put_on`` with a module as soon as it is imported; now, where it is already.

    What that returns is called when this is undone. It must not raise: that would come out of somebody's import.
    """
    if (module := sys.modules.get(name)) is not None:
        return put_on(module)
    return _Meeting(name, put_on).undo


class _Meeting:
    def __init__(self, name: str, put_on: Callable[[ModuleType], Undo]) -> None:
        self._name = name
        self._put_on = put_on
        self._undos: list[Undo] = []
        self._is_over = False
        sys.meta_path.insert(0, self)

    def undo(self) -> None:
        self._leave()
        while self._undos:
            self._undos.pop()()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return what the next finder finds, with a loader that tells; who only looks for it loads nothing."""
        if name != self._name or self._is_over:
            return None
        others = sys.meta_path[sys.meta_path.index(self) + 1 :]
        finds = (find for one in others if (find := getattr(one, "find_spec", None)) is not None)  # 3.11's need none
        spec = next((found for find in finds if (found := find(name, path, target)) is not None), None)
        if spec is not None and hasattr(spec.loader, "exec_module") and not isinstance(spec.loader, type):
            self._tell_of(spec.loader)
        return spec

    def _tell_of(self, loader: object) -> None:
        execute: Callable[[ModuleType], object] = loader.exec_module  # type: ignore[attr-defined]  # each has it

        def exec_module(module: ModuleType) -> None:
            vars(loader).pop("exec_module", None)
            execute(module)
            if not self._is_over:
                self._leave()
                self._undos.append(self._put_on(module))

        vars(loader)["exec_module"] = exec_module

    def _leave(self) -> None:
        self._is_over = True
        if self in sys.meta_path:
            sys.meta_path.remove(self)

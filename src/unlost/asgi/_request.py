"""What a request is called: its method and its route, without query, headers and body."""

from __future__ import annotations

from typing import Final

from unlost.asgi._types import Scope

LONGEST: Final = 200  # characters


class Request:
    """
    A name that costs little until it is asked for: ``GET /items/{id}``, or the path where the router tells no route.

    It keeps the scope for as long as the request goes on, as the route is found out meanwhile.
    """

    __slots__ = ("_method", "_path", "_root", "_route", "_scope")

    def __init__(self, scope: Scope) -> None:
        self._scope: Scope | None = scope
        self._method: object = scope.get("method") or scope["type"]
        self._path: object = scope.get("path", "")
        self._root: object = ""
        self._route: object = None

    def end(self) -> None:
        """Let the scope go: tasks that outlive the request keep its name."""
        if (scope := self._scope) is not None:
            self._route, self._root = scope.get("route"), scope.get("root_path", "")
            self._scope = None

    def __str__(self) -> str:
        scope = self._scope
        route = self._route if scope is None else scope.get("route")
        root = self._root if scope is None else scope.get("root_path", "")
        template = getattr(route, "path_format", None) or getattr(route, "path", None)
        where = f"{root}{template}" if isinstance(template, str) else self._path
        return f"{self._method} {where}"[:LONGEST]

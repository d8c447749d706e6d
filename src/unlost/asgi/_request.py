"""What a request is called: its method and its route, without query, headers and body."""

from __future__ import annotations

from typing import Final, TypeAlias

from unlost.asgi._types import Scope

LONGEST: Final = 200  # characters

# route, what the application is mounted under, path, method, kind
_Parts: TypeAlias = tuple[object, object, object, object, object]


class Request:
    """
    A name that costs little until it is asked for: ``GET /items/{id}``, or the path where the router tells no route.

    It keeps the scope for as long as the request goes on, as the route is found out meanwhile.
    """

    __slots__ = ("_known",)

    def __init__(self, scope: Scope) -> None:
        self._known: Scope | _Parts = scope

    def end(self) -> None:
        """Let the scope go: tasks that outlive the request keep its name."""
        known = self._known
        if not isinstance(known, tuple):
            get = known.get  # as _parts_of does, without a call: this is done for each request
            self._known = get("route"), get("root_path"), get("path"), get("method"), get("type")

    def __str__(self) -> str:
        known = self._known
        return _name_of(known if isinstance(known, tuple) else _parts_of(known))


def _parts_of(scope: Scope) -> _Parts:
    get = scope.get
    return get("route"), get("root_path"), get("path"), get("method"), get("type")


def _name_of(parts: _Parts) -> str:
    route, root, path, method, kind = parts
    template = getattr(route, "path_format", None) or getattr(route, "path", None)  # Starlette, FastAPI
    where = f"{root or ''}{template}" if isinstance(template, str) else path
    return f"{method or kind} {where}"[:LONGEST]

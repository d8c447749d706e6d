"""The shapes of ASGI 3."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

# Any: by the specification, values are of every sort; frameworks' own aliases are these
Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
# a framework's application takes scopes and messages of its own types
App: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]

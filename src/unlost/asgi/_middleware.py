"""One middleware around an application."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from unlost.asgi import _service
from unlost.asgi._lifespan import SERVER, Lifespan
from unlost.asgi._request import Request
from unlost.asgi._service import Settings, begin, end, end_soon
from unlost.asgi._types import App, Receive, Scope, Send
from unlost.observe.install import is_off, is_serious
from unlost.observe.sinks import Sink
from unlost.observe.watch import Finding, Notice, during, owed

_WATCHED: Final = frozenset({"http", "websocket", "lifespan"})

# Starlette's, uvicorn's, and those of WebSockets: the other side went away
_CLIENTS: Final = frozenset({"ClientDisconnect", "ClientDisconnected", "WebSocketDisconnect"})


class Middleware:
    """
    Watches what becomes of each exception of the process that serves, and names the request it came up during.

    Told, by default to the logger ``unlost`` and each bug in full once, is what nobody else tells: an error of a task
    that a request left behind; one that left the application while the server told nobody, in start-up and shut-down
    too; a cancellation that was swallowed. Each only where the application's own code is concerned. What the framework
    or the server logs, or Sentry is sent, is counted. Nothing changes for the application and the server: errors and
    cancellations go on, and what a client's going away cancels is no loss.

    The watching begins with the first call and ends with the lifespan, when what is left is told; several middlewares
    of a process share the first one's. With ``UNLOST=off`` in the environment calls go straight through.

    Args:
        app: Any ASGI 3 application.
        sinks, report, patch, hang: As ``unlost.install`` takes them.
    """

    def __init__(
        self,
        app: App,
        *,
        sinks: Iterable[str | Sink] | None = None,
        report: Callable[[Finding | Notice], bool] = is_serious,
        patch: bool = False,
        hang: float | None = None,
    ) -> None:
        self.app = app
        wanted = None if sinks is None else tuple(sinks)  # each lifetime reads them
        self._settings = Settings(wanted, report, patch, hang)
        self._is_off = is_off()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Call the application.

        Raises:
            UsageError: With the first call, if there is no such sink.
        """
        kind = scope["type"]
        if self._is_off or kind not in _WATCHED:
            await self.app(scope, receive, send)
            return
        if (watching := _service.installed) is None:
            watching = begin(self._settings)
        if kind == "lifespan":
            await self._live(scope, Lifespan(receive, send))
            return
        # here and not in a function of its own: each coroutine is one more that all awaits pass through
        token = during.set(request := Request(scope))
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            # in boundary mode nobody knows whether what is around this handles it
            if watching.mode == "monitoring" and not _is_clients(error):
                owed(error, SERVER)
            raise
        finally:
            request.end()
            try:
                during.reset(token)
            except ValueError:  # closed from elsewhere, in the middle
                during.set("")

    async def _live(self, scope: Scope, lifespan: Lifespan) -> None:
        try:
            await self.app(scope, lifespan.receive, lifespan.send)
        except BaseException as error:
            if isinstance(error, Exception) and lifespan.is_begun:
                owed(error, SERVER)
            end_soon()
            raise
        end()


def _is_clients(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(map(_is_clients, error.exceptions))
    return type(error).__name__ in _CLIENTS

"""A client of WebSockets that does what it is told, one step after the other."""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Self

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Event, Message, RejectConnection, Request


class WebSocket:
    """
    A connection to a path of a server on this machine, which is open when it is made.

    Args:
        port, path: Of the server.
        patience: Seconds that each step may take.
    """

    def __init__(self, port: int, path: str, patience: float = 30.0) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=patience)
        self._connection = WSConnection(ConnectionType.CLIENT)
        self._send(Request(host="here", target=path))
        opened = self._next()
        assert isinstance(opened, AcceptConnection), opened

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self.drop()

    def send(self, text: str) -> None:
        """Send a message."""
        self._send(Message(data=text))

    def receive(self) -> str | int:
        """Return the next message, or the code that the server closes with; 1006 where it does so without a word."""
        event = self._next()
        if isinstance(event, CloseConnection):
            return int(event.code)
        assert isinstance(event, Message), event
        return str(event.data)

    def close(self) -> None:
        """Close it, as a browser does."""
        self._send(CloseConnection(code=1000))
        while not isinstance(self._next(), CloseConnection):
            pass
        self.drop()

    def drop(self) -> None:
        """Let the connection go without a word, as who loses the network."""
        self._socket.close()

    def _send(self, event: Event) -> None:
        self._socket.sendall(self._connection.send(event))

    def _next(self) -> Event:
        while True:
            for event in self._connection.events():
                if isinstance(event, AcceptConnection | RejectConnection | CloseConnection | Message):
                    return event
            self._connection.receive_data(self._socket.recv(2**16) or None)

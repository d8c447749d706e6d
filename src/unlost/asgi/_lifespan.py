"""
Start-up and shut-down of an application.

An error there has two ways out, and both may end in silence. The application says ``failed``, with a text or without
one, and lets the error go: servers log no more than that text. Or it raises: then servers go on, as this is also how an
application says that it has no start-up. That one is told from the other by whether it had received the first message.
"""

from __future__ import annotations

import sys

from unlost.asgi._types import Message, Receive, Send
from unlost.observe.watch import during, owed, reported

SERVER = "the server"


class Lifespan:
    """
    Stands between an application and its server for one call with the scope ``lifespan``; changes nothing.

    Attributes:
        is_begun: Whether the application has received a message, and so has a start-up.
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        self.is_begun = False
        self._receive = receive
        self._send = send

    async def receive(self) -> Message:
        """Receive; what runs from then on is named by it."""
        message = await self._receive()
        self.is_begun = True
        during.set(str(message.get("type", "")).replace(".", " "))
        return message

    async def send(self, message: Message) -> None:
        """Send; the error that an application says ``failed`` for is handled around this call."""
        error = sys.exception()
        if isinstance(error, Exception) and str(message.get("type", "")).endswith(".failed"):
            if type(error).__name__ in str(message.get("message", "")):
                reported(error, "the server's log, as a text")
            else:
                owed(error, SERVER)
        await self._send(message)

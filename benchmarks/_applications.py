"""The applications that ``public_applications.py`` runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Application:
    """
    One that is run as it comes.

    Attributes:
        name: Of its driver in ``applications``, and of its environment.
        needs: What is installed, as pip takes it; the versions are those that were judged.
        own: The packages that count as the program's own, by the names they are imported under.
        options: Of pip.
    """

    name: str
    needs: str
    own: str
    options: str = ""


_BLACK: Final = "--no-binary black"  # what is compiled has no byte code to watch

APPLICATIONS: Final = (
    Application("aiocoap", "aiocoap==0.4.17", "aiocoap"),
    Application("aiohttp", "aiohttp==3.14.5", "aiohttp"),
    Application("aiosmtpd", "aiosmtpd==1.4.6", "aiosmtpd"),
    Application("asyncssh", "asyncssh==2.24.1", "asyncssh"),
    Application("asyncua", "asyncua==2.1.0", "asyncua"),
    Application("black", "black==26.10.1", "black blib2to3", _BLACK),
    Application("blackd", "black==26.10.1 aiohttp==3.14.5", "black blackd blib2to3", _BLACK),
    Application("datasette", "datasette==0.65.5", "datasette"),
    Application("distributed", "distributed==2026.8.0", "distributed dask"),
    Application("hypercorn", "hypercorn==0.18.0 quart==0.23.1", "hypercorn quart"),
    Application("jupyter", "jupyter_server==2.21.1 ipykernel==7.4.0 websocket-client", "jupyter_server jupyter_client"),
    Application("mcp", "mcp==2.3.0", "mcp"),
    Application("mitmdump", "mitmproxy==12.2.3", "mitmproxy"),
    Application("nbclient", "nbclient==0.11.0 ipykernel==7.4.0", "nbclient jupyter_client"),
    Application("nicegui", "nicegui==3.18.0", "nicegui"),
    Application("prefect", "prefect==3.8.8 fastapi==0.139.0", "prefect"),
    Application("pymodbus", "pymodbus==3.16.1", "pymodbus"),
    Application("scrapy", "scrapy==2.19.0", "scrapy"),
    Application("textual", "textual==8.2.8", "textual"),
    Application("tornado", "tornado==6.6.1", "tornado"),
    Application("uvicorn", "uvicorn==0.54.0 starlette==1.10.0 uvloop httptools", "uvicorn starlette"),
    Application("websockets", "websockets==17.4", "websockets"),
)

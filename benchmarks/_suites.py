"""The public projects whose tests ``public_suites.py`` runs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Suite:
    """
    A project and how its tests are run.

    Attributes:
        name: As on PyPI.
        version: The one that was judged.
        needs: What else its tests import, as pip takes it.
        arguments: Of pytest; last, the paths.
        environment: What its installation and its tests want there.
    """

    name: str
    version: str
    needs: str = ""
    arguments: str = "tests"
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def stem(self) -> str:
        return f"{self.name.replace('-', '_')}-{self.version}"


_NO_TRIO: Final = "not trio"  # its errors are told by its nurseries; this watches asyncio
_CLIENT: Final = (
    "client_functional client_session client_request client_response client_ws client_ws_functional client_proto "
    "client_connection connector"
)

SUITES: Final = (
    Suite("janus", "2.0.0", "pytest-asyncio pytest-cov pytest-benchmark pytest-codspeed"),
    Suite("aiojobs", "1.4.0", "pytest-asyncio pytest-aiohttp aiohttp pytest-cov", "-o asyncio_mode=auto tests"),
    Suite(
        "anyio",
        "4.16.0",
        "pytest-mock pytest-timeout blockbuster hypothesis psutil trustme truststore uvloop",
        f"-k '{_NO_TRIO} and not ipv6' tests",
    ),
    Suite(
        "starlette",
        "1.10.0",
        "httpx2[zstd] httpx anyio blockbuster itsdangerous jinja2 opentelemetry-sdk pytest-codspeed python-multipart "
        "pyyaml trio",
        f"-k '{_NO_TRIO}' tests",
    ),
    Suite(
        "httpx",
        "0.28.1",
        "httpx[brotli,cli,http2,socks,zstd] chardet cryptography trio trustme uvicorn anyio pytest-timeout",
        f"-m 'not network' -k '{_NO_TRIO}' -W ignore tests",
    ),
    Suite(
        "aiohttp",
        "3.14.5",
        "blockbuster freezegun isal pkgconfig proxy.py pytest-codspeed pytest-cov pytest-mock pytest-timeout "
        "pytest-xdist python-on-whales re-assert trustme zlib-ng",
        f"-c {os.devnull} --rootdir . -p no:cacheprovider "
        + " ".join(f"tests/test_{name}.py" for name in _CLIENT.split()),
        (("AIOHTTP_NO_EXTENSIONS", "1"),),
    ),
    Suite("async-timeout", "5.0.1", "pytest-asyncio pytest-cov"),
    Suite("tenacity", "9.2.1", "pytest-asyncio tornado typeguard"),
    Suite("stamina", "26.1.0", "anyio dirty-equals structlog prometheus-client tenacity"),
    Suite("aiosqlite", "0.22.1", arguments="aiosqlite/tests/smoke.py aiosqlite/tests/perf.py"),
    Suite(
        "uvicorn",
        "0.35.0",
        "a2wsgi==1.10.8 cryptography httptools httpx==0.28.1 pytest-mock pytest-xdist[psutil] python-dotenv pyyaml "
        "trustme uvloop watchfiles websockets==13.1 wsproto==1.2.0",
        "-o addopts= -n 2 tests",
    ),
)

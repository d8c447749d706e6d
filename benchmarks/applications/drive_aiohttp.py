"""aiohttp, a server and a downloader in one process."""

from _driven import PROGRAMS, run

run([str(PROGRAMS / "fetch_aiohttp.py")])

"""The tests with real client libraries run where these are installed: not on every interpreter."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("httpx") and find_spec("aiohttp") else ["test_real_clients.py"]

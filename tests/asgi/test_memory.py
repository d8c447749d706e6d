"""A service that fails for ever takes no more memory than one that has failed for a while."""

from __future__ import annotations

import pytest

from asgi.conftest import Ran

PROGRAM = """
import resource
logging.disable(logging.CRITICAL)
FIRST, REST, PLACES = 20_000, 100_000, 40

namespace = {}
for number in range(PLACES):
    exec(f"async def boom_{number}(what): raise ValueError(what)", namespace)
booms = [namespace[f"boom_{number}"] for number in range(PLACES)]


async def app(scope, receive, send):
    number = int(scope["path"].rpartition("/")[2])
    boom = booms[number % PLACES]
    WAY


async def main():
    watched = Middleware(app)
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    for number in range(FIRST):
        await call(watched, f"/{number}")
    await asyncio.sleep(0.2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(FIRST, FIRST + REST):
        await call(watched, f"/{number}")
    await asyncio.sleep(0.2)
    print("grew", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, file=sys.stderr)

asyncio.run(main())
"""
WAYS = {
    "raises": "await boom('what ' * number if number < 100 else f'what {number}')",
    "forgets": "asyncio.create_task(boom(f'what {number}')); await asyncio.sleep(0)",
    "swallows": "\n    try: await boom(f'what {number}')\n    except Exception: pass",
}
MOST_KIB = 256


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_a_hundred_thousand_failing_requests_do_not_grow_the_process(ran: Ran, way: str) -> None:
    told = ran(PROGRAM.replace("WAY", WAYS[way]))

    assert int(told.rpartition("grew")[2]) < MOST_KIB

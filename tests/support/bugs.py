"""
Bugs, each a module of a user's: what is asked of fingerprints is that each is one group, and no two are.

``job(data)`` fails because of ``data``, which is other data each time. ``ONE`` and ``TWO`` are names of locals, which
are others each time, too. ``shop`` is a library that there are two versions of (``support.corpus``).
"""

from typing import Final

BUGS: Final = {
    # what Python itself says
    "a field is missing": """
def parse(ONE):
    return ONE["price"]

async def job(data):
    return parse({"id": data.n})
""",
    "another field is missing, in the same function": """
def parse(ONE):
    return ONE["name"]

async def job(data):
    return parse({"id": data.n})
""",
    "the same field is missing, in another function": """
def read(ONE):
    return ONE["price"]

async def job(data):
    return read({"id": data.n})
""",
    "a field that a constant names is missing": """
STOCK = "stock"

def parse(ONE):
    return ONE[STOCK]

async def job(data):
    return parse({"id": data.n})
""",
    "what was sought is not in a table": """
def price_of(ONE):
    TWO = {"wood": 3, "iron": 4}
    return TWO[ONE]

async def job(data):
    return price_of(data.word)
""",
    "nothing where an object should be": """
async def job(data):
    ONE = None
    return ONE.price
""",
    "no number": """
async def job(data):
    return int(data.word)
""",
    "no number, in a comprehension": """
def numbers(ONE):
    TWO = [int(each) for each in ONE]
    return TWO

async def job(data):
    return numbers([data.n, data.word])
""",
    "no number, in comprehensions within comprehensions": """
def table(ONE):
    return {"all": [{int(inner) for inner in [each]} for each in ONE]}

async def job(data):
    return table((data.word, data.n))
""",
    "text and number": """
async def job(data):
    ONE = data.n + data.word
    return ONE
""",
    "division by zero, after recursion": """
def down(ONE):
    if ONE == 0:
        return 1 / 0
    return down(ONE - 1)

async def job(data):
    return down(data.depth)
""",
    "no JSON": """
import json

async def job(data):
    return json.loads("[" * data.depth + "!" + data.word)
""",
    "no file": """
async def job(data):
    with open(data.path) as ONE:
        return ONE.read()
""",
    "a name that is not there": """
async def job(data):
    return pricee(data.n)
""",
    # what the user's code says
    "no such user": """
class NotFound(Exception):
    pass

async def job(data):
    ONE = data.word
    raise NotFound(f"no such user {ONE}")
""",
    "the user is locked: another message of the same function": """
class NotFound(Exception):
    pass

async def job(data):
    raise NotFound(f"user {data.word} is locked since {data.n} days")
""",
    "no such user, by an older way to say it": """
class NotFound(Exception):
    pass

async def load(data):
    raise NotFound("no such user %s in %s" % (data.word, data.path))

async def job(data):
    await load(data)
""",
    "no such order, worded by the class": """
class NoOrder(Exception):
    def __init__(self, ONE):
        super().__init__("there is no order {} here".format(ONE))

async def job(data):
    raise NoOrder(data.word)
""",
    "no such order, worded by the class's __str__": """
class NoOrder(Exception):
    def __str__(self):
        return f"order {self.args[0]} was never made"

async def job(data):
    raise NoOrder(data.word)
""",
    "a helper raises what its caller worded": """
def fail(ONE):
    raise ValueError(ONE)

async def job(data):
    fail(f"the weight {data.n} of {data.word} is too much")
""",
    "the helper raises what another caller worded": """
def fail(ONE):
    raise ValueError(ONE)

async def job(data):
    fail(f"the height {data.n} of {data.word} is too much")
""",
    "everything that varies, in one message that is data": """
def fail(ONE):
    raise RuntimeError(ONE)

async def job(data):
    parts = [data.url, data.path, data.uuid, data.address, data.at, str(data.n), repr(data.word)]
    fail(" ".join(parts))
""",
    "as many as there are, in one message that is data": """
async def job(data):
    raise RuntimeError([data.word] * data.depth, {data.word: data.n})
""",
    # what a library says
    "the server has trouble": """
import shop

async def job(data):
    return await shop.Client().get(data.url, 503)
""",
    "the server does not have it": """
import shop

async def job(data):
    return await shop.Client().get(data.url, 404)
""",
    "the server has trouble with another call": """
import shop

async def job(data):
    return await shop.Client().put(data.url, 503)
""",
    "nobody answers": """
import shop

async def job(data):
    return await shop.Client().connect(data.address, 111)
""",
    "the network is not there": """
import shop

async def job(data):
    return await shop.Client().connect(data.address, 101)
""",
    "too slow": """
import asyncio

async def job(data):
    async with asyncio.timeout(0):
        await asyncio.sleep(data.n)
""",
    # causes and groups
    "wrapped": """
class JobFailed(Exception):
    pass

async def job(data):
    try:
        return {"id": data.n}["price"]
    except KeyError as ONE:
        raise JobFailed(f"job {data.uuid}") from ONE
""",
    "wrapped around something else": """
class JobFailed(Exception):
    pass

async def job(data):
    try:
        return 1 // 0
    except ZeroDivisionError as ONE:
        raise JobFailed(f"job {data.uuid}") from ONE
""",
    "two things at once": """
def first(ONE):
    return ONE["price"]

def second(ONE):
    return int(ONE)

async def job(data):
    errors = []
    for call, value in [(first, {}), (second, data.word)] * data.depth:
        try:
            call(value)
        except Exception as TWO:
            errors.append(TWO)
    if data.n % 2:
        errors.reverse()
    raise ExceptionGroup(f"{len(errors)} failed", errors)
""",
    "two other things at once": """
def first(ONE):
    return ONE["price"]

def third(ONE):
    return ONE.price

async def job(data):
    errors = []
    for call, value in [(first, {}), (third, data.word)] * data.depth:
        try:
            call(value)
        except Exception as TWO:
            errors.append(TWO)
    raise ExceptionGroup(f"{len(errors)} failed", errors)
""",
}

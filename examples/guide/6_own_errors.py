"""
Exceptions of one's own: a hierarchy, `raise ... from`, and what may be tried again.

Whoever uses a client should meet its exceptions, not those of the library that it happens to be built on; with the
original as the cause, so that nothing is hidden. Where it is tried again, each attempt has an error of its own, and a
loop that keeps the last one has lost the others. And trying again helps against some errors only.
"""

import asyncio

import unlost


class ShopError(Exception):
    """Whatever the shop's client raises: one name for all of it."""


class ShopDown(ShopError, unlost.TransientError):
    """It may work later: the second base says so to `unlost`. In plain asyncio there is nobody to say it to."""


class NoSuchBook(ShopError, unlost.PermanentError):
    """It will not be there the next time either."""


class Line:
    """A foreign library's connection: gives one answer after the other, the last one again and again."""

    def __init__(self, *answers: float | Exception) -> None:
        self.answers = list(answers)
        self.calls = 0

    async def ask(self) -> float:
        self.calls += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def bad_line() -> Line:
    return Line(ConnectionResetError("reset by peer"), BrokenPipeError("nobody there"), TimeoutError("no answer"))


async def price_plainly(line: Line) -> float:
    cause: Exception | None = None
    for _ in range(3):
        try:
            return await line.ask()
        except (OSError, LookupError) as error:
            cause = error  # and the one before is gone
    raise ShopDown("asked three times") from cause


async def plainly() -> None:
    for line in (bad_line(), Line(LookupError("no such book"))):
        try:
            await price_plainly(line)
        except ShopError as error:
            print(f"  asked {line.calls} x: {error!r}\n    from {error.__cause__!r}")


@unlost.retry(attempts=3, base=0)
@unlost.translate({OSError: ShopDown, LookupError: NoSuchBook})
async def price(line: Line) -> float:
    return await line.ask()


async def with_unlost() -> None:
    for line in (bad_line(), Line(LookupError("no such book"))):
        try:
            await price(line)
        except ShopError as error:
            print(f"  asked {line.calls} x: {error!r}, {unlost.classify(error).value}\n    from {error.__cause__!r}")
            for earlier in unlost.attempts(error):
                print(f"    before it {earlier!r} from {earlier.__cause__!r}")

    with unlost.receipt() as survived:
        print("  a price after all:", await price(Line(ConnectionResetError("reset by peer"), 12.5)))
    print("    in spite of", survived.errors)

    print("  and where nobody listens:", await price(Line(ConnectionAbortedError("hung up"), 12.5)))


print("plain asyncio")
asyncio.run(plainly())
print("with unlost")
unlost.run(with_unlost)  # what that price survived, standard error tells at the end

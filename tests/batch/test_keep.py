"""Paid work is not thrown away: what is kept is durable, is read back, and is called for once."""

from __future__ import annotations

import asyncio
import gc
import json
import sqlite3
import threading
import weakref
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from support.command import CommandLine
from support.journals import Session, failure_of, indexed
from support.paid_process import PaidApi
from unlost import Kind, UsageError, classify
from unlost.batch import Again, Context, JournalError, OutputError, Run
from unlost.batch.journal._books import read_dead
from unlost.batch.journal._kept import Keep, keep
from unlost.batch.journal._spend import Spend
from unlost.batch.paid import _keeping
from unlost.batch.paid._purse import Purse
from unlost.batch.paid._till import Till

Options = dict[str, Any]


@pytest.fixture
def options(tmp_path: Path) -> Options:
    return {"folder": tmp_path / ".unlost", "durability": "process"}


class Slow:
    """A paper whose commit takes until it is allowed."""

    def __init__(self) -> None:
        self.kept: list[Keep] = []
        self.durable = asyncio.Event()

    def spend(self, spent: Spend) -> None:
        raise AssertionError(spent)

    async def keep(self, kept: Keep) -> None:
        self.kept.append(kept)
        await self.durable.wait()


def counting(answer: object) -> tuple[Callable[[], Awaitable[object]], list[int]]:
    calls: list[int] = []

    async def ask() -> object:
        calls.append(len(calls))
        await asyncio.sleep(1)
        if answer is ConnectionError:
            raise ConnectionError("reset")
        return answer

    return ask, calls


# Keeping


async def test_keep_returns_what_it_was_given_when_it_is_durable() -> None:
    paper = Slow()
    context = Context("run", "key", 1, 2, item=17, epoch=3, paper=paper)
    given = ("a", 1)

    keeping = asyncio.ensure_future(context.keep("response", given))
    await asyncio.sleep(1)
    early = keeping.done()
    paper.durable.set()

    assert not early
    assert await keeping is given
    assert paper.kept == [Keep(17, "response", 2, 3, 1, '["a", 1]')]


@pytest.mark.parametrize(
    ("given", "stored", "read"),
    [
        (b"\x00\xff", b"\x00\xff", b"\x00\xff"),
        (bytearray(b"ab"), b"ab", b"ab"),
        (memoryview(b"abcd")[::2], b"ac", b"ac"),
        ("", '""', ""),
        ("\x00é\n", None, "\x00é\n"),
        (None, "null", None),
        ({"a": (1, 2.5)}, None, {"a": [1, 2.5]}),
    ],
)
async def test_bytes_stay_bytes_and_what_json_holds_stays_that(given: object, stored: object, read: object) -> None:
    context = Context("run", "key", 1)
    await context.keep("name", given)

    assert context.kept["name"] == read
    assert type(context.kept["name"]) is type(read)
    assert stored in (None, _keeping.stored_form("name", given))


async def test_what_json_cannot_hold_fails_on_that_line_and_nothing_is_written() -> None:
    paper = Slow()
    context = Context("run", "key", 1, paper=paper)

    with pytest.raises(OutputError) as refused:
        await context.keep("response", object())

    assert classify(refused.value) is Kind.OUTPUT
    assert "context.keep('response', ...), which takes bytes too" in refused.value.__notes__[0]
    assert (paper.kept, dict(context.kept)) == ([], {})


async def test_too_many_bytes_are_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_keeping, "MOST", 1000)
    context = Context("run", "key", 1)
    await context.keep("just", b"x" * 1000)

    with pytest.raises(UsageError, match=r"got 1,001 bytes; at most 1,000 are kept.\nKeep what is needed of it"):
        await context.keep("more", b"x" * 1001)

    assert list(context.kept) == ["just"]


@pytest.mark.parametrize("name", ["", "x" * 201, 7, None, b"response", "\ud800"])
async def test_a_name_is_a_text_of_1_to_200_characters(name: Any) -> None:
    context = Context("run", "key", 1)
    await context.keep("x" * 200, 1)

    with pytest.raises(UsageError, match=r"Write a text of 1 to 200 characters first: context.keep\("):
        await context.keep(name, 1)
    with pytest.raises(UsageError, match=r"Write a text of 1 to 200 characters first: context.once\("):
        await context.once(name, asyncio.sleep, 0)


async def test_what_is_kept_cannot_be_changed_from_outside() -> None:
    raw: dict[str, bytes | str] = {"response": '{"a": [1]}', "body": b"b"}
    context = Context("run", "key", 1, kept=raw)
    context.kept["response"]["a"].append(2)
    await context.keep("more", 1)

    assert context.kept == {"response": {"a": [1]}, "body": b"b", "more": 1}
    assert raw.keys() == {"response", "body"}
    assert not hasattr(context.kept, "__setitem__")
    assert repr(context.kept) == "<kept: 'response', 'body', 'more'>"
    assert repr(Context("run", "key", 1).kept) == "<kept: nothing>"


async def test_a_cancelled_keep_keeps_all_the_same() -> None:
    paper = Slow()
    context = Context("run", "key", 1, paper=paper)
    keeping = asyncio.ensure_future(context.keep("response", 1))
    await asyncio.sleep(0)
    keeping.cancel()

    with pytest.raises(asyncio.CancelledError):
        await keeping

    assert [kept.value for kept in paper.kept] == ["1"]
    assert context.kept["response"] == 1


async def test_what_could_not_be_written_is_not_kept() -> None:
    class Full(Slow):
        async def keep(self, kept: Keep) -> None:
            if kept.value != "1":
                raise JournalError("no space left")

    context = Context("run", "key", 1, paper=Full())
    await context.keep("before", 1)
    ask, calls = counting("answer")
    for name in ("before", "response"):
        with pytest.raises(JournalError):
            await context.keep(name, 2)

    with pytest.raises(JournalError):
        await context.once("response", ask)

    assert (dict(context.kept), calls) == ({"before": 1}, [0])


# Once


async def test_once_calls_once_and_gives_what_later_attempts_get() -> None:
    context = Context("run", "key", 1)
    ask, calls = counting({"a": (1, 2)})

    first = await context.once("response", ask)
    context.attempt = 2
    second = await context.once("response", ask)

    assert first == second == {"a": [1, 2]}
    assert calls == [0]


async def test_once_hands_on_its_arguments_and_keeps_none_too() -> None:
    context = Context("run", "key", 1)
    given: list[object] = []

    async def ask(item: int, *, model: str) -> None:
        given.append((item, model))

    await context.once("response", ask, 7, model="small")
    await context.once("response", ask, 7, model="small")

    assert given == [(7, "small")]


async def test_of_two_at_once_the_second_waits_for_the_first() -> None:
    context = Context("run", "key", 1)
    ask, calls = counting("answer")
    other, other_calls = counting("other")

    answers = await asyncio.gather(
        context.once("response", ask), context.once("response", ask), context.once("other", other)
    )

    assert answers == ["answer", "answer", "other"]
    assert (calls, other_calls) == ([0], [0])


async def test_what_failed_is_not_kept_and_the_second_calls_itself() -> None:
    context = Context("run", "key", 1)
    ask, calls = counting(ConnectionError)

    first, second = await asyncio.gather(
        context.once("response", ask), context.once("response", lambda: retried("second")), return_exceptions=True
    )

    assert isinstance(first, ConnectionError)
    assert (second, calls, dict(context.kept)) == ("second", [0], {"response": "second"})


async def retried(answer: str) -> str:
    return answer


async def test_a_cancelled_caller_gives_its_turn_to_the_next() -> None:
    context = Context("run", "key", 1)
    ask, calls = counting("answer")
    first = asyncio.ensure_future(context.once("response", ask))
    second = asyncio.ensure_future(context.once("response", ask))
    await asyncio.sleep(0.5)
    first.cancel()

    assert await second == "answer"
    assert first.cancelled()
    assert calls == [0, 1]


async def test_what_was_paid_for_is_kept_where_the_wait_for_its_commit_is_cut_short() -> None:
    paper = Slow()
    context = Context("run", "key", 1, paper=paper)
    ask, calls = counting("answer")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5):
            await context.once("response", ask)
    context.attempt = 2

    assert await context.once("response", ask) == "answer"
    assert calls == [0]


async def test_once_inside_of_itself_is_refused_and_does_not_hang() -> None:
    context = Context("run", "key", 1)

    async def ask() -> object:
        return await context.once("response", ask)

    with pytest.raises(UsageError, match=r"was called inside of what context.once\('response', ...\) calls"):
        await context.once("response", ask)


async def test_once_in_a_task_of_what_once_calls_is_refused_and_does_not_hang() -> None:
    context, other = Context("run", "key", 1), Context("run", "other", 2)
    gate = asyncio.Event()
    left: list[asyncio.Task[str]] = []

    async def late() -> str:
        await gate.wait()
        return await context.once("response", retried, "late")

    async def ask() -> object:
        left.append(asyncio.create_task(late()))
        assert await other.once("response", retried, "of another item") == "of another item"
        return await asyncio.gather(context.once("response", retried, "inner"))

    with pytest.raises(UsageError, match=r"was called inside of what context.once\('response', ...\) calls"):
        async with asyncio.timeout(5):
            await context.once("response", ask)
    gate.set()

    assert await left[0] == "late"  # what was called has ended: nobody would wait for itself


async def test_what_is_no_async_function_is_refused_and_leaves_nothing_unawaited() -> None:
    context = Context("run", "key", 1, kept={"there": "1"})

    with pytest.raises(
        UsageError, match=r"Write context.once\('there', retried, ...\): what is kept already then needs"
    ):
        await context.once("there", retried("answer"))  # type: ignore[arg-type]  # the mistake
    with pytest.raises(UsageError, match=r"context.once\('response', 7\) needs an async function"):
        await context.once("response", 7)  # type: ignore[arg-type]  # the mistake
    with pytest.raises(UsageError, match=r"Write context.once\('response', asyncio.to_thread, len, ...\)"):
        await context.once("response", len, "abc")  # type: ignore[arg-type]  # the mistake


async def test_a_context_that_made_and_failed_is_freed_without_the_collector() -> None:
    class Watched(Context):
        __slots__ = ("__weakref__",)

    async def job(context: Context) -> None:
        ask, _calls = counting(ConnectionError)
        with pytest.raises(ConnectionError):
            await context.once("response", ask)
        await context.once("response", retried, "answer")

    gc.disable()
    try:
        context = Watched("run", "key", 1)
        await job(context)
        freed = weakref.ref(context)
        del context
        await asyncio.sleep(0)
    finally:
        gc.enable()

    assert freed() is None


# On its way into the journal


class Held:
    """A writer that writes when it is told to."""

    def __init__(self) -> None:
        self.puts: list[tuple[object, Any, bool]] = []

    def put(self, operation: object, payload: object, done: Any, *, urgent: bool) -> None:
        assert (operation, payload) == (keep, KEEP)
        self.puts.append((payload, done, urgent))


KEEP = Keep(1, "response", 1, 1, 1, "1")


def _till(writer: Any) -> Till:
    return Till("work-1", writer, Purse(()), lambda what: what(), lambda *_told: None)


async def test_a_keep_ends_with_its_commit_which_it_asks_for_at_once() -> None:
    writer = Held()
    keeping = asyncio.ensure_future(_till(writer).keep(KEEP))
    await asyncio.sleep(1)
    early = keeping.done()
    ((_payload, done, urgent),) = writer.puts
    done(None, None)
    await keeping

    assert (early, urgent) == (False, True)


async def test_a_keep_that_cannot_be_written_says_so() -> None:
    writer = Held()
    keeping = asyncio.ensure_future(_till(writer).keep(KEEP))
    await asyncio.sleep(0)
    ((_payload, done, _urgent),) = writer.puts
    done(None, JournalError("no space left"))

    with pytest.raises(JournalError, match="no space left"):
        await keeping


async def test_a_commit_after_its_waiter_was_cancelled_disturbs_nobody() -> None:
    writer = Held()
    keeping = asyncio.ensure_future(_till(writer).keep(KEEP))
    await asyncio.sleep(0)
    keeping.cancel()
    await asyncio.wait([keeping])
    ((_payload, done, _urgent),) = writer.puts
    done(None, JournalError("no space left"))

    assert keeping.cancelled()


@pytest.mark.stock
async def test_a_keep_in_a_thread_with_a_loop_of_its_own_ends_with_its_commit() -> None:
    class Late(Held):
        def put(self, operation: object, payload: object, done: Any, *, urgent: bool) -> None:
            threading.Timer(0.02, done, (None, None)).start()  # that loop has nothing else to wake it

    till = _till(Late())

    async with asyncio.timeout(3):
        await asyncio.to_thread(asyncio.run, till.keep(KEEP))


@pytest.mark.stock
async def test_a_commit_after_the_loop_of_its_waiter_was_closed_disturbs_nobody() -> None:
    writer = Held()
    till = _till(writer)

    async def leave() -> None:
        async with asyncio.timeout(0.01):
            await till.keep(KEEP)

    with pytest.raises(TimeoutError):
        await asyncio.to_thread(asyncio.run, leave())
    ((_payload, done, _urgent),) = writer.puts

    done(None, None)


# In a run


def _values(path: Path) -> Iterator[tuple[str, str]]:
    with sqlite3.connect(path) as connection:
        yield from connection.execute("SELECT name, value FROM kept ORDER BY item")
    connection.close()


@pytest.mark.stock
async def test_what_is_kept_is_in_the_journal_when_keep_returns(options: Options) -> None:
    seen: list[list[tuple[str, str]]] = []

    async def work(item: int, context: Context) -> int:
        await context.keep("response", [item])
        seen.append(list(_values(run.path)))
        return item

    async with Run(work, [5, 6], concurrency=1, **options) as run:
        pass

    assert seen == [[("response", "[5]")], [("response", "[5]"), ("response", "[6]")]]


@pytest.mark.stock
async def test_later_attempts_openings_and_generations_read_it_back(options: Options) -> None:
    calls: list[int] = []
    broken = True

    async def ask(item: int) -> str:
        calls.append(item)
        return f"price: {item}"

    async def work(item: int, context: Context) -> int:
        text = await context.once("answer", ask, item)
        if context.attempt == 1 and item == 1:
            raise ConnectionError("not the parser's fault")
        return int(text if broken else text.removeprefix("price: "))

    async with Run(work, [1, 2], attempts=2, **options) as first:
        pass
    failed = first.books.failed
    broken = False
    async with Run(work, [1, 2], again=Again(), attempts=2, **options) as second:
        pass

    assert (failed, second.books.ok) == (2, 2)
    assert sorted(calls) == [1, 2]


@pytest.mark.stock
async def test_fresh_has_forgotten_it(options: Options) -> None:
    calls: list[int] = []

    async def ask(item: int) -> int:
        calls.append(item)
        return item

    async def work(item: int, context: Context) -> int:
        await context.once("answer", ask, item)
        raise LookupError

    async with Run(work, [1], **options):
        pass
    async with Run(work, [1], again=Again(fresh=True), **options):
        pass

    assert calls == [1, 1]


@pytest.mark.stock
async def test_a_timeout_that_cuts_the_commit_short_loses_nothing(options: Options) -> None:
    calls: list[int] = []

    async def ask(item: int) -> int:
        calls.append(item)
        return item

    async def work(item: int, context: Context) -> object:
        if context.attempt == 1:
            making = asyncio.ensure_future(context.once("answer", ask, item))
            await asyncio.sleep(0)
            making.cancel()
            await asyncio.wait([making])
            raise ConnectionError
        return await context.once("answer", ask, item)

    async with Run(work, range(10), attempts=2, **options) as run:
        pass

    assert run.books.ok == 10
    assert sorted(calls) == list(range(10))


@pytest.mark.stock
async def test_after_the_run_nothing_can_be_kept(options: Options) -> None:
    contexts: list[Context] = []

    async def work(item: int, context: Context) -> int:
        contexts.append(context)
        return item

    async with Run(work, [1], **options):
        pass

    with pytest.raises(JournalError, match="is closed: it cannot be told what to keep as 'response'"):
        await contexts[0].keep("response", 1)


def test_a_dead_letter_tells_what_is_kept_by_its_beginning(tmp_path: Path) -> None:
    session = Session(tmp_path / "a.db")
    session.scan([indexed(1, "a"), indexed(2, "b")])
    a, b = session.claim()
    text = json.dumps("é" * 300, ensure_ascii=False)
    keep(session.connection, [Keep(a.item, "text", 1, 1, 1, text), Keep(a.item, "body", 1, 1, 1, b"\xff" + b"x" * 300)])
    keep(session.connection, [Keep(a.item, "small", 1, 1, 1, b"old"), Keep(a.item, "small", 1, 1, 2, b"new")])
    session.end(failure_of(a), failure_of(b))

    letters = {letter["key"]: letter["kept"] for letter in read_dead(session.connection, "")}

    assert letters == {
        "a": [
            {"name": "body", "form": "bytes", "size": 301, "begins": "\\xff" + "x" * 199, "whole": False},
            {"name": "small", "form": "bytes", "size": 3, "begins": "new", "whole": True},
            {"name": "text", "form": "json", "size": 302, "begins": '"' + "é" * 199, "whole": False},
        ],
        "b": [],
    }
    session.kill()


PAID_JOB = """
import contextlib, json, os
import httpx
import unlost


@unlost.job(attempts=2)
@contextlib.asynccontextmanager
async def complete():
    async with httpx.AsyncClient(base_url=os.environ["PAID_URL"], trust_env=False) as client:

        async def ask(item, key):
            response = await client.post("/v1/complete", json=item, headers={"Idempotency-Key": key})
            response.raise_for_status()
            return response.text

        async def work(item, context):
            text = await context.once("answer", ask, item, context.idempotency_key)
            answer = json.loads(text.strip("`").removeprefix("json") if "FIXED" in os.environ else text)
            return answer["id"]

        yield work
"""


@pytest.mark.stock
def test_a_fixed_parser_costs_no_further_call(tmp_path: Path) -> None:
    unlost = CommandLine(tmp_path)
    unlost.write("jobs.py", PAID_JOB)
    unlost.write("in.jsonl", "".join(json.dumps({"prompt": f"prompt {n}"}) + "\n" for n in range(40)))
    with PaidApi(tmp_path, "--broken-every", "4") as api:
        unlost.environment["PAID_URL"] = api.url
        first = unlost("run", "jobs:complete", "in.jsonl")
        calls, paid = api.calls(), api.total_usd()
        fingerprint = unlost.json("show", "complete-1")["groups"][0]["fingerprint"][:6]
        shown = unlost("show", "complete-1", fingerprint)
        unlost.environment["FIXED"] = "1"
        second = unlost("retry", "complete-1")
        after = (api.calls(), api.total_usd())

    assert (first.returncode, second.returncode) == (1, 0), second.stdout + second.stderr
    assert (calls, paid > Decimal(0)) == (40, True)
    assert after == (calls, paid)
    assert "    kept answer, " in shown.stdout
    assert "```json" in shown.stdout

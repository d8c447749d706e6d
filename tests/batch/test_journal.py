"""Claims before the start, outcomes after the end; and whatever happens, the books balance."""

from __future__ import annotations

import dataclasses
import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from support.journals import Session, buckets, failure_of, indexed, refuse_duplicate, value_of
from unlost.batch.journal._journal import Claimed

SOURCE = [indexed(line, key) for line, key in enumerate("abcdef", 1)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fetch-1.db"


def keys(claimed: list[Claimed]) -> list[str]:
    return [one.key for one in claimed]


def test_items_are_claimed_in_order_and_each_once(path: Path) -> None:
    session = Session(path)
    session.scan(SOURCE)

    claimed = [keys(session.claim(4)), keys(session.claim(4)), keys(session.claim(4))]

    assert claimed == [["a", "b", "c", "d"], ["e", "f"], []]
    assert buckets(session.books()) == {"in_doubt": 6}
    session.kill()


def test_there_can_be_more_until_the_scan_has_ended(path: Path) -> None:
    session = Session(path)
    session.scan(SOURCE[:2], complete=None)
    before = session.journal.claim(session.connection, [5])
    session.scan(SOURCE[2:4])

    after = session.journal.claim(session.connection, [1, 5, 5])

    assert [(keys(claimed), ended) for claimed, ended in before] == [(["a", "b"], False)]
    assert [(keys(claimed), ended) for claimed, ended in after] == [(["c"], False), (["d"], True), ([], True)]
    session.kill()


def test_what_an_earlier_opening_left_in_doubt_is_held(path: Path) -> None:
    first = Session(path)
    first.scan(SOURCE)
    first.claim(2)
    first.kill()
    second = Session(path)
    second.scan(SOURCE)

    assert keys(second.claim()) == ["c", "d", "e", "f"]
    second.kill()


def test_retry_starts_again_what_was_in_doubt_but_not_what_this_opening_claimed(path: Path) -> None:
    first = Session(path)
    first.scan(SOURCE)
    first.claim(2)
    first.kill()
    second = Session(path, retry=True)
    second.scan(SOURCE)

    claimed = [keys(second.claim(3)), keys(second.claim(10)), keys(second.claim(10))]

    assert claimed == [["a", "b", "c"], ["d", "e", "f"], []]
    assert list(second.connection.execute("SELECT item, times FROM claim WHERE times > 1")) == [(1, 2), (2, 2)]
    second.kill()


def test_what_is_released_is_as_it_was_before(path: Path) -> None:
    first = Session(path)
    first.scan(SOURCE)
    first.claim(2)
    first.kill()
    second = Session(path, retry=True)
    second.scan(SOURCE)
    claimed = second.claim(4)

    second.release(*claimed)

    assert buckets(second.books()) == {"in_doubt": 2, "pending": 4}
    assert list(second.connection.execute("SELECT item, epoch, times FROM claim")) == [(1, 1, 1), (2, 1, 1)]
    second.close()
    third = Session(path)
    third.scan(SOURCE)
    assert keys(third.claim()) == ["c", "d", "e", "f"]
    third.kill()


def test_what_the_attempts_of_a_doubt_had_failed_with_stays_until_its_outcome_has_it(path: Path) -> None:
    def told(session: Session) -> list[tuple[str | None]]:
        return list(session.connection.execute("SELECT survived FROM claim ORDER BY item"))

    first = Session(path)
    first.scan(SOURCE[:2])
    for one in first.claim():
        first.journal.doubt(first.connection, [(one.item, '[{"title":"first"}]')])
    first.kill()
    second = Session(path, retry=True)
    second.scan(SOURCE[:2])
    claimed = second.claim()
    second.journal.doubt(second.connection, [(claimed[0].item, '[{"title":"second"}]')])
    second.release(claimed[1])
    doubted = told(second)
    second.kill()
    third = Session(path, retry=True)
    third.scan(SOURCE[:2])

    one, two = third.claim()
    third.end(dataclasses.replace(value_of(one), survived='[{"title":"third"}]'), failure_of(two))

    assert doubted == [('[{"title":"first"},{"title":"second"}]',), ('[{"title":"first"}]',)]
    assert list(third.connection.execute("SELECT survived FROM outcome ORDER BY item")) == [
        ('[{"title":"first"},{"title":"second"},{"title":"third"}]',),
        ('[{"title":"first"}]',),
    ]
    third.kill()


def test_a_second_outcome_of_an_item_is_an_error(path: Path) -> None:
    session = Session(path)
    session.scan(SOURCE)
    (one, *_) = session.claim()
    session.end(value_of(one))

    with pytest.raises(sqlite3.IntegrityError):
        session.end(failure_of(one))
    session.kill()


def test_outcomes_are_fresh_once_with_their_sequence_numbers(path: Path) -> None:
    session = Session(path)
    session.scan(SOURCE)
    outcomes = [value_of(one) for one in session.claim(3)]
    session.end(*outcomes[:2])
    session.end(outcomes[2])

    assert session.journal.take_fresh() == list(enumerate(outcomes, 1))
    assert session.journal.take_fresh() == []
    session.kill()


def test_sequence_numbers_go_on_where_the_last_opening_left_them(path: Path) -> None:
    first = Session(path)
    first.scan(SOURCE)
    first.end(*[value_of(one) for one in first.claim(3)])
    first.kill()
    second = Session(path)
    second.scan(SOURCE)

    second.end(value_of(second.claim(1)[0]))

    assert [seq for seq, _ in second.journal.take_fresh()] == [4]
    second.kill()


def test_a_scan_ahead_of_its_jobs_is_not_read_again_with_every_claim(path: Path) -> None:
    """Refused records are entered in great numbers while nothing can be claimed."""
    session = Session(path)
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    for start in range(1, 20_001, 500):
        session.scan([indexed(line, f"x{line}", error=True) for line in range(start, start + 500)], complete=None)
        session.connection.set_progress_handler(step, 100)
        session.claim(10)
        session.connection.set_progress_handler(None, 100)

    assert steps * 100 < 20_000 * 30
    session.kill()


@dataclasses.dataclass
class Item:
    """What the model knows of an item; ``bucket`` is where it is unless it is withdrawn."""

    number: int
    bucket: str
    scan: int
    raw: bytes
    epoch: int = 0  # of its claim


class Books(RuleBasedStateMachine):
    """
    Any scans of any sources over any number of openings, with claims, ends, releases and kills between.

    Expected is what a dictionary says; checked after each step.
    """

    @initialize(keyed=st.booleans())
    def make(self, keyed: bool) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="unlost-books-"))
        self.path = self.folder / "fetch-1.db"
        self.keyed = keyed
        self.items: dict[tuple[str, int], Item] = {}
        self.epoch = self.last_complete = 0
        self.held: dict[int, Claimed] = {}  # claimed in this opening, not ended
        self.live: Session | None = None

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            if self.live is not None:
                self.live.kill()
            shutil.rmtree(self.folder)

    @rule(
        text=st.text("abcx", max_size=12),
        edit=st.sampled_from([b"", b"!"]),
        end=st.sampled_from([True, True, False, None]),
        chunk=st.sampled_from([1, 2, 500]),
        retry=st.booleans(),
    )
    def open_after_a_kill(self, text: str, edit: bytes, end: bool | None, chunk: int, retry: bool) -> None:
        if self.live is not None:
            self.live.kill()
        self.retry, self.epoch, self.held = retry, self.epoch + 1, {}
        self.live = Session(self.path, retry=retry, refuse=refuse_duplicate if self.keyed else None)
        raws = [key.encode() + (edit if self.keyed else b"") for key in text]
        records = [indexed(n, key, raw, error=key == "x") for n, (key, raw) in enumerate(zip(text, raws, strict=True))]
        self.live.scan(records, chunk=chunk, complete=end)
        for key, raw in zip(text, raws, strict=True):
            self.see(key, raw, text)
        self.last_complete = self.epoch if end else self.last_complete

    def see(self, key: str, raw: bytes, text: str) -> None:
        ordinal = 1
        while (item := self.items.get((key, ordinal))) is not None and item.scan == self.epoch:
            ordinal += 1
        if item is None:
            refused = key == "x" or (self.keyed and ordinal > 1)
            number = len(self.items) + 1
            self.items[key, ordinal] = Item(number, "failed" if refused else "pending", self.epoch, raw)
        else:
            item.scan = self.epoch
            if self.keyed and item.bucket == "pending":  # what was started keeps its input
                item.raw = raw

    @precondition(lambda self: self.live is not None)
    @rule(count=st.integers(1, 8))
    def claim(self, count: int) -> None:
        claimed = self.live.claim(count)

        may_start = {
            item.number: item
            for item in sorted(self.items.values(), key=lambda item: item.number)
            if item.scan == self.epoch
            and (item.bucket == "pending" or (self.retry and item.bucket == "in_doubt" and item.epoch < self.epoch))
        }
        assert [(one.item, one.raw) for one in claimed] == [
            (number, item.raw) for number, item in list(may_start.items())[:count]
        ]
        for one in claimed:
            assert one.item not in self.held
            self.held[one.item] = one
            may_start[one.item].bucket = "in_doubt"
            may_start[one.item].epoch = self.epoch

    @precondition(lambda self: self.live is not None and self.held)
    @rule(data=st.data(), ok=st.booleans())
    def end(self, data: st.DataObject, ok: bool) -> None:
        one = self.held.pop(data.draw(st.sampled_from(sorted(self.held))))
        self.live.end(value_of(one) if ok else failure_of(one))
        self.item(one.item).bucket = "ok" if ok else "failed"

    @precondition(lambda self: self.live is not None)
    @rule(data=st.data())
    def close_with_a_release(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sets(st.sampled_from(sorted(self.held)))) if self.held else set()
        again = {number for number, times in self.live.connection.execute("SELECT item, times FROM claim") if times > 1}
        self.live.release(*[self.held[number] for number in chosen])
        for number in chosen - again:
            self.item(number).bucket = "pending"
        self.live.close()
        self.live = Session(self.path)  # to look at it; an opening without a scan of its own
        self.epoch, self.held, self.retry = self.epoch + 1, {}, False

    def item(self, number: int) -> Item:
        return next(item for item in self.items.values() if item.number == number)

    @invariant()
    def every_item_is_where_it_is_expected(self) -> None:
        if getattr(self, "live", None) is None:
            return
        expected: dict[str, int] = {}
        for item in self.items.values():
            bucket = item.bucket if item.scan >= self.last_complete else "withdrawn"
            expected[bucket] = expected.get(bucket, 0) + 1
        assert buckets(self.live.books()) == expected


Books.TestCase.settings = settings(max_examples=50, stateful_step_count=25, deadline=None)
TestBooks = Books.TestCase

"""
The books balance after any sequence of openings, kills, stops, reruns and changes of the source.

The journal is compared, table by table, with a model that is nothing but dictionaries. A kill leaves the database file
and its write-ahead log as they are at that moment, in the middle of a transaction too.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from support.journals import Session, books_of, failure_of, indexed, refuse_duplicate, value_of
from unlost.batch._context import Context
from unlost.batch.journal._again import Again
from unlost.batch.journal._books import Books
from unlost.batch.journal._door import SQLITE, Connection, for_reading
from unlost.batch.journal._index import Indexed
from unlost.batch.journal._journal import Claimed, name_of
from unlost.batch.journal._kept import Keep, keep
from unlost.batch.journal._spend import Spend, read_total, spend

Place = tuple[str, int]  # a key, and which of several equal ones


@dataclass
class Item:
    """What should be known of an input."""

    raw: bytes
    seen: int  # the last scan that saw it
    generation: int = 1
    claim: tuple[int, int] | None = None  # in which opening, how often in this generation
    outcome: str | None = None  # "ok", or the fingerprint
    past: list[str] = field(default_factory=list)
    kept: dict[str, bytes | str] = field(default_factory=dict)

    @property
    def bucket(self) -> str:
        if self.outcome is not None:
            return "ok" if self.outcome == "ok" else "failed"
        return "pending" if self.claim is None else "in_doubt"


@dataclass
class Model:
    """What should be in the journal; everything in it is the user's view: keys, not numbers."""

    items: dict[Place, Item] = field(default_factory=dict)
    scans: list[bool] = field(default_factory=list)  # whether each reached the end of the source
    read: int | None = None  # by the last of them
    changed: int = 0
    charges: dict[tuple[Place, str], int] = field(default_factory=dict)
    spent: int = 0  # without a name of the charge

    @property
    def last_complete(self) -> int:
        return max((number for number, complete in enumerate(self.scans, 1) if complete), default=0)

    def is_present(self, item: Item) -> bool:
        return item.seen >= self.last_complete

    def buckets(self) -> Counter[str]:
        return Counter(item.bucket if self.is_present(item) else "withdrawn" for item in self.items.values())

    def enter(self, records: list[Indexed], *, named: bool) -> None:
        """Enter what a scan reads: the next ordinal of its key is known again, or new."""
        number, ordinals = len(self.scans), Counter[str]()
        for record in records:
            ordinals[record.key] += 1
            place = record.key, ordinals[record.key]
            item = self.items.get(place)
            if item is None:
                refused = record.fingerprint or ("dada" if named and place[1] > 1 else None)
                self.items[place] = Item(record.raw, number, outcome=refused)
                continue
            item.seen = number
            if named and item.raw != record.raw:
                if item.outcome is None and item.claim is None and item.generation == 1:
                    item.raw = record.raw
                else:
                    self.changed += 1


RECORDS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from([b"", b"!", b"?"])), min_size=2, max_size=10)
FIRST = st.sampled_from([None, None, None, 1, 4])
CUT = st.sampled_from([None, None, None, None, 0, 3, 6])
KEPT = st.sampled_from([b"\0bytes", '"text"'])
ENDS = st.sampled_from(["ok", "f1", "f1x", "f2", None])  # None: it runs on
SELECTIONS = st.builds(
    Again,
    fingerprint=st.sampled_from([None, None, "f1", "f2"]),
    kind=st.sampled_from([None, None, "transient", "defect"]),
    in_doubt=st.booleans(),
    fresh=st.booleans(),
)


class TheBooks(RuleBasedStateMachine):
    @initialize(named=st.booleans(), records=RECORDS)
    def begin(self, named: bool, records: list[tuple[str, bytes]]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="unlost-books-"))
        self.path = self.folder / "run.db"
        self.model = Model()
        self.session: Session | None = None
        self.named = named
        self.epoch = 0
        self.keys: dict[tuple[Place, int], str] = {}
        self.under_way: dict[Place, tuple[Claimed, tuple[int, int] | None]] = {}
        self.chosen: set[Place] | None = None
        self.scanned = True
        self.change_the_source(records)

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            if self.session is not None:
                self.session.kill()
            shutil.rmtree(self.folder)

    # What a user does to the source

    @rule(records=RECORDS)
    def change_the_source(self, records: list[tuple[str, bytes]]) -> None:
        self.records = [
            indexed(line, key, key.encode() + raw)
            if self.named
            # without --key the key is a hash of the record: another text is another key, and no item in any reading
            else indexed(line, key + raw.decode(), key.encode() + raw, error=raw == b"?")
            for line, (key, raw) in enumerate(records, 1)
        ]

    @rule()
    def reverse_the_source(self) -> None:
        self.records.reverse()

    # Openings

    @precondition(lambda self: self.session is None)
    @rule(
        retry=st.booleans(),
        first=st.sampled_from([None, None, None, 1, 4]),
        cut=st.sampled_from([None, None, None, 0, 3, 6]),
    )
    def open_and_scan(self, retry: bool, first: int | None, cut: int | None) -> None:
        """``cut``: the scan is cut off by a kill that comes before the first claim."""
        self._open(Session(self.path, retry=retry, refuse=refuse_duplicate if self.named else None))
        self.held_after = self.epoch - 1 if retry else 0
        self.model.scans.append(False)
        self.model.read, self.model.changed = None, 0
        records = self.records[:first]
        if cut is not None and cut < len(records):
            with self._transaction() as session:
                session.scan(records[:cut], complete=None)
            self.model.enter(records[:cut], named=self.named)
            self.model.changed = 0  # noted at the end of a scan
            self.kill()
            return
        complete = first is None or first >= len(self.records)
        with self._transaction() as session:
            session.scan(records, complete=complete, chunk=5)
        self.model.enter(records, named=self.named)
        self.model.scans[-1], self.model.read = complete, len(records)

    @precondition(lambda self: self.session is None and self.epoch)
    @rule(again=SELECTIONS)
    def open_to_run_again(self, again: Again) -> None:
        self._open(Session(self.path, again=again))
        self.held_after = self.epoch - 1 if again.in_doubt else 0
        self.chosen = set()
        for place, item in self.model.items.items():
            if not self.model.is_present(item):
                continue
            if again.dead and self._is_dead(item, again):
                assert item.outcome is not None
                item.past.append(item.outcome)
                item.generation, item.claim, item.outcome = item.generation + 1, None, None
                self.chosen.add(place)
            elif again.in_doubt and item.bucket == "in_doubt":
                self.chosen.add(place)
        if again.fresh:
            for place in self.chosen:
                self.model.items[place].kept.clear()

    # What a run does

    @precondition(lambda self: self.session is not None)
    @rule(ends=st.lists(ENDS, min_size=1, max_size=6), data=st.data())
    def perform(self, ends: list[str | None], data: st.DataObject) -> None:
        """Start some items; each may keep and spend something, and then ends, or runs on."""
        places = self._claim(len(ends))
        for place, how in zip(places, ends, strict=False):
            if data.draw(st.booleans()):
                self._keep(place, data.draw(st.sampled_from(["answer", "other"])), data.draw(KEPT))
            if data.draw(st.booleans()):
                self._spend(place, data.draw(st.integers(0, 10**12)), data.draw(st.sampled_from([None, "c1", "c2"])))
            if how is not None:
                self._end(place, how)

    @precondition(lambda self: self.under_way)
    @rule(how=st.sampled_from(["ok", "f1", "f2"]), data=st.data())
    def end_what_ran_on(self, how: str, data: st.DataObject) -> None:
        self._end(data.draw(st.sampled_from(sorted(self.under_way))), how)

    def _claim(self, count: int) -> list[Place]:
        with self._transaction() as session:
            claimed = session.claim(count)
        places = [self._check_claimed(one) for one in claimed]
        startable = sum(self._may_start(place, item) for place, item in self.model.items.items())
        assert not startable or len(claimed) == count, "an item that may start was not handed out"
        return places

    def _end(self, place: Place, how: str) -> None:
        one, _before = self.under_way.pop(place)
        with self._transaction() as session:
            session.end(value_of(one) if how == "ok" else failure_of(one, how))
        self.model.items[place].outcome = how

    def _keep(self, place: Place, name: str, value: bytes | str) -> None:
        one, _before = self.under_way[place]
        with self._transaction() as session:
            keep(session.connection, [Keep(one.item, name, one.generation, self.epoch, 1, value)])
        self.model.items[place].kept[name] = value

    def _spend(self, place: Place, nano: int, charge: str | None) -> None:
        one, _before = self.under_way[place]
        with self._transaction() as session:
            spend(session.connection, [Spend(one.item, one.generation, self.epoch, 1, nano, 0, 0, charge)])
        if charge is None:
            self.model.spent += nano
        else:
            self.model.charges.setdefault((place, charge), nano)

    # Ends

    @precondition(lambda self: self.session is not None)
    @rule(data=st.data())
    def stop(self, data: st.DataObject) -> None:
        """What did not start is given back; what is left was cancelled, and is in doubt."""
        places = sorted(self.under_way)
        released = data.draw(st.lists(st.sampled_from(places), unique=True)) if places else []
        with self._transaction() as session:
            session.release(*(self.under_way[place][0] for place in released))
        for place in released:
            self.model.items[place].claim = self.under_way[place][1]
        assert self.session is not None
        self.session.close()
        self._forget_opening()

    @precondition(lambda self: self.session is not None)
    @rule()
    def kill(self) -> None:
        assert self.session is not None
        files = [self.path, self.path.with_name("run.db-wal")]
        content = {path: path.read_bytes() for path in files if path.exists()}
        self.session.kill()  # which tidies up, as a kill does not
        for path, text in content.items():
            path.write_bytes(text)
        self._forget_opening()

    @precondition(lambda self: self.session is not None)
    @rule(count=st.integers(1, 5))
    def kill_in_a_transaction(self, count: int) -> None:
        assert self.session is not None
        self.session.connection.execute("BEGIN IMMEDIATE")
        self.session.end(*map(value_of, self.session.claim(count)))
        self.kill()

    # What holds at any moment

    @invariant()
    def the_books_are_those_of_the_model(self) -> None:
        if not getattr(self, "epoch", 0):
            return
        books = self._books()
        model = self.model.buckets()
        assert books.balance, books
        assert {name: getattr(books, name) for name in ("ok", "failed", "in_doubt", "pending", "withdrawn")} == {
            name: model[name] for name in ("ok", "failed", "in_doubt", "pending", "withdrawn")
        }
        assert (books.inputs, books.read, books.changed) == (len(self.model.items), self.model.read, self.model.changed)

    @invariant()
    def each_generation_of_an_item_has_one_outcome_at_most_and_past_ones_stay(self) -> None:
        if not getattr(self, "epoch", 0):
            return
        query = """SELECT key, ordinal, past.generation, ok, fingerprint FROM past JOIN item ON item.id = past.item
            UNION ALL SELECT key, ordinal, outcome.generation, ok, fingerprint
            FROM outcome JOIN item ON item.id = outcome.item"""
        with self._reading() as connection:
            rows = list(connection.execute(query))
            seqs = [seq for (seq,) in connection.execute("SELECT seq FROM outcome UNION ALL SELECT seq FROM past")]
        found = {(key, ordinal, generation): fingerprint or "ok" for key, ordinal, generation, _ok, fingerprint in rows}
        expected = {
            (*place, generation): how
            for place, item in self.model.items.items()
            for generation, how in enumerate([*item.past, *([item.outcome] if item.outcome else [])], 1)
        }
        assert len(found) == len(rows)
        assert found == expected
        assert len(set(seqs)) == len(seqs)

    @invariant()
    def what_was_spent_is_known_to_the_billionth_and_each_charge_counts_once(self) -> None:
        if not getattr(self, "epoch", 0):
            return
        with self._reading() as connection:
            assert read_total(connection).nano_usd == self.model.spent + sum(self.model.charges.values())

    # Helpers

    def _open(self, session: Session) -> None:
        self.session = session
        self.epoch = session.opening.epoch

    def _forget_opening(self) -> None:
        self.session, self.chosen = None, None
        self.under_way = {}

    def _is_dead(self, item: Item, again: Again) -> bool:
        if item.bucket != "failed" or item.claim is None:
            return False
        assert item.outcome is not None
        return item.outcome.startswith(again.fingerprint or "") and again.kind in (None, "transient")

    def _may_start(self, place: Place, item: Item) -> bool:
        wanted = item.seen == len(self.model.scans) if self.chosen is None else place in self.chosen
        free = item.claim is None or item.claim[0] <= self.held_after
        return wanted and free and item.outcome is None

    def _check_claimed(self, one: Claimed) -> Place:
        place = next(place for place in self.model.items if name_of(*place) == one.key)
        item = self.model.items[place]
        assert self._may_start(place, item), f"{place} was handed out, and must not be"
        assert (one.generation, one.raw) == (item.generation, item.raw)
        assert one.doubts == (item.claim[1] if item.claim else 0)
        assert dict(one.kept or {}) == item.kept
        self._check_idempotency_key(place, one)
        self.under_way[place] = one, item.claim
        item.claim = self.epoch, one.doubts + 1
        return place

    def _check_idempotency_key(self, place: Place, one: Claimed) -> None:
        """The same in every start of a generation; another one in each generation, and for each item."""
        key = Context("r", one.key, one.line, one.generation).idempotency_key
        assert self.keys.setdefault((place, one.generation), key) == key
        assert len(set(self.keys.values())) == len(self.keys)

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        """Do as the writer does."""
        assert self.session is not None
        self.session.connection.execute("BEGIN IMMEDIATE")
        yield self.session
        self.session.connection.execute("COMMIT")

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        if self.session is not None:
            yield self.session.connection
            return
        with for_reading(SQLITE, self.path) as connection:
            yield connection

    def _books(self) -> Books:
        return books_of(self.path) if self.session is None else self.session.books()


TheBooks.TestCase.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
TestTheBooks: Any = TheBooks.TestCase  # Any: a unittest case, made at run time

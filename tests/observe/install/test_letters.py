from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from unlost.observe.install import _heard, _letters, _reader
from unlost.observe.install._heard import UNHEARD, Heard
from unlost.observe.install._letters import BEGAN, FOUND, PROGRAM, STARTED, TOLD, Letters, read_letters
from unlost.observe.watch import NEVER_AWAITED, Collector, ErrorType, Finding, Notice, Verdict

LOST = Finding(Verdict.LOST, ErrorType("builtins", "ValueError"), "it broke", ())


@pytest.fixture
def heard() -> Heard:
    """Return what hears this process's own letters."""
    hearing = Heard()
    hearing.prepare()
    return hearing


def texts(heard: Heard, total: Collector | None = None) -> list[tuple[str, str]]:
    return [(test, one.text) for test, one in heard.hear(total or Collector())]


def fills(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    """Let the disk have room for so many bytes of each letter."""
    write = os.write
    monkeypatch.setattr(_letters, "_write", lambda file, line: write(file, line[:room]))


def test_after_a_letter_that_was_cut_anywhere_the_next_is_read(tmp_path: Path) -> None:
    Letters(str(tmp_path), "a test").send(PROGRAM)
    [file] = tmp_path.iterdir()
    whole = file.read_bytes()
    begin = whole.index(b"\n\n") + 1

    for cut in range(begin, len(whole) - 1):  # where only the end of its line is cut it is whole
        file.write_bytes(whole[:cut] + whole[begin:])

        assert [letter.kind for letter, _ in read_letters(str(file), 0)] == [BEGAN, PROGRAM], cut


@pytest.mark.parametrize("room", [0, 1, 40])
def test_what_could_not_be_written_is_counted_in_the_last_letter(
    heard: Heard, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    letters, collector, total = Letters(heard.folder, "a test"), Collector(), Collector()
    collector.listeners.append(letters.found)
    with monkeypatch.context() as full:
        fills(full, room)
        collector.add(LOST, "here")

    letters.end(collector)

    assert texts(heard, total) == []
    assert total.counts[Verdict.LOST] == 1
    assert [fault.split()[0] for fault in total.faults] == ["OSError"]
    heard.clear()


def test_what_is_half_written_is_read_when_it_is_whole(heard: Heard) -> None:
    letters = Letters(heard.folder, "a test")
    letters.send(FOUND, LOST)
    [file] = Path(heard.folder).iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-9])

    before = texts(heard)
    file.write_bytes(whole)

    assert (before, texts(heard)) == ([], [("a test", "it broke")])
    heard.clear()


def test_the_file_of_a_process_that_has_ended_is_removed_and_what_it_counted_stays(heard: Heard) -> None:
    letters = Letters(heard.folder, "a test")
    letters.send(STARTED)
    letters.found(LOST)
    letters.end(Collector())

    assert texts(heard) == [("a test", "it broke")]
    assert os.listdir(heard.folder) == []
    heard.counts[STARTED] += 1
    assert heard.unseen() == {UNHEARD: 1}
    heard.clear()


@pytest.mark.skipif(os.name != "posix", reason="nobody can be asked for")
def test_the_file_of_a_process_that_was_killed_is_removed_when_it_was_read(
    heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = Letters(heard.folder, "a test")
    letters.found(LOST)

    def gone(*_: object) -> None:
        raise ProcessLookupError

    monkeypatch.setattr(_reader, "_kill", gone)

    assert texts(heard) == [("a test", "it broke")]
    assert os.listdir(heard.folder) == []
    letters.found(LOST)
    assert texts(heard) == [("a test", "it broke")]
    heard.clear()


def test_a_file_is_opened_again_only_where_it_has_grown(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    reading = read_letters
    monkeypatch.setattr(_heard, "read_letters", lambda file, begin: opened.append(file) or reading(file, begin))
    letters = Letters(heard.folder, "a test")

    for _ in range(3):
        texts(heard)
    letters.send(TOLD)
    texts(heard)

    assert len(opened) == 2
    heard.clear()


def test_a_letter_has_no_secrets(heard: Heard) -> None:
    letters = Letters(heard.folder, "a test")

    letters.found(Notice(NEVER_AWAITED, "token=hunter2secret"))
    letters.found(replace(LOST, text="token=hunter2secret", during="GET /?token=hunter2secret"))

    found = [one for _, one in heard.hear(Collector())]
    assert len(found) == 2
    assert "hunter2" not in repr(found)
    heard.clear()

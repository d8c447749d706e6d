"""The hooks of a session of tests that are watched, or of xdist's controller of such."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from _unlost_pytest._failing import PREFIX, Failing, expects
from _unlost_pytest._marks import Mark, marks_of, refuse_wrong, wrong_in
from _unlost_pytest._page import Page
from _unlost_pytest._told import Late, Told, report_of
from unlost.errors import UsageError
from unlost.observe.install import (
    is_off,
    key_of,
    lines_about,
    places_beside,
    sentences,
    texts_beside,
)
from unlost.observe.install._known import Known
from unlost.observe.install._session import Session
from unlost.observe.watch import Finding, Notice

__all__ = ["Plugin", "is_off"]

_SENT = "unlost"


class Plugin:
    """Under xdist the workers find, and the controller tells."""

    def __init__(self, config: pytest.Config, mode: str) -> None:
        self._config = config
        self._known = _known(config)
        self._fails = mode == "fail" and not self._known.is_written
        self._is_listed = mode == "report" and not self._known.is_written
        self._page = Page(config)
        self._session: Session | None = None
        self._failing = Failing()
        self._told = Told()
        self._marks: dict[str, list[Mark]] = {}  # of the tests that have some: what comes up late is theirs, too
        self._said = ""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if not hasattr(self._config, "workerinput"):  # a worker could say it to nobody: its tests do
            refuse_wrong(items)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if not self._began().is_in(item.nodeid):  # it runs once more within its protocol
            self._began().begin(item.nodeid)
        try:
            marks = marks_of(item)
        except UsageError as refused:
            pytest.fail(f"{PREFIX}{refused}", pytrace=False)
        if marks:
            self._marks[item.nodeid] = marks

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:  # Any: what hooks return
        self._began().begin(item.nodeid)
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:  # Any: as above
        try:
            result = yield
        except BaseException as raised:
            self._tell(item, "call", self._began().called(item.nodeid), raised)
            raise
        if text := self._tell(item, "call", self._began().called(item.nodeid)):
            pytest.fail(text, pytrace=False)
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, Any, Any]:  # Any: as above
        try:
            result = yield
        except BaseException as raised:
            self._tell(item, "teardown", self._began().end(item.nodeid), raised)
            raise
        if text := self._tell(item, "teardown", self._began().end(item.nodeid)):
            pytest.fail(text, pytrace=False)
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)  # around pytest's own, that has what xfail means by then
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        self._failing.settle(item, call, report)
        self._told.idle.ended([mark.name for mark in self._marks.get(item.nodeid, [])], passed=report.passed)
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self._told.late += self._failing.left()
        if self._session is not None:
            self._close(self._session)
        worker = getattr(self._config, "workeroutput", None)
        if worker is not None:
            worker[_SENT] = {
                "told": self._told.sent(), "keys": self._known.found, "met": list(self._known.met.items()),
                "page": self._page.sent(),
            }  # fmt: skip
            return
        self._known.write()
        self._said = self._page.write()
        if self._told.late and self._fails and session.exitstatus in (pytest.ExitCode.OK, 0):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # Any: xdist's, which need not be installed
        sent = getattr(node, "workeroutput", {}).get(_SENT)
        if sent is None:
            self._page.missing(node)
            return
        self._told.receive(sent["told"])
        self._known.receive(sent["keys"], sent["met"])
        self._page.receive(sent["page"])

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not (self._told or self._known.file or self._said):
            return
        terminalreporter.section("unlost")
        for test, text in self._told.late:
            terminalreporter.line(f"found after the test had ended: {test}\n{text}")
        if self._told.late and self._fails:
            terminalreporter.stats.setdefault("error", []).extend(map(report_of, self._told.late))
        last = filter(None, [self._said, *self._told.why, *sentences(self._told.unseen)])
        for text in (*self._told.lines(), *self._known.said(), *last):
            terminalreporter.line(text)

    def late(self) -> list[Late]:
        """Return what came up after the ends of tests; complete when the session has finished."""
        return self._told.late

    def _began(self) -> Session:
        if self._session is None:  # the first test: a controller of xdist has none
            self._session = Session()
        return self._session

    def _close(self, session: Session) -> None:
        for test, every in session.close().items():
            found = self._unforgiven(every, self._marks.get(test, []))
            self._page.add(test, found)
            self._told.late += [(test or "outside of all tests", text) for text in self._texts(found, test).values()]
        self._told.why = [session.why] if session.why else []
        self._told.others = session.others
        self._told.unseen = session.unseen()
        self._page.count(session.total, self._told.unseen, session.why)

    def _tell(
        self, item: pytest.Item, when: str, found: list[Finding | Notice], raised: BaseException | None = None
    ) -> str:
        """Tell what was found in a phase of a test; return what it has to fail with, empty where it has not."""
        if not found:
            return ""
        wrong = wrong_in(item)  # the test itself may have added one
        unforgiven = self._unforgiven(found, [] if wrong else marks_of(item))
        self._page.add(item.nodeid, unforgiven)
        is_expected = expects(item, raised)
        texts = self._texts(unforgiven, item.nodeid, is_expected=is_expected)
        self._told.count += len(texts)
        if not texts:
            return ""
        for key, text in texts.items() if self._is_listed else ():
            self._told.passed.add(key, text, item.nodeid)
        if not (self._fails or is_expected):
            item.add_report_section(when, "unlost", "\n\n".join(texts.values()))
            return ""
        text = PREFIX + "\n\n".join([*texts.values(), *filter(None, [wrong])])
        self._failing.add(item.nodeid, when, text)
        return text

    def _unforgiven(self, found: list[Finding | Notice], marks: list[Mark]) -> list[Finding | Notice]:
        left = []
        for one in found:
            if met := [mark.name for mark in marks if mark.forgiving.covers(one)]:
                self._told.forgiven += 1
                self._told.idle.met(met)
            else:
                left.append(one)
        return left

    def _texts(self, found: list[Finding | Notice], test: str, *, is_expected: bool = False) -> dict[str, str]:
        """Return the texts by their keys of what is not known; what a mark expects never is, nor becomes so."""
        alike: dict[str, list[Finding | Notice]] = {}
        for one in found:
            if is_expected or not self._known.forgives(one):
                alike.setdefault(key_of(one), []).append(one)
        texts = {
            key: "\n".join([*lines_about(same[0]), *places_beside(same), *texts_beside(same)])
            for key, same in alike.items()
        }
        for key, text in texts.items() if not is_expected else ():
            self._known.add(key, text, test)
        return texts


def _known(config: pytest.Config) -> Known:
    name = config.getoption("--unlost-baseline")
    file = config.invocation_params.dir / name if name else None
    try:
        return Known(file, is_written=bool(config.getoption("--unlost-update-baseline")))
    except UsageError as refused:
        raise pytest.UsageError(f"--unlost-baseline: {refused}") from refused

"""
``pytest --unlost``: a test fails for each error that is lost or swallowed during it.

Nothing of ``unlost`` is imported unless it is asked for.
"""

from __future__ import annotations

import argparse
from collections.abc import Generator, Sequence
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from unlost.observe.install import Session
    from unlost.observe.install._by_key import ByKey
    from unlost.observe.install._forgiving import Forgiving
    from unlost.observe.install._known import Known
    from unlost.observe.watch import Finding, Notice
    from unlost.report.found import FoundInTests

_NAME = "unlost-watch"
_MARK = "unlost_forgive"
_MODES = ("fail", "report", "off")
_WRONG_MARKS = 5  # told one by one
_IS_OFF = pytest.StashKey[bool]()


class _Asked(argparse.Action):
    """
    ``--unlost``, alone or with ``=`` and a mode, but never with the next argument, which is a path.

    Each of the four is an option of its own: argparse knows values that may be left out only where they take the next.
    """

    def __init__(self, option_strings: Sequence[str], dest: str, **others: Any) -> None:  # Any: argparse's own
        super().__init__(option_strings, dest, **{**others, "nargs": 0})

    def __call__(
        self, _parser: object, namespace: argparse.Namespace, _values: object, option_string: str | None = None
    ) -> None:
        setattr(namespace, self.dest, (option_string or "").partition("=")[2] or "fail")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("unlost", "what became of each exception")
    group.addoption(
        "--unlost",
        *(f"--unlost={mode}" for mode in _MODES),
        action=_Asked,
        dest="unlost",
        help="fail each test that loses or swallows an error (`--unlost` is `--unlost=fail`); `report` only tells",
    )
    group.addoption("--unlost-baseline", metavar="FILE", help="forgive what is in this file")
    group.addoption("--unlost-update-baseline", action="store_true", help="write what is found into it; fail nothing")
    group.addoption("--unlost-report", metavar="FILE", help="write what is found as one HTML file")
    parser.addini("unlost", "fail, report or off", default="off")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{_MARK}(reason, what=''): losses with this key or text are meant")
    mode = config.getoption("--unlost") or config.getini("unlost")
    if mode not in _MODES:
        raise pytest.UsageError(f"unlost = {mode}: expected fail, report or off")
    _check_paths(config)
    if config.getoption("--unlost-update-baseline") and not config.getoption("--unlost-baseline"):
        raise pytest.UsageError("--unlost-update-baseline needs --unlost-baseline FILE")
    if mode == "off":
        _check_alone(config)
        return
    from unlost.observe.install import is_off

    config.stash[_IS_OFF] = is_off()
    if not is_off():
        config.pluginmanager.register(_Plugin(config, mode), _NAME)


def pytest_report_header(config: pytest.Config) -> list[str]:
    is_off = config.stash.get(_IS_OFF, False)
    return ["unlost: nothing is watched: the environment turns it off (UNLOST)"] if is_off else []


def _check_alone(config: pytest.Config) -> None:
    """Refuse what says something only where tests are watched, unless it was turned off in as many words."""
    for option in ("--unlost-report", "--unlost-baseline"):
        if config.getoption(option) and config.getoption("--unlost") != "off":
            raise pytest.UsageError(f"{option} FILE needs --unlost, or --unlost=report to fail nothing")


def _check_paths(config: pytest.Config) -> None:
    """Refuse ``--unlost report``, which pytest would take for a path."""
    given = config.invocation_params.args
    for option, value in pairwise(given):
        if option == "--unlost" and value in _MODES and not (config.invocation_params.dir / value).exists():
            raise pytest.UsageError(f"{value!r} would be a path, and there is none: write --unlost={value}")


class _Plugin:
    """What is found, by test; under xdist the workers find, and the controller tells."""

    def __init__(self, config: pytest.Config, mode: str) -> None:
        self._config = config
        self._known = _known(config)
        self._fails = mode == "fail" and not self._known.is_written
        self._is_listed = mode == "report" and not self._known.is_written
        self._page = _Page(config)
        self._session: Session | None = None
        self._late: list[tuple[str, str]] = []
        self._told = 0
        self._forgiven = 0
        self._passed = _by_key()
        self._marks: dict[str, list[Forgiving]] = {}  # of the tests that have some: what comes up late is theirs, too
        self._why = ""
        self._said = ""
        self._unseen: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        wrong: dict[str, str] = {}  # a mark of a class is one mistake
        for item in items:
            if said := _wrong_marks(item):
                wrong.setdefault(said, f"{item.nodeid}: {said}")
        if wrong and not hasattr(self._config, "workerinput"):  # a worker could say it to nobody: its tests do
            more = f"\nand {len(wrong) - _WRONG_MARKS} more" if len(wrong) > _WRONG_MARKS else ""
            raise pytest.UsageError("\n".join(list(wrong.values())[:_WRONG_MARKS]) + more)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if said := _wrong_marks(item):
            pytest.fail(f"unlost: {said}", pytrace=False)
        if marks := _marks(item):
            self._marks[item.nodeid] = marks

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:  # Any: what hooks return
        self._began().begin(item.nodeid)
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:  # Any: as above
        try:
            result = yield
        except BaseException:
            self._tell(item, "call", self._began().called(item.nodeid), fails=False)
            raise
        self._tell(item, "call", self._began().called(item.nodeid), fails=self._fails)
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, Any, Any]:  # Any: as above
        try:
            result = yield
        except BaseException:
            self._tell(item, "teardown", self._began().end(item.nodeid), fails=False)
            raise
        self._tell(item, "teardown", self._began().end(item.nodeid), fails=self._fails)
        return result

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._session is not None:
            self._why = self._session.why
            for test, every in self._session.close().items():
                found = self._unforgiven(every, self._marks.get(test, []))
                self._page.add(test, found)
                self._late += [(test or "outside of all tests", text) for text in self._texts(found, test).values()]
            self._unseen = _unseen_in(self._session)
            self._page.count(self._session)
        worker = getattr(self._config, "workeroutput", None)
        if worker is not None:
            worker[_NAME] = {
                "late": self._late, "told": self._told, "why": self._why, "forgiven": self._forgiven,
                "keys": self._known.found, "met": list(self._known.met.items()), "passed": self._passed.sent(),
                "unseen": self._unseen, "page": self._page.sent(),
            }  # fmt: skip
            return
        self._known.write()
        self._said = self._page.write()
        if self._late and self._fails and session.exitstatus in (pytest.ExitCode.OK, 0):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # Any: xdist's, which need not be installed
        output = getattr(node, "workeroutput", {}).get(_NAME)
        if output is not None:
            self._late += [(test, text) for test, text in output["late"]]
            self._told += output["told"]
            self._forgiven += output["forgiven"]
            self._why = output["why"]
            self._known.receive(output["keys"], output["met"])
            self._passed.receive(*output["passed"])
            self._unseen += output["unseen"]
            self._page.receive(output["page"])
        else:
            self._page.missing(node)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not (self._late or self._told or self._forgiven or self._known.file or self._said or self._unseen):
            return
        terminalreporter.section("unlost")
        for test, text in self._late:
            terminalreporter.line(f"found after the test had ended: {test}\n{text}")
        if self._late and self._fails:
            terminalreporter.stats.setdefault("error", []).extend(_report_of(*late) for late in self._late)
        said = [f"{self._told} found in tests, {len(self._late)} after their ends"]
        said += [f"{self._forgiven} forgiven by marks"] if self._forgiven else []
        for text in (*self._passed.lines(), *said, *self._known.said()):
            terminalreporter.line(text)
        for text in filter(None, [self._said, self._why, *dict.fromkeys(self._unseen)]):
            terminalreporter.line(text)

    def _began(self) -> Session:
        if self._session is None:  # the first test: a controller of xdist has none
            from unlost.observe.install import Session

            self._session = Session()
        return self._session

    def _tell(self, item: pytest.Item, when: str, found: list[Finding | Notice], *, fails: bool) -> None:
        wrong = _wrong_marks(item) if found else ""  # the test itself may have added one
        marks = _marks(item) if found and not wrong else []
        unforgiven = self._unforgiven(found, marks)
        self._page.add(item.nodeid, unforgiven)
        texts = self._texts(unforgiven, item.nodeid)
        self._told += len(texts)
        if not texts:
            return
        if fails:
            pytest.fail("unlost: " + "\n\n".join([*texts.values(), *filter(None, [wrong])]), pytrace=False)
        item.add_report_section(when, "unlost", "\n\n".join(texts.values()))
        if self._is_listed:
            for key, text in texts.items():
                self._passed.add(key, text, item.nodeid)

    def _unforgiven(self, found: list[Finding | Notice], marks: list[Forgiving]) -> list[Finding | Notice]:
        left = [one for one in found if not any(mark.covers(one) for mark in marks)]
        self._forgiven += len(found) - len(left)
        return left

    def _texts(self, found: list[Finding | Notice], test: str) -> dict[str, str]:
        """Return the texts by their keys of what is not known."""
        from unlost.observe.install import key_of, lines_about, places_beside, texts_beside

        alike: dict[str, list[Finding | Notice]] = {}
        for one in found:
            if not self._known.forgives(one):
                alike.setdefault(key_of(one), []).append(one)
        texts = {
            key: "\n".join([*lines_about(same[0]), *places_beside(same), *texts_beside(same)])
            for key, same in alike.items()
        }
        for key, text in texts.items():
            self._known.add(key, text, test)
        return texts


def _unseen_in(session: Session) -> list[str]:
    """Return what may have cost a verdict, a sentence each."""
    from unlost.observe.install import blind_spots

    return list(blind_spots(session.total, ""))


class _Page:
    """
    The report as one HTML file, which the controller writes; nothing where nobody asks for one.

    Attributes:
        file: Its path; None where there is none.
    """

    def __init__(self, config: pytest.Config) -> None:
        name = config.getoption("--unlost-report")
        self.file = config.invocation_params.dir / name if name else None
        self._found: FoundInTests | None = None
        self._typed = [str(argument) for argument in config.invocation_params.args]
        self._title = config.invocation_params.dir.name or "pytest"
        if self.file is not None:
            from unlost.report.found import FoundInTests

            self._found = FoundInTests()
            if not hasattr(config, "workerinput"):  # the controller of xdist writes it
                self._check(self.file)

    def _check(self, file: Path) -> None:
        from unlost.cli._html import check_html
        from unlost.errors import UsageError

        try:
            check_html(file)
        except UsageError as refused:
            raise pytest.UsageError(f"--unlost-report: {refused}") from refused

    def add(self, test: str, found: list[Finding | Notice]) -> None:
        if self._found is not None:
            self._found.add(test, found)

    def count(self, session: Session) -> None:
        if self._found is not None:
            from unlost.observe.install import blind_spots

            self._found.count(session.total, blind_spots(session.total, session.why))

    def sent(self) -> bytes:
        return self._found.sent() if self._found is not None else b""

    def receive(self, sent: bytes) -> None:
        if self._found is not None:
            self._found.receive(sent)

    def missing(self, node: Any) -> None:  # Any: xdist's, as above
        if self._found is not None:
            name = getattr(getattr(node, "gateway", None), "id", "one")
            self._found.could_not_see(f"Worker {name} ended before it told what it had found.")

    def write(self) -> str:
        """Write it; return what to say of that, empty where nobody asked."""
        if self.file is None or self._found is None:
            return ""
        from unlost.cli._html import write_report
        from unlost.errors import UsageError

        try:
            write_report(self.file, self._found.report(f"pytest {self._title}", self._typed))
        except (UsageError, OSError) as writing_error:  # told, and no more: the tests have run
            return f"{self.file} cannot be written: {writing_error}"
        return f"report {self.file}"


def _known(config: pytest.Config) -> Known:
    from unlost.errors import UsageError
    from unlost.observe.install._known import Known

    name = config.getoption("--unlost-baseline")
    file = config.invocation_params.dir / name if name else None
    try:
        return Known(file, is_written=bool(config.getoption("--unlost-update-baseline")))
    except UsageError as refused:
        raise pytest.UsageError(f"--unlost-baseline: {refused}") from refused


def _by_key() -> ByKey:
    from unlost.observe.install._by_key import ByKey

    return ByKey()


def _report_of(test: str, text: str) -> pytest.TestReport:
    """Return what lets pytest name, in its short summary, what was found after a test had reported itself."""
    said: Any = SimpleNamespace(  # Any: it asks for no more than this
        reprcrash=SimpleNamespace(message=f"unlost: {text.partition(chr(10))[0]}")
    )
    return pytest.TestReport(test, (test.partition("::")[0], None, test), {}, "failed", said, "teardown")


def _marks(item: pytest.Item) -> list[Forgiving]:
    """
    Return what a test forgives.

    Raises:
        UsageError: It does not say what, or why.
    """
    from unlost.observe.install._forgiving import forgiving

    return [forgiving(mark.args, mark.kwargs, _MARK) for mark in item.iter_markers(_MARK)]


def _wrong_marks(item: pytest.Item) -> str:
    from unlost.errors import UsageError

    try:
        _marks(item)
    except UsageError as refused:
        return str(refused)
    return ""

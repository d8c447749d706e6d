"""Sentry's own SDK takes what we send, and is not sent what it has."""

from __future__ import annotations

import logging

import pytest
import sentry_sdk
from sentry_sdk.transport import Transport

from support.sinks import Kept, raised
from unlost.observe.sinks import Logging, Sinks
from unlost.observe.sinks._sentry import Sentry
from unlost.observe.watch import ErrorType, Finding, Site, Verdict

SITE = Site("/app/jobs.py", 7, "work", True, "jobs")


class Collecting(Transport):
    """Keeps the events of the envelopes that it is given."""

    events: list[dict] = []  # noqa: RUF012  # Sentry makes the object; each test begins with an empty one

    def capture_envelope(self, envelope):
        event = envelope.get_event()
        if event is not None:
            self.events.append(event)


@pytest.fixture
def events():
    Collecting.events = []
    before = sentry_sdk.get_client()
    sentry_sdk.init(
        "https://key@example.invalid/1",
        transport=Collecting,
        auto_enabling_integrations=False,
        include_local_variables=True,
    )
    yield Collecting.events
    sentry_sdk.get_client().close()
    sentry_sdk.get_global_scope().set_client(before if before.is_active() else None)


def test_an_error_is_an_event_with_its_traceback_and_without_secrets_or_locals(events):
    secret = "hunter2"

    with Sinks([Sentry()]) as sinks:
        sinks(raised(ValueError(f"password={secret}")), "the job failed")

    [event] = events
    [value] = event["exception"]["values"]
    assert (value["type"], value["module"], value["value"]) == ("ValueError", "builtins", "password=***")
    assert value["stacktrace"]["frames"][-1]["function"] == "raised"
    assert all("vars" not in frame for frame in value["stacktrace"]["frames"])
    assert secret not in str(event["exception"])
    assert event["contexts"]["unlost"]["what"] == "the job failed"
    assert event["tags"]["unlost.verdict"] == "reported"


def test_it_is_grouped_by_our_fingerprint(events):
    kept = Kept()

    with Sinks([Sentry(), kept]) as sinks:
        sinks(raised(ValueError("no")), "failed")

    assert events[0]["fingerprint"] == ["unlost", kept.reports[0].digest, "reported"]


def test_a_tree_of_exceptions_keeps_its_shape(events):
    group = ExceptionGroup("two", [ValueError("a"), KeyError("b")])
    group.__cause__ = OSError("c")

    with Sinks([Sentry()]) as sinks:
        sinks(raised(group), "failed")

    values = {value["mechanism"]["exception_id"]: value for value in events[0]["exception"]["values"]}
    assert events[0]["exception"]["values"][-1] is values[0]
    assert values[0]["mechanism"]["is_exception_group"]
    assert [
        (values[number]["type"], values[number]["mechanism"]["parent_id"], values[number]["mechanism"]["source"])
        for number in (1, 2, 3)
    ] == [("ValueError", 0, "exceptions[0]"), ("KeyError", 0, "exceptions[1]"), ("OSError", 0, "__cause__")]


def test_what_sentry_was_sent_is_not_sent_again(events):
    kept = Kept()
    error = raised(ValueError("no"))

    with Sinks([Sentry(), kept]) as sinks:
        sentry_sdk.capture_exception(error)
        sentry_sdk.capture_exception(KeyError("in between"))
        sinks(error, "failed")

    assert [event["exception"]["values"][-1]["type"] for event in events] == ["ValueError", "KeyError"]
    assert kept.reports[0].seen_by == ("sentry",)


@pytest.mark.parametrize("beneath", ["cause", "member", "context"])
def test_what_sentry_was_sent_beneath_another_is_not_sent_again(events, beneath):
    inner, outer = ValueError("no"), KeyError("outer")
    if beneath == "member":
        outer = ExceptionGroup("outer", [inner])
    elif beneath == "cause":
        outer.__cause__ = inner
    else:
        outer.__context__ = inner

    with Sinks([Sentry()]) as sinks:
        sentry_sdk.capture_exception(outer)
        sinks(inner, "failed")

    assert len(events) == 1


def test_what_was_logged_with_its_traceback_is_not_sent_again(events):
    error = raised(ValueError("no"))

    with Sinks([Sentry()]) as sinks:
        logging.getLogger("app").error("failed", exc_info=error)
        sinks(error, "failed")

    assert len(events) == 1


def test_what_we_log_ourselves_is_sent_once(events):
    with Sinks([Logging(), Sentry()]) as sinks:
        sinks(raised(ValueError("no")), "failed")

    assert [event["exception"]["values"][0]["type"] for event in events] == ["ValueError"]


def test_where_sentry_is_no_sink_it_takes_what_we_log(events):
    with Sinks([Logging(), Sentry()]):
        pass
    with Sinks([Logging()]) as sinks:
        sinks(raised(ValueError("no")), "failed")

    assert [event["logger"] for event in events] == ["unlost"]


def test_what_the_observer_found_is_sent(events):
    with Sinks([Sentry()]) as sinks:
        sinks.found(Finding(Verdict.SWALLOWED, ErrorType("jobs", "Odd"), "no", (SITE,), SITE))

    [event] = events
    assert event["contexts"]["unlost"]["site"]["line"] == 7
    assert event["exception"]["values"][0]["stacktrace"]["frames"][0]["in_app"] is True


def test_the_scope_is_that_of_the_code_that_reported(events):
    with Sinks([Sentry()]) as sinks:
        with sentry_sdk.isolation_scope() as scope:
            scope.set_tag("request", "42")
            sinks(ValueError("no"), "failed")
        sentry_sdk.flush()

    assert events[0]["tags"]["request"] == "42"


def test_without_an_initialised_sentry_it_is_a_failing_sink(capfd):
    with Sinks([Sentry()]) as sinks:
        sinks(ValueError("precious"), "failed")

    shown = capfd.readouterr().err
    assert "ValueError: precious" in shown
    assert "Write sentry_sdk.init(...) first." in shown
    assert "lately: UsageError: Sentry is not initialised, or closed. Write sentry_sdk.init(...) first.\n" in shown


def test_that_sentry_is_not_initialised_is_said_when_the_sink_is_made(caplog):
    Sentry().close()

    assert "Sentry is not initialised yet. Write sentry_sdk.init(...) before unlost.install(...)." in caplog.text


def test_an_initialised_sentry_is_nothing_to_warn_of(events, caplog):
    Sentry().close()

    assert not caplog.records
    assert not events

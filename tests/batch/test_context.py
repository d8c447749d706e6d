"""A job's context says where the item stands and gives it a key against repetition."""

import gc
import logging
import re
import weakref

import pytest

from unlost.batch._context import Context


def test_the_idempotency_key_stays_over_attempts_and_resumes() -> None:
    context = Context("run", "item", 1)
    before = context.idempotency_key
    context.attempt = 2

    assert context.idempotency_key == before == Context("run", "item", 99).idempotency_key
    assert re.fullmatch("[0-9a-f]{32}", before)


def test_another_item_run_or_generation_has_another_idempotency_key() -> None:
    contexts = [
        Context("run", "item", 1),
        Context("run", "item2", 1),
        Context("run2", "item", 1),
        Context("run", "item", 1, generation=2),
        Context("runi", "tem", 1),
    ]

    assert len({context.idempotency_key for context in contexts}) == len(contexts)


def test_the_idempotency_key_never_changes_between_versions() -> None:
    assert Context("run", "item", 1).idempotency_key == "e9495e61ec703b3a5c0e36a29737f2ef"


def test_log_records_carry_the_item_and_the_attempt_of_the_moment(caplog: pytest.LogCaptureFixture) -> None:
    context = Context("run", "item", 7)
    logger = context.logger
    context.attempt = 2
    with caplog.at_level(logging.INFO, logger="unlost.job"):
        logger.info("asked %s", "them", extra={"status": 503})

    (record,) = caplog.records
    assert (record.name, record.getMessage()) == ("unlost.job", "asked them")
    assert {"key": "item", "line": 7, "attempt": 2, "status": 503}.items() <= vars(record).items()


def test_a_context_is_small_and_freed_without_the_collector() -> None:
    class Watched(Context):
        __slots__ = ("__weakref__",)

    gc.disable()
    try:
        context = Watched("run", "item", 1)
        context.logger.debug("nothing")
        freed = weakref.ref(context)
        del context
    finally:
        gc.enable()

    assert freed() is None
    assert not hasattr(Context("run", "item", 1), "__dict__")


def test_its_repr_names_the_item() -> None:
    assert repr(Context("run", "item", 7)) == "Context(key='item', line=7, attempt=1)"

import pytest

from unlost._core import AttemptFailed, emit, listen

EVENT = AttemptFailed(OSError("x"), 1, 0.5, "fetch")


def test_listeners_are_called_in_the_order_they_were_added():
    seen = []

    with listen(lambda event: seen.append(("first", event))), listen(lambda event: seen.append(("second", event))):
        assert emit(EVENT)

    assert seen == [("first", EVENT), ("second", EVENT)]


def test_nobody_listens_after_the_block():
    with listen(print):
        pass

    assert not emit(EVENT)


def test_a_failing_listener_is_reported_once_and_harms_nobody(capfd):
    seen = []

    def broken(event):
        raise ZeroDivisionError

    with listen(broken), listen(seen.append):
        emit(EVENT)
        emit(EVENT)

    assert seen == [EVENT, EVENT]
    assert capfd.readouterr().err.count("failed on AttemptFailed") == 1


def test_a_stopping_exception_of_a_listener_passes():
    def stop(event):
        raise KeyboardInterrupt

    with listen(stop), pytest.raises(KeyboardInterrupt):
        emit(EVENT)

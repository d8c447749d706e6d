"""One policy for each key."""

import gc
import threading
import weakref

import pytest

from unlost.errors import UsageError
from unlost.policies._keyed import Keyed


class Policy:
    def __init__(self, key):
        self.key = key
        self.is_idle = True


def keyed(max_keys: int) -> Keyed[str, Policy]:
    return Keyed(Policy, lambda policy: policy.is_idle, max_keys)


def test_a_key_keeps_its_policy() -> None:
    policies = keyed(10)

    assert policies["a"] is policies["a"]
    assert policies["a"] is not policies["b"]
    assert policies["a"].key == "a"
    assert ("a" in policies, "c" in policies, len(policies), list(policies)) == (True, False, 2, ["b", "a"])


def test_the_one_that_was_not_asked_for_longest_is_dropped() -> None:
    policies = keyed(2)
    policies["a"], policies["b"]
    policies["a"]

    policies["c"]

    assert list(policies) == ["a", "c"]


def test_one_that_is_not_idle_is_never_dropped() -> None:
    policies = keyed(2)
    policies["busy"].is_idle = False

    for number in range(20):
        policies[f"idle {number}"]

    assert "busy" in policies
    assert len(policies) == 2


def test_where_none_is_idle_there_are_more_for_a_while() -> None:
    policies = keyed(2)
    for number in range(50):
        policies[f"busy {number}"].is_idle = False
    most = len(policies)

    for number in range(50):
        policies[f"busy {number}"].is_idle = True
    for number in range(100):
        policies[f"idle {number}"]

    assert most == 50
    assert len(policies) == 2


def test_the_one_that_is_made_now_is_kept_even_if_all_others_are_busy() -> None:
    policies = keyed(1)
    policies["busy"].is_idle = False

    made = policies["new"]
    made_key = made.key
    del made

    assert made_key in policies


def test_one_that_somebody_holds_is_found_again_after_it_was_dropped() -> None:
    policies = keyed(1)
    held = policies["a"]
    policies["b"]

    assert "a" not in policies
    assert policies["a"] is held


def test_one_that_was_dropped_and_is_held_by_nobody_is_gone_at_once() -> None:
    policies = keyed(1)
    dropped = weakref.ref(policies["a"])
    gc.disable()

    try:
        policies["b"]

        assert dropped() is None
    finally:
        gc.enable()


def test_a_key_whose_policy_cannot_be_made_is_not_kept() -> None:
    policies = Keyed(lambda key: 1 // 0, lambda policy: True)

    with pytest.raises(ZeroDivisionError):
        policies["a"]

    assert len(policies) == 0


def test_threads_get_the_same_one() -> None:
    policies = keyed(100)
    barrier = threading.Barrier(8)
    seen: list[Policy] = []

    def ask() -> None:
        barrier.wait(5)
        seen.extend(policies[str(number)] for number in range(100))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)

    assert len(seen) == 800
    assert len(set(seen)) == 100


@pytest.mark.parametrize("max_keys", [0, -1, 1.5, True, "many"])
def test_a_bound_that_is_none_is_refused(max_keys) -> None:
    with pytest.raises(UsageError, match="max_keys"):
        keyed(max_keys)

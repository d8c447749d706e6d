"""Names and objects of what is tried again stand for each other."""

import json

import pytest

from unlost.batch.options._retry_on import as_tuple, names_of
from unlost.errors import Kind, UsageError


def is_busy(error: BaseException) -> bool:
    return "busy" in str(error)


def test_names_become_the_objects_that_they_name() -> None:
    found = as_tuple("transient, TimeoutError,json:JSONDecodeError, json.decoder.JSONDecodeError")

    assert found == (Kind.TRANSIENT, TimeoutError, json.JSONDecodeError, json.JSONDecodeError)


@pytest.mark.parametrize(
    "value", [Kind.DEFECT, OSError, is_busy, (OSError, Kind.INPUT), frozenset({UsageError, OSError})]
)
def test_objects_are_found_again_by_their_names(value: object) -> None:
    found = as_tuple(value)

    assert as_tuple(names_of(found)) == found


def test_a_set_is_put_in_one_order() -> None:
    errors = {TimeoutError, Kind.DEFECT, OSError, KeyError, ValueError, EOFError, Kind.TRANSIENT}

    assert as_tuple(frozenset(errors)) == tuple(sorted(errors, key=lambda one: names_of([one])))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("transiemt", "'transiemt' is not known; did you mean transient"),
        ("TimeoutErorr", "did you mean TimeoutError"),
        ("nowhere:Error", "'nowhere:Error' is not known"),
        ("json:Nothing", "'json:Nothing' is not known"),
        ("len2.", "is not known"),
        (".x", "is not known"),
        ("", "is not known"),
        ("int", "is no kind"),
        (5, "5 is no kind"),
        ((), "expected at least one"),
    ],
)
def test_what_names_no_error_is_refused_with_what_to_write(value: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        as_tuple(value)

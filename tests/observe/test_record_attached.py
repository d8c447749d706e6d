"""What travels with an error is recorded with it, once."""

from unlost.errors import attach_errors
from unlost.observe import record, render


def test_what_cleanup_raised_is_recorded_beneath_the_error_and_not_in_a_note_as_well() -> None:
    primary, cleanup = OSError("primary"), ValueError("cleanup")
    attach_errors(primary, (cleanup,))
    primary.add_note("the user's own")

    found = record(primary)

    assert [error["message"] for error in found["errors"]] == ["cleanup"]
    assert found["notes"] == ["the user's own"]
    assert render(found).count("cleanup") == 1

"""What a run spent: in the summary, beside each error, beside each dead letter."""

from __future__ import annotations

import pytest

from support.views import books_of, group_of, raised, view_of
from unlost.batch import Dead
from unlost.batch.journal._kept import KeptBriefly
from unlost.batch.journal._spend import Amount, Spent
from unlost.observe import record
from unlost.report import detail_as_json, detail_as_text, summary_as_json, summary_as_text
from unlost.report._text import width

MUCH = Amount(12_345_600_000, 1_234_567, 234_567)


@pytest.mark.parametrize(
    ("spent", "in_doubt", "said"),
    [
        (Spent(MUCH), 0, "spent $12.3456 (1,234,567 tokens in, 234,567 out)"),
        (
            Spent(MUCH, Amount(560_000_000)),
            3,
            f"spent {MUCH}; $0.56 of it by attempts that failed; unknown for 3 in doubt",
        ),
        (Spent(Amount(10**9)), 1, "spent $1.00; unknown for 1 in doubt"),
        (
            Spent(Amount(0, 1000, 5), Amount(0, 0, 5)),
            0,
            "spent 1,000 tokens in, 5 out; 0 tokens in, 5 out of it by attempts that failed",
        ),
    ],
)
def test_the_summary_says_what_was_spent_what_of_it_failed_and_what_nobody_knows(
    spent: Spent, in_doubt: int, said: str
) -> None:
    lines = summary_as_text(view_of(books_of(ok=1, in_doubt=in_doubt), spent=spent)).splitlines()

    assert lines[1] == f" {said}"


def test_where_nothing_was_spent_the_text_does_not_speak_of_money() -> None:
    text = summary_as_text(view_of(books_of(failed=1, in_doubt=1), groups=[group_of(raised(ValueError()))]))

    assert "spent" not in text
    assert "$" not in text


def test_programs_get_every_sum_in_one_shape() -> None:
    as_json = summary_as_json(view_of(books_of(ok=1, in_doubt=2), spent=Spent(MUCH, Amount(560_000_000))))

    assert as_json["spent"] == {
        "usd": "12.3456",
        "input_tokens": 1_234_567,
        "output_tokens": 234_567,
        "failed_attempts": {"usd": "0.56", "input_tokens": 0, "output_tokens": 0},
        "unknown_items": 2,
    }


def test_each_error_says_what_it_cost_in_a_column_of_its_own() -> None:
    groups = [
        group_of(raised(ValueError("of all things")), 12, spent=Amount(1_500_000_000, 10, 1), fingerprint="aaaaaaaa"),
        group_of(raised(KeyError("price")), 3, spent=Amount(0, 1000, 200), fingerprint="bbbbbbbb", line=4711),
        group_of(raised(OSError("free")), 1, fingerprint="cccccccc"),
    ]

    lines = summary_as_text(view_of(books_of(failed=16), groups=groups)).splitlines()[1:4]

    assert [line.split("e.g. ")[1] for line in lines] == [
        "line 1     $1.50         aaaaaa",
        "line 4711  1,200 tokens  bbbbbb",
        "line 1     $0.00         cccccc",
    ]


def test_a_table_with_money_is_no_wider_than_one_without() -> None:
    long = raised(ValueError("x" * 300), file="a/very/long/name/of/a/file/somewhere/in/a/project.py", function="y" * 80)

    lines = summary_as_text(view_of(books_of(failed=1), groups=[group_of(long, 2, spent=MUCH)])).splitlines()

    assert width(lines[1]) == 120


def _letter(spent: Amount | None, *kept: KeptBriefly) -> Dead:
    return Dead(
        key="k", line=7, attempts=1, ms=5, kind="defect", fingerprint="77aa01bb", error=record(ValueError()),
        input="in", spent=spent, kept=list(kept),
    )  # fmt: skip


def test_a_dead_letter_says_what_it_cost_and_what_is_kept() -> None:
    answer = KeptBriefly(name="ans\x1bwer", form="json", size=4_000, begins='{"id": "\u202e', whole=False)
    body = KeptBriefly(name="body", form="bytes", size=2, begins="ok\n", whole=True)

    lines = list(detail_as_text([_letter(MUCH, answer, body)]))

    assert lines[-3:] == [
        "    spent $12.3456 (1,234,567 tokens in, 234,567 out)",
        r'    kept ans\x1bwer, 4,000 characters of JSON: {"id": "\u202e…',
        r"    kept body, 2 bytes: ok\n",
    ]


def test_programs_get_what_a_dead_letter_cost_or_null() -> None:
    as_json = detail_as_json([_letter(Amount(1, 2, 3)), _letter(None)])

    assert [letter["spent"] for letter in as_json] == [
        {"usd": "0.000000001", "input_tokens": 2, "output_tokens": 3},
        None,
    ]

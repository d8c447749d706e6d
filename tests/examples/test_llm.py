"""``docs/llm.md``: its job, through the SDK that it is written for, against the stand-in for a paid API."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from support.command import CommandLine
from support.paid_process import PaidApi

pytestmark = [pytest.mark.stock, pytest.mark.timeout(120)]

ROOT = Path(__file__).parents[2]
JOB = ROOT / "examples" / "llm" / "jobs.py"
ITEMS = 40


@pytest.fixture
def unlost(tmp_path: Path) -> CommandLine:
    unlost = CommandLine(tmp_path)
    unlost.write("jobs.py", JOB.read_text(encoding="utf-8"))
    unlost.write("texts.jsonl", "".join(json.dumps({"text": f"text {n}"}) + "\n" for n in range(ITEMS)))
    return unlost


def use(unlost: CommandLine, api: PaidApi, key: str = "secret") -> None:
    unlost.environment.update(OPENAI_BASE_URL=f"{api.url}/v1", OPENAI_API_KEY=key, NO_PROXY="127.0.0.1")


def test_the_document_shows_the_job_as_it_is() -> None:
    text = (ROOT / "docs" / "llm.md").read_text(encoding="utf-8")
    shown = {match[1]: match[2] for match in re.finditer(r"```python file=(\S+)\n(.*?)```", text, re.DOTALL)}

    assert shown == {"examples/llm/jobs.py": JOB.read_text(encoding="utf-8")}


def test_a_mended_parser_makes_no_call_again(unlost: CommandLine, tmp_path: Path) -> None:
    with PaidApi(tmp_path, "--broken-every", "4") as api:
        use(unlost, api)
        ran = unlost("run", "jobs:summarise", "texts.jsonl", "--out", "out.jsonl")
        calls = api.calls()
        mended = JOB.read_text().replace('["content"])', '["content"].strip("`json\\n"))')
        unlost.write("jobs.py", mended)
        retried = unlost("retry", "summarise-1")

        assert (ran.returncode, retried.returncode) == (1, 0), ran.stderr + retried.stderr
        assert calls == api.calls() == ITEMS
    assert len(unlost.results("out.jsonl")) == ITEMS
    usd = Decimal("0.00000005"), Decimal("0.0000004")
    spent = unlost.json("show", "summarise-1")["spent"]
    assert Decimal(spent["usd"]) == spent["input_tokens"] * usd[0] + spent["output_tokens"] * usd[1]


def test_a_wrong_key_stops_the_run_at_once(unlost: CommandLine, tmp_path: Path) -> None:
    with PaidApi(tmp_path, "--key", "right") as api:
        use(unlost, api, key="wrong")
        stopped = unlost("run", "jobs:summarise", "texts.jsonl", "-j", "4")
        calls = api.calls()
        use(unlost, api, key="right")
        continued = unlost("run", "jobs:summarise", "texts.jsonl", "-j", "4")

    assert stopped.returncode == 3, stopped.stderr
    assert calls <= 4 + 1
    assert "401" in stopped.stderr
    assert continued.returncode == 0, continued.stderr


def test_an_exhausted_quota_stops_it_too(unlost: CommandLine, tmp_path: Path) -> None:
    with PaidApi(tmp_path, "--quota", "10") as api:
        use(unlost, api)
        stopped = unlost("run", "jobs:summarise", "texts.jsonl", "-j", "4")

    books = unlost.json("show", "summarise-1")["books"]
    assert stopped.returncode == 3, stopped.stderr
    assert (books["ok"], books["failed"], books["in_doubt"], books["pending"]) == (10, 0, 0, ITEMS - 10)

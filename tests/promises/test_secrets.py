"""
Redaction happens before the journal: what a job knows of secrets is nowhere in the folder, nor printed.

The service is real, and so are the errors that quote URLs and headers. The inputs hold no secrets: they are stored as
they are.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.command import CommandLine
from support.service import item_of, running_service
from support.waiting import until

pytestmark = pytest.mark.stock

SECRETS = {
    "QUERY": "sk-demo-51f6c2a94b7e4d0f",
    "PASSWORD": "hunter2-Zq8vTr",
    "BEARER": "bearer-9f8e7d6c5b4a3210",
    "COOKIE": "c00kie-7b1d2e9a",
    "EMAIL": "jane.roe.4711@example.org",
    "TOKEN": "tok3n-a1b2c3d4e5f6",
}

JOB = """
import asyncio, json, os, httpx

S = json.loads(os.environ["SECRETS"])
URL = os.environ["ITEM_URL"]
HEADERS = {"Authorization": f"Bearer {S['BEARER']}", "Cookie": f"session={S['COOKIE']}"}
WITH_PASSWORD = URL.replace("://", f"://service:{S['PASSWORD']}@")


class QuotingError(Exception):
    pass


async def ask(url, **options):
    async with httpx.AsyncClient(trust_env=False, **options) as client:
        return await client.get(url, params={"api_key": S["QUERY"], "page": 1}, headers=HEADERS)


async def status(response):
    response.raise_for_status()


async def password_in_url(response):
    (await ask(WITH_PASSWORD)).raise_for_status()


async def basic_auth(response):
    (await ask(URL, auth=("service", S["PASSWORD"]))).raise_for_status()


async def nobody_listens(response):
    await ask(f"http://service:{S['PASSWORD']}@127.0.0.1:1/")


async def no_such_scheme(response):
    await ask(f"htp://service:{S['PASSWORD']}@127.0.0.1/x")


async def timeout(response):
    await ask(URL, timeout=0.001)  # the service takes two at least


async def quotes_url(response):
    raise QuotingError(f"GET {response.request.url} answered {response.status_code}")


async def quotes_own_url(response):
    raise QuotingError(f"could not get {WITH_PASSWORD}?api_key={S['QUERY']}#token={S['TOKEN']}")


async def quotes_headers(response):
    raise QuotingError(f"sent {response.request.headers!r}")


async def quotes_headers_as_dict(response):
    raise QuotingError(f"sent {dict(response.request.headers)}")


async def quotes_raw_headers(response):
    raise QuotingError(f"sent {response.request.headers.raw}")


async def quotes_headers_as_json(response):
    raise QuotingError(json.dumps({"request": {"headers": dict(response.request.headers)}}))


async def quotes_request(response):
    lines = [f"{name}: {value}" for name, value in response.request.headers.items()]
    raise QuotingError("\\n".join([f"GET {response.request.url.raw_path.decode()} HTTP/1.1", *lines]))


async def database(response):
    raise QuotingError(
        'duplicate key value violates unique constraint "users_email_key"\\n'
        f"DETAIL:  Key (email)=({S['EMAIL']}) already exists."
    )


async def row(response):
    raise QuotingError(f"null value in column\\nDETAIL:  Failing row contains (17, {S['EMAIL']}, null).")


async def connection_string(response):
    raise QuotingError(f"cannot connect to postgresql://app:{S['PASSWORD']}@db.internal:5432/prod")


async def settings(response):
    raise QuotingError(f"bad settings: {dict(user='app', password=S['PASSWORD'], api_token=S['TOKEN'])}")


async def notes(response):
    error = QuotingError("see the notes")
    error.add_note(f"api_key={S['QUERY']}")
    error.add_note(f"Authorization: Bearer {S['BEARER']}")
    raise error


async def cause(response):
    try:
        response.raise_for_status()
    except httpx.HTTPStatusError as error:
        raise QuotingError(f"failed: {error}") from error


async def context(response):
    try:
        await quotes_own_url(response)
    except QuotingError:
        raise KeyError("price")


async def group(response):
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(quotes_own_url(response))
        tasks.create_task(quotes_headers_as_dict(response))


async def in_locals(response):
    api_key, headers = S["QUERY"], HEADERS
    raise QuotingError("nothing in here")


async def in_the_value(response):
    return {1: QuotingError(f"api_key={S['QUERY']}")}


async def waits(response):
    await asyncio.sleep(600)


async def fetch(item):
    return await globals()[item["way"]](await ask(URL))
"""

WAYS = (
    *("status", "password_in_url", "basic_auth", "nobody_listens", "no_such_scheme", "timeout", "quotes_url"),
    *("quotes_own_url", "quotes_headers", "quotes_headers_as_dict", "quotes_raw_headers", "quotes_headers_as_json"),
    *("quotes_request", "database", "row", "connection_string", "settings", "notes", "cause", "context", "group"),
    *("in_locals", "in_the_value"),
)


@pytest.fixture
def unlost(tmp_path: Path) -> Iterator[CommandLine]:
    with running_service() as url:
        command = CommandLine(tmp_path)
        command.environment |= {
            "SECRETS": json.dumps(SECRETS),
            "ITEM_URL": f"{url}/items/{item_of('503 for ever')}",
        }
        command.write("jobs.py", JOB)
        yield command


def _write_ways(unlost: CommandLine, *ways: str) -> None:
    unlost.write("in.jsonl", "".join(json.dumps({"way": way}) + "\n" for way in ways))


def _leaks(*texts: bytes) -> set[str]:
    """Return the names of the secrets that are in one of the texts, plain or as basic authentication has them."""
    basic = base64.b64encode(f"service:{SECRETS['PASSWORD']}".encode()).decode()
    wanted = [*SECRETS.items(), ("PASSWORD in base64", basic), ("EMAIL's name", "jane.roe")]
    return {name for name, secret in wanted if any(secret.encode() in text for text in texts)}


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("attempts", ["1", "3"])
def test_no_secret_of_a_failing_job_is_in_the_folder_or_printed(unlost: CommandLine, attempts: str) -> None:
    _write_ways(unlost, *WAYS)

    options = ("--attempts", attempts, "--retry-on", "transient,permanent,defect", "--out", "results.jsonl")
    done = unlost("run", "jobs:fetch", "in.jsonl", *options)
    every = ""  # what each fingerprint begins with
    shown = [unlost("show", "fetch-1", *what, *form) for what in ((), (every,)) for form in ((), ("--json",))]

    assert done.returncode == 1, done.stderr
    assert f"{len(WAYS)} failed" in done.stdout
    printed = [text.encode() for each in (done, *shown) for text in (each.stdout, each.stderr)]
    assert all(way in shown[2].stdout for way in WAYS)
    assert _leaks(*printed) == set()
    assert _leaks(*_files(unlost.folder / ".unlost").values()) == set()


def test_no_secret_is_in_what_a_run_has_not_yet_moved_into_its_journal(unlost: CommandLine) -> None:
    _write_ways(unlost, *WAYS, "waits")

    # one after the other: what a transient failure means is open until a later call is answered, and the last never is
    with unlost.start("run", "jobs:fetch", "in.jsonl", "--quiet", "-j", "1") as process:
        until(lambda: "fetch-1" in unlost("runs").stdout)
        until(lambda: unlost.json("show", "fetch-1")["books"]["failed"] == len(WAYS))
        files = _files(unlost.folder / ".unlost")
        process.kill()

    assert len(files["fetch-1.db-wal"]) > 1000
    assert _leaks(*files.values()) == set()


def test_a_secret_in_the_inputs_would_have_been_found(unlost: CommandLine) -> None:
    _write_ways(unlost, "status", f"in_{SECRETS['QUERY']}")

    unlost("run", "jobs:fetch", "in.jsonl")

    assert _leaks(*_files(unlost.folder / ".unlost").values()) == {"QUERY"}

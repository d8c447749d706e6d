"""No secret survives, no ordinary sentence is mangled, and doing it twice changes nothing more."""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from unlost.observe import Redactor, redact

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\nq9S3cr3t\n-----END RSA PRIVATE KEY-----"

MASKED = [
    ("https://user:pw@host/p?token=abc#f", "https://***@host/p?***"),
    ("GET https://host:8443/p?a=1&b=2 failed", "GET https://host:8443/p?*** failed"),
    ("see https://host/page#access_token=abc", "see https://host/page#***"),
    ("postgresql://u:p@db.internal:5432/app", "postgresql://***@db.internal:5432/app"),
    ("redis://:hunter2@cache/0", "redis://***@cache/0"),
    ("postgres://u:p/w?x@h/db", "postgres://***@h/db"),
    ("postgres://u:p@w@h/db", "postgres://***@h/db"),
    ('"GET /p?token=abc HTTP/1.1" 500', '"GET /p?*** HTTP/1.1" 500'),
    ("Authorization: Bearer abc def", "Authorization: ***"),
    ("authorization: bearer abc", "authorization: ***"),
    ("Proxy-Authorization: Basic dTpw\nHost: h", "Proxy-Authorization: ***\nHost: h"),
    ("Cookie: a=1; b=2\r\nHost: h", "Cookie: ***\r\nHost: h"),
    ("Set-Cookie: sid=abc; Path=/", "Set-Cookie: ***"),
    ("X-Api-Key: hunter2", "X-Api-Key: ***"),
    ("{'authorization': 'Bearer abc', 'accept': '*/*'}", "{'authorization': '***', 'accept': '*/*'}"),
    ("[(b'authorization', b'Bearer abc'), (b'accept', b'x')]", "[(b'authorization', b'***'), (b'accept', b'x')]"),
    ("('Cookie', 'a=b')", "('Cookie', '***')"),
    ('{"password": "hunter2", "user": "bob"}', '{"password": \'***\', "user": "bob"}'),
    (r'"{\"access_token\": \"abc\", \"n\": 1}"', r'"{\"access_token\": \"***\", \"n\": 1}"'),
    ("connect(user='bob', password='hunter2')", "connect(user='bob', password='***')"),
    ("password='it\\'s hunter2'", "password='***'"),
    ("{'password': 'hunter2 and", "{'password': '***'"),
    ("{'password': 'hunter2\\", "{'password': '***'"),
    ("host=h user=u password=hunter2 dbname=d", "host=h user=u password=*** dbname=d"),
    ("AWS_SECRET_ACCESS_KEY=abc/def+1 next", "AWS_SECRET_ACCESS_KEY=*** next"),
    ("client_secret=abc&grant=x", "client_secret=***&grant=x"),
    ("refresh_token: 1//0abc", "refresh_token: ***"),
    ("bad password: hunter2", "bad password: ***"),
    ("password: swordfish", "password: ***"),
    ("passwd=x, pwd=y", "passwd=***, pwd=***"),
    ("Cookie2: abc", "Cookie2: ***"),
    ("session_id=abc123 expired", "session_id=*** expired"),
    ("api key: abc-123", "api key: ***"),
    ("authorization=Bearer abc", "authorization=***"),
    ("got Bearer abc123def456", "got Bearer ***"),
    ("got Basic dXNlcjpwdw==", "got Basic ***"),
    ("Incorrect API key provided: sk-proj-a1b2c3d4e5f6g7h8.", "Incorrect API key provided: sk-***."),
    ("sk-ant-api03-abcdefgh1234", "sk-***"),
    ("sk_live_4eC39HqLyjWDarjtT1", "sk_***"),
    ("key AKIAIOSFODNN7EXAMPLE is", "key AKIA*** is"),
    ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "ghp_***"),
    ("github_pat_11AAAAAAA0abcdefghij", "github_pat_***"),
    ("xoxb-123456789012-abcdef", "xoxb-***"),
    ("AIzaSyA1234567890abcdefghijklmnopqrstuv", "AIza***"),
    ("glpat-abcdefghij0123456789", "glpat-***"),
    (f"jwt {JWT} rejected", "jwt eyJ*** rejected"),
    (PEM, "-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----"),
    ("-----BEGIN PRIVATE KEY-----\nMIIEpAIB", "-----BEGIN PRIVATE KEY-----***"),
    ("DETAIL:  Key (email)=(x@y) already exists.", "DETAIL:  Key (email)=(***) already exists."),
    ("DETAIL:  Key (a, b)=(1, f(x)) is not present", "DETAIL:  Key (a, b)=(***) is not present"),
    ("DETAIL:  Failing row contains (1, x@y, null).", "DETAIL:  Failing row contains (***)."),
    ("Duplicate entry 'x@y' for key 'users.email'", "Duplicate entry '***' for key 'users.email'"),
    ("The duplicate key value is (x@y).", "The duplicate key value is (***)."),
    ("[SQL: SELECT ?]\n[parameters: ('x@y', 1)]\n(Background", "[SQL: SELECT ?]\n[parameters: ***]\n(Background"),
]

ORDINARY = [
    "",
    "token expected at line 3",
    "Unexpected token: }",
    "SyntaxError: unexpected token: foo",
    "This model's maximum context length is 8192 tokens, you requested 9000",
    "max_tokens: 4096, prompt_tokens=12",
    "password: field required",
    "password: ensure this value has at least 8 characters",
    "password must not be empty",
    "authorization: required for this endpoint",
    "expected token: name",
    "token=None, api_key=null",
    "'password'",
    "missing fields: ['password', 'email']",
    "missing fields: ('token', 'user')",
    "Basic authentication required",
    "Bearer authentication is required",
    "the session expired after 30 seconds",
    "the secret of success: work hard",
    "division by zero",
    "'NoneType' object has no attribute 'secret'",
    "[Errno 111] Connect call failed ('127.0.0.1', 5432)",
    "invalid literal for int() with base 10: 'abc'",
    "No such file or directory: '/etc/app/private_key.pem'",
    "https://docs.python.org/3/library/asyncio.html",
    "http://localhost:8080/path/user@example.com",
    "is it /dev/null? no",
    "what? a=b",
    "task-1234567890 was cancelled",
    "disk-0000000001 is full",
    "Key (not found)",
    "design: 3 signatures",
    "monkey=1",
    "assign=3",
]


@pytest.mark.parametrize(("text", "expected"), MASKED)
def test_a_secret_is_masked_and_what_surrounds_it_stays(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize("text", [text for text, _ in MASKED] + ORDINARY)
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = redact(text)

    assert redact(once) == once


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


_PIECES = st.sampled_from(
    [
        *(text for text, _ in MASKED),
        *ORDINARY,
        *"'\":=@?#/ \n\\(),;&",
        "token",
        "password",
        "Bearer ",
        "://",
        "sk-",
        "***",
    ]
)


@settings(deadline=None)  # a busy machine is no bug
@given(st.lists(_PIECES | st.text(max_size=5), max_size=6).map("".join))
@example("cookie: 'Authorization: Bearer x'")
def test_redaction_is_idempotent_on_any_text(text: str) -> None:
    once = redact(text)

    assert redact(once) == once


@pytest.mark.stock
@pytest.mark.parametrize(
    "unit",
    [
        *("a", "://", "://a:", "://a:x", "?", "/", "/a ", "@", "a@", "0.", " ", "'"),
        *("token", "token=", "token: ", "token :", 'password="', "password='\\", "cookie", "cookie: ", "b'cookie', b'"),
        *("session ", "secret-", "api key", "Bearer ", "Bearer a", "sk-", "sk-a", "eyJ", "eyJaaaaaaaaaaaa.", "xoxb-"),
        *("-----BEGIN PRIVATE KEY-----", "-----BEGIN ", "Key (", "Key (a)=(", "Duplicate entry '", "[parameters: "),
    ],
)
def test_a_megabyte_of_adversarial_text_takes_linear_time(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    start = time.process_time()  # not the wall clock: other tests run beside this one
    redact(text)

    # it takes a second or two; in quadratic time it would be minutes
    assert time.process_time() - start < 20


def test_extra_patterns_mask_the_whole_match_or_the_group_named_secret() -> None:
    redactor = Redactor([r"\bACME-\d+", r"ticket (?P<secret>\w+)!"])

    assert redactor("ACME-123 and ticket abc! and token=x") == "*** and ticket ***! and token=***"


def test_an_extra_pattern_with_an_unused_secret_group_masks_the_whole_match() -> None:
    assert Redactor([r"x(?P<secret>y)|zz"])("zz xy") == "*** x***"

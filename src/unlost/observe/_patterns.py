r"""
What a secret looks like in text.

Each rule is a compiled pattern and its replacement. All are linear in the length of the text: a repetition is
possessive or bounded, or what it repeats cannot contain the start of another match. A rule must leave its own
replacement as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

MASK: Final = "***"


class Rule(NamedTuple):
    """
    Replace what ``pattern`` matches by ``replacement``, a template or function of ``re.sub``.

    The pattern is tried only where one of ``signs`` is in the text in lower case: most texts have none, and looking for
    a few letters is many times faster than a pattern.
    """

    pattern: re.Pattern[str]
    replacement: str | Callable[[re.Match[str]], str]
    signs: tuple[str, ...]


def _without_query(match: re.Match[str]) -> str:
    return f"{match[1]}{match[2]}{MASK}" if match[2] else match[0]


# user:password@ may hold "/" and "?" where nobody encoded them; a port followed by a path is no password
_URLS: Final = (
    Rule(
        re.compile(r"""://(?:[^\s/?#"'<>]*@|[^\s:/?#@"'<>]{1,256}+:(?!\d+[/?#])[^\s@"'<>]{0,256}+@)"""),
        f"://{MASK}@",
        ("://",),
    ),
    # matches a URL without a query too, and leaves it: else each "://" in it would be tried again
    Rule(re.compile(r"""(://[^\s?#"'<>]*+)(?:([?#])[^\s"'<>]*+)?"""), _without_query, ("://",)),
    # a path alone, as in a request line; its parameters are told from a question by an "="
    Rule(
        re.compile(r"""((?:^|(?<=[\s"']))/[^\s?#"'<>=]*+\?)(?=[^\s"'<>=]*+=)[^\s"'<>]*+""", re.MULTILINE),
        rf"\1{MASK}",
        ("?",),
    ),
)

_HEADER: Final = r"(?=[pascx])(?:(?:proxy-)?authorization|(?:set-)?cookie2?|x-(?:api|auth|access|csrf)-(?:key|token))"
NAME: Final = (
    r"(?=[pstacjx])(?:"  # one look instead of twenty where no name can begin
    r"pass(?:word|wd|phrase)|pwd|secret(?:[-_]?(?:access[-_]?)?key|[-_]?token)?|(?<!xpected )token"
    r"|api[-_ ]?key|access[-_]?key(?:[-_]?id)?|private[-_]?key(?:[-_]?id)?|credentials?|(?<![a-z])sig|signature"
    rf"|session(?:[-_]?(?:id|key|token))?|jsessionid|phpsessid|{_HEADER})"
)
_HEADER_SIGNS: Final = ("auth", "cookie", "x-a", "x-csrf")
_NAME_SIGNS: Final = ("pass", "pwd", "secret", "token", "key", "credential", "sig", "sess", *_HEADER_SIGNS)
_NOTHING: Final = r"(?:none|null|true|false|undefined|nil)\b"
# a text that somebody cut may end before the closing quote does
_QUOTED: Final = r"""(?:"(?:[^"\\]|\\[\s\S]?)++(?:"|\Z)|'(?:[^'\\]|\\[\s\S]?)++(?:'|\Z))"""
# "password: field required" is prose; "password: hunter2" and "password=hunter2" are not
_PROSE: Final = r"(?-i:[A-Za-z]?[a-z'\u2019]+ (?:[a-z]|\d+\b))"
_SCHEME: Final = r"(?:bearer|basic|digest|token|negotiate|apikey|aws4-hmac-sha256) "
_VALUE: Final = r"""[^\s,;&"'()\[\]{}<>]"""


def _pair(pattern: str, replacement: str, signs: tuple[str, ...] = _NAME_SIGNS) -> Rule:
    return Rule(re.compile(pattern, re.IGNORECASE), replacement, signs)


_PAIRS: Final = (
    # name="value", "name": "value", name: 'value', b'name': b'value'
    _pair(rf"""((?:{NAME})\\?["']?\s{{0,8}}[:=]\s{{0,8}}b?){_QUOTED}""", rf"\1'{MASK}'"),
    # (b'name', b'value') as in raw headers; a pair of plain strings only for headers
    _pair(rf"""(b?(["'])(?:{_HEADER})\2,\s?b?){_QUOTED}""", rf"\1'{MASK}'", _HEADER_SIGNS),
    # JSON inside a string: \"name\": \"value\"
    _pair(rf"""((?:{NAME})\\["']\s{{0,8}}:\s{{0,8}}\\["'])[^"'\\]++""", rf"\1{MASK}"),
    # a header line goes to its end
    _pair(
        rf"""((?:{_HEADER})\s{{0,8}}:[ \t]{{0,8}})(?!{_NOTHING})(?:(?={_SCHEME})|(?!{_PROSE}))[^\s"'][^\r\n"']*+""",
        rf"\1{MASK}",
        _HEADER_SIGNS,
    ),
    # name=value; a scheme goes with its credentials
    _pair(rf"""((?:{NAME})\s?=\s?)(?!{_NOTHING})(?:{_SCHEME})?{_VALUE}++""", rf"\1{MASK}"),
    # name: value
    _pair(rf"""((?:{NAME})["']?:\s{{1,8}})(?!{_NOTHING})(?!{_PROSE})[\w*$!#%/+.~@-]{_VALUE}*+""", rf"\1{MASK}"),
)


def _shape(pattern: str, *signs: str) -> Rule:
    """A key that begins with what the pattern's first group matches: the group stays, as it says whose key it was."""
    return Rule(re.compile(pattern), rf"\1{MASK}", signs)


_SHAPES: Final = (
    # the value of a bare scheme holds a digit, a "=" or a capital after a small letter: "Basic authentication" does not
    _shape(
        r"\b((?i:bearer|basic|negotiate) +)(?!realm=)(?=[\w.~+/-]*?(?:\d|=|[a-z][A-Z]))[\w.~+/=-]{8,}+",
        *("bearer ", "basic ", "negotiate "),
    ),
    _shape(r"(?<![\w-])((?:sk|rk|pk|whsec)[-_])(?=[\w-]*?\d)[\w-]{8,}+", "sk-", "sk_", "rk_", "pk_", "whsec_"),
    _shape(r"(?<![A-Za-z0-9])(A[KS]IA)[A-Z0-9]{12,}+", "akia", "asia"),
    _shape(
        r"(?<![A-Za-z0-9])(gh[pousr]_|github_pat_|glpat-|hf_|npm_|xapp-)[\w-]{16,}+",
        *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "hf_", "npm_", "xapp-"),
    ),
    _shape(r"(?<![A-Za-z0-9])(xox[a-z]-)[\w-]{8,}+", "xox"),
    _shape(r"(?<![A-Za-z0-9])(AIza|ya29\.|SG\.)[\w.-]{20,}+", "aiza", "ya29.", "sg."),
    _shape(r"(?<![A-Za-z0-9])(eyJ)[\w-]{12,}+(?:\.[\w-]*+){0,4}", "eyj"),
    _shape(r"(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----)(?:(?!-----END)[\s\S])++", "private key-----"),
)

_DATABASE: Final = (
    # PostgreSQL: Key (email)=(x@y) already exists. / Failing row contains (1, x@y).
    Rule(re.compile(r"(\bKey \([^()\n]{1,200}\)=\()[^\n]*\)"), rf"\1{MASK})", ("key (",)),
    Rule(re.compile(r"(\bFailing row contains \()[^\n]*"), rf"\1{MASK}).", ("failing row",)),
    # MySQL
    Rule(re.compile(r"(\bDuplicate entry ')[^\n]*?(?:(' for key )|(?=\n|\Z))"), rf"\1{MASK}\2", ("duplicate entry",)),
    # SQL Server
    Rule(re.compile(r"(\bduplicate key value is \()[^\n]*"), rf"\1{MASK}).", ("duplicate key",)),
    # SQLAlchemy prints the values that were bound
    Rule(re.compile(r"(\[parameters: )[^\n]*"), rf"\1{MASK}]", ("[parameters",)),
)

RULES: Final = (*_URLS, *_PAIRS, *_SHAPES, *_DATABASE)

"""The page as a whole, and the rule that it loads nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from importlib.resources import files
from typing import Final

from unlost.report._report import Report
from unlost.report.html._bar import bar
from unlost.report.html._groups import table
from unlost.report.html._room import BYTES
from unlost.report.html._text import brief, safe, size
from unlost.report.html._timeline import timeline
from unlost.report.html._times import moment

MARK: Final = '<meta name="generator" content="unlost">'
"""Is in the first lines of each such file, and tells that it may be replaced by another."""

_LINE: Final = 300  # bytes of a line in a list


def html_of(report: Report) -> Iterator[bytes]:
    """Yield the file piece by piece: UTF-8, 600 KB at most."""
    for piece in _pieces(report):
        yield piece.encode()


def _pieces(report: Report) -> Iterator[str]:
    above, below = list(_above(report)), list(_below(report))
    yield from above
    if report.groups:
        yield from table(report, BYTES - sum(map(size, (*above, *below))))
    else:
        yield "<p>There are no errors.</p>\n"
    yield from below


def _above(report: Report) -> Iterator[str]:
    style, script = _part("page.css"), _part("page.js")
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    )
    yield f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n{MARK}\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
    yield f"<title>{brief(report.title, _LINE)} · unlost</title>\n<style>{style}</style>\n</head>\n<body>\n"
    yield '<a class="skip" href="#errors">To the errors</a>\n'
    yield f"<header><h1>{brief(report.title, _LINE)}</h1>\n<p>{brief(report.subtitle, _LINE)}</p>\n"
    if report.began is not None and report.ended is not None:
        yield f"<p>{moment(report.began)} to {moment(report.ended)}</p>\n"
    yield "</header>\n<main>\n"
    yield from (f'<p class="alarm">{brief(alarm, _LINE)}</p>\n' for alarm in report.alarms)
    yield '<section aria-labelledby="outcome"><h2 id="outcome">Outcome</h2>\n'
    yield from bar(report)
    yield "</section>\n"
    yield from timeline(report)
    yield '<section aria-labelledby="errors"><h2 id="errors">Errors</h2>\n'


def _below(report: Report) -> Iterator[str]:
    yield "</section>\n"
    for title, lines in report.lists:
        yield f"<section><h2>{safe(title)}</h2>\n<ul>"
        yield from (f"<li>{brief(line, _LINE)}</li>\n" for line in lines)
        yield "</ul></section>\n"
    if report.facts:
        yield '<section aria-labelledby="facts"><h2 id="facts">Facts</h2>\n<dl>'
        yield from (f"<dt>{safe(name)}</dt><dd>{brief(value, _LINE)}</dd>\n" for name, value in report.facts)
        yield "</dl></section>\n"
    yield f"</main>\n<script>{_part('page.js')}</script>\n</body>\n</html>\n"


def _part(name: str) -> str:
    return (files("unlost.report.html") / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

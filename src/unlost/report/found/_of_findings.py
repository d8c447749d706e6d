"""What was found by watching a program or a test session, as a report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from unlost.observe import headline
from unlost.observe.sinks._found import found
from unlost.observe.sinks._report import Report as Told
from unlost.observe.watch import Finding, Notice, Verdict
from unlost.report._report import MOST_GROUPS, SLICES, ErrorGroup, Report, Tally, Tone

_TONES: Final[Mapping[Verdict, Tone]] = {
    Verdict.REPORTED: "good",
    Verdict.HANDLED: "good",
    Verdict.CONVERTED: "good",
    Verdict.SWALLOWED: "bad",
    Verdict.RETURNED: "doubt",
    Verdict.ABSORBED: "doubt",
    Verdict.LOST: "bad",
    Verdict.UNDELIVERED: "bad",
    Verdict.UNKNOWN: "rest",
}
_BY_VALUE: Final[Mapping[str, Tone]] = {verdict.value: tone for verdict, tone in _TONES.items()}


def report_of_findings(
    findings: Iterable[Finding | Notice],
    counts: Mapping[Verdict, int],
    title: str,
    *,
    subtitle: str = "",
    noted: Mapping[str, int] | None = None,
    unseen: Iterable[str] = (),
    command: str = "",
) -> Report:
    """
    Return the report of what was found.

    Args:
        findings: In the order in which they were found.
        counts: How many exceptions came to each verdict; those that are told in ``findings`` are among them.
        title: The program's or the session's name.
        subtitle: How it was run.
        noted: How many notices there were of each kind.
        unseen: What could not be observed, a sentence each.
        command: What runs the program or session again.
    """
    told = [found(each) for each in findings]
    times = [each.at for each in told if each.at]
    began, ended = (min(times), max(times)) if times else (None, None)
    alike: dict[object, list[Told]] = {}
    for each in told:
        alike.setdefault(each.key, []).append(each)
    groups = sorted((_group(each, began, ended, command) for each in alike.values()), key=_badness)
    rest = groups[MOST_GROUPS:]
    sentences = tuple(unseen)
    return Report(
        title=title,
        subtitle=subtitle,
        unit=("exception", "exceptions"),
        label="verdict",
        tallies=(*_verdicts(counts), *(Tally(kind, count, "bad") for kind, count in (noted or {}).items() if count)),
        groups=tuple(groups[:MOST_GROUPS]),
        more_groups=len(rest),
        more_count=sum(group.count for group in rest),
        began=began,
        ended=ended,
        lists=(("What could not be seen", sentences),) if sentences else (),
    )


def _verdicts(counts: Mapping[Verdict, int]) -> Iterable[Tally]:
    return (Tally(verdict.value, counts[verdict], _TONES[verdict]) for verdict in Verdict if counts.get(verdict))


def _group(alike: list[Told], began: float | None, ended: float | None, command: str) -> ErrorGroup:
    example = alike[0]
    line = headline(example.error, alone=len(alike) == 1) if example.error is not None else None
    site = str(example.site) if example.site else ""
    return ErrorGroup(
        fingerprint=example.digest,
        title=line.title if line else example.what,
        where=line.where if line else site,
        label=example.verdict,
        tone=_BY_VALUE.get(example.verdict, "bad"),
        count=len(alike),
        hits=_hits([each.at for each in alike if each.at], began, ended),
        example=f"in task {example.origin.task}" if example.origin else "",
        error=example.error,
        ended=example.what if line else "",
        origin=example.origin,
        command=command,
    )


def _hits(times: list[float], began: float | None, ended: float | None) -> tuple[int, ...]:
    if began is None or ended is None:
        return ()
    hits = [0] * SLICES
    for at in times:
        hits[min(int((at - began) * SLICES / max(ended - began, 1e-9)), SLICES - 1)] += 1
    return tuple(hits)


def _badness(group: ErrorGroup) -> tuple[int, int]:
    return ("bad", "doubt", "rest", "good").index(group.tone), -group.count

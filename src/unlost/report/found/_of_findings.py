"""What was found by watching a program or a test session, as a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from unlost.observe import headline
from unlost.observe._place import base_name
from unlost.observe.install import advice_on, key_of
from unlost.observe.sinks._found import found
from unlost.observe.sinks._report import Report as Told
from unlost.observe.watch import HANGS, LOOP_ERROR, Finding, Notice, Verdict
from unlost.observe.watch._verdict import COUNTED
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


Rerun: TypeAlias = Callable[[Sequence[Finding | Notice]], str]


class _Alike(NamedTuple):
    """Findings that are one group, and what is told of each."""

    found: list[Finding | Notice]
    told: list[Told]


def report_of_findings(
    findings: Iterable[Finding | Notice],
    counts: Mapping[Verdict, int],
    title: str,
    *,
    subtitle: str = "",
    noted: Mapping[str, int] | None = None,
    unseen: Iterable[str] = (),
    command: str = "",
    rerun: Rerun | None = None,
    example: Callable[[Finding | Notice], str] | None = None,
    besides: str = "enough was told of their places",
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
        rerun: Returns what runs just the parts again in which these were found, such as tests; empty where there is
            nothing less than all.
        example: Returns in what one was found, such as a test; None is the task.
        besides: Why some that are in ``counts`` are not in ``findings``.
    """
    findings = list(findings)
    alike: dict[object, _Alike] = {}
    for finding in findings:
        told = found(finding)
        group = alike.setdefault(told.key, _Alike([], []))
        group.found.append(finding)
        group.told.append(told)
    times = [each.at for one in alike.values() for each in one.told if each.at]
    began, ended = (min(times), max(times)) if times else (None, None)
    groups = sorted((_group(one, began, ended, rerun, example) for one in alike.values()), key=_badness)
    rest = groups[MOST_GROUPS:]
    sentences = tuple(unseen)
    others = _only_counted(findings, counts)
    facts = [("run it again", command)] if command else []
    facts += [("not listed", f"{others}: {besides}")] if others else []
    return Report(
        title=title,
        subtitle=subtitle,
        unit=("exception", "exceptions"),
        label="verdict",
        tallies=(
            *_verdicts(counts),
            *(Tally(kind, count, _tone_of(kind)) for kind, count in (noted or {}).items() if count),
        ),
        groups=tuple(groups[:MOST_GROUPS]),
        more_groups=len(rest),
        more_count=sum(group.count for group in rest),
        began=began,
        ended=ended,
        facts=tuple(facts),
        lists=(("What could not be seen", sentences),) if sentences else (),
    )


def _verdicts(counts: Mapping[Verdict, int]) -> Iterable[Tally]:
    return (Tally(verdict.value, counts[verdict], _TONES[verdict]) for verdict in Verdict if counts.get(verdict))


def _only_counted(findings: Sequence[Finding | Notice], counts: Mapping[Verdict, int]) -> str:
    """Return how many of each verdict there were besides what is listed, of those that are there to be listed."""
    listed = Counter(finding.verdict for finding in findings if isinstance(finding, Finding))
    rest = [(counts.get(verdict, 0) - listed[verdict], verdict) for verdict in Verdict if verdict not in COUNTED]
    return ", ".join(f"{count:,} {verdict.value}" for count, verdict in rest if count > 0)


def _tone_of(label: str) -> Tone:
    return "doubt" if label in (HANGS, LOOP_ERROR) else _BY_VALUE.get(label, "bad")


def _group(
    alike: _Alike,
    began: float | None,
    ended: float | None,
    rerun: Rerun | None,
    name: Callable[[Finding | Notice], str] | None,
) -> ErrorGroup:
    every, told = alike
    example = told[0]
    line = headline(example.error, alone=len(told) == 1) if example.error is not None else None
    site = str(example.site) if example.site else ""
    return ErrorGroup(
        fingerprint=example.digest,
        title=line.title if line else example.what,
        where=line.where if line else site,
        label=example.verdict,
        tone=_tone_of(example.verdict),
        count=len(told),
        hits=_hits([each.at for each in told if each.at], began, ended),
        example=name(every[0]) if name is not None else _example(example),
        error=example.error,
        ended=example.what if line else "",
        origin=example.origin,
        command=rerun(every) if rerun is not None else "",
        keys=tuple(dict.fromkeys(map(key_of, every))),
        instead=advice_on(every[0]),
    )


def _example(told: Told) -> str:
    if told.origin is not None and told.origin.task:
        return f"in task {told.origin.task}"
    return f"at {base_name(told.site.file)}:{told.site.line}" if told.site is not None else ""


def _hits(times: list[float], began: float | None, ended: float | None) -> tuple[int, ...]:
    if began is None or ended is None:
        return ()
    hits = [0] * SLICES
    for at in times:
        hits[min(int((at - began) * SLICES / max(ended - began, 1e-9)), SLICES - 1)] += 1
    return tuple(hits)


def _badness(group: ErrorGroup) -> tuple[int, int]:
    return ("bad", "doubt", "rest", "good").index(group.tone), -group.count

"""
An error as a tree of built-ins: what the journal keeps and `unlost show` prints when the error is long gone.

Guarantees:

- Recording raises nothing because of the error: whatever its class does wrong is said in the record. It runs no code
  of the error's but its ``__str__``, those of its notes and URL, and the properties among the listed attributes, each
  guarded. Only ``KeyboardInterrupt`` and ``SystemExit`` pass, which a signal may raise at any moment.
- The record holds neither the error nor its frames, and no local variable ever.
- It is JSON in UTF-8 and at most 64 KiB of it. The tree is recorded breadth first, so that what is near to the error
  is kept before what is far; all that is left out is counted.
- Each error is recorded once; where it comes up again (a cycle, a shared cause) stands ``seen``.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Collection
from typing import Literal, NamedTuple, TypeAlias

from unlost.errors import attached, attempts, classify, recall
from unlost.observe import _limits
from unlost.observe._attributes import attributes_of
from unlost.observe._frames import frames_of
from unlost.observe._limits import FULL, SMALL, Limits
from unlost.observe._redact import Redactor
from unlost.observe._redact import redact as default_redactor
from unlost.observe._schema import VERSION, ErrorRecord, TypeName
from unlost.observe._text import cut_front, cut_redacted, guarded, module_of, text_of, type_name
from unlost.observe.fingerprints import from_code, own_key

# The built-in attributes, whatever a subclass calls by their names.
_cause_of = BaseException.__dict__["__cause__"].__get__
_context_of = BaseException.__dict__["__context__"].__get__
_traceback_of = BaseException.__dict__["__traceback__"].__get__
_suppresses_context = BaseException.__dict__["__suppress_context__"].__get__
_members_of = BaseExceptionGroup.__dict__["exceptions"].__get__

Slot: TypeAlias = Literal["cause", "context", "members", "attempts", "errors"]


def record(error: BaseException, *, redact: bool | Redactor = True, own: Collection[str] = ()) -> ErrorRecord:
    """
    Record ``error`` with its frames, notes, causes, group members and attempts.

    Args:
        redact: True masks what the built-in patterns find in every text, a ``Redactor`` of yours more; False keeps
            secrets and is for records that never leave this process.
        own: Top-level packages that are the user's code even where they are installed in ``site-packages``.

    Returns:
        Built-ins only, JSON-ready, 64 KiB at most.
    """
    redactor: Callable[[str], str] = str if redact is False else default_redactor if redact is True else redact
    return _Recording(redactor, own).tree(error)


class _Waiting(NamedTuple):
    error: BaseException
    parent: ErrorRecord
    slot: Slot
    depth: int


class _Recording:
    """One tree in the making."""

    def __init__(self, redact: Callable[[str], str], own: Collection[str]) -> None:
        self._redact = redact
        self._own = own
        self._room = _limits.BYTES
        self._seen: set[int] = set()
        self._queue: deque[_Waiting] = deque()

    def tree(self, error: BaseException) -> ErrorRecord:
        root = self._sized(error, None)
        assert root is not None
        self._expand(error, root, 0)
        while self._queue:
            self._take(self._queue.popleft())
        return root

    def _take(self, waiting: _Waiting) -> None:
        error, parent, slot, depth = waiting
        between = 0
        if depth == _limits.DEPTH and slot in ("cause", "context"):
            error, between = self._innermost(error)
        node = self._sized(error, parent) if depth <= _limits.DEPTH else None
        if node is None:
            _count(parent, slot, 1)
            return
        if between:
            _count(node, "between", between)
        if slot in ("cause", "context"):
            parent[slot] = node
        else:
            parent[slot] = [*parent.get(slot, ()), node]
        if "seen" not in node:
            self._expand(error, node, depth)

    def _expand(self, error: BaseException, node: ErrorRecord, depth: int) -> None:
        """Queue what hangs under ``error``."""
        slot, beneath = _beneath(error)
        if beneath is not None:
            self._queue.append(_Waiting(beneath, node, slot, depth + 1))
        self._queue_all(_members(error), node, "members", depth)
        self._queue_all(attempts(error), node, "attempts", depth)
        self._queue_all(attached(error), node, "errors", depth)

    def _queue_all(self, errors: tuple[BaseException, ...], node: ErrorRecord, slot: Slot, depth: int) -> None:
        for error in errors[: _limits.CHILDREN]:
            self._queue.append(_Waiting(error, node, slot, depth + 1))
        if len(errors) > _limits.CHILDREN:
            _count(node, slot, len(errors) - _limits.CHILDREN)

    def _innermost(self, error: BaseException) -> tuple[BaseException, int]:
        """Follow a chain that is too long to its end: the root cause tells more than what lies between."""
        passed = {id(error)}
        while (beneath := _beneath(error)[1]) is not None and id(beneath) not in passed:
            error = beneath
            passed.add(id(error))
        return error, len(passed) - 1

    def _sized(self, error: BaseException, parent: ErrorRecord | None) -> ErrorRecord | None:
        """Return the record of ``error`` alone in the size that there is room for; None where there is none."""
        for limits, allowance in ((FULL, self._room // 2), (SMALL, self._room)):
            node = self._node(error, parent, limits)
            size = len(json.dumps(node)) + _limits.OVERHEAD
            if size <= allowance or (parent is None and limits is SMALL):
                self._room -= size
                self._seen.add(id(error))
                return node
        return None

    def _node(self, error: BaseException, parent: ErrorRecord | None, limits: Limits) -> ErrorRecord:
        node: ErrorRecord = {
            "version": VERSION,
            "type": _type(type(error), limits.width),
            "message": cut_redacted(text_of(error), limits.message, self._redact),
            "kind": "",
            "frames": [],
        }
        if id(error) in self._seen:
            node["seen"] = True
            return node
        # kind, status and hints are looked for in all causes: once for each error of a long chain would be quadratic
        judged = parent is None or _causes_end(error)
        node["kind"] = _kind(error) if judged or parent is None else parent["kind"]
        node["frames"] = frames_of(_traceback_of(error), own=self._own, limit=limits.frames, width=limits.width)
        if attributes := attributes_of(error, self._redact, hints=judged, width=limits.attribute):
            node["attributes"] = attributes
        self._add_notes(error, node, limits)
        if found := from_code(node["message"], type(error), _traceback_of(error), self._own):
            node["from_code"] = found
        if key := own_key(error, self._redact):
            node["own_key"] = key
        return node

    def _add_notes(self, error: BaseException, node: ErrorRecord, limits: Limits) -> None:
        notes = _notes(error)
        if notes:
            node["notes"] = [cut_redacted(text_of(note), limits.note, self._redact) for note in notes[: limits.notes]]
        if len(notes) > limits.notes:
            _count(node, "notes", len(notes) - limits.notes)


def _type(cls: type, width: int) -> TypeName:
    return {"module": cut_front(module_of(cls), width), "qualname": cut_front(type_name(cls), width)}


def _kind(error: BaseException) -> str:
    kind: str = guarded(lambda: classify(error).value, lambda _error: "permanent")
    return kind


def _causes_end(error: BaseException | None) -> bool:
    """Say whether the chain of causes is a short one."""
    for _ in range(2 * _limits.DEPTH):
        if error is None:
            return True
        error = _cause_of(error)
    return False


def _beneath(error: BaseException) -> tuple[Literal["cause", "context"], BaseException | None]:
    """Return the one of cause and context that a traceback would print."""
    if (cause := _cause_of(error)) is not None:
        return "cause", cause
    return "context", None if _suppresses_context(error) else _context_of(error)


def _members(error: BaseException) -> tuple[BaseException, ...]:
    # issubclass(type()) and not isinstance(), which asks the object for its __class__
    return _members_of(error) if issubclass(type(error), BaseExceptionGroup) else ()


def _notes(error: BaseException) -> list[object]:
    """Return the notes but those that list attempts and attached errors, which are recorded themselves."""
    notes: object = guarded(lambda: getattr(error, "__notes__", None), lambda _error: None)
    if notes is None:
        return []
    if not isinstance(notes, list | tuple):
        return [f"<__notes__ is of type {type_name(type(notes))}, not a list>"]
    ours = (recall(error, "note"), recall(error, "errors note"))
    return [note for note in notes if not (type(note) is str and note in ours)]


def _count(node: ErrorRecord, what: str, number: int) -> None:
    counts = node.setdefault("cut", {})
    counts[what] = counts.get(what, 0) + number

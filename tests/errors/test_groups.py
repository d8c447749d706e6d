"""Walking, splitting and rebuilding trees of exceptions."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlost.errors import leaves, rebuild, split, walk


def raised(error: BaseException) -> BaseException:
    """Return the error with a traceback."""
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


def test_walk_yields_members_cause_and_context_each_once() -> None:
    cause, context, member = ValueError(1), ValueError(2), ValueError(3)
    group = ExceptionGroup("g", [member, member])
    group.__cause__ = cause
    group.__context__ = context
    member.__context__ = cause

    assert list(walk(group, member)) == [group, member, cause, context]


def test_walk_follows_a_context_that_from_none_hides() -> None:
    error, context = ValueError(1), ValueError(2)
    error.__context__ = context
    error.__suppress_context__ = True

    assert list(walk(error)) == [error, context]


def test_walk_ends_on_a_cycle_of_causes() -> None:
    one, other = ValueError(1), ValueError(2)
    one.__cause__ = other
    other.__cause__ = one

    assert list(walk(one)) == [one, other]


def test_walk_and_rebuild_have_no_recursion_limit() -> None:
    depth = sys.getrecursionlimit() * 3
    group: BaseException = ValueError("innermost")
    for _ in range(depth):
        group = ExceptionGroup("g", [group])

    rebuilt = rebuild(group, lambda error: KeyError(str(error)))

    assert sum(1 for _ in walk(rebuilt)) == depth + 1
    assert [repr(leaf) for leaf in leaves(rebuilt)] == ["KeyError('innermost')"]


def test_leaves_are_in_the_order_of_the_groups() -> None:
    a, b, c = ValueError("a"), ValueError("b"), ValueError("c")

    assert list(leaves(ExceptionGroup("g", [ExceptionGroup("h", [a, b]), c]))) == [a, b, c]
    assert list(leaves(a)) == [a]


def test_a_rebuilt_group_keeps_everything_on_every_level() -> None:
    inner = raised(ExceptionGroup("inner", [ValueError("old")]))
    inner.add_note("inner note")
    inner.__cause__ = OSError("inner cause")
    outer = raised(ExceptionGroup("outer", [inner, KeyError("kept")]))
    outer.add_note("outer note")
    outer.code = 7
    outer.__context__ = OSError("outer context")

    rebuilt = rebuild(outer, lambda error: TypeError("new") if isinstance(error, ValueError) else error)

    assert rebuilt.exceptions[0].exceptions[0].args == ("new",)
    assert rebuilt.exceptions[1] is outer.exceptions[1]
    for old, new in ((outer, rebuilt), (inner, rebuilt.exceptions[0])):
        assert new is not old
        assert new.message == old.message
        assert new.__notes__ == old.__notes__
        assert new.__notes__ is not old.__notes__
        assert new.__cause__ is old.__cause__
        assert new.__context__ is old.__context__
        assert new.__suppress_context__ == old.__suppress_context__
        assert new.__traceback__ is old.__traceback__
    assert rebuilt.code == 7


def test_what_did_not_change_is_the_same_object() -> None:
    untouched = ExceptionGroup("untouched", [ValueError(1)])
    outer = ExceptionGroup("outer", [untouched, KeyError(2)])

    rebuilt = rebuild(outer, lambda error: None if isinstance(error, KeyError) else error)

    assert rebuilt.exceptions == (untouched,)
    assert rebuilt.exceptions[0] is untouched
    assert rebuild(outer, lambda error: error) is outer


def test_a_group_that_loses_all_its_members_is_dropped() -> None:
    outer = ExceptionGroup("outer", [ExceptionGroup("inner", [ValueError(1)]), KeyError(2)])

    assert rebuild(outer, lambda error: None) is None
    assert len(rebuild(outer, lambda e: None if isinstance(e, ValueError) else e).exceptions) == 1


class Derived(ExceptionGroup):
    def __new__(cls, message, errors, code):
        made = super().__new__(cls, message, errors)
        made.code = code
        return made

    def derive(self, errors):
        return Derived(self.message, errors, self.code)


class Underived(ExceptionGroup):
    def __init__(self, message, errors, *, code):
        self.code = code

    def __new__(cls, message, errors, *, code):  # the arguments of __init__ go through __new__ too
        return super().__new__(cls, message, errors)


@pytest.mark.parametrize(
    "group",
    [Derived("g", [ValueError(1), KeyError(2)], 7), Underived("g", [ValueError(1), KeyError(2)], code=7)],
    ids=["derive", "no derive"],
)
def test_a_subclass_keeps_its_type_and_attributes(group: ExceptionGroup) -> None:
    rebuilt = rebuild(group, lambda error: None if isinstance(error, KeyError) else error)

    assert type(rebuilt) is type(group)
    assert rebuilt.code == 7
    assert len(rebuilt.exceptions) == 1


def test_a_group_becomes_a_base_group_where_a_member_is_no_exception() -> None:
    rebuilt = rebuild(ExceptionGroup("g", [ValueError(1)]), lambda error: KeyboardInterrupt())

    assert type(rebuilt) is BaseExceptionGroup


def test_split_asks_about_leaves_only_and_once_each() -> None:
    shared, other = ValueError(1), KeyError(2)
    group = ExceptionGroup("g", [shared, ExceptionGroup("h", [shared, other])])
    asked = []

    matched, rest = split(group, lambda error: asked.append(error) or isinstance(error, ValueError))

    assert list(leaves(matched)) == [shared, shared]
    assert list(leaves(rest)) == [other]
    assert not any(isinstance(error, ExceptionGroup) for error in asked)


def test_split_of_a_plain_error_puts_it_on_one_side() -> None:
    error = ValueError()

    assert split(error, lambda error: True) == (error, None)
    assert split(error, lambda error: False) == (None, error)


trees = st.recursive(
    st.integers().map(ValueError),
    lambda inner: st.lists(inner, min_size=1, max_size=4).map(lambda errors: ExceptionGroup("g", errors)),
)


@given(trees, st.integers(1, 5))
def test_the_two_halves_of_a_split_hold_every_leaf_once(tree: Exception, divisor: int) -> None:
    matched, rest = split(tree, lambda error: error.args[0] % divisor == 0)

    halves = [leaf for half in (matched, rest) if half is not None for leaf in leaves(half)]
    assert sorted(map(id, halves)) == sorted(map(id, leaves(tree)))

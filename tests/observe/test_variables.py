"""Reading the variables of frames that run on."""

from __future__ import annotations

import sys
from types import FrameType
from weakref import ref

from unlost.observe._variables import variables
from unlost.observe.watch._matching import read_name


class Big:
    """Something whose end can be seen."""


def frame() -> FrameType:
    return sys._getframe(1)


def test_what_a_frame_lets_go_of_is_gone_though_it_was_read() -> None:
    big, kinds = Big(), KeyError
    gone = ref(big)

    assert variables(frame())["big"] is big
    assert read_name("kinds", frame()) is kinds
    del big

    assert gone() is None


def test_what_locals_gave_the_program_stays_as_it_is() -> None:
    kinds = KeyError
    given = locals()

    assert read_name("kinds", frame()) is kinds

    assert given["kinds"] is KeyError

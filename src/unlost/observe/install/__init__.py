"""
Watching a program that was not changed: by one call, for the command ``unlost watch``, and for pytest.

``install`` puts everything on. ``_session``, which attributes what is found to tests, is loaded by who watches those.
"""

from unlost.observe.install._about import (
    Key,
    advice_on,
    ended_at,
    former_key_of,
    key_as_named,
    key_of,
    lines_about,
    place_of,
    places_beside,
    texts_beside,
)
from unlost.observe.install._install import Installed, install
from unlost.observe.install._running import is_off, join, leave
from unlost.observe.install._serious import is_bad, is_own, is_serious
from unlost.observe.install._summary import all_in, blind_spots, sentences, summary_of

__all__ = [
    "Installed",
    "Key",
    "advice_on",
    "all_in",
    "blind_spots",
    "ended_at",
    "former_key_of",
    "install",
    "is_bad",
    "is_off",
    "is_own",
    "is_serious",
    "join",
    "key_as_named",
    "key_of",
    "leave",
    "lines_about",
    "place_of",
    "places_beside",
    "sentences",
    "summary_of",
    "texts_beside",
]

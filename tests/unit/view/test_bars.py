"""Which bars are of whoever has an interaction last."""

from __future__ import annotations

import pytest

from journeymap.view.bars import passed_on


@pytest.mark.parametrize(
    ("kinds", "earlier"),
    [
        ("", 0),
        ("wait interact", 0),
        ("wait interact transfer", 0),
        ("wait interact transfer wrapup", 0),
        ("interact transfer interact", 1),
        ("ivr queue interact hold transfer queue alert", 4),
        ("interact transfer queue interact transfer interact wrapup", 4),
        ("interact transfer queue interact transfer", 1),
    ],
)
def test_bars_before_the_last_hand_over_inside_it_are_of_somebody_else(kinds: str, earlier: int) -> None:
    assert passed_on([(kind, place, place + 1) for place, kind in enumerate(kinds.split())]) == earlier

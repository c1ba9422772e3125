"""Puts topics on topic channels so that they stay where they are."""

from __future__ import annotations

from collections.abc import Callable, Collection

Topics = dict[str, None]
"""Topics in the order in which they were put there."""


def distribute(wanted: Collection[str], places: list[Topics], most: int, add: Callable[[], Topics | None]) -> None:
    """Take from the places what is not wanted any more and put the rest of what is wanted where there is room: at most `most`
    in each. `add` makes another place at their end, None if there may be none: what finds no room then is left out."""
    keep = set(wanted)
    known: set[str] = set()
    for place in places:
        for topic in [topic for topic in place if topic not in keep]:
            del place[topic]
        known.update(place)
    missing = [topic for topic in dict.fromkeys(wanted) if topic not in known]
    at = 0
    for topic in missing:
        while at < len(places) and len(places[at]) >= most:
            at += 1
        if at == len(places) and add() is None:
            return
        places[at][topic] = None

"""Ids become names, in rows, in journeys and in what is asked for. What has no name keeps its id.

Events stay as they were received: only what is made of them is named, and beside them stands which id has which name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final, TypeVar

import msgspec

from journeymap.model.journey import Interaction, Journey
from journeymap.model.names import Name
from journeymap.model.row import InteractionRow, JourneyRow
from journeymap.view.filters import Filter

_Named = TypeVar("_Named", InteractionRow, Interaction)

APART: Final = 8
"""So many letters of its id stand behind a name that another of its kind has too."""

NAMED_FIELDS: Final = ("queues", "agents", "dispositions")
"""The fields of `Filter` that ask for names."""


class KnownNames:
    """All names as they are shown, by id. Never changed: other names are another one of these.

    Two of one kind with the same name stay apart by the beginnings of their ids: `Support (1f3a9c02)`. Who asks for the bare
    name means both.
    """

    def __init__(self, names: Iterable[Name] = ()) -> None:
        shown: dict[str, str] = {}
        alike: dict[tuple[str, str], list[Name]] = defaultdict(list)
        for each in names:
            if each.name:
                shown[each.id] = each.name
                alike[each.kind, each.name.casefold()].append(each)
        self._meant: dict[str, frozenset[str]] = {}
        for (_, folded), namesakes in alike.items():
            if len(namesakes) > 1:
                short = len({each.id[:APART] for each in namesakes}) == len(namesakes)
                for each in namesakes:
                    shown[each.id] = f"{each.name} ({each.id[:APART] if short else each.id})"
                told_apart = [shown[each.id].casefold() for each in namesakes]
                self._meant[folded] = self._meant.get(folded, frozenset()).union(told_apart)
        self._shown = shown
        # Nearly all ids are the same when folded, and are found by themselves.
        self._unfolded = {folded: name for name in shown if (folded := name.casefold()) != name}

    def __len__(self) -> int:
        return len(self._shown)

    def of(self, text: str) -> str:
        """The name of this id; the text itself if it is none that is known."""
        return self._shown.get(text, text)

    def changed(self, before: KnownNames) -> frozenset[str]:
        """The ids that are shown otherwise than before."""
        # Views of items would hash all of them; most are the same.
        ours, theirs = self._shown, before._shown  # one of us
        return frozenset(
            [each for each, name in ours.items() if theirs.get(each) != name]
            + [each for each in theirs if each not in ours]
        )

    def row(self, row: JourneyRow) -> JourneyRow:
        """The row with names in it."""
        shown = self._shown
        if not shown:
            return row
        for part in row.interactions:
            if part.queue in shown or part.agent in shown or part.disposition in shown:
                break
        else:
            return row
        return msgspec.structs.replace(row, interactions=tuple([self._part(part) for part in row.interactions]))

    def journey(self, journey: Journey) -> Journey:
        """The journey with names in it; its events stay as they are."""
        if not self._shown:
            return journey
        return msgspec.structs.replace(journey, interactions=tuple([self._part(one) for one in journey.interactions]))

    def meant(self, wanted: Filter) -> Filter:
        """The filter with names in it for the ids that someone asks for, and of a name that several have, all of them."""
        if not self._shown:
            return wanted
        changes: dict[str, Any] = {}
        for field in NAMED_FIELDS:
            chosen: frozenset[str] = getattr(wanted, field)
            if chosen:
                changes[field] = frozenset().union(*[self._choices(each) for each in chosen])
        if wanted.text and (named := self._by_id(wanted.text)) is not None:
            changes["text"] = named.casefold()
        return msgspec.structs.replace(wanted, **changes) if changes else wanted

    def asked_for(self, chosen: Iterable[str]) -> dict[str, str]:
        """Those of the values that are ids, as they are given, and the name of each."""
        found = {each: self._by_id(each.strip().casefold()) for each in chosen}
        return {each: name for each, name in found.items() if name is not None and name != each}

    def within(self, value: Any) -> dict[str, str]:
        """Which ids stand in a JSON value, at any level, and the name of each."""
        found: dict[str, str] = {}
        self._gather(value, found)
        return found

    def _gather(self, value: Any, found: dict[str, str]) -> None:
        if isinstance(value, str):
            if value in self._shown:
                found[value] = self._shown[value]
        elif isinstance(value, list):
            for item in value:
                self._gather(item, found)
        elif isinstance(value, dict):
            for item in value.values():
                self._gather(item, found)

    def _choices(self, folded: str) -> frozenset[str]:
        named = self._by_id(folded)
        if named is not None:
            return frozenset({named.casefold()})
        return self._meant.get(folded, frozenset({folded}))

    def _by_id(self, folded: str) -> str | None:
        return self._shown.get(self._unfolded.get(folded, folded))

    def _part(self, part: _Named) -> _Named:
        return msgspec.structs.replace(
            part, queue=self._name(part.queue), agent=self._name(part.agent), disposition=self._name(part.disposition)
        )

    def _name(self, text: str | None) -> str | None:
        return None if text is None else self._shown.get(text, text)


NO_NAMES: Final = KnownNames()
"""Where no names are known."""


def ids_in(row: JourneyRow) -> Iterable[str]:
    """What stands in a row for a queue, a user or a wrap-up code."""
    for part in row.interactions:
        for each in (part.queue, part.agent, part.disposition):
            if each is not None:
                yield each

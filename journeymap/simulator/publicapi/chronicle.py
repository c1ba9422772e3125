"""Finds conversations of the story: by what happens when, by when they were open, and by id. Remembers very little."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator
from typing import Final, NamedTuple

from journeymap.simulator.load import day_factor, level_of
from journeymap.simulator.people import fingerprint, uuid_of
from journeymap.simulator.publicapi.conversation import Conversation, Customer, Moment
from journeymap.simulator.publicapi.script import Role, played
from journeymap.simulator.story import CAST, Story, Visitor
from journeymap.simulator.traffic import LONGEST, Step

_KEPT: Final = 8_192
_BUCKETS_KEPT: Final = 6
_LEVELS: Final = 5
_AT_ONCE: Final = 20
_SPARE: Final = 1_000
"""What is put between the story's steps lies no later after the last of them than this (ms)."""
_WITHHELD: Final = "sip:anonymous@anonymous.invalid"
_SWITCHBOARDS: Final = 40
_FROM_A_SWITCHBOARD: Final = 0.03
_NAMES: Final = ("Ada", "Bo", "Cleo", "Dora", "Emil", "Finn", "Gus", "Hedda", "Ida", "Jon", "Kai", "Lea", "Max", "Nils")
_SURNAMES: Final = ("Berg", "Dahl", "Falk", "Holm", "Kerr", "Lind", "Moss", "North", "Price", "Reed", "Stone", "Ward")


class Found(NamedTuple):
    """A conversation without its content: when it began and was over (None: never), whose it is and which of theirs."""

    start: int
    end: int | None
    visitor: Visitor
    contact: int


class Happening(NamedTuple):
    """A moment of some conversation."""

    at: int
    found: Found
    moment: Moment


class _Outline(NamedTuple):
    """A conversation of one of the cast, in times since the beginning of the bucket of arrival."""

    contact: int
    start: int
    end: int | None
    steps: list[Step]


class _Cell(NamedTuple):
    """What happens some buckets after arrival: to whom of the cast (ascending, told twice over), and what it is."""

    players: list[int]
    parts: list[tuple[_Outline, Moment]]


class _Cast(NamedTuple):
    """All that the cast does at a level of load: by player, and by how many buckets after arrival it happens."""

    outlines: list[list[_Outline]]
    cells: dict[int, _Cell]


class Chronicle:
    """All conversations that the story tells, at any time. Not for several threads at once."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self._casts: dict[int, _Cast] = {}
        self._happenings: OrderedDict[int, list[Happening]] = OrderedDict()
        self._read: OrderedDict[tuple[int, int, int], Conversation] = OrderedDict()
        self._rehearsal = asyncio.Lock()
        self._ready_for = (0, 0)
        self._look_back = (LONGEST + _SPARE) // story.width + 2

    def is_ready(self, start: int, end: int) -> bool:
        """Whether questions about this time are answered at once. The first ones take a second or two of work."""
        span = start // self.story.width, end // self.story.width
        if span != self._ready_for and not self._unknown_levels(start, end):
            self._ready_for = span
        return span == self._ready_for

    async def prepare(self, start: int, end: int) -> None:
        """Do that work in small pieces, so that it holds up nobody."""
        async with self._rehearsal:
            for level in self._unknown_levels(start, end):
                for number, _ in enumerate(self._rehearse(level)):
                    if number % _AT_ONCE == 0:
                        await asyncio.sleep(0)

    def happenings(self, start: int, end: int) -> list[Happening]:
        """All that happens from `start` until before `end`, in order of time."""
        width = self.story.width
        told: list[Happening] = []
        for bucket in range(start // width, -(-end // width)):
            here = self._happening_in(bucket)
            low = bisect_left(here, start, key=_at)
            told.extend(here[low : bisect_left(here, end, low, key=_at)])
        return told

    def open_between(self, start: int, end: int) -> Iterator[Found]:
        """Conversations that were open at some time of this interval, in no particular order."""
        width = self.story.width
        for bucket in range(start // width - self._look_back, -(-end // width)):
            base = bucket * width
            count, first, level = self.story.crowd(bucket)
            outlines = self._cast(level).outlines
            for place in range(count):
                player = (first + place) % CAST
                for outline in outlines[player]:
                    over = None if outline.end is None else base + outline.end
                    if base + outline.start < end and (over is None or over >= start):
                        yield Found(base + outline.start, over, Visitor(bucket, place, player, level), outline.contact)

    def conversation(self, found: Found) -> Conversation:
        """The whole conversation. Leave it as it is."""
        made = self._conversation(found.visitor, found.contact)
        if made is None:
            raise LookupError(found)
        return made

    def of_id(self, conversation_id: str) -> Conversation | None:
        """The conversation with this id, if the story has it."""
        known = self.story.visitor_of(conversation_id)
        if known is None:
            return None
        return self._conversation(*known)

    def _conversation(self, visitor: Visitor, contact: int) -> Conversation | None:
        key = visitor.bucket, visitor.place, contact
        known = self._read.get(key)
        if known is not None:
            self._read.move_to_end(key)
            return known
        outlines = self._cast(visitor.level).outlines[visitor.player]
        outline = next((outline for outline in outlines if outline.contact == contact), None)
        if outline is None:
            return None
        made = self._read[key] = self._play(visitor, contact, outline.steps)
        if len(self._read) > _KEPT:
            self._read.popitem(last=False)
        return made

    def _play(self, visitor: Visitor, contact: int, steps: list[Step]) -> Conversation:
        story = self.story
        key = story.key_of(visitor.bucket, visitor.place)
        sitting = steps[0].sitting
        token = "" if sitting is None else f"st-{key:016x}"[:15] + f"-{sitting}"
        customer = _customer(story.customer_of(visitor.bucket, visitor.place), steps, token)
        role = Role(
            story.conversation_id(visitor.bucket, visitor.place, contact),
            customer,
            token,
            lambda queue, pick: story.agent_of(queue, pick, key),
            visitor.bucket * story.width,
        )
        return played(steps, role, random.Random((visitor.level << 32) + (visitor.player << 8) + contact))

    def _cast(self, level: int) -> _Cast:
        """What the cast brings about at this load."""
        if level not in self._casts:
            for _ in self._rehearse(level):
                pass
        return self._casts[level]

    def _rehearse(self, level: int) -> Iterator[None]:
        """Find out what the cast brings about at this load, a player at a time."""
        outlines: list[list[_Outline]] = []
        due: dict[int, list[tuple[int, tuple[_Outline, Moment]]]] = {}
        for player in range(CAST):
            yield
            contacts: dict[int, list[Step]] = {}
            for step in self.story.player_steps(level, player):
                contacts.setdefault(step.contact, []).append(step)
            outlines.append([])
            for contact, steps in contacts.items():
                seen = self._play(Visitor(0, 0, player, level), contact, steps)
                outline = _Outline(contact, seen.start, seen.end, steps)
                outlines[-1].append(outline)
                for moment in seen.moments:
                    due.setdefault(moment.at // self.story.width, []).append((player, (outline, moment)))
        cells = {}
        for after, entries in due.items():
            players = [player for player, _ in entries]
            parts = [part for _, part in entries]
            cells[after] = _Cell(players + [player + CAST for player in players], parts + parts)
        self._casts[level] = _Cast(outlines, cells)

    def _unknown_levels(self, start: int, end: int) -> set[int]:
        """The levels of load of this time that the cast has not been rehearsed for."""
        width = self.story.width
        if len(self._casts) == _LEVELS:
            return set()
        buckets = range(start // width - self._look_back, -(-end // width) + 1)
        return {level_of(day_factor(bucket * width)) for bucket in buckets} - self._casts.keys()

    def _happening_in(self, bucket: int) -> list[Happening]:
        """All that happens during a bucket, sorted."""
        known = self._happenings.get(bucket)
        if known is not None:
            self._happenings.move_to_end(bucket)
            return known
        found = []
        for earlier in range(bucket - self._look_back, bucket + 1):
            count, first, level = self.story.crowd(earlier)
            cell = self._cast(level).cells.get(bucket - earlier)
            if cell is None:
                continue
            base = earlier * self.story.width
            low = bisect_left(cell.players, first)
            for place in range(low, bisect_left(cell.players, first + count, low)):
                outline, moment = cell.parts[place]
                visitor = Visitor(earlier, cell.players[place] - first, cell.players[place] % CAST, level)
                over = None if outline.end is None else base + outline.end
                what = Found(base + outline.start, over, visitor, outline.contact)
                found.append(Happening(base + moment.at, what, moment))
        found.sort(key=_order)
        self._happenings[bucket] = found
        if len(self._happenings) > _BUCKETS_KEPT:
            self._happenings.popitem(last=False)
        return found


def _customer(contact_id: str, steps: list[Step], token: str) -> Customer:
    """Who a visitor is. Whoever is not known from the start withholds the number and comes from a browser."""
    mark = fingerprint(contact_id)
    name = f"{_NAMES[mark % len(_NAMES)]} {_SURNAMES[mark // 64 % len(_SURNAMES)]}"
    phone = f"tel:+1555{mark % 10_000_000:07d}"
    if not steps[0].identified:
        phone, name = _WITHHELD, "Guest"
    elif mark // 128 % 1000 < _FROM_A_SWITCHBOARD * 1000:
        phone = f"tel:+15550100{mark % _SWITCHBOARDS:03d}"
    email = f"{name.lower().replace(' ', '.')}.{mark % 100_000}@example.com"
    return Customer(contact_id, name, phone, email, uuid_of(f"browser {token or contact_id}"))


def _at(happening: Happening) -> int:
    return happening.at


def _order(happening: Happening) -> tuple[int, int, int, int]:
    visitor = happening.found.visitor
    return happening.at, visitor.bucket, visitor.place, happening.found.contact

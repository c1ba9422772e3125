"""All journeys of a store that meet a filter, one after another, however many there are."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from journeymap.model.journey import State
from journeymap.model.row import JourneyRow
from journeymap.model.time import Millis
from journeymap.store.base import Query, StoreReader
from journeymap.view.facts import facts
from journeymap.view.filters import Filter
from journeymap.view.masking import HIDDEN
from journeymap.view.names import NO_NAMES, KnownNames
from journeymap.view.reading import Reading
from journeymap.view.sorting import ACTIVITY, GROUPS, TURNED, Grouping, Place, group_place, rank_of

SLICE: Final = 500
"""Rows read from the store at a time."""

STORED_SORTS: Final[Mapping[str, tuple[str, bool]]] = {
    "-last_event_at": ("last_event_at", True),
    "last_event_at": ("last_event_at", False),
    "-started_at": ("started_at", True),
    "started_at": ("started_at", False),
    "activity": ("last_event_at", True),
    "-activity": ("last_event_at", False),
    "started": ("started_at", True),
    "-started": ("started_at", False),
}
"""Orders that the store has an index for, by the names of the list and of the wall: the store's, and whether it descends."""

_AS_ON_THE_WALL: Final = {
    "last_event_at": f"{TURNED}{ACTIVITY}",
    "-last_event_at": ACTIVITY,
    "started_at": f"{TURNED}started",
    "-started_at": "started",
}
"""The list's orders by the wall's names."""


class Arranged(NamedTuple):
    """Rows as they stand on the wall: first those that are pinned, then the others, in groups or without any (None)."""

    rows: Iterator[JourneyRow]
    pinned: Collection[str]
    groups: Grouping | None


def stored_rows(
    store: StoreReader,
    wanted: Filter,
    reading: Reading,
    *,
    order: str = "last_event_at",
    descending: bool = True,
    names: KnownNames = NO_NAMES,
) -> Iterator[JourneyRow]:
    """The rows as of the store's last checkpoint and as they read at the reading's moment, with `names`. Raises StoreError.

    Reads a slice at a time: a journey that changes meanwhile may come twice or, having moved ahead in the order, not at
    all; a second coming is left out.
    """
    query, rest = asked_of_store(names.meant(wanted), reading.now)
    query = msgspec.structs.replace(query, order=order, descending=descending, limit=SLICE)
    exact = rest == Filter()
    given: set[str] = set()
    while True:
        rows = store.query(query)
        for row in map(names.row, rows):
            if row.journey_id in given:
                continue
            if exact or rest.matches(facts(row, reading)):
                given.add(row.journey_id)
                yield row
        if len(rows) < SLICE:
            return
        last = rows[-1]
        at = last.started_at if order == "started_at" else last.last_event_at
        query = msgspec.structs.replace(query, after=(at, last.journey_id))


def sorted_rows(
    store: StoreReader,
    wanted: Filter,
    reading: Reading,
    sort: str,
    *,
    most: int | None = None,
    names: KnownNames = NO_NAMES,
) -> Iterator[JourneyRow]:
    """The same rows in an order of the list or of the wall that was checked (`STORED_SORTS`, `view.sorting.SORTS`).

    Those of the wall that the store has no index for are sorted here, and then only the first `most` come and are held.
    """
    if sort in STORED_SORTS:
        order, descending = STORED_SORTS[sort]
        yield from stored_rows(store, wanted, reading, order=order, descending=descending, names=names)
        return
    rank = rank_of(sort)

    def place(row: JourneyRow) -> tuple[Place, Millis, str]:
        return rank(facts(row, reading)), row.last_event_at, row.journey_id

    rows = stored_rows(store, wanted, reading, names=names)
    yield from sorted(rows, key=place, reverse=True) if most is None else heapq.nlargest(most, rows, key=place)


def arranged_rows(
    store: StoreReader,
    wanted: Filter,
    reading: Reading,
    sort: str,
    *,
    group: str | None = None,
    pinned: Iterable[str] = (),
    most: int,
    names: KnownNames = NO_NAMES,
) -> Arranged:
    """The same rows as the wall arranges them: the pinned ones on top, matching or not, and the first `most` of the others."""
    above, _ = named_rows(store, pinned, names)
    ids = {row.journey_id for row in above}
    if group is None:
        others = sorted_rows(store, wanted, reading, sort, most=most + len(ids), names=names)
        return Arranged(itertools.chain(above, (row for row in others if row.journey_id not in ids)), ids, None)
    rows, groups = _grouped(
        (row for row in stored_rows(store, wanted, reading, names=names) if row.journey_id not in ids),
        reading,
        sort,
        group,
        most,
    )
    return Arranged(itertools.chain(above, rows), ids, groups)


def _grouped(
    rows: Iterable[JourneyRow], reading: Reading, sort: str, group: str, most: int
) -> tuple[list[JourneyRow], Grouping]:
    """The first `most` rows, group by group; the sizes are those of all. No more than twice as many are held."""
    rank, group_of = rank_of(_AS_ON_THE_WALL.get(sort, sort)), GROUPS[group]
    sizes: Counter[str] = Counter()
    held: list[tuple[str, tuple[Place, Millis, str], JourneyRow]] = []

    def put_in_order() -> None:
        held.sort(key=lambda each: each[1], reverse=True)
        held.sort(key=lambda each: group_place(group, each[0]))
        del held[most:]

    for row in rows:
        about = facts(row, reading)
        name = group_of(about)
        sizes[name] += 1
        held.append((name, (rank(about), row.last_event_at, row.journey_id), row))
        if len(held) >= 2 * most:
            put_in_order()
    put_in_order()
    names = sorted(sizes, key=lambda name: group_place(group, name))
    of = {row.journey_id: name for name, _, row in held}
    return [row for _, _, row in held], Grouping(group, [(name, sizes[name]) for name in names], of)


def named_rows(
    store: StoreReader, ids: Iterable[str], names: KnownNames = NO_NAMES
) -> tuple[list[JourneyRow], list[str]]:
    """The rows of these ids in their order, each once, also by ids that journeys had before; and the ids of which none stands."""
    found: dict[str, JourneyRow] = {}
    missing = []
    for journey_id in dict.fromkeys(ids):
        record = store.find(journey_id)
        if record is None:
            missing.append(journey_id)
        else:
            found.setdefault(record.row.journey_id, names.row(record.row))
    return list(found.values()), missing


def asked_of_store(wanted: Filter, now: Millis) -> tuple[Query, Filter]:
    """What the store can find by its index, and the conditions that are left to sift its rows by."""
    # Of a masked text the store knows nothing; but what someone finds in it stands in the clear text too, unless it has
    # something of the mask itself.
    customer = "" if wanted.masked and ({*HIDDEN, "@"} & {*wanted.customer}) else wanted.customer
    query = Query(
        customer=customer or None,
        channels=wanted.channels,
        start=wanted.start,
        end=wanted.end,
        open_at=now if wanted.states and State.CLOSED not in wanted.states else None,
        closed_at=now if wanted.states == {State.CLOSED} else None,
    )
    left = msgspec.structs.replace(wanted, channels=frozenset(), start=None, end=None)
    if wanted.masked:
        return query, left
    return query, msgspec.structs.replace(left, customer="")

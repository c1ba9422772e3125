"""All journeys of a store that meet a filter, one after another, however many there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from journeymap.model.journey import State
from journeymap.model.row import JourneyRow
from journeymap.model.time import Millis
from journeymap.store.base import Query, StoreReader
from journeymap.view.facts import facts
from journeymap.view.filters import Filter
from journeymap.view.masking import HIDDEN
from journeymap.view.reading import Reading

SLICE: Final = 500
"""Rows read from the store at a time."""


def stored_rows(
    store: StoreReader,
    wanted: Filter,
    reading: Reading,
    *,
    order: str = "last_event_at",
    descending: bool = True,
) -> Iterator[JourneyRow]:
    """The rows as of the store's last checkpoint and as they read at the reading's moment. Raises StoreError.

    Reads a slice at a time: a journey that changes meanwhile may come twice or, having moved ahead in the order, not at
    all; a second coming is left out.
    """
    query, rest = asked_of_store(wanted, reading.now)
    query = msgspec.structs.replace(query, order=order, descending=descending, limit=SLICE)
    exact = rest == Filter()
    given: set[str] = set()
    while True:
        rows = store.query(query)
        for row in rows:
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

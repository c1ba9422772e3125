"""The list of journeys over all that is stored: what is asked, the cursor, and a bounded scan of the store."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Sequence
from typing import Final

import msgspec

from journeymap.errors import InputError
from journeymap.model.row import JourneyRow
from journeymap.model.time import Millis
from journeymap.readmodel.stored import asked_of_store
from journeymap.stitch.options import Timeouts
from journeymap.stitch.reading import ClockReading
from journeymap.store.base import StoreReader
from journeymap.view.facts import facts
from journeymap.view.filters import CHOICES, QUERY_NAMES, Filter, parse_query
from journeymap.view.masking import Viewer
from journeymap.view.names import NO_NAMES, KnownNames
from journeymap.view.summary import Summary, summary

SORTS: Final = {
    "-last_event_at": ("last_event_at", True),
    "last_event_at": ("last_event_at", False),
    "-started_at": ("started_at", True),
    "started_at": ("started_at", False),
}
DEFAULT_SORT: Final = "-last_event_at"
DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1_000
SLICE: Final = 500
"""Rows read from the store at a time where not all of them may be wanted."""

SCAN_BUDGET: Final = 5_000
"""Rows looked at for one request; where they do not fill it, the answer is short and its `next` goes on from there."""

_NAMES: Final = (*QUERY_NAMES, "sort", "limit", "cursor")


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """The place of the last row looked at, in the order and with the filter it was found by."""

    sort: str
    at: Millis
    journey_id: str
    check: int


class Listing(msgspec.Struct, frozen=True):
    """What a request asks for."""

    wanted: Filter
    sort: str = DEFAULT_SORT
    limit: int = DEFAULT_LIMIT
    after: Cursor | None = None


class Page(msgspec.Struct, frozen=True):
    """What it is answered. `next` is the cursor of what follows, null at the end."""

    journeys: list[Summary]
    next: str | None
    version: int


def parse_listing(parameters: Sequence[tuple[str, str]], viewer: Viewer) -> Listing:
    """A request's query string, for who asks.

    Raises InputError, also for unknown parameters: a misspelt filter must not show all.
    """
    given: dict[str, str] = {}
    for name, value in parameters:
        if name not in _NAMES:
            raise InputError(f"there is no parameter {name[:40]!r}; there are {', '.join(_NAMES)}")
        if name in given and name not in CHOICES:
            raise InputError(f"{name} is given more than once")
        given[name] = value
    wanted = parse_query(parameters).seen_by(viewer)
    sort = given.get("sort", DEFAULT_SORT)
    if sort not in SORTS:
        raise InputError(f"sort is {sort[:40]!r}; allowed are {', '.join(SORTS)}")
    cursor = given.get("cursor")
    return Listing(wanted, sort, _limit(given.get("limit")), _read_cursor(cursor, sort, wanted) if cursor else None)


def list_journeys(
    store: StoreReader, listing: Listing, now: Millis, timeouts: Timeouts, names: KnownNames = NO_NAMES
) -> Page:
    """The journeys asked for, as of the store's last checkpoint and as they read at `now`, with `names`. Raises StoreError."""
    version = store.head()
    order, descending = SORTS[listing.sort]
    wanted = names.meant(listing.wanted)
    query, rest = asked_of_store(wanted, now)
    query = msgspec.structs.replace(
        query,
        order=order,
        descending=descending,
        after=(listing.after.at, listing.after.journey_id) if listing.after else None,
    )
    exact = rest == Filter()
    reading = ClockReading(now, timeouts)
    found: list[Summary] = []
    scanned = 0
    while True:
        size = listing.limit + 1 if exact else SLICE
        rows = store.query(msgspec.structs.replace(query, limit=size))
        for place, row in enumerate(map(names.row, rows)):
            if exact or rest.matches(facts(row, reading)):
                found.append(summary(row, reading))
            if len(found) == listing.limit:
                more = place + 1 < len(rows) or (len(rows) == size and not exact)
                return Page(found, _write_cursor(row, listing) if more else None, version)
        if len(rows) < size:
            return Page(found, None, version)
        scanned += len(rows)
        if scanned >= SCAN_BUDGET:
            return Page(found, _write_cursor(rows[-1], listing), version)
        query = msgspec.structs.replace(query, after=_place(rows[-1], order))


def _place(row: JourneyRow, order: str) -> tuple[Millis, str]:
    return (row.started_at if order == "started_at" else row.last_event_at, row.journey_id)


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdecimal() and len(text) < 8 and 1 <= int(text) <= MAX_LIMIT):
        raise InputError(f"limit is {text[:40]!r}; allowed is a whole number from 1 to {MAX_LIMIT}")
    return int(text)


def _check(wanted: Filter) -> int:
    return zlib.crc32(msgspec.json.encode(wanted, order="deterministic"))


def _write_cursor(row: JourneyRow, listing: Listing) -> str:
    at, journey_id = _place(row, SORTS[listing.sort][0])
    text = msgspec.json.encode(Cursor(listing.sort, at, journey_id, _check(listing.wanted)))
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode("ascii")


def _read_cursor(text: str, sort: str, wanted: Filter) -> Cursor:
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        cursor = msgspec.json.decode(raw, type=Cursor)
    except (UnicodeError, binascii.Error, msgspec.DecodeError):
        raise InputError("cursor cannot be read; start again without it") from None
    if cursor.sort != sort or cursor.check != _check(wanted):
        raise InputError("cursor belongs to other filters or another sort; start again without it")
    return cursor

"""Keeps the names of an organisation's queues, users, wrap-up codes and flows, as its platform lists them."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from journeymap.errors import ForbiddenError, RefusedError, RequestError, SourceError
from journeymap.model.names import KIND_WORDS, Name, NameKind, NamesReport, decode_names
from journeymap.model.row import JourneyRow
from journeymap.model.time import HOUR, MINUTE, SECOND, Millis
from journeymap.view.permissions import permission_words

log = logging.getLogger(__name__)

REFRESH: Final[Millis] = HOUR
"""So often all lists are read again: a name that was changed is seen after this."""

RETRY: Final[Millis] = 5 * MINUTE
"""After so long a list is tried again that could not be read for a reason that may pass."""

LOOK_UP: Final[Millis] = 5 * SECOND
"""So often ids are looked up that stand in no list."""

AT_ONCE: Final = 5
"""So many of them each time: one a second, of the five that a client may usually ask for."""

MOST_NAMES: Final = 100_000
"""Names that are kept, of all kinds together."""

MOST_SOUGHT: Final = 1_000
"""Ids that wait to be looked up. Those beyond come again with the next event, or with the lists."""

PAUSE_PER_NAME: Final[Millis] = 1
"""Readers take 4 µs for each name of a new document. So names that were looked up singly wait this long for each that is known:
of 100,000 names a new document comes every 100 s at most, which costs a reader half a percent of its time."""

MOST_UNFOUND: Final = 10_000
LONGEST_NAME: Final = 200

_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


class Api(Protocol):
    """What is asked of the platform (`source.publicapi.PublicApi`). Calls raise SourceError."""

    def get(self, path: str, params: Mapping[str, str | int] = ...) -> dict[str, Any]:
        """The JSON object at this path."""

    def pages(self, path: str, params: Mapping[str, str | int] = ...) -> Iterator[dict[str, Any]]:
        """The entities of a listing."""

    def abort(self) -> None:
        """End what is under way, and all later calls."""


class Listing(NamedTuple):
    """Where names of one kind are listed, with `/ID` behind it for one, and the permission that it takes."""

    kind: NameKind
    path: str
    permission: str
    params: Mapping[str, str | int] = {}


LISTINGS: Final = (
    Listing(NameKind.QUEUE, "/api/v2/routing/queues", "routing:queue:view"),
    Listing(NameKind.WRAPUP_CODE, "/api/v2/routing/wrapupcodes", "routing:wrapupCode:view"),
    # Who has left still stands in what happened before.
    Listing(NameKind.USER, "/api/v2/users", "directory:user:view", {"state": "any"}),
    Listing(NameKind.FLOW, "/api/v2/flows", "architect:flow:view"),
)
"""The lists, those first that the wall shows most of."""

_BY_KIND: Final = {listing.kind: listing for listing in LISTINGS}


class NamesKeeper:
    """Reads the lists when it begins and every `refresh`, and looks ids up that stand in none of them.

    `run` is for a thread of its own; all else may be called from any. `stored` is the names document that an earlier process
    left. What was listed once and is no more keeps its name, until there are more than `most`: then the oldest go of the
    kind that has the most.
    """

    def __init__(
        self,
        api: Api,
        clock: Callable[[], Millis],
        stored: bytes | None = None,
        *,
        refresh: Millis = REFRESH,
        look_up: Millis = LOOK_UP,
        most: int = MOST_NAMES,
    ) -> None:
        self._api = api
        self._clock = clock
        self._refresh = refresh
        self._look_up = look_up
        self._most = most
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        # Within a kind the one that was listed the longest ago comes first.
        self._names: dict[str, dict[str, str]] = {listing.kind: {} for listing in LISTINGS}
        self._reports = {listing.kind: NamesReport(listing.kind) for listing in LISTINGS}
        self._due: dict[NameKind, Millis] = dict.fromkeys(self._reports, 0)
        self._sought: dict[str, NameKind] = {}
        self._unfound: set[str] = set()
        self._unpublished = False
        self._published_at: Millis = 0
        self._document = b"[]" if stored is None else stored
        for each in _read(stored):
            self._names.setdefault(each.kind, {})[each.id] = each.name
        self._count()

    def document(self) -> bytes:
        """The names document as it is now: the same object until it changes."""
        with self._lock:
            return self._document

    def reports(self) -> list[NamesReport]:
        """How each kind stands."""
        with self._lock:
            return list(self._reports.values())

    def see(self, rows: Iterable[JourneyRow]) -> None:
        """Note the ids in these rows that have no name yet. Quick: it is called at every flush."""
        names = self._names
        queues, users, codes = names[NameKind.QUEUE], names[NameKind.USER], names[NameKind.WRAPUP_CODE]
        for row in rows:
            for part in row.interactions:
                if part.queue is not None and part.queue not in queues:
                    self._seek(part.queue, NameKind.QUEUE)
                if part.agent is not None and part.agent not in users:
                    self._seek(part.agent, NameKind.USER)
                if part.disposition is not None and part.disposition not in codes:
                    self._seek(part.disposition, NameKind.WRAPUP_CODE)

    def retry(self) -> None:
        """An operator says "try again": read all lists now."""
        with self._lock:
            self._due = dict.fromkeys(self._due, 0)
        self._wake.set()

    def stop(self) -> None:
        """Make `run` return soon."""
        self._stopping.set()
        self._wake.set()
        self._api.abort()

    def run(self) -> None:
        """Keep the names until `stop`."""
        failing = False
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                self.turn()
                failing = False
            except Exception:  # a defect here must not end ingest, which does without names
                if not failing:
                    log.exception("names cannot be kept")
                failing = True
            self._wake.wait(self._look_up / SECOND)

    def turn(self) -> None:
        """Read the lists that are due, and look a few ids up."""
        for listing in LISTINGS:
            if self._due[listing.kind] <= self._clock() and not self._stopping.is_set():
                self._read_list(listing)
        self._look_some_up()
        self._publish(at_once=False)

    # One list

    def _read_list(self, listing: Listing) -> None:
        now = self._clock()
        with self._lock:
            self._due[listing.kind] = now + self._refresh
        listed: dict[str, str] = {}
        try:
            for entity in self._api.pages(listing.path, listing.params):
                if self._stopping.is_set():
                    return
                if (name := _name(entity)) is not None:
                    listed[str(entity["id"])] = name
                if len(listed) >= self._most:
                    break
        except SourceError as error:
            if not self._stopping.is_set():
                self._failed(listing, error, now)
            return
        self._unfound.clear()
        self._take(listing.kind, listed, whole=True)

    def _failed(self, listing: Listing, error: SourceError, now: Millis) -> None:
        """Say it when it begins. Until it is over, names are those known from before, and ids without one stay ids."""
        words = KIND_WORDS[listing.kind]
        before = self._reports[listing.kind]
        missing = None
        if isinstance(error, ForbiddenError):
            missing = ", ".join(map(permission_words, error.permissions or (listing.permission,)))
            said = f"names of {words} cannot be read: the roles of the OAuth client lack {missing}"
        else:
            said = f"names of {words} cannot be read: {error}"
        if (before.error is None, before.missing) != (False, missing):
            log.warning("%s; their ids are shown instead", said)
        with self._lock:
            if not isinstance(error, RefusedError):
                self._due[listing.kind] = now + min(RETRY, self._refresh)
            self._reports[listing.kind] = msgspec.structs.replace(before, error=str(error), missing=missing)

    # Single ones

    def _seek(self, text: str, kind: NameKind) -> None:
        if text in self._sought or text in self._unfound or not _ID.fullmatch(text):
            return
        with self._lock:
            if len(self._sought) < MOST_SOUGHT:
                self._sought[text] = kind

    def _next_sought(self) -> tuple[str, NameKind] | None:
        with self._lock:
            return None if not self._sought else (first := next(iter(self._sought)), self._sought.pop(first))

    def _look_some_up(self) -> None:
        """Look some ids up that stand in no list: of what is new, or was deleted long ago."""
        found: dict[NameKind, dict[str, str]] = {}
        for _ in range(AT_ONCE):
            following = self._next_sought()
            if following is None or self._stopping.is_set():
                break
            sought, kind = following
            report = self._reports[kind]
            if sought in self._names[kind] or report.missing is not None or report.read_at is None:
                continue
            listing = _BY_KIND[kind]
            try:
                name = _name(self._api.get(f"{listing.path}/{sought}", listing.params))
            except RequestError:
                name = None
            except SourceError as error:
                log.debug("the name of %s was not found: %s", sought, error)
                break
            if name is None:
                self._unfound.add(sought)
                if len(self._unfound) > MOST_UNFOUND:
                    self._unfound.pop()
            else:
                found.setdefault(kind, {})[sought] = name
        for kind, names in found.items():
            self._take(kind, names, whole=False)

    # What is known

    def _take(self, kind: NameKind, found: Mapping[str, str], *, whole: bool) -> None:
        names = self._names[kind]
        before = dict(names)
        for each, name in found.items():
            names.pop(each, None)
            names[each] = name
        changed = names != before
        while sum(map(len, self._names.values())) > self._most:
            fullest = max(self._names.values(), key=len)
            del fullest[next(iter(fullest))]
            changed = True
        self._unpublished = self._unpublished or changed
        report = self._reports[kind]
        if whole:
            if report.error is not None:
                log.info("names of %s can be read again", KIND_WORDS[kind])
            report = NamesReport(kind, read_at=self._clock())
        with self._lock:
            self._reports[kind] = report
            self._count()
        if whole:
            self._publish(at_once=True)

    def _publish(self, *, at_once: bool) -> None:
        """Make a document of what has changed, unless the last one is too new: readers take in all of it each time."""
        now, count = self._clock(), sum(map(len, self._names.values()))
        if not self._unpublished or not (at_once or now >= self._published_at + count * PAUSE_PER_NAME):
            return
        document = self._encoded()
        with self._lock:
            self._document = document
        self._unpublished, self._published_at = False, now

    def _encoded(self) -> bytes:
        return msgspec.json.encode(
            [Name(kind, each, name) for kind, names in self._names.items() for each, name in names.items()]
        )

    def _count(self) -> None:
        for kind, report in self._reports.items():
            self._reports[kind] = msgspec.structs.replace(report, known=len(self._names[kind]))


def _name(entity: Mapping[str, Any]) -> str | None:
    """What an entity is called, None if that cannot be used."""
    name, found = entity.get("name"), entity.get("id")
    if not isinstance(name, str) or not isinstance(found, str) or not found or len(found) > LONGEST_NAME:
        return None
    return " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())[:LONGEST_NAME] or None


def _read(stored: bytes | None) -> list[Name]:
    try:
        return [] if stored is None else decode_names(stored)
    except (msgspec.MsgspecError, UnicodeError) as error:
        log.warning("the names that an earlier process knew cannot be read: %s", error)
        return []

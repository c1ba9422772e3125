"""Exports out of a store on disk, beside whatever writes it: what `journeymap export` works on."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from journeymap.errors import InputError
from journeymap.export.caption import Look
from journeymap.export.selection import CHART_ROWS, Selection, read_chosen, read_pinned
from journeymap.model.journey import Journey
from journeymap.model.row import JourneyRow
from journeymap.model.status import still_missing
from journeymap.readmodel.readmodel import ReadModel
from journeymap.readmodel.stored import STORED_SORTS, arranged_rows, named_rows, sorted_rows
from journeymap.readmodel.told import Told
from journeymap.runtime.clock import SystemClock
from journeymap.runtime.shelf import fold_record
from journeymap.settings import Settings
from journeymap.stitch.options import StitchOptions, Timeouts
from journeymap.stitch.reading import ClockReading
from journeymap.store.base import StoreReader
from journeymap.store.disk import open_disk_reader
from journeymap.view.filters import Filter
from journeymap.view.masking import Viewer
from journeymap.view.sorting import ACTIVITY, check_group, check_sort


class OpenedStore:
    """A store from which one export after another can be made. All of them are as of the moment it was opened."""

    def __init__(self, reader: StoreReader, settings: Settings) -> None:
        timeouts = Timeouts(
            settings.idle_after, settings.close_after, settings.idle_after_by_channel, settings.close_after_by_channel
        )
        options = StitchOptions(timeouts, settings.engagement_window)
        now = SystemClock().now()
        self.reading = ClockReading(now, timeouts)
        self._reader = reader
        # Not polled: it only reads single journeys here.
        self._model = ReadModel(reader, lambda: now, timeouts, lambda record, raws: fold_record(record, raws, options))
        told = Told()
        told.read(reader)
        self._gaps = still_missing(told.gaps(now))
        self._names = told.names

    def many(self, wanted: Filter, look: Look, scale: float, sort: str = ACTIVITY) -> Selection:
        """All journeys that meet the filter, in the order of `sort`. Raises InputError where there is none, or no such sort."""
        rows = sorted_rows(self._reader, wanted, self.reading, _checked(sort), names=self._names)
        return self._selection(_some(rows), wanted, look, scale)

    def arranged(
        self,
        wanted: Filter,
        look: Look,
        scale: float,
        sort: str = ACTIVITY,
        *,
        group: str | None = None,
        pinned: Sequence[str] = (),
    ) -> Selection:
        """The same for a chart, as the wall arranges it: `pinned` journeys on top, the others in groups."""
        found = arranged_rows(
            self._reader,
            wanted,
            self.reading,
            _checked(sort),
            group=check_group(group),
            pinned=read_pinned(pinned),
            most=CHART_ROWS + 1,
            names=self._names,
        )
        selection = self._selection(_some(found.rows), wanted, look, scale)
        return msgspec.structs.replace(selection, pinned=found.pinned, groups=found.groups)

    def one(self, journey_id: str, wanted: Filter, look: Look, scale: float) -> Selection:
        """One journey, also by an id that it had before. Raises InputError where there is none."""
        record = self._reader.find(journey_id)
        if record is None:
            raise InputError(f"no journey has the id {journey_id[:80]!r}, and none was joined from it")
        row = self._names.row(record.row)
        return msgspec.structs.replace(self._selection(iter([row]), wanted, look, scale), one=True)

    def chosen(self, ids: Sequence[str], wanted: Filter, look: Look, scale: float) -> Selection:
        """These journeys, in this order. Raises InputError where there is none of them, or too many."""
        rows, missing = named_rows(self._reader, read_chosen(ids), self._names)
        return Selection.by_ids(rows, missing, self._whole, self.reading, **self._about(wanted, look, scale))

    def _selection(self, rows: Iterator[JourneyRow], wanted: Filter, look: Look, scale: float) -> Selection:
        return Selection(rows, self._whole, self.reading, **self._about(wanted, look, scale))

    def _about(self, wanted: Filter, look: Look, scale: float) -> dict[str, Any]:
        names = self._names
        return {"wanted": names.meant(wanted), "gaps": self._gaps, "look": look, "scale": scale, "names": names}

    def _whole(self, journey_id: str) -> Journey | None:
        journey = self._model.detail(journey_id)
        return None if journey is None else self._names.journey(journey)


def _checked(sort: str) -> str:
    return sort if sort in STORED_SORTS else check_sort(sort, Viewer())


def _some(rows: Iterator[JourneyRow]) -> Iterator[JourneyRow]:
    """The rows. Raises InputError, at once, where there is none."""
    first = next(rows, None)
    if first is None:
        raise InputError("no journey matches: nothing was written")
    return itertools.chain([first], rows)


@contextlib.contextmanager
def opened_store(settings: Settings) -> Iterator[OpenedStore]:
    """The store of these settings, opened for reading. Raises InputError where there is none, StoreError where it cannot
    be read."""
    with contextlib.closing(open_disk_reader(settings.store_path)) as reader:
        if reader.head() == 0 and reader.count() == 0:
            raise InputError(f"there are no journeys in the store {settings.store}: choose another with --store")
        yield OpenedStore(reader, settings)


def zone_of(settings: Settings) -> tuple[ZoneInfo, str]:
    """The zone of times in exports, and its name: there is no browser to ask, so it is UTC unless set."""
    name = settings.time_zone or "UTC"
    return ZoneInfo(name), name

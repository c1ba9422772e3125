"""An incident packet: a zip of the chart (SVG, PNG), the events, the journeys and a summary of one page."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import IO, Any, BinaryIO, Final, cast

import msgspec

from journeymap.export.chart import chart
from journeymap.export.journey import journey_chart
from journeymap.export.picture import write_png
from journeymap.export.selection import CHOSEN, Selection
from journeymap.export.stack import Stack
from journeymap.export.summary import summary_text
from journeymap.model.row import JourneyRow
from journeymap.view.masking import mask_row
from journeymap.view.rows import DrawnRow, drawn_row, whole_row

PACKET_JOURNEYS: Final = CHOSEN
"""Journeys of a packet at most."""

OWN_CHARTS: Final = 20
"""Of so many journeys at most each has its own chart as well."""

LEAST_SCALE: Final = 2.0
"""Of the picture: it is meant to be read by people who have nothing else."""

_encode: Final = msgspec.json.Encoder().encode


class _Zip:
    """A zip whose parts are all of one moment, in one folder."""

    def __init__(self, packet: zipfile.ZipFile, now: int) -> None:
        self._packet = packet
        self._at = datetime.fromtimestamp(now / 1000, UTC).timetuple()[:6]

    def part(self, name: str) -> IO[bytes]:
        """A part to be written; one at a time."""
        info = zipfile.ZipInfo(f"journeymap/{name}", self._at)
        info.compress_type = zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        return self._packet.open(info, "w")

    def write(self, name: str, text: str) -> None:
        """A part that is there already."""
        with self.part(name) as stream:
            stream.write(text.encode("utf-8", "replace"))


def write_packet(selection: Selection, out: BinaryIO, told: Callable[[int, int | None], None]) -> list[str]:
    """Write the packet; what has to be said of it, if anything. All of it is of one moment.

    Journeys and events go to their files one journey after another, so memory holds the rows alone.
    """
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as opened, tempfile.TemporaryFile() as events:
        packet = _Zip(opened, selection.reading.now)
        with packet.part("journeys.json") as stream:
            rows, own, more = _write_journeys(selection, stream, cast(IO[bytes], events), told)
        events.seek(0)
        with packet.part("events.ndjson") as stream:
            shutil.copyfileobj(events, stream)
        drawn = own[:1] if selection.one else [drawn_row(row, selection.reading) for row in rows]
        subject = selection.subject(drawn, more=more)
        draw = journey_chart(drawn[0], selection.look, subject) if selection.one and drawn else None
        svg = "".join(draw or chart(Stack(selection.placed(drawn)), selection.look, subject))
        packet.write("chart.svg", svg)
        with packet.part("chart.png") as picture:
            write_png([svg], cast(BinaryIO, picture), max(selection.scale, LEAST_SCALE))
        charts = () if selection.one or len(rows) > OWN_CHARTS else own
        for row in charts:
            alone = msgspec.structs.replace(selection, one=True)
            packet.write(f"charts/{row.journey_id}.svg", "".join(journey_chart(row, alone.look, alone.subject([row]))))
        packet.write("summary.md", summary_text(rows, selection, subject, own_charts=bool(charts)))
    return [f"cut to the first {len(rows):,} journeys; more match"] if more else []


def _write_journeys(
    selection: Selection, stream: IO[bytes], events: IO[bytes], told: Callable[[int, int | None], None]
) -> tuple[list[JourneyRow], Sequence[DrawnRow], bool]:
    """The masked rows, as many whole ones as may have charts of their own, and whether there are more journeys."""
    most = min(PACKET_JOURNEYS, selection.most or PACKET_JOURNEYS)
    rows: list[JourneyRow] = []
    own: list[DrawnRow] = []
    for row in selection.rows:
        if len(rows) == most:
            stream.write(b"\n]\n")
            return rows, own, True
        journey = selection.whole(row.journey_id)
        if journey is None:
            continue
        text = selection.document(journey)
        stream.write((b",\n" if rows else b"[\n") + text)
        events.writelines(_events(text))
        rows.append(mask_row(whole_row(journey) if selection.one else row, selection.viewer))
        if len(own) < OWN_CHARTS:
            own.append(selection.drawn_journey(journey))
        told(len(rows), selection.count)
    stream.write(b"\n]\n" if rows else b"[]\n")
    return rows, own, False


def _events(text: bytes) -> Iterator[bytes]:
    """The events of a journey's document, a line each, with the journey and customer they belong to."""
    journey: dict[str, Any] = msgspec.json.decode(text)
    about = {"journey_id": journey["journey_id"], "customer_id": journey["customer_id"]}
    for event in journey["events"]:
        yield _encode({**about, **event}) + b"\n"

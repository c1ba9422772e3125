"""An incident packet: a zip of the chart (SVG, PNG), the events, the journeys and a summary of one page."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, BinaryIO, Final

import msgspec

from journeymap.export.chart import chart
from journeymap.export.journey import journey_chart
from journeymap.export.picture import write_png
from journeymap.export.selection import Selection
from journeymap.export.summary import summary_text
from journeymap.model.row import JourneyRow
from journeymap.view.document import document
from journeymap.view.masking import mask_document, mask_row
from journeymap.view.rows import DrawnRow, drawn_row, whole_row

PACKET_JOURNEYS: Final = 500
"""Journeys of a packet at most."""

LEAST_SCALE: Final = 2.0
"""Of the picture: it is meant to be read by people who have nothing else."""

_encode: Final = msgspec.json.Encoder().encode


def write_packet(selection: Selection, out: BinaryIO, told: Callable[[int, int | None], None]) -> list[str]:
    """Write the packet; what has to be said of it, if anything. All of it is of one moment."""
    rows: list[JourneyRow] = []
    documents: list[bytes] = []
    more = False
    for row in selection.rows:
        if len(rows) == min(PACKET_JOURNEYS, selection.most or PACKET_JOURNEYS):
            more = True
            break
        journey = selection.whole(row.journey_id)
        if journey is None:
            continue
        rows.append(mask_row(whole_row(journey) if selection.one else row, selection.viewer))
        documents.append(mask_document(document(journey, selection.reading), selection.viewer))
        told(len(rows), None)
    drawn = [drawn_row(row, selection.reading) for row in rows]
    subject = selection.subject(drawn, more=more)
    svg = "".join(_chart(selection, drawn, more=more))
    at = datetime.fromtimestamp(selection.reading.now / 1000, UTC).timetuple()[:6]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packet:

        def part(name: str) -> zipfile.ZipInfo:
            info = zipfile.ZipInfo(f"journeymap/{name}", at)
            info.compress_type = zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            return info

        packet.writestr(part("summary.md"), summary_text(rows, selection, subject))
        packet.writestr(part("chart.svg"), svg.encode("utf-8", "replace"))
        with packet.open(part("chart.png"), "w") as picture:
            write_png([svg], picture, max(selection.scale, LEAST_SCALE))  # type: ignore[arg-type]  # it has `write`
        with packet.open(part("journeys.json"), "w") as stream:
            for place, text in enumerate(documents):
                stream.write((b",\n" if place else b"[\n") + text)
            stream.write(b"\n]\n" if documents else b"[]\n")
        with packet.open(part("events.ndjson"), "w") as stream:
            for text in documents:
                stream.writelines(_events(text))
    return [f"cut to the first {len(rows):,} journeys; more match"] if more else []


def _chart(selection: Selection, rows: Sequence[DrawnRow], *, more: bool) -> Iterator[str]:
    subject = selection.subject(rows, more=more)
    if selection.one and rows:
        return journey_chart(rows[0], selection.look, subject)
    return chart(rows, selection.look, subject)


def _events(text: bytes) -> Iterator[bytes]:
    """The events of a journey's document, a line each, with the journey and customer they belong to."""
    journey: dict[str, Any] = msgspec.json.decode(text)
    about = {"journey_id": journey["journey_id"], "customer_id": journey["customer_id"]}
    for event in journey["events"]:
        yield _encode({**about, **event}) + b"\n"

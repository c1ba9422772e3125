"""What a chart says of itself: title, filters, window, time zone and moment; and how it is to be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, tzinfo
from typing import Final

import msgspec

from journeymap.errors import InputError
from journeymap.export.palette import Theme
from journeymap.model.status import Gap
from journeymap.model.time import Millis
from journeymap.view.filters import CHOICES, Filter
from journeymap.view.folding import Fold
from journeymap.view.labels import day_and_time, duration
from journeymap.view.looks import STATE_LABELS, channel_look
from journeymap.view.masking import Viewer, mask

LEAST_WIDTH: Final = 640
MOST_WIDTH: Final = 4000
WIDTH: Final = 1440
LONGEST_TITLE: Final = 200


class Look(msgspec.Struct, frozen=True):
    """How a chart is drawn: theme, width in pixels, the zone of its times and that zone's name, a title of one's own, and
    whether idle stretches of a journey's own chart are folded."""

    theme: Theme = "light"
    width: int = WIDTH
    zone: tzinfo = UTC
    zone_name: str = "UTC"
    title: str = ""
    fold: bool = True


class Subject(msgspec.Struct, frozen=True):
    """What a chart is of: the moment it is as of, the window of time, gaps in the stream, lines of words for its head, and
    idle stretches to be folded."""

    now: Millis
    start: Millis
    end: Millis
    gaps: Sequence[Gap] = ()
    title: str = ""
    notes: Sequence[str] = ()
    folds: Sequence[Fold] = ()


def read_width(width: int) -> int:
    """A width that a chart can have. Raises InputError."""
    if not LEAST_WIDTH <= width <= MOST_WIDTH:
        raise InputError(f"width is {width}; allowed is {LEAST_WIDTH} to {MOST_WIDTH} pixels")
    return width


def read_title(title: str) -> str:
    """A title that a chart can have. Raises InputError."""
    if len(title) > LONGEST_TITLE:
        raise InputError(f"the title has {len(title)} characters; at most {LONGEST_TITLE} are allowed")
    return title


def window_words(start: Millis, end: Millis, now: Millis, look: Look) -> str:
    """The window in words, with the zone of all times on the chart."""
    first, last = day_and_time(start, look.zone), day_and_time(end, look.zone)
    if first[:-10] == last[:-10]:
        last = last[-8:]
    as_of = f"as of {day_and_time(now, look.zone)}"
    return f"{first} – {last} ({duration(end - start)}), times in {look.zone_name}; {as_of}"


def filter_words(wanted: Filter, viewer: Viewer) -> str:
    """The conditions in words; where they hold a phone number or an address, as this viewer may see it."""
    parts = [f"“{mask(wanted.text, viewer)}”"] if wanted.text else []
    if wanted.customer:
        parts.append(f"customer contains “{mask(wanted.customer, viewer)}”")
    if wanted.channels:
        parts.append("channel " + ", ".join(channel_look(channel).label for channel in sorted(wanted.channels)))
    if wanted.states:
        parts.append("state " + ", ".join(label for state, label in STATE_LABELS.items() if state in wanted.states))
    for name, field in CHOICES.items():
        if name not in {"channel", "state"} and (chosen := getattr(wanted, field)):
            parts.append(f"{name} {', '.join(mask(str(value), viewer) for value in sorted(chosen))}")
    if wanted.min_duration:
        parts.append(f"at least {duration(wanted.min_duration)}")
    if wanted.max_duration is not None:
        parts.append(f"at most {duration(wanted.max_duration)}")
    if wanted.min_transfers:
        parts.append(f"at least {counted(wanted.min_transfers, 'transfer')}")
    return "Filters: " + "; ".join(parts) if parts else "No filters"


def counted(count: int, noun: str, plural: str = "s") -> str:
    """A count with its noun: `1 journey`, `12,345 journeys`."""
    return f"{count:,} {noun}" + ("" if count == 1 else plural)

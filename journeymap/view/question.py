"""The page's question, asked at every tick: what it shows, what it has (docs/architecture.md gives the form)."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from journeymap.errors import InputError
from journeymap.model.time import Millis
from journeymap.view.filters import CHOICES, Filter, make_filter
from journeymap.view.masking import Viewer
from journeymap.view.sorting import ACTIVITY, check_group, check_sort

MAX_ROWS: Final = 200
"""How many rows one question may ask for."""

MAX_HELD: Final = 2_000
"""How many ids one question may hold or have."""

MAX_PINNED: Final = 100
"""How many ids one question may pin."""

MAX_WATCHED: Final = 10
"""How many ids one question may watch."""

MAX_BINS: Final = 1_000
"""Into how many bins the overview may be cut."""

_Count = Annotated[int, msgspec.Meta(ge=0)]


class Overview(msgspec.Struct, frozen=True, array_like=True):
    """Which counts over time are asked for: of `[start, end)`, cut into `bins` of equal length."""

    start: Millis
    end: Millis
    bins: Annotated[int, msgspec.Meta(ge=1, le=MAX_BINS)]


class Question(msgspec.Struct, frozen=True):
    """The tick's request. A page whose question changed (filters, `since`'s length, `hold`, `pinned`, `watched`, …) asks with
    `at` 0, one that asks for other counts than before with `counted` 0."""

    version: _Count = 0
    at: Millis = 0
    text: str | None = None
    customer: str | None = None
    channels: list[str] | None = None
    states: list[str] | None = None
    queues: list[str] | None = None
    agents: list[str] | None = None
    dispositions: list[str] | None = None
    directions: list[str] | None = None
    flags: list[str] | None = None
    min_duration: Millis | None = None
    max_duration: Millis | None = None
    min_transfers: int | None = None
    start: Millis | None = None
    end: Millis | None = None
    since: Millis = 0
    sort: str = ACTIVITY
    group: str | None = None
    offset: _Count = 0
    count: Annotated[int, msgspec.Meta(ge=0, le=MAX_ROWS)] = 60
    pinned: Annotated[list[str], msgspec.Meta(max_length=MAX_PINNED)] = []
    watched: Annotated[list[str], msgspec.Meta(max_length=MAX_WATCHED)] = []
    hold: Annotated[list[str], msgspec.Meta(max_length=MAX_HELD)] | None = None
    have: Annotated[list[tuple[str, int]], msgspec.Meta(max_length=MAX_HELD)] = []
    facets: bool = False
    overview: Overview | None = None
    counted: Millis = 0
    left: Millis = 0

    def filter(self) -> Filter:
        """The conditions without `since`, which moves with the clock and is read off the order. Raises InputError."""
        return make_filter(
            text=self.text,
            customer=self.customer,
            choices={field: getattr(self, field) for field in CHOICES.values()},
            min_duration=self.min_duration,
            max_duration=self.max_duration,
            min_transfers=self.min_transfers,
            start=self.start,
            end=self.end,
        )

    def order(self, viewer: Viewer) -> tuple[str, str | None]:
        """By what the rows are sorted and grouped for this viewer. Raises InputError."""
        return check_sort(self.sort, viewer), check_group(self.group)


def parse_question(value: Any) -> Question:
    """A question from its JSON text, or from what that text decodes to. Raises InputError."""
    try:
        if isinstance(value, (bytes, str)):
            question = msgspec.json.decode(value, type=Question)
        else:
            question = msgspec.convert(value, Question)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeError) as error:
        raise InputError(f"the question cannot be read: {error}") from None
    overview = question.overview
    if overview is not None and overview.end - overview.start < overview.bins:
        raise InputError("the overview's bins must be a millisecond long at least")
    return question

"""The page's question, asked at every tick: what it shows, what it has (docs/architecture.md gives the form)."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from journeymap.errors import InputError
from journeymap.model.time import Millis
from journeymap.view.filters import Filter, make_filter

MAX_ROWS: Final = 200
"""How many rows one question may ask for."""

MAX_HELD: Final = 2_000
"""How many ids one question may hold or have."""

_Count = Annotated[int, msgspec.Meta(ge=0)]


class Question(msgspec.Struct, frozen=True):
    """The tick's request. A page whose question changed (filters, `since`'s length, `hold`) asks with `at` 0."""

    version: _Count = 0
    at: Millis = 0
    customer: str | None = None
    channels: list[str] | None = None
    states: list[str] | None = None
    since: Millis = 0
    offset: _Count = 0
    count: Annotated[int, msgspec.Meta(ge=0, le=MAX_ROWS)] = 60
    hold: Annotated[list[str], msgspec.Meta(max_length=MAX_HELD)] | None = None
    have: Annotated[list[tuple[str, int]], msgspec.Meta(max_length=MAX_HELD)] = []

    def filter(self) -> Filter:
        """The conditions without `since`, which moves with the clock and is read off the order. Raises InputError."""
        return make_filter(self.customer, self.channels, self.states)


def parse_question(value: Any) -> Question:
    """A question from its JSON text, or from what that text decodes to. Raises InputError."""
    try:
        if isinstance(value, (bytes, str)):
            return msgspec.json.decode(value, type=Question)
        return msgspec.convert(value, Question)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeError) as error:
        raise InputError(f"the question cannot be read: {error}") from None

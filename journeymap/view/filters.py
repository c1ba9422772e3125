"""Which journeys someone wants to see, as a value; read from a query string or from the page's question."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from journeymap.errors import InputError
from journeymap.model.journey import State
from journeymap.model.row import JourneyRow
from journeymap.model.time import Millis
from journeymap.view.labels import parse_moment

MAX_CUSTOMER: Final = 256
"""Characters of the longest customer substring."""

MAX_CHOICES: Final = 64
"""How many channels or states one filter may name."""

QUERY_NAMES: Final = ("customer", "channel", "state", "queue", "from", "to")
"""The parameters of a query string that make a filter."""


class Filter(msgspec.Struct, frozen=True):
    """Conditions that a journey has to meet, all of them; an empty one is met by every journey.

    `customer` is a case-folded substring of the customer id; `channels` are lower case and any of them occurs; `states`
    are the states read off the clock; `queue` is the name (lower case) of a queue that an interaction was last in.
    `start` and `end` bound the half-open span in which the journey was active.
    """

    customer: str = ""
    channels: frozenset[str] = frozenset()
    states: frozenset[State] = frozenset()
    queue: str | None = None
    start: Millis | None = None
    end: Millis | None = None

    def matches(self, row: JourneyRow, state: State) -> bool:
        """Whether a journey with this row, which reads as `state` now, meets all conditions."""
        if self.customer and self.customer not in row.customer_id.casefold():
            return False
        if self.states and state not in self.states:
            return False
        if self.channels and not any(interaction.channel in self.channels for interaction in row.interactions):
            return False
        if self.start is not None and row.last_event_at < self.start:
            return False
        if self.end is not None and row.started_at >= self.end:
            return False
        return self.queue is None or any(
            interaction.queue is not None and interaction.queue.lower() == self.queue
            for interaction in row.interactions
        )


def make_filter(
    customer: str | None = None,
    channels: Iterable[str] | None = None,
    states: Iterable[str] | None = None,
    queue: str | None = None,
    start: Millis | None = None,
    end: Millis | None = None,
) -> Filter:
    """A filter from what a user gave, spaces around and letter case set right. Raises InputError."""
    customer = (customer or "").strip().casefold()
    if len(customer) > MAX_CUSTOMER:
        raise InputError(f"customer has {len(customer)} characters; at most {MAX_CUSTOMER} are allowed")
    named = frozenset(filter(None, (channel.strip().lower() for channel in channels or ())))
    wanted = frozenset(_state(state) for state in states or () if state.strip())
    if len(named) > MAX_CHOICES:
        raise InputError(f"{len(named)} channels are named; at most {MAX_CHOICES} are allowed")
    if start is not None and end is not None and start >= end:
        raise InputError("from must be earlier than to")
    queue = (queue or "").strip().lower() or None
    return Filter(customer, named, wanted, queue, start, end)


def parse_query(parameters: Iterable[tuple[str, str]]) -> Filter:
    """A filter from the pairs of a query string; parameters that are not about filtering are passed over.

    `channel` and `state` may be repeated. Raises InputError.
    """
    given: dict[str, list[str]] = {name: [] for name in QUERY_NAMES}
    for name, value in parameters:
        if name in given:
            given[name].append(value)
    for name in ("customer", "queue", "from", "to"):
        if len(given[name]) > 1:
            raise InputError(f"{name} is given more than once")

    def one(name: str) -> str | None:
        return given[name][0] if given[name] else None

    start, end = one("from"), one("to")
    return make_filter(
        one("customer"),
        given["channel"],
        given["state"],
        one("queue"),
        parse_moment(start, "from") if start else None,
        parse_moment(end, "to") if end else None,
    )


def _state(text: str) -> State:
    try:
        return State(text.strip().upper())
    except ValueError:
        raise InputError(f"state is {text[:40]!r}; allowed are {', '.join(State)}") from None

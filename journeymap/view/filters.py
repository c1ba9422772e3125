"""Which journeys someone wants to see, as a value; read from a query string or from the page's question."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Final, TypeAlias, TypeVar

import msgspec

from journeymap.errors import InputError
from journeymap.model.journey import State
from journeymap.model.time import Millis
from journeymap.view.facts import Facts
from journeymap.view.flags import Flag
from journeymap.view.labels import parse_length, parse_moment
from journeymap.view.masking import Viewer

MAX_TEXT: Final = 256
"""Characters of the longest text to look for."""

MAX_CHOICES: Final = 64
"""How many values one condition may name."""

CHOICES: Final[Mapping[str, str]] = {
    "channel": "channels",
    "state": "states",
    "queue": "queues",
    "agent": "agents",
    "disposition": "dispositions",
    "direction": "directions",
    "flag": "flags",
}
"""Conditions that name values, any of which will do: parameter of a query string to field of `Filter`."""

QUERY_NAMES: Final = (
    *("q", "customer"),
    *CHOICES,
    *("min_duration", "max_duration", "min_transfers", "from", "to"),
)
"""The parameters of a query string that make a filter."""

_Name = TypeVar("_Name", State, Flag)

Test: TypeAlias = Callable[[Facts], bool]


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Conditions that a journey has to meet, all of them; an empty one is met by every journey.

    All texts are case-folded (channels lower case, as events spell them). `text` is a part of the customer id, the journey's
    id, or, in the row, of the id of an interaction or the name of a queue or an agent; `customer` is a part of the customer
    id. Of `channels`, `states` (as read off the clock), `queues`, `agents`, `dispositions`, `directions` (those that
    interactions of the row name) and `flags` any will do. Durations are from the start to the last activity, bounds included.
    `start` and `end` bound the half-open span in which the journey was active. `masked`: texts are looked for in what those
    see who may not see identifiers.
    """

    text: str = ""
    customer: str = ""
    channels: frozenset[str] = frozenset()
    states: frozenset[State] = frozenset()
    queues: frozenset[str] = frozenset()
    agents: frozenset[str] = frozenset()
    dispositions: frozenset[str] = frozenset()
    directions: frozenset[str] = frozenset()
    flags: frozenset[Flag] = frozenset()
    min_duration: Millis = 0
    max_duration: Millis | None = None
    min_transfers: int = 0
    start: Millis | None = None
    end: Millis | None = None
    masked: bool = False

    def matches(self, facts: Facts) -> bool:
        """Whether a journey with these facts meets all conditions."""
        return all(test(facts) for test in self.tests())

    def tests(self) -> list[Test]:
        """The conditions one by one, none for those that are empty."""
        return list(_tests(self))

    def seen_by(self, viewer: Viewer) -> Filter:
        """The same filter for this viewer, who finds nothing by what they may not see."""
        masked = not viewer.sees_identifiers and bool(self.text or self.customer)
        return self if masked == self.masked else msgspec.structs.replace(self, masked=masked)


def _tests(wanted: Filter) -> Iterable[Test]:
    yield from _choice_tests(wanted)
    if wanted.min_duration:
        yield lambda facts: facts.duration >= wanted.min_duration
    if (longest := wanted.max_duration) is not None:
        yield lambda facts: facts.duration <= longest
    if wanted.min_transfers:
        yield lambda facts: facts.row.transfer_count >= wanted.min_transfers
    if (start := wanted.start) is not None:
        yield lambda facts: facts.row.last_event_at >= start
    if (end := wanted.end) is not None:
        yield lambda facts: facts.row.started_at < end
    customer, text = wanted.customer, wanted.text
    if customer:
        yield (
            (lambda facts: customer in facts.masked_customer)
            if wanted.masked
            else lambda facts: customer in facts.customer
        )
    if text and wanted.masked:
        yield lambda facts: text in facts.names or text in facts.masked_customer
    elif text:
        yield lambda facts: text in facts.customer or text in facts.names


def _choice_tests(wanted: Filter) -> Iterable[Test]:
    if wanted.states:
        yield lambda facts: facts.state in wanted.states
    for field in CHOICES.values():
        chosen = getattr(wanted, field)
        if chosen and field != "states":
            yield _any_of(chosen, attrgetter(field))


def _any_of(chosen: frozenset[str], values: Callable[[Facts], frozenset[str]]) -> Test:
    return lambda facts: not chosen.isdisjoint(values(facts))


def make_filter(
    *,
    text: str | None = None,
    customer: str | None = None,
    choices: Mapping[str, Iterable[str] | None] | None = None,
    min_duration: Millis | None = None,
    max_duration: Millis | None = None,
    min_transfers: int | None = None,
    start: Millis | None = None,
    end: Millis | None = None,
) -> Filter:
    """A filter from what a user gave, spaces around and letter case set right. Raises InputError.

    `choices` are keyed by the fields of `Filter` that are sets.
    """
    given = choices or {}
    named = {field: _folded(given.get(field), field) for field in CHOICES.values()}
    named["channels"] = frozenset([name.strip().lower() for name in given.get("channels") or () if name.strip()])
    if start is not None and end is not None and start >= end:
        raise InputError("from must be earlier than to")
    if max_duration is not None and max_duration < (min_duration or 0):
        raise InputError("max_duration must not be shorter than min_duration")
    for name, number in (("min_duration", min_duration), ("min_transfers", min_transfers)):
        if number is not None and number < 0:
            raise InputError(f"{name} is {number}; it must not be negative")
    return Filter(
        text=_text(text, "q"),
        customer=_text(customer, "customer"),
        channels=named["channels"],
        states=frozenset([_one_of(State, name, "state") for name in named["states"]]),
        queues=named["queues"],
        agents=named["agents"],
        dispositions=named["dispositions"],
        directions=named["directions"],
        flags=frozenset([_one_of(Flag, name, "flag") for name in named["flags"]]),
        min_duration=min_duration or 0,
        max_duration=max_duration,
        min_transfers=min_transfers or 0,
        start=start,
        end=end,
    )


def parse_query(parameters: Iterable[tuple[str, str]]) -> Filter:
    """A filter from the pairs of a query string; parameters that are not about filtering are passed over.

    Those of `CHOICES` may be repeated. Raises InputError.
    """
    given: dict[str, list[str]] = {name: [] for name in QUERY_NAMES}
    for name, value in parameters:
        if name in given:
            given[name].append(value)
    for name, values in given.items():
        if name not in CHOICES and len(values) > 1:
            raise InputError(f"{name} is given more than once")

    def one(name: str) -> str | None:
        return given[name][0] if given[name] and given[name][0].strip() else None

    def read(name: str, parse: Callable[[str, str], int]) -> int | None:
        value = one(name)
        return None if value is None else parse(value, name)

    return make_filter(
        text=one("q"),
        customer=one("customer"),
        choices={field: given[name] for name, field in CHOICES.items()},
        min_duration=read("min_duration", parse_length),
        max_duration=read("max_duration", parse_length),
        min_transfers=read("min_transfers", _count),
        start=read("from", parse_moment),
        end=read("to", parse_moment),
    )


def _text(text: str | None, name: str) -> str:
    folded = (text or "").strip().casefold()
    if len(folded) > MAX_TEXT:
        raise InputError(f"{name} has {len(folded)} characters; at most {MAX_TEXT} are allowed")
    return folded


def _folded(values: Iterable[str] | None, name: str) -> frozenset[str]:
    folded = frozenset([value.strip().casefold() for value in values or () if value.strip()])
    if len(folded) > MAX_CHOICES:
        raise InputError(f"{len(folded)} {name} are named; at most {MAX_CHOICES} are allowed")
    return folded


def _count(text: str, name: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise InputError(f"{name} is {text[:40]!r}; use a whole number")
    return int(text)


def _one_of(names: type[_Name], value: str, what: str) -> _Name:
    for each in names:
        if each.casefold() == value:
            return each
    raise InputError(f"{what} is {value[:40]!r}; allowed are {', '.join(names)}")

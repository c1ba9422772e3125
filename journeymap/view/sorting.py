"""Orders and groups of journeys. An order that depends on the clock is one by a moment, so it stays as time passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from journeymap.errors import InputError
from journeymap.model.journey import State
from journeymap.model.time import Millis
from journeymap.view.facts import Facts
from journeymap.view.masking import Viewer

_OVER: Final[Millis] = 2**43
"""Later than any moment: `_OVER - moment` ranks an earlier moment higher, and any of them above a plain moment or length."""

Place: TypeAlias = int | tuple[int, ...]
"""Where a journey stands in one order: the same kind for all of them."""

Rank: TypeAlias = Callable[[Facts], Place]

ACTIVITY: Final = "activity"
TURNED: Final = "-"
"""Before a sort's name: the other way round."""

STATE_ORDER: Final = (State.INITIATED, State.ACTIVE, State.TRANSFERRING, State.IDLE, State.CLOSED)
"""States from top to bottom."""

_BY_STATE: Final = {state.value: place for place, state in enumerate(STATE_ORDER)}


def _wait(facts: Facts) -> int:
    return facts.waited if facts.waiting_since is None else _OVER - facts.waiting_since


def _time_in_state(facts: Facts) -> int:
    return facts.since if facts.state is State.CLOSED else _OVER - facts.since


def _named(name: str) -> tuple[int, ...]:
    """A to Z from the greatest down. Without a name it is smaller than all, and so it is turned round."""
    return (*[-ord(letter) for letter in name.casefold()], 1) if name else ()


def _turned(place: Place) -> Place:
    return -place if isinstance(place, int) else tuple([-each for each in place])


SORTS: Final[Mapping[str, Rank]] = {
    ACTIVITY: lambda facts: facts.row.last_event_at,
    "wait": _wait,
    "state": _time_in_state,
    "duration": lambda facts: facts.duration,
    "transfers": lambda facts: facts.row.transfer_count,
    "started": lambda facts: facts.row.started_at,
    "customer": lambda facts: _named(facts.row.customer_id),
    "state-order": lambda facts: -_BY_STATE[facts.state.value],
    "queue": lambda facts: _named(facts.queue),
    "channels": lambda facts: len(facts.channels),
    "interactions": lambda facts: facts.row.interaction_count,
    "events": lambda facts: facts.row.event_count,
}
"""What a journey ranks by; the greatest comes first, of equal ones the one that was active last.

`activity`: the last activity. `wait`: who waits now before who has waited, the longest first. `state`: time in state, the
longest first; closed ones come last, the one closed last first. `duration`: from the start to the last activity. `state-order`:
as in `STATE_ORDER`. `customer` and `queue` (that of `Facts.queue`): A to Z, those without a queue last either way round.
`channels`: how many there are.
"""

_MASKED_CUSTOMER: Final = "masked-customer"
_RANKS: Final[Mapping[str, Rank]] = {**SORTS, _MASKED_CUSTOMER: lambda facts: _named(facts.masked_customer)}

GROUPS: Final[Mapping[str, Callable[[Facts], str]]] = {
    "state": lambda facts: facts.state.value,
    "queue": lambda facts: facts.queue,
}
"""What a journey is grouped by. The queue is that of `Facts.queue`, empty where there is none."""


class Grouping(msgspec.Struct, frozen=True):
    """Journeys in groups: what they are grouped by, the groups from top to bottom with how many journeys each has, and the
    group of each journey by its id."""

    by: str
    sizes: Sequence[tuple[str, int]]
    of: Mapping[str, str]


def group_place(group: str, name: str) -> tuple[bool, int, str, str]:
    """Where a group stands among the others: states as in `STATE_ORDER`, queues by name, the one without a name last."""
    return (not name, _BY_STATE.get(name, 0) if group == "state" else 0, name.casefold(), name)


def rank_of(sort: str) -> Rank:
    """What a sort that was checked ranks by; with `TURNED` before it, what came last comes first."""
    name = sort.removeprefix(TURNED)
    rank = _RANKS[name]
    return rank if name == sort else lambda facts: _turned(rank(facts))


def check_sort(sort: str, viewer: Viewer) -> str:
    """The sort for this viewer, who must not learn from an order what they may not see; raises InputError for an unknown one."""
    name = sort.removeprefix(TURNED)
    if name not in SORTS:
        raise InputError(f"sort is {sort[:40]!r}; allowed are {', '.join(SORTS)}, and each with {TURNED} before it")
    return sort if name != "customer" or viewer.sees_identifiers else sort.replace(name, _MASKED_CUSTOMER)


def check_group(group: str | None) -> str | None:
    """The grouping, None where it is empty; raises InputError for an unknown one."""
    if group and group not in GROUPS:
        raise InputError(f"group is {group[:40]!r}; allowed are {', '.join(GROUPS)}")
    return group or None

"""Orders and groups of journeys. An order that depends on the clock is one by a moment, so it stays as time passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from journeymap.errors import InputError
from journeymap.model.journey import State
from journeymap.model.time import Millis
from journeymap.view.facts import Facts

_OVER: Final[Millis] = 2**43
"""Later than any moment: `_OVER - moment` ranks an earlier moment higher, and any of them above a plain moment or length."""

Rank: TypeAlias = Callable[[Facts], int]

ACTIVITY: Final = "activity"


def _wait(facts: Facts) -> int:
    return facts.waited if facts.waiting_since is None else _OVER - facts.waiting_since


def _time_in_state(facts: Facts) -> int:
    return facts.since if facts.state is State.CLOSED else _OVER - facts.since


SORTS: Final[Mapping[str, Rank]] = {
    ACTIVITY: lambda facts: facts.row.last_event_at,
    "wait": _wait,
    "state": _time_in_state,
    "duration": lambda facts: facts.duration,
    "transfers": lambda facts: facts.row.transfer_count,
}
"""What a journey ranks by; the greatest comes first, of equal ones the one that was active last.

`activity`: the last activity. `wait`: who waits now before who has waited, the longest first. `state`: time in state, the
longest first; closed ones come last, the one closed last first. `duration`: from the start to the last activity.
"""

STATE_ORDER: Final = (State.INITIATED, State.ACTIVE, State.TRANSFERRING, State.IDLE, State.CLOSED)
"""Groups of states from top to bottom."""

GROUPS: Final[Mapping[str, Callable[[Facts], str]]] = {
    "state": lambda facts: facts.state.value,
    "queue": lambda facts: facts.queue,
}
"""What a journey is grouped by. The queue is that of `Facts.queue`, empty where there is none."""

_BY_STATE: Final = {state.value: place for place, state in enumerate(STATE_ORDER)}


def group_place(group: str, name: str) -> tuple[bool, int, str, str]:
    """Where a group stands among the others: states as in `STATE_ORDER`, queues by name, the one without a name last."""
    return (not name, _BY_STATE.get(name, 0) if group == "state" else 0, name.casefold(), name)


def check_sort(sort: str) -> str:
    """The sort; raises InputError for an unknown one."""
    if sort not in SORTS:
        raise InputError(f"sort is {sort[:40]!r}; allowed are {', '.join(SORTS)}")
    return sort


def check_group(group: str | None) -> str | None:
    """The grouping, None where it is empty; raises InputError for an unknown one."""
    if group and group not in GROUPS:
        raise InputError(f"group is {group[:40]!r}; allowed are {', '.join(GROUPS)}")
    return group or None

"""Whatever is done to a message of the platform, nothing is raised and nothing vanishes without a reason."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from journeymap.decode.event import REASONS, decode_frame, decode_raw
from journeymap.decode.genesys.memory import Snapshots
from tests.unit.decode.genesys.samples import ANALYTICS, BEGIN, DETAIL, EVENTBRIDGE, SNAPSHOTS, messages

NAMES = (
    DETAIL,
    EVENTBRIDGE,
    SNAPSHOTS,
    ANALYTICS,
    "sdk-analytics-activity-query.json",
    "sdk-ws-externalcontact-merged.json",
)
MESSAGES = [message for name in NAMES for message in messages(name)]

oddities = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8),
        st.sampled_from(["", "2026-13-45T99:00Z", "2021-04-2T15:30:51.418Z", "TRANSFER", "transfer.consult", "é", "{id}"]),
        st.sampled_from([-1, 0, 2**63, 2**70, 1e308, 1_795_165_200_000]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=6,
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands inside of a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, item in inner for place in places(item, (*path, name)))][0 if path else 1 :]


PLACES = [places(message) for message in MESSAGES]


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    which = draw(st.integers(0, len(MESSAGES) - 1))
    message = copy.deepcopy(MESSAGES[which])
    for *way, last in draw(st.lists(st.sampled_from(PLACES[which]), min_size=1, max_size=4)):
        at = message
        try:
            for name in way:
                at = at[name]
            if draw(st.booleans()):
                del at[last]
            else:
                at[last] = draw(oddities)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    return message


@given(mutated(), st.sampled_from([0, BEGIN + 500_000]))
def test_nothing_is_raised_and_nothing_vanishes(message: Any, arrived_at: int) -> None:
    raw = json.dumps(message).encode()
    snapshots = Snapshots()
    events, rejected = decode_frame(raw, arrived_at, snapshots)
    assert events or rejected
    for item in rejected:
        assert item.detail == REASONS[item.reason]
        assert item.sample in raw
    for event in events:
        assert event.interaction_id or event.from_customer
        assert decode_raw(event.raw, arrived_at) == event
    assert decode_frame(raw, arrived_at) == (events, rejected)
    again, still = decode_frame(raw, arrived_at, snapshots)
    assert {event.event_id for event in again} <= {event.event_id for event in events}
    assert still == rejected or not events

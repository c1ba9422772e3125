"""Small soups of odd events over very few ids, where every corner of stitching meets."""

from __future__ import annotations

from hypothesis import strategies as st

from journeymap.model.event import (
    CREATED,
    DISPOSED,
    ENDED,
    MERGED,
    PLATFORM_TYPES,
    SPLIT,
    STANDINGS,
    STARTED,
    TRANSFERRED,
    Event,
)
from journeymap.model.time import HOUR, MINUTE
from journeymap.stitch.options import StitchOptions, Timeouts
from journeymap.testing import event

START = 1_700_000_000_000
OPTIONS = StitchOptions(Timeouts(5 * MINUTE, 30 * MINUTE, {"email": HOUR}, {"email": 2 * HOUR}), HOUR)

times = st.one_of(
    st.sampled_from([0, 1, 2, 3]),
    st.integers(0, 20).map(lambda n: n * 10 * MINUTE),
    st.integers(0, 400).map(lambda n: n * MINUTE),
).map(lambda offset: START + offset)
types = st.sampled_from([CREATED, STARTED, TRANSFERRED, ENDED, DISPOSED, "interaction.started", "note.added"])
interactions = st.sampled_from(["a", "b", "c", "d", "j-x"])
customers = st.sampled_from([None, None, "ann", "bob", "cat"])
tokens = st.sampled_from([None, None, "s", "t"])
event_ids = st.one_of(st.none(), st.integers(0, 9).map(lambda n: f"e{n}"), st.integers(10, 99).map(lambda n: f"e{n}"))


@st.composite
def stream_events(draw: st.DrawFn) -> Event:
    fields = {
        "event_id": draw(event_ids),
        "customerId": draw(customers),
        "sessionToken": draw(tokens),
        "channelType": draw(st.sampled_from([None, "voice", "EMAIL", "pigeon"])),
        "durationSeconds": draw(st.sampled_from([None, None, 0, 90, -1])),
        "disposition": draw(st.sampled_from([None, None, "done", "sold"])),
        "queueName": draw(st.sampled_from([None, None, "Sales", "SALES", "Care"])),
        "agentId": draw(st.sampled_from([None, None, "Ada", "bo"])),
        "direction": draw(st.sampled_from([None, None, "inbound", "OUTBOUND"])),
    }
    given = {name: value for name, value in fields.items() if value is not None}
    return event(draw(types), draw(times), draw(interactions), **given)


@st.composite
def identity_events(draw: st.DrawFn) -> Event:
    names = st.sampled_from(["ann", "bob", "cat", "session:s"])
    return event(
        draw(st.sampled_from([MERGED, MERGED, SPLIT])),
        draw(times),
        event_id=f"m{draw(st.integers(0, 4))}",
        fromCustomerId=draw(names),
        toCustomerId=draw(names),
    )


@st.composite
def session_events(draw: st.DrawFn) -> Event:
    """What a platform tells of a few sessions, in any order; copies may differ in what they know."""
    kind, leg = draw(st.sampled_from(PLATFORM_TYPES)), draw(st.sampled_from(["s1", "s2", "s3", "s4"]))
    fields = {
        "event_id": draw(st.sampled_from([f"{kind}:{leg}", f"{kind}:{leg}:{draw(st.integers(0, 2))}"])),
        "sessionId": leg,
        "seenIn": draw(st.sampled_from([None, *STANDINGS])),
        "customerId": draw(customers),
        "agentId": draw(st.sampled_from([None, "Ada", "bo"])),
        "channelType": draw(st.sampled_from([None, "voice", "EMAIL"])),
        "disposition": draw(st.sampled_from([None, None, "done"])),
        "durationSeconds": draw(st.sampled_from([None, None, 90])),
    }
    given = {name: value for name, value in fields.items() if value is not None}
    return event(kind, draw(times), draw(interactions), **given)


soups = st.lists(
    st.one_of(stream_events(), stream_events(), session_events(), session_events(), identity_events()), max_size=24
)

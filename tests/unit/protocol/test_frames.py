import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeymap.protocol.frames import MAX_DROPPED, Heartbeat, Opened, Throttle, classify, count_events


@pytest.mark.parametrize(
    ("frame", "control"),
    [
        (b'{"type":"heartbeat"}', Heartbeat()),
        (b' { "at": 1, "type" : "heart\\u0062eat" }', Heartbeat()),
        (b'{"type":"throttle","retryAfterSeconds":2,"dropped":7}', Throttle(2_000, 7)),
        (b'{"type":"throttle","retryAfterSeconds":0.5}', Throttle(500, 0)),
        (b'{"type":"throttle"}', Throttle(None, 0)),
        (
            b'{"type":"connection.opened","connectionId":"c","callbackUrl":"wss://h/c"}',
            Opened("c", "wss://h/c"),
        ),
        (b'{"type":"connection.opened"}', Opened(None, None)),
    ],
)
def test_control_frames(frame, control):
    assert classify(frame) == control


@pytest.mark.parametrize(
    ("frame", "control"),
    [
        (b'{"type":"throttle","retryAfterSeconds":"x","dropped":[1]}', Throttle(None, 0)),
        (b'{"type":"throttle","retryAfterSeconds":-1,"dropped":-5}', Throttle(None, 0)),
        (b'{"type":"throttle","retryAfterSeconds":true,"dropped":true}', Throttle(None, 0)),
        (b'{"type":"throttle","retryAfterSeconds":1e308,"dropped":1e308}', Throttle(3_600_000, MAX_DROPPED)),
        (b'{"type":"throttle","retryAfterSeconds":%s}' % (b"9" * 400), Throttle(3_600_000, 0)),
        (b'{"type":"connection.opened","connectionId":7,"callbackUrl":null}', Opened(None, None)),
        (b'{"type":"connection.opened","connectionId":"a\\nb"}', Opened(None, None)),
    ],
)
def test_hostile_fields_of_control_frames(frame, control):
    found = classify(frame)
    # A number beyond all bounds may make the whole frame unreadable: then it is decode's business.
    assert found == control or (found in {None, Throttle(None, 0)} and len(frame) > 400)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\x00",
        b"\xff\xfe",
        b"null",
        b"7",
        b"[]",
        b'[{"type":"heartbeat"}]',
        b'{"type":7}',
        b'{"type":null}',
        b'{"type":"heartbeat"',
        b'{"type":"throttle","dropped":NaN}',
        b'{"events":[{"type":"heartbeat"}]}',
        b'{"type":"heartbeat","events":[]}',
        b'{"type":"interaction.created","payload":{"type":"heartbeat"}}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"type":"heartbeat","a":' + b"[" * 100_000,
    ],
)
def test_everything_else_is_data(frame):
    assert classify(frame) is None


@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_never_raises(frame):
    classify(frame)


@pytest.mark.parametrize(
    ("frame", "events"),
    [
        (b'{"type":"interaction.created","payload":{}}', 1),
        (b'[{"type":"a"},{"type":"b"},{"type":"c"}]', 3),
        (b'{"events":[{"type":"a"},{"type":"b"}]}', 2),
        (b'{"sentAt":7, "events" : [{"type":"a"}]}', 1),
        (b"[]", 0),
        (b'{"events":7}', 0),
        (b"[1,", 0),
        (b"\xff\xfe", 1),
        (b"[" * 100_000, 0),
        (b"", 1),
    ],
)
def test_how_many_events_a_frame_holds(frame, events):
    assert count_events(frame) == events


@given(
    st.sampled_from(["heartbeat", "throttle", "connection.opened"]),
    st.dictionaries(
        st.sampled_from(["retryAfterSeconds", "dropped", "connectionId", "callbackUrl", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
            lambda inner: st.lists(inner, max_size=3),
            max_leaves=5,
        ),
    ),
)
def test_control_frames_are_bounded(kind, fields):
    frame = msgspec.json.encode({"type": kind, **{key: _small(value) for key, value in fields.items()}})
    control = classify(frame)
    assert control is not None
    if isinstance(control, Throttle):
        assert control.retry_after is None or 0 <= control.retry_after <= 3_600_000
        assert 0 <= control.dropped <= MAX_DROPPED


def _small(value):
    if isinstance(value, int) and not isinstance(value, bool):
        return max(-(2**63), min(value, 2**63))
    return [_small(item) for item in value] if isinstance(value, list) else value

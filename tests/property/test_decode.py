"""The short way of decoding agrees with the long one."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from journeymap.decode import event as decoding
from journeymap.model.event import STREAM_TYPES

texts = st.one_of(st.none(), st.text(max_size=6), st.sampled_from(["", "Voice", "ÄÖ", "0"]))
oddities = st.one_of(texts, st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.just([]))


@st.composite
def wire_events(draw: st.DrawFn) -> dict[str, Any]:
    value = draw(st.sampled_from([texts, oddities]))
    payload = {
        name: draw(value)
        for name in draw(
            st.lists(
                st.sampled_from(
                    ["customerId", "sessionToken", "channelType", "disposition", "queueName", "agentId", "direction"]
                )
            )
        )
    }
    payload["interactionId"] = draw(value)
    payload["durationSeconds"] = draw(
        st.one_of(st.none(), st.integers(), st.floats(allow_nan=False), st.text(max_size=2))
    )
    payload["more"] = draw(oddities)
    return {
        "eventId": draw(value),
        "type": draw(st.sampled_from([*STREAM_TYPES, "interaction.started", "customer.merged", "note", ""])),
        "timestamp": draw(st.sampled_from([1_700_000_000_000, 5, 1.5e12, "2026-11-24T10:00:00Z", True])),
        "payload": payload,
    }


@given(wire_events())
def test_the_short_way_agrees_with_the_long_one(value: dict[str, Any]) -> None:
    raw = json.dumps(value).encode()
    try:
        parsed = msgspec.json.decode(raw)
    except msgspec.DecodeError:  # an infinite number, say
        assert decoding.decode_frame(raw)[1]
        return
    assert decoding.decode_value(parsed, raw) == decoding._decode_odd(parsed, raw, 0)

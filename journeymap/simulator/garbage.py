"""Frames that no client can use, by what is wrong with them."""

from __future__ import annotations

from typing import Final

from journeymap.simulator.told import Outgoing


def _event(timestamp: str = "1767225600000", **parts: str) -> bytes:
    """An event in JSON, with some parts as they should not be."""
    fields = {"eventId": '"garbage-1"', "type": '"interaction.created"', "timestamp": timestamp}
    fields["payload"] = '{"interactionId":"garbage-1","channelType":"voice"}'
    fields.update(parts)
    return ("{" + ",".join(f'"{name}":{value}' for name, value in fields.items() if value) + "}").encode()


_DEEP: Final = 20_000

FORMS: Final[dict[str, Outgoing]] = {
    name: Outgoing(frame)
    for name, frame in {
        "not_utf8": _event().replace(b"garbage-1", b"gar\xffbage"),
        "not_json": b"<html>502 Bad Gateway</html>",
        "truncated": _event()[:-20],
        "empty": b"",
        "null_bytes": b"\x00" * 64,
        "byte_order_mark": b"\xef\xbb\xbf" + _event(),
        "not_an_object": b"42",
        "array_of_numbers": b"[1,2,3]",
        "no_type": _event(type=""),
        "no_interaction_id": _event(payload='{"channelType":"voice"}'),
        "payload_is_a_list": _event(payload="[]"),
        "no_timestamp": _event(timestamp=""),
        "timestamp_in_1970": _event(timestamp="1000"),
        "timestamp_in_3000": _event(timestamp="32503680000000"),
        "timestamp_is_words": _event(timestamp='"yesterday"'),
        "timestamp_is_a_flag": _event(timestamp="true"),
        "nan": _event(timestamp="NaN"),
        "infinity": _event(timestamp="1e999"),
        "huge_integer": _event(timestamp="9" * 5000),
        "deep_nesting": b"[" * _DEEP + b"]" * _DEEP,
        "deep_payload": _event(payload='{"a":' * _DEEP + "1" + "}" * _DEEP),
        "lone_surrogate": _event(payload=r'{"interactionId":"garbage-\ud800","channelType":"voice"}'),
    }.items()
} | {"binary": Outgoing(bytes(range(256)), binary=True)}
"""The forms of the action `garbage`, each of them wrong in one way."""

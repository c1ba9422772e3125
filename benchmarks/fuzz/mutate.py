"""Changes bytes at random: bit by bit, span by span, number by number, and, where they are JSON, value by value."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar

from journeymap.model.event import STREAM_TYPES

T = TypeVar("T")

_NUMBER = re.compile(rb"\d+")
_MOST_CHANGES = 6

TOKENS = (
    b"\x00", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\\ud800", b"\\u0000",
    b'"', b"\\", b"{", b"}", b"[", b"]", b":", b",", b"[" * 70, b'{"a":' * 70, b"null", b"true", b"NaN", b"-Infinity", b"1e400",
    b"1E-400", b"-0", b"1.0", b"\r\n", b" ", b"\t", b"//", b'"type":', b'"type":"heartbeat"', b'"type":"throttle"', b'"events":[',
    b'"eventId":""', b'"timestamp":"2026-11-24T10:00:00Z"', b'"payload":null', b'"payload":[]', b'"interactionId":0',
    b"interaction.started", b"customer.merged", b"connection.opened", b"\x81\x7e", b"\x81\x7f", b"\x89\x00", b"\x88\x02\x03\xe8",
)  # fmt: skip
"""Words that readers look for, and that they should not stumble over."""

NUMBERS = (
    b"0", b"1", b"-1", b"127", b"128", b"255", b"65535", b"65536", b"2147483648", b"4294967296", b"9223372036854775807",
    b"9223372036854775808", b"18446744073709551616", b"1" + b"0" * 30, b"9" * 400, b"946684799999", b"946684800000",
    b"4133980799999", b"4133980800000", b"1e3", b"0.1", b"1e308", b"3600", b"3601", b"1.7e12",
)  # fmt: skip

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 0.5, 1e308, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, 10**30, "", " ", "0", "x" * 300, "\x00",
    "\ud800", "ÄÖÜ", "𝄞", "２", [], {}, [[]], [None], {"": None}, "heartbeat", "throttle", "connection.opened",
    *STREAM_TYPES, "interaction.started", "customer.merged", "customer.split",
    "2026-11-24T10:00:00Z", "2026-11-24", "9999-12-31T23:59:59+14:00", "0001-01-01T00:00:00",
    "20261124T100000,5+0130", 946_684_800_000, 4_133_980_799_999, 4_133_980_800_000, 1_700_000_000_000.5, 1e10, 1e11,
)  # fmt: skip

KEYS = (
    "type", "eventId", "timestamp", "payload", "events", "interactionId", "customerId", "sessionToken", "channelType",
    "durationSeconds", "disposition", "queueName", "agentId", "fromCustomerId", "toCustomerId", "retryAfterSeconds", "dropped",
    "connectionId", "callbackUrl", "id", "status", "access_token", "expires_in", "token_endpoint", "error", "",
)  # fmt: skip


class Mutator:
    """Makes inputs out of a corpus, one after another, from its random source alone."""

    def __init__(self, corpus: Sequence[bytes], rng: Random) -> None:
        self._corpus = corpus
        self._random = rng.random
        self._changes = (
            self._flip, self._flip, self._set, self._insert, self._token, self._token, self._cut, self._end_early,
            self._again, self._splice, self._number, self._number,
        )  # fmt: skip

    def __call__(self) -> bytes:
        data = self._pick(self._corpus)
        if self._random() < 0.4 and data[:1] in (b"{", b"["):
            data = self._as_json(data)
            if self._random() < 0.7:
                return data
        for _ in range(1 + int(self._random() ** 2 * _MOST_CHANGES)):
            data = self._pick(self._changes)(data)
        return data

    def _pick(self, choices: Sequence[T]) -> T:
        return choices[int(self._random() * len(choices))]

    def _at(self, data: bytes) -> int:
        return int(self._random() * (len(data) + 1))

    def _span(self, data: bytes) -> tuple[int, int]:
        begin = self._at(data)
        return begin, min(len(data), begin + 1 + int(self._random() ** 3 * 64))

    # Bytes

    def _flip(self, data: bytes) -> bytes:
        if not data:
            return b"\x00"
        at = int(self._random() * len(data))
        return data[:at] + bytes((data[at] ^ 1 << int(self._random() * 8),)) + data[at + 1 :]

    def _set(self, data: bytes) -> bytes:
        at = self._at(data)
        return data[:at] + bytes((int(self._random() * 256),)) + data[at + 1 :]

    def _insert(self, data: bytes) -> bytes:
        at = self._at(data)
        return data[:at] + bytes((int(self._random() * 256),)) * (1 + int(self._random() ** 4 * 40)) + data[at:]

    def _token(self, data: bytes) -> bytes:
        at = self._at(data)
        return data[:at] + self._pick(TOKENS) + data[at + int(self._random() * 3) :]

    def _cut(self, data: bytes) -> bytes:
        begin, end = self._span(data)
        return data[:begin] + data[end:]

    def _end_early(self, data: bytes) -> bytes:
        return data[: self._at(data)]

    def _again(self, data: bytes) -> bytes:
        begin, end = self._span(data)
        return data[:begin] + data[begin:end] * 2 + data[end:]

    def _splice(self, data: bytes) -> bytes:
        other = self._pick(self._corpus)
        return data[: self._at(data)] + other[self._at(other) :]

    def _number(self, data: bytes) -> bytes:
        places = [found.span() for found in _NUMBER.finditer(data)]
        if not places:
            return self._token(data)
        begin, end = self._pick(places)
        return data[:begin] + self._pick(NUMBERS) + data[end:]

    # JSON

    def _as_json(self, data: bytes) -> bytes:
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            return data
        for _ in range(1 + int(self._random() * 3)):
            value = self._changed(value)
        return json.dumps(value, ensure_ascii=self._random() < 0.5).encode("utf-8", "surrogatepass")

    def _changed(self, value: Any) -> Any:
        """The value with one thing in it changed."""
        chance = self._random()
        if isinstance(value, dict) and value and chance < 0.9:
            key = self._pick(list(value))
            if chance < 0.15:
                return {name: kept for name, kept in value.items() if name != key}
            if chance < 0.25:
                return {(self._pick(KEYS) if name == key else name): kept for name, kept in value.items()}
            if chance < 0.35:
                return {**value, self._pick(KEYS): self._pick(VALUES)}
            return {**value, key: self._changed(value[key])}
        if isinstance(value, list) and value and chance < 0.8:
            at = int(self._random() * len(value))
            if chance < 0.2:
                return [*value, value[at]]
            return [*value[:at], self._changed(value[at]), *value[at + 1 :]]
        if chance < 0.05:
            return self._nested(value)
        return self._pick(VALUES)

    def _nested(self, value: Any) -> Any:
        for _ in range(self._pick((1, 2, 60, 63, 64, 65, 100))):
            value = [value] if self._random() < 0.5 else {"a": value}
        return value

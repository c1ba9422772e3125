"""Reads a WebSocket's bytes in bounded memory: what a server sends becomes messages (RFC 6455, the receiving half)."""

from __future__ import annotations

from typing import Final, TypeAlias

from journeymap.protocol.frames import MAX_FRAME

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

PROTOCOL_ERROR: Final = 1002
NO_CODE: Final = 1005
LOST: Final = 1006
"""Close code for a connection that ended without one; never sent."""

Message: TypeAlias = tuple[int, bytes]
"""`(opcode, payload)`; a message in fragments has the opcode of its first frame."""

_FIN: Final = 0x80
_TEXT_WHOLE: Final = _FIN | TEXT
_LONGEST_CONTROL: Final = 125


class MessageReader:
    """Fed with bytes as they come, answers with the messages that they complete. Never raises on input.

    Of a message longer than `limit` bytes only the first `limit + 1` are kept, in one message like any other. A breach
    of the protocol becomes a close message with code 1002, after which everything is ignored. It stands in for
    websocket-client's own receiving, which has no upper bound for a message and takes three times as long.
    """

    def __init__(self, limit: int = MAX_FRAME) -> None:
        self._keep = limit + 1
        self._rest = b""  # the beginning of a frame whose header, or control payload, is not complete
        self._missing = 0  # bytes still to come of the payload of the data frame being read
        self._final = True  # whether that frame ends its message
        self._opcode = 0  # of the data message being read, 0 between messages
        self._part = bytearray()
        self._broken = False

    def feed(self, data: bytes) -> list[Message]:
        """Messages that are complete with these bytes, in order."""
        messages: list[Message] = []
        if self._broken:
            return messages
        if self._rest:
            data = self._rest + data
            self._rest = b""
        at, size = 0, len(data)
        while at < size:
            if self._missing:
                at = self._go_on(data, at, messages)
                continue
            header = _header(data, at, size)
            if header is None:
                break
            first, length, body = header
            end = body + length
            if first == _TEXT_WHOLE and end <= size and not self._opcode and 0 <= length < self._keep:
                messages.append((TEXT, data[body:end]))
                at = end
            elif breach := self._breach(first, length):
                return self._break(breach, messages)
            elif first & 0x8:
                if end > size:
                    break
                messages.append((first & 0xF, data[body:end]))
                at = end
            else:
                self._begin_frame(first, length, messages)
                at = body
        self._rest = data[at:]
        return messages

    def _breach(self, first: int, length: int) -> str:
        opcode = first & 0xF
        if length < 0:
            return "a masked frame"
        if first & 0x70 or BINARY < opcode < CLOSE or opcode > PONG:
            return "a frame of an unknown kind"
        if opcode >= CLOSE:
            return "" if first & _FIN and length <= _LONGEST_CONTROL else "a malformed control frame"
        return "" if (opcode == CONTINUATION) == bool(self._opcode) else "a frame out of turn"

    def _begin_frame(self, first: int, length: int, messages: list[Message]) -> None:
        self._opcode = self._opcode or first & 0xF
        self._final = bool(first & _FIN)
        self._missing = length
        if not length:
            self._end_frame(messages)

    def _go_on(self, data: bytes, at: int, messages: list[Message]) -> int:
        end = min(at + self._missing, len(data))
        room = self._keep - len(self._part)
        if room > 0:
            self._part += data[at : min(end, at + room)]
        self._missing -= end - at
        if not self._missing:
            self._end_frame(messages)
        return end

    def _end_frame(self, messages: list[Message]) -> None:
        if self._final:
            messages.append((self._opcode, bytes(self._part)))
            self._opcode = 0
            self._part = bytearray()

    def _break(self, what: str, messages: list[Message]) -> list[Message]:
        self._broken = True
        self._part = bytearray()
        messages.append((CLOSE, PROTOCOL_ERROR.to_bytes(2, "big") + what.encode()))
        return messages


def _header(data: bytes, at: int, size: int) -> tuple[int, int, int] | None:
    """First byte, payload length (-1: masked) and where the payload begins; None if the header is not complete."""
    if size - at < 2:
        return None
    length = data[at + 1]
    if length < 126:
        return data[at], length, at + 2
    if length == 126:
        return None if size - at < 4 else (data[at], data[at + 2] << 8 | data[at + 3], at + 4)
    if length == 127:
        return None if size - at < 10 else (data[at], int.from_bytes(data[at + 2 : at + 10], "big"), at + 10)
    return data[at], -1, at + 2


def read_close(payload: bytes) -> tuple[int, str]:
    """Code and reason of a close message."""
    if len(payload) < 2:
        return NO_CODE, ""
    return int.from_bytes(payload[:2], "big"), payload[2:].decode("utf-8", "replace")

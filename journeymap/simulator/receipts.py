"""What a client has received for certain: it has answered a ping that was sent after the frame.

A sent byte may lie in a buffer for ever. An answered ping has been read, and so has all that was sent before it, since
bytes do not overtake each other on a socket.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from journeymap.simulator.told import Told

_PREFIX: Final = b"receipt "
"""Sets our pings apart from those of uvicorn's keepalive."""


class Receipts:
    """The receipts of one socket. A pong answers its ping and all earlier ones."""

    def __init__(self) -> None:
        self._unasked: list[Told] = []
        self._asked: deque[tuple[int, list[Told]]] = deque()
        self._number = 0
        self._given_up = False

    @property
    def outstanding(self) -> int:
        """How many events were sent and not acknowledged."""
        return len(self._unasked) + sum(len(events) for _, events in self._asked)

    def sent(self, events: Sequence[Told]) -> None:
        """These events are on their way, in frames that are complete."""
        if not self._given_up:
            self._unasked.extend(events)

    def next_ping(self) -> bytes | None:
        """What the ping to send now holds; None if there is nothing new to ask for."""
        if not self._unasked:
            return None
        self._number += 1
        self._asked.append((self._number, self._unasked))
        self._unasked = []
        return _PREFIX + str(self._number).encode()

    def answered(self, payload: bytes) -> list[Told]:
        """The events that this pong acknowledges; none if it answers no ping of ours."""
        number = payload.removeprefix(_PREFIX)
        if number == payload or not number.isdigit() or int(number) > self._number:
            return []
        acknowledged: list[Told] = []
        while self._asked and self._asked[0][0] <= int(number):
            acknowledged += self._asked.popleft()[1]
        return acknowledged

    def give_up(self) -> None:
        """Nothing that is outstanding will be acknowledged, nor anything sent from now on."""
        self._given_up = True
        self._unasked.clear()
        self._asked.clear()

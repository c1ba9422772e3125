"""What goes over the wire: events ready to be sent, and frames with what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Told(NamedTuple):
    """An event ready for the wire."""

    data: bytes
    event_id: str
    type: str


class Outgoing(NamedTuple):
    """A frame, and the events that are in it. It is text unless `binary`, in one piece unless there are `fragments`."""

    frame: bytes
    events: Sequence[Told] = ()
    binary: bool = False
    fragments: int = 1

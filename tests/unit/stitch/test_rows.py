"""Rows as they are stored."""

from __future__ import annotations

import msgspec

from journeymap.model.event import CREATED
from journeymap.model.row import InteractionRow
from journeymap.stitch.hot import EmptyShelf
from journeymap.stitch.stitcher import Stitcher
from journeymap.testing import event
from tests.property.soups import OPTIONS, START


def test_a_row_names_the_direction_and_one_without_it_can_be_read() -> None:
    stitcher = Stitcher(OPTIONS, EmptyShelf())
    stitcher.apply([event(CREATED, START, "a", customerId="ann", direction="inbound")])
    (row,) = stitcher.take_rows(START).rows
    (part,) = row.interactions
    assert part.direction == "inbound"
    stored = msgspec.msgpack.decode(msgspec.msgpack.encode(part))
    older = msgspec.msgpack.decode(msgspec.msgpack.encode(stored[:-1]), type=InteractionRow)
    assert older == msgspec.structs.replace(part, direction=None)

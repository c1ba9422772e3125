"""When the collector looks at everything."""

from __future__ import annotations

from journeymap.model.time import HOUR, MINUTE
from journeymap.runtime.memory import FEW_JOURNEYS, OldGarbage


def test_old_garbage_is_collected_where_nobody_notices_and_once_an_hour_otherwise() -> None:
    garbage = OldGarbage()
    assert garbage.collect(FEW_JOURNEYS, 0)
    assert not garbage.collect(FEW_JOURNEYS + 1, MINUTE)
    assert not garbage.collect(FEW_JOURNEYS + 1, HOUR - 1)
    assert garbage.collect(FEW_JOURNEYS + 1, HOUR)
    assert not garbage.collect(FEW_JOURNEYS + 1, HOUR + MINUTE)

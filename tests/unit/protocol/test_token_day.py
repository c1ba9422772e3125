"""A day of a token's life at half an hour, in virtual time: no gap, no storm, no event lost."""

from bisect import bisect_right
from random import Random

import pytest

from journeymap.model.time import HOUR, MINUTE, SECOND
from journeymap.protocol.exchange import TokenFailed
from tests.unit.protocol.modelled import Model

LIFE = 30 * MINUTE
EVENTS_EVERY = 7 * SECOND


def never(_now):
    return None


class Outages:
    """The token endpoint fails for up to four minutes at a time, and sometimes asks for far more patience than there is."""

    def __init__(self, random):
        self._random = random
        self._starts, self._ends = [], []
        at = 90 * MINUTE  # not before the stream is open
        while at < 26 * HOUR:
            self._starts.append(at)
            self._ends.append(at + random.randrange(4 * MINUTE))
            at += random.randrange(10 * MINUTE, 20 * MINUTE)

    def __call__(self, now):
        index = bisect_right(self._starts, now) - 1
        if index < 0 or now >= self._ends[index]:
            return None
        asked = self._random.choice([None, None, 0, 20 * SECOND, 20 * MINUTE])
        return TokenFailed(0, "down", asked)


def day(seed, trouble):
    model = Model(Random(seed), LIFE, trouble)
    opened = []

    def look():
        machine = model.machine
        if not opened:
            opened.extend([model.now] if machine.state == "OPEN" else [])
            return
        assert machine.state == "OPEN"
        assert model.is_valid(machine.connection_id)

    model.run(24 * HOUR, EVENTS_EVERY, look)
    assert opened[0] < HOUR + MINUTE
    assert model.machine.reconnects == 0
    assert not model.machine.refused
    # What was sent in the last seconds is still on its way.
    assert set(model.sent[:-10]) <= model.received
    assert len(model.sent) > 24 * HOUR // EVENTS_EVERY - 10
    return model


def test_without_trouble():
    model = day(0, never)
    assert 57 <= len(model.requests) == len(model.granted) <= 59
    assert model.copies > 0  # both sockets were read: nothing hung on the moment of the move
    assert model.live() == 1


@pytest.mark.parametrize("seed", range(1, 4))
def test_with_a_token_endpoint_that_fails_for_minutes(seed):
    random = Random(seed)
    model = day(seed, Outages(random))
    assert 48 <= len(model.granted) <= 59
    failed = len(model.requests) - len(model.granted)
    assert failed > 0
    assert failed < 5 * len(model.granted)
    # No storm: not more than a handful in any half minute, most of the day none at all.
    busiest = max(bisect_right(model.requests, at + 30 * SECOND) - index for index, at in enumerate(model.requests))
    assert busiest <= 12

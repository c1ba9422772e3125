"""Days of the Notification Service in virtual time: what happens is received, whatever is renewed or closed meanwhile."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from journeymap.model.time import HOUR, MINUTE, SECOND
from tests.unit.protocol.notifications.driving import queues
from tests.unit.protocol.notifications.modelled import Model

SEEDS = st.integers(0, 1 << 32)


@settings(max_examples=4, deadline=None)
@given(SEEDS, st.sampled_from([3, 1_500]), st.floats(0, 0.5), st.sampled_from([HOUR, 5 * HOUR]), st.booleans())
def test_renewals_and_maintenance_lose_no_event(seed: int, count: int, failing: float, life: int, strict: bool) -> None:
    random = Random(seed)
    calm = [True]
    model = Model(random, queues(count), life, lambda: not calm[0] and random.random() < failing, strict)
    model.run(MINUTE, 10 * SECOND, lambda: None)
    assert model.machine.state == "OPEN"
    calm[0] = False
    left_open: list[str] = []

    def look() -> None:
        if model.machine.state != "OPEN":
            left_open.append(model.machine.error or "")

    for quarter in (1, 2, 3):
        model.later(quarter * life // 2, model.announce_closing)
    model.run(2 * life, 10 * SECOND, look)
    made = model.made
    assert made >= 3 * -(-count // 1_000) - 2
    assert left_open == []
    sent = set(model.sent)
    model.run(10 * SECOND, 10 * SECOND, look)
    assert sent <= model.received
    assert len(sent) > 600
    assert model.most_channels <= 2 * -(-count // 1_000) + 2


@settings(max_examples=6, deadline=None)
@given(
    SEEDS, st.sampled_from([3, 2_500]), st.lists(st.sampled_from(["lose", "forget", "close"]), min_size=1, max_size=20)
)
def test_after_a_storm_it_is_open_again(seed: int, count: int, blows: list[str]) -> None:
    random = Random(seed)
    stormy = [True]
    model = Model(random, queues(count), 2 * HOUR, lambda: stormy[0] and random.random() < 0.3)
    for number, blow in enumerate(blows, 1):
        act = {"lose": model.lose, "forget": model.forget, "close": model.announce_closing}[blow]
        model.later(number * 20 * SECOND, act)
    model.run(10 * MINUTE, 10 * SECOND, lambda: None)
    stormy[0] = False
    model.run(3 * MINUTE, 10 * SECOND, lambda: None)
    assert (model.machine.state, model.machine.error) == ("OPEN", None)
    assert model.machine.topics == count
    sent = set(model.sent)
    model.run(5 * MINUTE, 10 * SECOND, lambda: None)
    later = model.sent - sent
    model.run(10 * SECOND, 10 * SECOND, lambda: None)
    assert later <= model.received

"""How many events a second are asked for, given the platform's throttling."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeymap.model.time import MINUTE, SECOND
from journeymap.protocol.frames import Throttle
from journeymap.protocol.throttling import QUIET, STEP_APART, Throttling

NOW = 1_000_000
FRAME = Throttle(SECOND, 3)


class Subscription:
    """What the policy wants is asked for at once, and granted."""

    def __init__(self, configured):
        self.policy = Throttling(configured)
        self.asked = configured
        self.now = NOW

    def throttle(self, frame=FRAME):
        self.policy.throttle(self.now, frame, self.asked)
        return self.ask()

    def wait(self, until):
        steps = []
        while (due := self.policy.next_due(self.asked)) is not None and due <= until:
            self.now = max(self.now, due)
            self.policy.look(self.now, self.asked)
            steps.append(self.ask())
        self.now = until
        return steps

    def ask(self):
        self.asked = self.policy.wanted
        return self.asked


def test_a_quarter_less_at_most_every_ten_seconds_down_to_a_tenth():
    subscription = Subscription(50)
    rates = []
    for _ in range(100):
        rates.append(subscription.throttle())
        subscription.now += SECOND
    steps = list(dict.fromkeys(rates))
    assert steps == [37, 27, 20, 15, 11, 8, 6, 5]
    assert rates.count(37) == STEP_APART / SECOND


def test_the_platforms_longer_wait_is_obeyed():
    subscription = Subscription(100)
    assert subscription.throttle(Throttle(40 * SECOND, 1)) == 75
    subscription.now += 39 * SECOND
    assert subscription.throttle() == 75
    subscription.now += SECOND
    assert subscription.throttle() == 56


def test_more_again_after_each_quiet_minute_up_to_what_is_configured():
    subscription = Subscription(100)
    subscription.throttle()
    assert subscription.wait(NOW + QUIET - 1) == []
    assert subscription.wait(NOW + QUIET) == [100]
    assert subscription.wait(NOW + 60 * MINUTE) == []
    for _ in range(3):
        subscription.throttle()
        subscription.now += STEP_APART
    began = subscription.now
    assert subscription.asked == 42
    assert subscription.wait(began + 60 * MINUTE) == [56, 74, 98, 100]


def test_a_complaint_begins_the_minute_anew():
    subscription = Subscription(100)
    subscription.throttle()
    subscription.wait(NOW + 9 * SECOND)
    assert subscription.throttle() == 75
    assert subscription.wait(NOW + 9 * SECOND + QUIET - 1) == []
    assert subscription.wait(NOW + 9 * SECOND + QUIET) == [100]


def test_our_own_maximum_is_not_lowered_and_one_that_was_lowered_before_is_raised_again():
    subscription = Subscription(100)
    subscription.policy.receive(subscription.now, 90)
    assert subscription.throttle() == 100
    subscription.now += 10 * SECOND
    assert subscription.throttle() == 75  # the platform's limit
    lowered_at = subscription.now
    while subscription.now < lowered_at + QUIET:
        subscription.policy.receive(subscription.now, 75)
        assert subscription.throttle() == 75
        subscription.wait(subscription.now + 500)
    assert subscription.asked == 100


@pytest.mark.parametrize(("spread", "own"), [(999, True), (2_400, False)])
def test_the_busiest_second_counts_wherever_it_begins(spread, own):
    subscription = Subscription(100)
    for number in range(4):
        subscription.now = NOW + spread * number // 3
        subscription.policy.receive(subscription.now, 25)
    assert subscription.throttle() == (100 if own else 75)


def test_what_came_long_ago_says_nothing():
    subscription = Subscription(100)
    subscription.policy.receive(subscription.now, 100)
    subscription.now += 3 * SECOND
    assert subscription.throttle() == 75


def test_a_change_that_came_to_nothing_is_tried_again_after_a_while():
    policy = Throttling(100)
    policy.throttle(NOW, FRAME, 100)
    policy.stay(NOW, 100, 30 * SECOND)
    assert policy.wanted == 100
    policy.throttle(NOW + 29 * SECOND, FRAME, 100)
    assert policy.wanted == 100
    policy.throttle(NOW + 30 * SECOND, FRAME, 100)
    assert policy.wanted == 75


STEPS = st.lists(
    st.tuples(st.integers(0, 2 * MINUTE), st.sampled_from(["throttle", "receive", "look", "stay", "long"])), max_size=80
)


@given(st.integers(1, 2_000), STEPS)
def test_it_stays_within_bounds_and_is_never_in_a_hurry(configured, steps):
    subscription = Subscription(configured)
    policy = subscription.policy
    changes = []
    for passed, what in steps:
        subscription.now += passed
        before = subscription.asked
        match what:
            case "throttle":
                policy.throttle(subscription.now, FRAME, before)
            case "long":
                policy.throttle(subscription.now, Throttle(50 * MINUTE), before)
            case "receive":
                policy.receive(subscription.now, configured // 2)
            case "look":
                policy.look(subscription.now, before)
            case "stay":
                policy.stay(subscription.now, before, None)
        if policy.wanted != before:
            changes.append(subscription.now)
            subscription.ask()
        assert max(1, configured // 10) <= policy.wanted <= configured
        due = policy.next_due(subscription.asked)
        assert due is None or what != "look" or due > subscription.now
    assert all(later - earlier >= STEP_APART for earlier, later in pairwise(changes))

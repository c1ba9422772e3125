"""The limit on requests: obeyed before it is reached, whatever others do and however the platform counts."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from journeymap.protocol.budget import Budget, Told

SECOND = 1_000
MINUTE = 60_000


class Server:
    """Counts in windows that begin with their first request, and names their end rounded up to a second."""

    def __init__(self, allowed: int, window: int) -> None:
        self.allowed = allowed
        self.window = window
        self.began = -window
        self.count = 0
        self.refused = 0

    def ask(self, at: int) -> Told | int:
        """What it tells of its limit; how long to wait, where it refuses."""
        if at - self.began >= self.window:
            self.began, self.count = at, 0
        self.count += 1
        left = -(-(self.began + self.window - at) // SECOND) * SECOND
        if self.count > self.allowed:
            self.refused += 1
            return left
        return Told(self.count, self.allowed, left)


class Flight(NamedTuple):
    arrives: int
    returns: int


def run(budget: Budget, server: Server, flights: list[tuple[int, int]], urgent: bool = True) -> list[int]:
    """Send one request after the other as early as the budget lets it go, a few of them under way at a time; when each went.

    `flights` are how long each takes to get there and back.
    """
    now, sent = 0, list[int]()
    flying: list[Flight] = []
    answers: dict[Flight, Told | int] = {}

    def arrive(until: int) -> None:
        for flight in sorted(flying):
            if flight.arrives <= until and flight not in answers:
                answers[flight] = server.ask(flight.arrives)
        for flight in sorted(flying, key=lambda one: one.returns):
            if flight.returns <= until:
                flying.remove(flight)
                answer = answers.pop(flight)
                if isinstance(answer, Told):
                    budget.answered(flight.returns, answer)
                else:
                    budget.refused(flight.returns, answer)

    for number, (there, back) in enumerate(flights):
        while (at := budget.next_at(now, urgent)) > now or len(flying) > 3:
            now = (
                min([flight.returns for flight in flying], default=at)
                if len(flying) > 3
                else min([at, *(flight.returns for flight in flying)])
            )
            arrive(now)
        budget.take(now)
        sent.append(now)
        # No two flights are equal, so that each keeps its answer.
        flying.append(Flight(now + there, now + there + back + number % 7 + 1))
        arrive(now)
    arrive(now + 10 * MINUTE)
    return sent


TIMES = st.tuples(st.integers(0, 400), st.integers(0, 400))


@given(st.integers(1, 40), st.sampled_from([2_000, MINUTE]), st.lists(TIMES, max_size=150), st.booleans())
def test_the_limit_is_never_reached(allowed: int, window: int, flights: list[tuple[int, int]], urgent: bool) -> None:
    server = Server(allowed, window)
    sent = run(Budget(), server, flights, urgent)
    assert server.refused == 0
    assert len(sent) == len(flights)


@given(st.integers(1, 40), st.integers(1, 40), st.lists(TIMES, min_size=1, max_size=100))
def test_a_limit_that_sinks_refuses_no_more_than_what_is_under_way(
    first: int, then: int, flights: list[tuple[int, int]]
) -> None:
    server = Server(first, MINUTE)
    budget = Budget()
    run(budget, server, flights)
    server.allowed, server.began = then, -MINUTE
    server.refused = 0
    run(budget, server, flights)
    assert server.refused <= 4


def test_half_of_it_goes_at_once_and_the_rest_is_spread() -> None:
    sent = run(Budget(), Server(100, MINUTE), [(5, 5)] * 100)
    assert sent[49] < 3 * SECOND
    assert sent[99] < MINUTE + SECOND
    steps = [later - earlier for earlier, later in pairwise(sent[55:])]
    assert max(steps) < 2 * SECOND


def test_what_is_urgent_has_a_share_of_its_own() -> None:
    budget, server = Budget(), Server(100, MINUTE)
    sent = run(budget, server, [(5, 5)] * 81, urgent=False)
    assert sent[75] < MINUTE <= sent[80]
    budget = Budget()
    budget.take(0)
    budget.answered(0, Told(80, 100, MINUTE))
    assert budget.next_at(SECOND, urgent=False) == MINUTE
    assert budget.next_at(4 * SECOND, urgent=True) < 5 * SECOND


def test_nothing_is_known_before_the_first_answer() -> None:
    budget = Budget()
    assert budget.next_at(7, urgent=True) == 7
    budget.take(7)
    assert budget.next_at(8, urgent=True) > MINUTE
    budget.answered(9, None)
    assert budget.next_at(9, urgent=True) == 9


def test_after_a_refusal_one_goes_ahead() -> None:
    budget = Budget()
    budget.take(0)
    budget.refused(10, 5 * SECOND)
    assert budget.next_at(10, urgent=True) == 10 + 5 * SECOND
    budget.take(10 + 5 * SECOND)
    assert budget.next_at(11 + 5 * SECOND, urgent=True) > MINUTE
    budget.lost()
    assert budget.next_at(11 + 5 * SECOND, urgent=True) == 11 + 5 * SECOND

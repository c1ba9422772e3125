"""The course of a back-fill against a platform that is a function: what is asked, what is kept, when it is done."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeymap.model.time import DAY, HOUR, MINUTE, SECOND
from journeymap.protocol.backfill.course import LAG_PATIENCE, Outcome
from journeymap.protocol.backfill.limits import Limits
from journeymap.protocol.backfill.sieve import Seen, moments_in
from journeymap.protocol.backfill.slices import MARGIN, Period, Slice, slices
from journeymap.protocol.backfill.steps import UnansweredError
from tests.unit.protocol.desk import MIDNIGHT, NOON, Desk, Fetched, record


def gap(length: int = 90 * SECOND, end: int = NOON) -> Period:
    return Period(end - length, end)


def test_slices_touch_one_day_each_and_come_newest_first_the_last_hour_before_all() -> None:
    start, end = MIDNIGHT - DAY + 3 * HOUR, MIDNIGHT + 2 * HOUR
    recent = end - HOUR
    assert slices(start, end) == [Slice(recent, end), Slice(MIDNIGHT, recent), Slice(start, MIDNIGHT)]
    assert slices(recent, end) == [Slice(recent, end)]
    assert slices(start, MIDNIGHT + MINUTE) == [Slice(MIDNIGHT, MIDNIGHT + MINUTE), Slice(start, MIDNIGHT)]
    early = MIDNIGHT + MINUTE
    assert slices(early, early + HOUR) == [Slice(MIDNIGHT - 1, early + HOUR)], "what began before midnight is found too"


def test_what_happened_in_a_gap_is_kept_unaltered_and_the_rest_is_passed() -> None:
    inside = record("inside", NOON - HOUR, None, NOON - MINUTE)
    after = record("after", NOON - 1, None, NOON + SECOND)
    quiet = record("quiet", NOON - HOUR, None, NOON - 30 * MINUTE)
    over = record("over", NOON - HOUR, NOON - 40 * MINUTE)
    found = Fetched(Desk(inside, quiet, over, after, now=NOON + 2 * SECOND), gap())
    assert found.kept == [after, inside], "the newest first"
    assert found.outcome == Outcome(2, 4, sure=True), "it repeats what a look at the newest has brought"
    assert found.shares == sorted(found.shares)


def test_what_is_open_is_kept_where_nobody_listened_before() -> None:
    quiet = record("quiet", NOON - HOUR, None, NOON - 30 * MINUTE)
    desk = Desk(quiet, record("new", NOON - SECOND, None, NOON), now=NOON + SECOND)
    assert set(Fetched(desk, Period(NOON - MINUTE, NOON, open_too=True)).names) == {"quiet", "new"}


def test_pages_are_read_to_their_end_and_what_repeats_is_kept_once() -> None:
    desk = Desk(
        *(record(f"c{n:03}", NOON - MINUTE + n, None, NOON - SECOND + n) for n in range(250)), now=NOON + SECOND
    )

    def meanwhile() -> None:  # conversations go on beginning, and shift the pages
        n = len(desk.asked)
        desk.records.append(record(f"n{n}", NOON - SECOND if n % 2 else NOON - MINUTE - n, None, NOON))

    found = Fetched(desk, gap(), meanwhile=meanwhile)
    assert set(found.names) >= {f"c{n:03}" for n in range(250)}
    assert len(found.names) == len(set(found.names))


def test_an_empty_page_has_no_conversations_and_ends_it() -> None:
    desk = Desk(*(record(f"c{n}", NOON - MINUTE + n, None, NOON) for n in range(100)), now=NOON + SECOND)
    assert len(Fetched(desk, gap()).names) == 100
    look, *pages = desk.intervals
    assert look[0] == NOON - 1
    assert len(pages) == 2, "a total may be out of date: only a page that is not full is the last"


def test_what_began_before_and_goes_on_comes_by_its_id() -> None:
    old = record("old", NOON - 3 * DAY, None, NOON - MINUTE)
    ended = record("ended", NOON - 2 * DAY, NOON - MINUTE)
    unmoved = record("unmoved", NOON - 3 * DAY, None, NOON - 2 * DAY)
    desk = Desk(old, ended, unmoved, record("new", NOON, None), now=NOON + SECOND)
    desk.going_on = [("old", NOON - MINUTE), ("unmoved", NOON - 2 * DAY)]
    found = Fetched(desk, gap(), known=["ended", "unmoved", "unheard-of"])
    assert set(found.names) == {"old", "ended", "new"}
    (asked,) = [step for step in desk.asked if step.method == "GET"]
    assert asked.params == {"id": "ended,old,unheard-of,unmoved"}, "a state that began before may have had a hold since"


def test_where_not_all_in_progress_is_named_it_is_asked_for_by_queue() -> None:
    desk = Desk(record("new", NOON, None), now=NOON + SECOND)
    desk.going_on, desk.truncated = [("one", NOON)], True
    Fetched(desk, gap())
    activities = [step.document for step in desk.asked if "activity" in step.path]
    assert [query["groupBy"] for query in activities] == [["mediaType"], ["queueId"]]
    assert activities[1]["filter"]["predicates"][0]["value"] == "voice"


def test_a_slice_of_too_much_is_asked_for_in_halves() -> None:
    starts = [NOON - 6 * HOUR + n * MINUTE for n in range(340)]
    desk = Desk(*(record(f"c{n:03}", start, start + HOUR) for n, start in enumerate(starts)), now=NOON + DAY)
    desk.most = 200
    found = Fetched(desk, Period(NOON - 6 * HOUR, NOON))
    assert len(found.names) == len(set(found.names)) == 340
    assert any("shorter intervals" in note for note in found.outcome.notes)


def test_where_more_is_open_at_a_time_than_pages_lead_to_a_job_is_asked() -> None:
    desk = Desk(*(record(f"c{n:03}", NOON - HOUR + n, None, NOON) for n in range(340)), now=NOON + DAY)
    desk.most = 200
    found = Fetched(desk, Period(NOON - HOUR, NOON))
    assert len(found.names) == len(set(found.names)) == 340
    assert any(step.path.endswith("/jobs") for step in desk.asked)


def test_an_interval_that_is_too_long_is_asked_for_in_halves() -> None:
    desk = Desk(record("c", NOON - HOUR, NOON - MINUTE), record("new", NOON, None), now=NOON + SECOND)
    desk.longest = 2 * HOUR
    assert set(Fetched(desk, Period(NOON - 8 * HOUR, NOON)).names) == {"c", "new"}


def test_beyond_the_reach_of_queries_jobs_are_asked_and_it_is_said() -> None:
    end = NOON - 35 * DAY + HOUR
    desk = Desk(*(record(f"c{n}", end - 3 * DAY + n * HOUR, end - 3 * DAY + n * HOUR + MINUTE) for n in range(72)))
    limits = Limits()
    found = Fetched(desk, Period(end - 3 * DAY, end, margin=0), limits=limits)
    assert len(found.names) == 72
    assert sum(step.path.endswith("/jobs") for step in desk.asked) == 4
    assert len([note for note in found.outcome.notes if "jobs were asked" in note]) == 1
    refused = [interval for interval in desk.intervals if interval[0] < NOON - 35 * DAY]
    assert len(refused) == 1, "one refusal is enough to know"


def test_jobs_reach_as_far_as_they_do_and_queries_bring_the_rest() -> None:
    early, late = record("early", NOON - 3 * HOUR, NOON - 2 * HOUR), record("late", NOON - 20 * MINUTE, NOON - MINUTE)
    desk = Desk(early, late, record("new", NOON, None), now=NOON + SECOND)
    found = Fetched(desk, Period(NOON - 4 * HOUR, NOON, jobs=True))
    assert set(found.names) == {"early", "late", "new"}
    assert min(start for start, _ in desk.intervals) == desk.available
    assert any("jobs reach to" in note for note in found.outcome.notes)


def test_a_job_that_comes_to_nothing_is_an_error() -> None:
    desk = Desk()
    desk.polls = 10**9
    with pytest.raises(UnansweredError, match="is PENDING"):
        Fetched(desk, Period(NOON - 4 * HOUR, NOON - 2 * HOUR, jobs=True))


def test_a_gap_is_filled_only_when_records_are_seen_that_are_newer() -> None:
    desk = Desk(record("c", NOON - MINUTE, NOON - SECOND), record("new", NOON + SECOND, None), now=NOON + 2 * SECOND)
    desk.lag = 40 * SECOND
    found = Fetched(desk, gap())
    assert set(found.names) == {"c", "new"}
    assert found.outcome.sure
    assert desk.now >= NOON + SECOND + desk.lag
    assert all(one <= two for one, two in pairwise(found.waits))


def test_what_a_later_page_tells_is_no_proof_for_an_earlier_one() -> None:
    desk = Desk(
        *(record(f"c{n:03}", NOON - MINUTE + n, None, NOON - MINUTE + n) for n in range(150)), now=NOON + SECOND
    )

    def meanwhile() -> None:  # records catch up while the pages are read
        if len(desk.asked) == 2:
            desk.records += [record("last", NOON - 1, None, NOON - 1), record("old", NOON - HOUR, None, NOON + SECOND)]

    found = Fetched(desk, gap(), meanwhile=meanwhile)
    assert set(found.names) == {f"c{n:03}" for n in range(150)} | {"last", "old"}
    assert found.outcome.sure


def test_what_is_in_progress_and_came_is_not_asked_for_again() -> None:
    desk = Desk(record("c", NOON - MINUTE, None, NOON), now=NOON + SECOND)
    desk.going_on = [("c", NOON)]
    assert Fetched(desk, gap(), known=["c"]).names == ["c"]
    assert not [step for step in desk.asked if step.method == "GET"]


def test_where_records_are_looked_at_again_it_is_no_further_back_than_they_lag() -> None:
    """And a quiet organisation, for which the first look brings nothing, does not make it go beyond the reach of queries."""
    desk = Desk(record("c", NOON - 20 * DAY, NOON - 20 * DAY + MINUTE), now=NOON + SECOND)

    def meanwhile() -> None:
        if desk.now >= NOON + MINUTE and len(desk.records) == 1:
            desk.records.append(record("new", NOON - 1, None, NOON + SECOND))

    found = Fetched(desk, Period(NOON - 40 * DAY, NOON, open_too=True), meanwhile=meanwhile)
    assert set(found.names) == {"c", "new"}
    again = [start for start, _ in desk.intervals[-4:]]
    assert min(again) >= NOON - LAG_PATIENCE - MARGIN


def test_after_a_long_fetch_the_newest_part_is_asked_for_once_more_at_least() -> None:
    lives = [record(f"c{n:03}", NOON - HOUR + n * MINUTE, NOON - HOUR + n * MINUTE + 1) for n in range(61)]
    desk = Desk(*lives, record("after", NOON + MINUTE, None, NOON + MINUTE), now=NOON + SECOND)
    desk.lag = 5 * MINUTE

    def meanwhile() -> None:
        if len(desk.asked) == 5:
            desk.now += LAG_PATIENCE

    found = Fetched(desk, gap(HOUR), meanwhile=meanwhile)
    assert set(found.names) >= {f"c{n:03}" for n in range(61)}
    assert found.outcome.sure


@pytest.mark.parametrize("later", [SECOND, LAG_PATIENCE + HOUR])
def test_what_was_interrupted_goes_on_and_leaves_nothing_out(later: int) -> None:
    """What began on the day before and happened in the part that had come is told by that day's slice only."""
    early = MIDNIGHT - 9 * HOUR
    going_on = record("goes on", early, None, early + MINUTE, MIDNIGHT + 5 * HOUR)
    ended = record("ended", early, MIDNIGHT + 5 * HOUR, early + MINUTE)
    end = MIDNIGHT + 10 * HOUR
    desk = Desk(going_on, ended, record("new", end - SECOND, None, end), now=end + later)
    period = Period(MIDNIGHT - 4 * HOUR, end, begun_at=end + SECOND, reached=MIDNIGHT)
    desk.going_on = [("new", end)]
    found = Fetched(desk, period)
    assert {"goes on", "ended"} <= set(found.names)
    assert ("new" in found.names) and found.outcome.sure
    whole = Fetched(desk, Period(MIDNIGHT - 4 * HOUR, end, begun_at=end + SECOND))
    assert sorted(whole.names) == sorted(found.names)


def test_what_is_to_come_is_not_waited_for() -> None:
    desk = Desk(record("c", NOON - HOUR, None, NOON - SECOND), now=NOON)
    found = Fetched(desk, Period(NOON - MINUTE, NOON + HOUR))
    assert found.names == ["c"]
    assert desk.now <= NOON + LAG_PATIENCE + MINUTE
    assert len(desk.asked) < 60


def test_the_newest_state_of_a_conversation_counts() -> None:
    desk = Desk(record("c", NOON - 3 * DAY, None, NOON - SECOND), record("new", NOON, None), now=NOON + SECOND)
    desk.going_on = [("c", NOON - MINUTE), ("c", NOON - DAY)]
    assert set(Fetched(desk, gap()).names) == {"c", "new"}


def test_what_the_platform_does_not_take_for_an_id_is_left_out_and_said() -> None:
    old = [record(f"c{n}", NOON - 3 * DAY, None, NOON - SECOND) for n in range(70)]
    desk = Desk(*old, record("new", NOON, None), now=NOON + SECOND)
    desk.unheard_of = ["test-1"]
    found = Fetched(desk, gap(), known=[f"c{n}" for n in range(70)] + ["test-1"])
    assert len(found.names) == 71
    assert any("none of the platform's conversations" in note for note in found.outcome.notes)


def test_a_job_that_does_not_reach_to_the_present_is_no_proof() -> None:
    lives = [record(f"c{n:03}", NOON - 30 * MINUTE + n, None, NOON - MINUTE + n) for n in range(340)]
    desk = Desk(*lives, record("new", NOON + 1, None, NOON + 2), now=NOON + 3 * SECOND)
    desk.most = 200
    found = Fetched(desk, gap())
    assert not found.outcome.sure
    assert any("may be missing" in note for note in found.outcome.notes)


def test_where_nothing_newer_comes_it_ends_all_the_same_and_says_so() -> None:
    desk = Desk(record("c", NOON - MINUTE, NOON - SECOND), now=NOON + 2 * SECOND)
    found = Fetched(desk, gap())
    assert found.names == ["c"]
    assert not found.outcome.sure
    assert LAG_PATIENCE <= desk.now - NOON < LAG_PATIENCE + MINUTE


def test_while_records_lag_the_present_state_is_asked_for() -> None:
    desk = Desk(record("new", NOON + SECOND, None), now=NOON + 2 * SECOND)
    desk.lag, desk.going_on = MINUTE, [("new", NOON + SECOND), ("gone", NOON)]
    desk.states = {"new": {"id": "new", "participants": []}}
    found = Fetched(desk, gap())
    assert found.kept[0] == {"id": "new", "participants": []}
    assert found.kept[1]["conversationId"] == "new"


def test_a_permission_that_is_missing_is_named() -> None:
    desk = Desk()
    desk.forbidden = ["details"]
    with pytest.raises(UnansweredError) as caught:
        Fetched(desk, gap())
    assert caught.value.refusal.permissions == ("analytics:something:view",)


def test_without_the_activity_query_it_goes_on_and_says_so() -> None:
    desk = Desk(record("c", NOON - MINUTE, None, NOON), now=NOON + SECOND)
    desk.forbidden = ["activity"]
    found = Fetched(desk, gap())
    assert found.names == ["c"]
    assert any("in progress could not be asked for" in note for note in found.outcome.notes)


def test_what_was_kept_is_not_kept_again_unless_it_has_changed() -> None:
    seen = Seen()
    desk = Desk(record("same", NOON - MINUTE, NOON), record("grows", NOON - MINUTE, None, NOON), now=NOON + SECOND)
    assert set(Fetched(desk, gap(), seen=seen).names) == {"same", "grows"}
    desk.records[1] = record("grows", NOON - MINUTE, NOON + SECOND, NOON)
    assert Fetched(desk, gap(), seen=seen).names == ["grows"]


def test_progress_says_from_where_on_all_is_done() -> None:
    found = Fetched(Desk(now=NOON + DAY), Period(MIDNIGHT - DAY, NOON, margin=0))
    assert found.reached == [NOON - HOUR, MIDNIGHT, MIDNIGHT - DAY - 1]


def test_a_time_to_come_is_not_what_has_happened() -> None:
    assert set(moments_in(record("c", NOON, None, NOON + HOUR), NOON + SECOND)) == {NOON}
    assert moments_in({"participants": [None, {"sessions": 3}], "conversationStart": "never"}, NOON) == []


moments = st.integers(NOON - 3 * HOUR, NOON)


@given(
    st.lists(
        st.tuples(moments, st.none() | st.integers(0, HOUR), st.lists(st.integers(0, HOUR), max_size=3)), max_size=40
    ),
    st.integers(100, 300),
    st.sampled_from([20 * MINUTE, 2 * HOUR, 7 * DAY]),
)
def test_all_that_happened_is_kept_once_however_the_platform_cuts_it(
    lives: list[tuple[int, int | None, list[int]]], most: int, longest: int
) -> None:
    records = [
        record(
            f"c{n}",
            start,
            None if length is None else start + length,
            *sorted(start + min(more, length or HOUR) for more in inside),
        )
        for n, (start, length, inside) in enumerate(lives)
    ]
    desk = Desk(*records, now=NOON + DAY)
    desk.most, desk.longest = most, longest
    period = Period(NOON - HOUR, NOON)
    found = Fetched(desk, period)
    touched = [
        one["conversationId"]
        for one in records
        if any(period.start - MARGIN <= at <= NOON + MARGIN for at in moments_in(one, desk.now))
    ]
    assert sorted(found.names) == sorted(touched)

"""The journey page's answers and figure, made from real journeys."""

from __future__ import annotations

import json
from typing import Any

import pytest
from dash import no_update
from plotly.offline import get_plotlyjs_version
from plotly.utils import PlotlyJSONEncoder

from journeymap.errors import StoreError
from journeymap.export.palette import ASSETS
from journeymap.model.time import DAY, HOUR, MINUTE, SECOND
from journeymap.testing import event
from journeymap.view.masking import Viewer
from journeymap.web.callbacks.journey import show_journey
from journeymap.web.components.journey import turning
from journeymap.web.journey_figure import journey_figure, lanes
from tests.web.double import DoubleReadModel
from tests.web.stitched import Stitched

NOW = 1_790_000_000_000
PHONE = "+4915112345678"


class Refusing:
    """A read model that cannot."""

    def detail(self, _journey_id: str, _now: int) -> Any:
        raise StoreError("the store is broken")


def told(part: Any) -> str:
    return json.dumps(part, cls=PlotlyJSONEncoder)


def call(at: int, name: str, customer: str | None, **more: Any) -> list[Any]:
    about = {"channelType": "voice", "queueName": "Billing", **({"customerId": customer} if customer else {}), **more}
    return [
        event("interaction.created", at, name, event_id=f"{name}-1", **about),
        event("conversation.started", at + MINUTE, name, event_id=f"{name}-2", agentId="Ana", **about),
        event("conversation.ended", at + 3 * MINUTE, name, event_id=f"{name}-3", **about),
        event("disposition.completed", at + 4 * MINUTE, name, event_id=f"{name}-4", disposition="done", **about),
    ]


@pytest.fixture
def stitched() -> Stitched:
    model = Stitched(lambda: NOW)
    first = NOW - 5 * DAY
    model.apply(
        *call(first - 4 * DAY, "old", "cust-1"),
        *call(first, "a", None, sessionToken="tok-1"),
        *call(first + 23 * HOUR, "b", "cust-1", sessionToken="tok-1"),
        *call(first + 40 * HOUR, "c", "cust-2"),
        event("customer.merged", first + DAY, event_id="m1", fromCustomerId="cust-2", toCustomerId="cust-1"),
    )
    return model


def test_each_part_comes_again_only_when_it_changed() -> None:
    model = DoubleReadModel(20, clock=lambda: NOW)
    story = next(story for story in model.stories.values() if not story.closed)
    first = show_journey({"id": story.journey_id}, model, NOW)
    assert {"head", "figure", "lists", "events"} < set(first)
    question = {"id": story.journey_id, "seen": first["marks"]}
    assert show_journey(question, model, NOW) is no_update
    later = show_journey(question, model, NOW + 10 * SECOND)
    assert set(later) == {"id", "marks", "figure"}
    story.move(NOW + 1, model.dice)
    again = show_journey(question, model, NOW)
    assert {"head", "figure", "lists", "events"} < set(again)
    assert again["events"]["total"] == first["events"]["total"] + 1


def test_an_unknown_or_unreadable_journey_is_said_so() -> None:
    model = DoubleReadModel(1, clock=lambda: NOW)
    answer = show_journey({"id": "j-none"}, model, NOW)
    assert "There is no such journey" in told(answer["head"])
    assert (answer["figure"], answer["lists"], answer["events"]) == (None, [], None)
    assert show_journey({"id": "j-none", "seen": answer["marks"]}, model, NOW) is no_update
    assert "the store is broken" in told(show_journey({"id": "j-none"}, Refusing(), NOW)["head"])
    assert show_journey({"id": 7}, model, NOW) is no_update
    assert show_journey(None, model, NOW) is no_update


def test_identity_names_events_and_rules(stitched: Stitched) -> None:
    journey_id = stitched.journey_of("cust-1")
    evidence = stitched.evidence(journey_id)
    assert evidence is not None
    joined = {(each["rule"], each["id"]): each for each in evidence["joined"]}
    assert set(joined) == {("named", "cust-1"), ("named", "cust-2"), ("bound", "tok-1"), ("merged", "cust-2")}
    assert joined["bound", "tok-1"]["to"] == "cust-1"
    assert (joined["bound", "tok-1"]["event_id"], joined["bound", "tok-1"]["event_of"]) == ("b-1", "b")
    assert list(joined["bound", "tok-1"]["interactions"]) == ["a", "b"]
    assert (joined["merged", "cust-2"]["event_id"], joined["merged", "cust-2"]["to"]) == ("m1", "cust-1")
    raw = json.loads(evidence["events"][0]["raw"])
    assert raw["payload"]["sessionToken"] == "tok-1"
    answer = show_journey({"id": journey_id}, stitched, NOW)
    shown = told(answer["lists"])
    for word in ("tok-1", "b-1", "m1", "Merged: an alias", "cust-2", "Billing", "Ana", "done", "Compare"):
        assert word in shown
    assert stitched.evidence("j-none") is None


def test_the_customers_other_contacts_are_before_and_after(stitched: Stitched) -> None:
    journey = stitched.detail(stitched.journey_of("cust-1"), NOW)
    assert journey is not None
    earlier, later = turning(journey)
    assert earlier is not None
    assert later is None
    assert f"/journey/{earlier['journey_id']}" in told(
        show_journey({"id": journey["journey_id"]}, stitched, NOW)["head"]
    )
    old = stitched.detail(earlier["journey_id"], NOW)
    assert old is not None
    assert [each and each["journey_id"] for each in turning(old)] == [None, journey["journey_id"]]


def test_who_may_not_see_identifiers_sees_none_in_raw_events_and_identity() -> None:
    model = Stitched(lambda: NOW, Viewer(sees_identifiers=False))
    model.apply(*call(NOW - HOUR, "a", PHONE, contact="ann@example.org"))
    answer = show_journey({"id": model.journey_of(PHONE)}, model, NOW)
    for part in ("head", "figure", "lists", "events"):
        shown = told(answer[part])
        assert PHONE not in shown
        assert "4915112" not in shown
        assert "ann@example" not in shown


def test_a_figure_has_a_track_a_channel_true_times_and_escaped_texts(stitched: Stitched) -> None:
    model = DoubleReadModel(3, clock=lambda: NOW)
    story = model.add("traveller")
    story.interactions[-1].update(disposition="<b>bold</b>{t:1}", channel="<i>odd</i>")
    journey = story.document(NOW)
    figure = journey_figure(journey, NOW)
    shown = str(figure)
    assert "<i>odd" not in shown
    assert "&lt;b&gt;bold" in shown
    assert "Other" in figure["layout"]["yaxis"]["ticktext"]
    bars = sum(len(trace["base"]) for trace in figure["data"] if trace["type"] == "bar")
    assert bars == sum(len(one["segments"]) for one in journey["interactions"])
    journey = stitched.detail(stitched.journey_of("cust-1"), NOW) or {}
    figure = journey_figure(journey, NOW)
    spans = {
        (base, base + length)
        for trace in figure["data"]
        if trace["type"] == "bar"
        for base, length in zip(trace["base"], trace["x"], strict=True)
    }
    assert spans == {(each["start"], each["end"]) for one in journey["interactions"] for each in one["segments"]}
    assert [fold[2] for fold in figure["layout"]["meta"]["folds"]] == ["22 h 56 min", "16 h 56 min"]


def test_what_is_open_has_no_length_and_says_so() -> None:
    model = Stitched(lambda: NOW)
    model.apply(event("interaction.created", NOW - MINUTE, "a", channelType="chat", customerId="c"))
    figure = journey_figure(model.detail(model.journey_of("c"), NOW) or {}, NOW)
    (trace,) = (trace for trace in figure["data"] if trace["type"] == "bar")
    assert (trace["x"], trace["meta"]["open"]) == ([0], [1])
    assert f"{{since:{NOW - MINUTE}}} so far" in trace["hovertext"][0]
    assert figure["layout"]["meta"]["open"]


def test_lanes_are_the_lowest_that_are_free() -> None:
    assert lanes([(0, 10), (5, 8), (9, 12), (10, 11)]) == [0, 1, 1, 0]
    assert lanes([]) == []


def test_the_bundle_of_plotly_is_of_the_version_that_dash_has() -> None:
    name = f"plotly-cartesian-{get_plotlyjs_version()}.min.js"
    assert f"/assets/vendor/{name}" in (ASSETS / "boot.js").read_text(encoding="utf-8")
    assert f"v{get_plotlyjs_version()}" in (ASSETS / "vendor" / name).read_text(encoding="utf-8")[:200]

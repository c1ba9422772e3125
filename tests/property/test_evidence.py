"""What the page says of identity leads, for every set of events, to the customer that stitching found."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given, settings

from journeymap.model.event import IDENTITY_TYPES, Event
from journeymap.readmodel.evidence import Rule, joined_ids
from journeymap.stitch.definition import journeys, without_copies
from journeymap.stitch.identity import Evidence, tokens_of
from tests.property.soups import OPTIONS, soups


@given(soups)
@settings(max_examples=150, deadline=None)
def test_the_named_events_and_rules_lead_to_the_customer(soup: list[Event]) -> None:
    found = journeys(soup, OPTIONS)
    identity_events = [event for event in without_copies(soup) if event.type in IDENTITY_TYPES]
    evidence: dict[str, list[Evidence | None]] = defaultdict(list)
    events: dict[str, list[Event]] = defaultdict(list)
    for journey in found:
        for event in journey.events:
            events[event.interaction_id].append(event)
    for own in events.values():
        for token, each in tokens_of(own).items():
            evidence[token].append(each)
    for journey in found:
        told = joined_ids(journey, evidence, identity_events)
        merged = {each.id: each.to for each in told if each.rule is Rule.MERGED}
        for part in journey.interactions:
            carried = [each for each in told if part.interaction_id in each.interactions]
            named = [each.id for each in carried if each.rule is Rule.NAMED]
            assert len(named) <= 1
            order = list(tokens_of(events[part.interaction_id]))
            bound = sorted((each for each in carried if each.rule is Rule.BOUND), key=lambda each: order.index(each.id))
            start = named[0] if named else bound[0].to if bound else f"session:{order[0]}" if order else None
            reached, name = set(), start or f"interaction:{part.interaction_id}"
            while name in merged and name not in reached:
                reached.add(name)
                name = merged[name]
            assert name == journey.customer_id or journey.customer_id in reached
        for each in told:
            if each.event_of in events and each.rule in (Rule.NAMED, Rule.BOUND):
                assert any(event.event_id == each.event_id for event in events[each.event_of])

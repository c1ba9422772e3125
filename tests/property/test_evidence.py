"""What the page says of identity leads, for every set of events, to the customer that stitching found."""

from __future__ import annotations

from collections import defaultdict

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymap.model.event import IDENTITY_TYPES, Event
from journeymap.readmodel.evidence import KEY_RULES, Rule, joined_ids
from journeymap.stitch.definition import journeys, without_copies
from journeymap.stitch.hot import EmptyShelf
from journeymap.stitch.identity import Evidence, tokens_of
from journeymap.stitch.rules import IdentityRules
from journeymap.stitch.stitcher import Stitcher
from journeymap.testing import DictShelf
from tests.property.soups import OPTIONS, soups
from tests.property.test_identity import rules
from tests.property.test_identity import soups as identity_soups


@given(st.one_of(soups, identity_soups), rules)
@settings(max_examples=120, deadline=None)
def test_the_named_events_and_rules_lead_to_the_customer(soup: list[Event], chosen: IdentityRules) -> None:
    options = msgspec.structs.replace(OPTIONS, identity=chosen)
    found = journeys(soup, options)
    identity_events = [event for event in without_copies(soup) if event.type in IDENTITY_TYPES]
    stitcher, shelf = Stitcher(options, EmptyShelf()), DictShelf()
    stitcher.apply(soup)
    shelf.commit(stitcher.take_changes())
    evidence: dict[str, list[Evidence | None]] = defaultdict(list)
    events: dict[str, list[Event]] = defaultdict(list)
    for journey in found:
        for event in journey.events:
            events[event.interaction_id].append(event)
    for own in events.values():
        for token, each in tokens_of(own).items():
            evidence[token].append(each)
    for journey in found:
        told = joined_ids(journey, evidence, identity_events, chosen, shelf.key_records)
        merged = {each.id: each.to for each in told if each.rule is Rule.MERGED}
        for part in journey.interactions:
            carried = [each for each in told if part.interaction_id in each.interactions]
            named = [each.id for each in carried if each.rule is Rule.NAMED]
            decided = [each.to for each in carried if part.interaction_id in each.decides]
            assert len(named) <= 1
            assert len(decided) <= 1
            order = list(tokens_of(events[part.interaction_id]))
            tokens = [each for each in carried if each.rule in (Rule.BOUND, Rule.UNBOUND)]
            bound = sorted((each for each in tokens if each.to), key=lambda each: order.index(each.id))
            start = named[0] if named else bound[0].to if bound else decided[0] if decided else None
            start = start or (f"session:{order[0]}" if order else f"interaction:{part.interaction_id}")
            reached, name = set(), start
            while name in merged and name not in reached:
                reached.add(name)
                name = merged[name]
            assert name == journey.customer_id or journey.customer_id in reached
        for each in told:
            if each.event_of in events and each.rule in {Rule.NAMED, Rule.BOUND, *KEY_RULES}:
                assert any(event.event_id == each.event_id for event in events[each.event_of])
            if each.rule in KEY_RULES:
                assert any(each.id in event.keys for event in events[each.event_of or ""])

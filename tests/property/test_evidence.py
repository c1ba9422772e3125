"""What the page says of identity leads, for every set of events, to the customer that stitching found."""

from __future__ import annotations

from collections import defaultdict

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymap.model.event import IDENTITY_TYPES, SPLIT, Event
from journeymap.model.time import DAY
from journeymap.readmodel.evidence import KEY_RULES, Joined, Rule, joined_ids
from journeymap.stitch.definition import journeys, without_copies
from journeymap.stitch.hot import EmptyShelf
from journeymap.stitch.identity import Evidence, tokens_of
from journeymap.stitch.options import StitchOptions
from journeymap.stitch.rules import IdentityRules
from journeymap.stitch.stitcher import Stitcher
from journeymap.testing import DictShelf, event
from tests.property.soups import OPTIONS, START, soups
from tests.property.test_identity import rules
from tests.property.test_identity import soups as identity_soups


@given(st.one_of(soups, identity_soups), rules)
@settings(max_examples=120, deadline=None)
def test_the_named_events_and_rules_lead_to_the_customer(soup: list[Event], chosen: IdentityRules) -> None:
    options = msgspec.structs.replace(OPTIONS, identity=chosen)
    found = journeys(soup, options)
    identity_events = [each for each in without_copies(soup) if each.type in IDENTITY_TYPES]
    stitcher, shelf = Stitcher(options, EmptyShelf()), DictShelf()
    stitcher.apply(soup)
    shelf.commit(stitcher.take_changes())
    evidence: dict[str, list[Evidence | None]] = defaultdict(list)
    events: dict[str, list[Event]] = defaultdict(list)
    for journey in found:
        for each in journey.events:
            events[each.interaction_id].append(each)
    for own in events.values():
        for token, item in tokens_of(own).items():
            evidence[token].append(item)
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
                assert any(other.event_id == each.event_id for other in events[each.event_of])
            if each.rule in KEY_RULES:
                assert any(each.id in other.keys for other in events[each.event_of or ""])


@given(identity_soups, rules)
@settings(max_examples=120, deadline=None)
def test_what_undoes_a_join_undoes_it_and_a_key_split_from_itself_can_be_joined_again(
    soup: list[Event], chosen: IdentityRules
) -> None:
    options = msgspec.structs.replace(OPTIONS, identity=chosen)
    for each in _joined(soup, options):
        undone = each.undone_by
        if each.rule is Rule.ALONE:
            assert undone is not None
            again = [*soup, _later(undone, "again")]
            assert all(other.rule is not Rule.ALONE for other in _joined(again, options) if other.id == each.id)
        elif each.rule is Rule.NAMED and undone is not None:
            split = [*soup, _later(undone, "undone")]
            after = [(other.id, *other.interactions) for other in _joined(split, options) if other.rule is Rule.NAMED]
            assert each.contact
            assert (each.id, *each.interactions) not in after
        elif each.rule is Rule.SHARED and undone is not None:
            split = [*soup, _later(undone, "undone")]
            assert (each.id, each.shared_by) not in [(other.id, other.shared_by) for other in _joined(split, options)]
        elif each.rule in KEY_RULES:
            assert undone is not None
            split = [*soup, _later(undone, "undone")]
            after = [(other.id, other.to) for other in _joined(split, options) if other.rule in KEY_RULES]
            assert (each.id, each.to) not in after
            if undone == (SPLIT, each.id, each.id):
                whole = [*split, _later(("customer.merged", each.id, each.id), "whole", 1)]
                assert journeys(whole, options) == journeys(soup, options)


def _later(what: tuple[str, str, str], event_id: str, more: int = 0) -> Event:
    kind, one, other = what
    return event(kind, START + 10 * DAY + more, event_id=event_id, fromCustomerId=one, toCustomerId=other)


def _joined(soup: list[Event], options: StitchOptions) -> list[Joined]:
    """What is said on all journeys."""
    identity_events = [each for each in without_copies(soup) if each.type in IDENTITY_TYPES]
    stitcher, shelf = Stitcher(options, EmptyShelf()), DictShelf()
    stitcher.apply(soup)
    shelf.commit(stitcher.take_changes())
    told = [
        joined_ids(one, {}, identity_events, options.identity, shelf.key_records) for one in journeys(soup, options)
    ]
    return [each for some in told for each in some]

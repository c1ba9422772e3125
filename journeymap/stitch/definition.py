"""The definition: what a set of events means, computed from the whole set at once (docs/stitching.md).

Written to be read, and the yardstick for `stitcher`, which computes the same event by event.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from journeymap.model.event import IDENTITY_TYPES, Event, OrderKey, better_copy, order_key, same_copy
from journeymap.model.journey import Interaction, Journey, journey_id_of
from journeymap.model.key import kind_of
from journeymap.stitch import handover, identity, machine, windows
from journeymap.stitch.options import StitchOptions
from journeymap.stitch.rules import IdentityRules


def journeys(events: Iterable[Event], options: StitchOptions) -> list[Journey]:
    """The journeys of a set of events, sorted by customer, start and journey id. Arrival order and copies do not matter."""
    unique = without_copies(events)
    identity_events = [event for event in unique if event.type in IDENTITY_TYPES]
    interactions: dict[str, list[Event]] = defaultdict(list)
    for event in sorted(unique, key=order_key):
        if event.type not in IDENTITY_TYPES:
            interactions[event.interaction_id].append(event)

    customers = customers_of(interactions, identity_events, options.identity)
    by_customer: dict[str, list[windows.SpanOf]] = defaultdict(list)
    for interaction_id, own_events in interactions.items():
        span = (own_events[0].timestamp, interaction_id, own_events[-1].timestamp)
        by_customer[customers[interaction_id]].append(span)

    found = [
        assemble(customer, {interaction_id: interactions[interaction_id] for _, interaction_id, _ in session}, options)
        for customer, spans in by_customer.items()
        for session in windows.sessions(spans, options.engagement_window)
    ]
    return sorted(found, key=lambda journey: (journey.customer_id, journey.started_at, journey.journey_id))


def without_copies(events: Iterable[Event]) -> list[Event]:
    """Each event once: of copies (same interaction, same event id) that differ, the one that holds."""
    held: dict[tuple[str, str], Event] = {}
    for event in events:
        name = (event.interaction_id, event.event_id)
        known = held.get(name)
        if known is None:
            held[name] = event
        elif not same_copy(known, event):
            held[name] = better_copy(known, event)
    return list(held.values())


def customers_of(
    interactions: Mapping[str, Sequence[Event]], identity_events: Iterable[Event], rules: IdentityRules
) -> dict[str, str]:
    """The customer of each interaction: its own, else a bound session token's, else one that a key leads to, else anonymous;
    everywhere after the aliases. A contact of its own that an operator called wrong names nobody."""
    known = list(identity_events)
    aliases, wrong = identity.aliases_of(known), identity.wrong_contacts(known)
    tokens = {interaction_id: identity.tokens_of(events) for interaction_id, events in interactions.items()}
    evidence: dict[str, list[identity.Evidence | None]] = defaultdict(list)
    for found in tokens.values():
        for token, item in found.items():
            evidence[token].append(item)
    bindings = {token: identity.bound_to(items) for token, items in evidence.items()}

    named: dict[str, str] = {}
    for interaction_id, events in interactions.items():
        own = identity.own_customer(events, rules, wrong.get(interaction_id, ())) or next(
            filter(None, map(bindings.get, tokens[interaction_id])), None
        )
        if own is not None:
            named[interaction_id] = identity.resolve(own, aliases)
    find_by_keys(named, interactions, aliases, identity.said_of(known, aliases), rules)
    return {
        interaction_id: named.get(interaction_id)
        or identity.resolve(identity.anonymous(interaction_id, tuple(tokens[interaction_id])), aliases)
        for interaction_id in interactions
    }


def find_by_keys(
    named: dict[str, str],
    interactions: Mapping[str, Sequence[Event]],
    aliases: Mapping[str, str],
    said: Mapping[str, identity.Said],
    rules: IdentityRules,
) -> None:
    """Add to the `named` interactions those whose customer a key tells.

    Twice the rules are gone through in their order. The first time, a key leads where the interactions that carry it and are
    named by then lead: it is that customer's. The second time, a key that is nobody's makes an anonymous customer of its own.
    What an operator `said` of a key goes before both.
    """
    carried: dict[str, Mapping[str, OrderKey]] = {}
    carriers: dict[str, dict[str, OrderKey]] = defaultdict(dict)
    mentions: Counter[str] = Counter()
    for interaction_id, events in interactions.items():
        found = identity.carried_by(events, rules)
        carried[interaction_id] = found.keys
        for key, at in found.keys.items():
            carriers[key][interaction_id] = at
        mentions.update(found.mentioned.keys())

    for anonymously in (False, True):
        for kind in rules.kinds:
            leads: dict[str, str] = {}
            for key, where in carriers.items():
                if kind_of(key) != kind or mentions[key] > rules.busy:
                    continue
                evidence = [(at, named[name]) for name, at in where.items() if name in named]
                customer = identity.leads_to(evidence, rules.key_limit, said.get(key, identity.UNSAID))
                if customer is None and anonymously:
                    customer = identity.resolve(key, aliases)
                if customer:
                    leads[key] = customer
            for interaction_id, keys in carried.items():
                leading = [leads[key] for key in keys if key in leads]
                if leading:
                    named.setdefault(interaction_id, leading[0])


def assemble(customer_id: str, interactions: Mapping[str, Sequence[Event]], options: StitchOptions) -> Journey:
    """One journey of `customer_id` out of the events, in order, of each of its interactions."""
    folds = {interaction_id: machine.fold(events) for interaction_id, events in interactions.items()}
    handovers = handover.match(
        (transfer for fold in folds.values() for transfer in handover.awaiting(fold, options.timeouts)),
        (order_key(events[0]) for events in interactions.values()),
    )
    began = handover.cuts(handovers)
    folded = [
        interaction(interaction_id, events, folds[interaction_id], began.get(interaction_id, {}))
        for interaction_id, events in interactions.items()
    ]
    events = sorted((event for own in interactions.values() for event in own), key=order_key)
    earliest = min((own[0].timestamp, interaction_id) for interaction_id, own in interactions.items())[1]
    return Journey(
        journey_id=journey_id_of(earliest),
        customer_id=customer_id,
        started_at=min(events[0].timestamp, *(item.started_at for item in folded)),
        first_event_at=events[0].timestamp,
        last_event_at=events[-1].timestamp,
        interactions=tuple(sorted(folded, key=lambda item: (item.started_at, item.interaction_id))),
        transfers=tuple(item.transfer for item in handovers),
        events=tuple(events),
    )


def interaction(
    interaction_id: str, events: Sequence[Event], fold: machine.Fold, began: Mapping[tuple[int, int, str, str], int]
) -> Interaction:
    """One interaction from its fold and the moments when targets of its transfers began."""
    state, segments = handover.segments(fold, began)
    started_at = fold.started_at
    assert started_at is not None
    return Interaction(
        interaction_id=interaction_id,
        channel=fold.shown_channel,
        state=state,
        started_at=started_at,
        first_event_at=events[0].timestamp,
        last_event_at=events[-1].timestamp,
        ended_at=fold.ended_at,
        closed_at=fold.closed_at,
        disposition=fold.disposition,
        queue=fold.queue,
        agent=fold.agent,
        segments=tuple(segments),
        direction=fold.direction,
    )

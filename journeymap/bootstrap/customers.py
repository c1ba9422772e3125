"""What `journeymap identity` looks at and does: the rules in force, the joins of a customer, and new joins and splits."""

from __future__ import annotations

import contextlib
import shlex
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from journeymap import bootstrap
from journeymap.bootstrap.backfilling import ingest_runs
from journeymap.decode.event import decode_raw
from journeymap.errors import InputError, StoreError
from journeymap.model.change import KeyRecord
from journeymap.model.event import SPLIT, Event
from journeymap.model.journey import journey_id_of
from journeymap.model.key import KEY_KINDS, is_key, kind_of
from journeymap.readmodel.evidence import Joined, seen_with
from journeymap.readmodel.readmodel import ReadModel
from journeymap.runtime.clock import SystemClock
from journeymap.runtime.operator import OPERATOR, TAKE_APART, command, event_frame, new_id
from journeymap.runtime.shelf import fold_record
from journeymap.settings import Settings
from journeymap.stitch.identity import INTERACTION, UNSAID, Said, aliases_of, resolve, said_of
from journeymap.stitch.rules import IdentityRules
from journeymap.store.base import StoreReader
from journeymap.store.disk import open_disk_reader
from journeymap.store.reader import DiskReader

HEARD_WITHIN: Final = 15.0
LOOK_EVERY: Final = 0.1
"""Seconds within which a running ingest does what it is told, and between two looks whether it has."""

SHOWN: Final = 100
"""Of a customer with more journeys the latest are looked at."""

CUSTOMERS_SHOWN: Final = 5
"""So many of the customers that share a key are named."""


class KeysInUse(msgspec.Struct):
    """How many keys of a kind are known; `leading` lead to a customer that the platform names, `anonymous` to one called as they
    are, `shared` are used by too many customers, `busy` are on too many interactions."""

    known: int = 0
    leading: int = 0
    anonymous: int = 0
    shared: int = 0
    busy: int = 0


class Standing(msgspec.Struct, frozen=True):
    """How a customer stands: journeys, and interactions in them."""

    journeys: int = 0
    interactions: int = 0


class Changed(msgspec.Struct, frozen=True):
    """What a join or split did: how many journeys are others now, and how its two customers stood and stand."""

    journeys: int
    before: Mapping[str, Standing]
    after: Mapping[str, Standing]
    event_id: str
    through: str | None
    """Who did it, where a running ingest did."""


@contextlib.contextmanager
def _opened(settings: Settings) -> Iterator[DiskReader]:
    with contextlib.closing(open_disk_reader(settings.store_path)) as reader:
        if reader.head() == 0 and reader.count() == 0:
            raise InputError(f"there are no journeys in the store {settings.store}: choose another with --store")
        yield reader


def keys_in_use(settings: Settings) -> tuple[IdentityRules, dict[str, KeysInUse]]:
    """The rules in force, and the keys of each kind in the store."""
    found = {kind: KeysInUse() for kind in KEY_KINDS}
    with contextlib.closing(open_disk_reader(settings.store_path)) as reader:
        for record in reader.key_records():
            kind = found.setdefault(kind_of(record.key), KeysInUse())
            kind.known += 1
            if record.busy:
                kind.busy += 1
            elif record.leads_to is None:
                kind.shared += 1
            elif is_key(record.leads_to):
                kind.anonymous += 1
            else:
                kind.leading += 1
    return bootstrap.identity_rules(settings), found


class Customer(msgspec.Struct, frozen=True):
    """A customer, by the id that stands for all of theirs, and what was joined to it."""

    customer_id: str
    standing: Standing
    joined: Sequence[Joined]


def customer(settings: Settings, name: str) -> Customer:
    """The customer that an id or a key stands for. Raises InputError where there is none."""
    with _opened(settings) as reader:
        customer_id = _stands_for(reader, name)
        model = _read_model(settings, reader)
        spans = sorted(reader.spans(customer_id), key=lambda span: span.start, reverse=True)
        if not spans and (record := reader.keys([name]).get(name)) is not None:
            raise InputError(_why_nobody(reader, record))
        if not spans:
            raise InputError(f"no journey is {name[:80]!r}'s: ids are those that the live view shows")
        found: dict[tuple[str, str, str | None], Joined] = {}
        for span in spans[:SHOWN]:
            journey = model.detail(span.journey_id)
            for each in model.joined(journey) if journey is not None else ():
                known = found.get((each.rule, each.id, each.to))
                found[each.rule, each.id, each.to] = each if known is None else _both(known, each)
        return Customer(customer_id, _standing(reader, customer_id), list(found.values()))


def _read_model(settings: Settings, reader: StoreReader) -> ReadModel:
    options = bootstrap.stitch_options(settings)
    return ReadModel(
        reader,
        SystemClock().now,
        options.timeouts,
        lambda record, raws: fold_record(record, raws, options),
        rules=options.identity,
    )


def _both(one: Joined, other: Joined) -> Joined:
    """What two journeys say of one id."""
    return msgspec.structs.replace(
        min(one, other, key=lambda each: (each.at is None, each.at or 0)),
        interactions=(*one.interactions, *other.interactions),
        decides=(*one.decides, *other.decides),
    )


def change(settings: Settings, do: str, one: str, other: str) -> Changed:
    """Join `one` to `other`, or take it apart: through the ingest that runs over the store, otherwise in the store itself.

    Raises InputError for what cannot be, StoreError where ingest does not do it in time.
    """
    event_id = new_id(do)
    asked = command(do, one, other, event_id)
    through = ingest_runs(settings)
    with _opened(settings) as reader:
        if do == TAKE_APART and one.startswith(INTERACTION):
            _require_linked(_read_model(settings, reader), reader, one, other)
        elif do == TAKE_APART:
            _require_joined(reader, one, other)
        else:
            _require_joinable(reader, one, other)
        names = dict.fromkeys([one, other, _stands_for(reader, one), _stands_for(reader, other)])
        before = _journeys_of(reader, names)
        if through is None:
            _write(settings, event_frame(do, one, other, event_id, SystemClock().now()))
        else:
            reader.leave_command(asked)
            _await(reader, event_id)
        names |= dict.fromkeys([_stands_for(reader, one), _stands_for(reader, other)])
        after = _journeys_of(reader, names)
        gone = [journey_id for journey_id, stood in before.items() if after.get(journey_id) != stood]
        new = [journey_id for journey_id in after if journey_id not in before]
        return Changed(
            len(gone) + len(new),
            {name: _count(before, name) for name in names},
            {name: _count(after, name) for name in names},
            event_id,
            through,
        )


def _require_joined(reader: StoreReader, one: str, other: str) -> None:
    """Raise InputError unless `one` is joined to `other`, as an alias or as a key, or is a key that `other` was seen with. From
    itself any key can be split that is in use and that no operator joined to somebody."""
    known = _identity_events(reader)
    aliases = aliases_of(known)
    record = reader.keys([one]).get(one)
    if aliases.get(one) == other != one:
        return
    leads_to = record.leads_to if record is not None else None
    if aliases.get(one, one) == one and record is not None:
        said = _said(known, one)
        if one == other and not record.busy and not said.alone:
            return
        if one != other and resolve(other, aliases) in seen_with(record, aliases) - said.apart:
            return
    found = aliases.get(one, leads_to)
    instead = f"it is joined to {found!r}" if found and found != one else "it is joined to nobody"
    raise InputError(
        f"{one[:80]!r} is not joined to {other[:80]!r}: {instead}; `journeymap identity show CUSTOMER` lists joins"
    )


def _require_linked(model: ReadModel, reader: StoreReader, one: str, other: str) -> None:
    """Raise InputError unless the contact `other` names the interaction `one`, or this is an alias."""
    journey = model.detail(journey_id_of(one.removeprefix(INTERACTION)))
    undoings = () if journey is None else [each.undone_by for each in model.joined(journey)]
    if (SPLIT, one, other) in undoings or aliases_of(_identity_events(reader)).get(one) == other:
        return
    contact = next((event[2] for event in undoings if event is not None and event[1] == one), None)
    instead = f"its contact is {contact!r}" if contact else "no contact names it"
    raise InputError(
        f"{one[:80]!r} is not {other[:80]!r}'s by a contact that the platform linked: {instead}; "
        "what an event stream says of an interaction stands"
    )


def _require_joinable(reader: StoreReader, one: str, other: str) -> None:
    """Raise InputError for a join that would join nothing."""
    record = reader.keys([one]).get(one)
    if one == other and not _said(_identity_events(reader), one).alone:
        raise InputError(f"{one[:80]!r} was not split from itself: there is nothing to take back")
    if record is not None and record.busy:
        raise InputError(_why_nobody(reader, record))


def _why_nobody(reader: StoreReader, record: KeyRecord) -> str:
    """Why a key joins nobody, and what can be done about it."""
    key, known = shlex.quote(record.key), _identity_events(reader)
    if record.busy:
        return f"{record.key!r} joins nobody: {record.busy:,} interactions carry it, too many for one customer"
    if _said(known, record.key).alone:
        return (
            f"{record.key!r} joins nobody: it was split from itself; "
            f"`journeymap identity join {key} {key}` takes that back"
        )
    customers = sorted(seen_with(record, aliases_of(known)) - _said(known, record.key).apart)
    if not customers:
        return f"no journey is {record.key!r}'s: all that carry it have a better name"
    some = ", ".join(customers[:CUSTOMERS_SHOWN]) + (" and others" if len(customers) > CUSTOMERS_SHOWN else "")
    return (
        f"{record.key!r} joins nobody: too many customers use it, {some}; "
        f"`journeymap identity split {key} CUSTOMER` says of one that it is not theirs, `join` whose it is"
    )


def _said(identity_events: Sequence[Event], key: str) -> Said:
    return said_of(identity_events, aliases_of(identity_events)).get(key, UNSAID)


def _stands_for(reader: StoreReader, name: str) -> str:
    """The customer that an id or a key stands for."""
    record = reader.keys([name]).get(name)
    led = name if record is None or record.leads_to is None else record.leads_to
    return resolve(led, aliases_of(_identity_events(reader)))


def _identity_events(reader: StoreReader) -> list[Event]:
    return [decode_raw(raw) for raw in reader.identity().values()]


_Stood = tuple[str, int]
"""A journey's customer, and how many interactions it has."""


def _journeys_of(reader: StoreReader, names: Mapping[str, None]) -> dict[str, _Stood]:
    spans = reader.spans_of(names)
    ids = [span.journey_id for found in spans.values() for span in found]
    return {
        journey_id: (record.customer_id, record.row.interaction_count)
        for journey_id, record in reader.find_many(ids).items()
    }


def _standing(reader: StoreReader, name: str) -> Standing:
    return _count(_journeys_of(reader, {name: None}), name)


def _count(journeys: Mapping[str, _Stood], name: str) -> Standing:
    counts = Counter({"journeys": 0, "interactions": 0})
    for customer_id, interactions in journeys.values():
        if customer_id == name:
            counts.update(journeys=1, interactions=interactions)
    return Standing(counts["journeys"], counts["interactions"])


def _await(reader: StoreReader, event_id: str) -> None:
    until = time.monotonic() + HEARD_WITHIN
    while event_id not in reader.identity():
        if time.monotonic() > until:
            raise StoreError(
                f"ingest has not done it within {HEARD_WITHIN:g} s; it does it as soon as it has come to it, its log may say more"
            )
        time.sleep(LOOK_EVERY)


def _write(settings: Settings, frame: bytes) -> None:
    """Into the journal and from there into the store, as ingest would."""
    from journeymap.journal.journal import Journal
    from journeymap.runtime.tail import JournalTail

    clock = SystemClock()
    with contextlib.ExitStack() as closing:
        store = bootstrap.open_store(settings, clock)
        closing.callback(store.close)
        pipeline = bootstrap.make_pipeline(settings, store, bootstrap.stitch_options(settings))
        journal = Journal.open(settings.store_path / "journal", not_before=pipeline.committed)
        closing.callback(journal.close)
        journal.append(OPERATOR, frame, clock.now())
        journal.sync()
        JournalTail(settings.store_path / "journal", pipeline.fed_to).fold(pipeline)

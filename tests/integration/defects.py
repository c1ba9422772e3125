"""Defects put in on purpose, each beside a cell of the fault matrix that has to notice it, and a word of what that then says."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import pytest
from msgspec.structs import replace

from journeymap.model.time import HOUR
from journeymap.protocol import patience, token
from journeymap.protocol.eventstreams import EventStreams
from journeymap.protocol.limits import Limits
from journeymap.runtime.pipeline import Pipeline
from journeymap.runtime.receiving import Receiving
from journeymap.runtime.worker import Ingest
from journeymap.source import oauth
from journeymap.source.websocket import StreamSocket
from journeymap.store.base import Commit
from journeymap.store.disk import DiskStore
from tests.integration import cell


class Defect(NamedTuple):
    """A defect: `plant` puts it in; the cell of this fault and moment says `word`."""

    plant: Callable[[pytest.MonkeyPatch], None]
    fault: str
    moment: str
    word: str


def lose_a_frame(patch: pytest.MonkeyPatch) -> None:
    take_in = Receiving.take_in
    numbers = iter(range(10**9))

    def forgetful(receiving: Receiving, source: str, frame: bytes, arrived_at: int) -> None:
        if next(numbers) != 12:
            take_in(receiving, source, frame, arrived_at)

    patch.setattr(Receiving, "take_in", forgetful)


def lose_an_event_on_the_way(patch: pytest.MonkeyPatch) -> None:
    feed = Pipeline.feed
    numbers = iter(range(10**9))

    def forgetful(pipeline: Pipeline, records: Any, now: int) -> None:
        feed(pipeline, records[1:] if records and next(numbers) == 5 else records, now)

    patch.setattr(Pipeline, "feed", forgetful)


def store_an_event_twice(patch: pytest.MonkeyPatch) -> None:
    commit = DiskStore.commit

    def doubling(store: DiskStore, given: Commit) -> int:
        if given.changes is not None and len(given.changes.journeys) > 1:
            one, other, *rest = given.changes.journeys
            given.changes.journeys = [replace(one, tail=one.tail + other.tail[-1:]), other, *rest]
        return commit(store, given)

    patch.setattr(DiskStore, "commit", doubling)


def limits(**changes: int) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda patch: patch.setattr(cell, "Limits", lambda: Limits(**changes))


def read_open_always(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(EventStreams, "state", "OPEN")


def never_try_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(patience, "backoff", lambda *_: iter(lambda: 24 * HOUR, None))


def take_refusals_for_passing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(oauth, "judge", lambda status: token.Verdict.GRANTED if status == 200 else token.Verdict.TRANSIENT)


def take_failures_for_refusals(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(oauth, "judge", lambda status: token.Verdict.GRANTED if status == 200 else token.Verdict.REFUSED)


def keep_sockets(patch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []
    patch.setattr(StreamSocket, "close", lambda stream, code=1000: kept.append(stream))


def keep_a_thread(patch: pytest.MonkeyPatch) -> None:
    stop = Ingest.stop

    def leaving(ingest: Ingest) -> None:
        threading.Thread(target=threading.Event().wait, args=(300,), daemon=True).start()
        stop(ingest)

    patch.setattr(Ingest, "stop", leaving)


DEFECTS: Final[dict[str, Defect]] = {
    "a frame lost": Defect(lose_a_frame, "fragments", "mid-stream", "delivered events are lost"),
    "an event lost": Defect(lose_an_event_on_the_way, "store slow", "during flush", "delivered events are lost"),
    "an event twice": Defect(store_an_event_twice, "duplicates", "mid-stream", "stored more than once"),
    "no watch for silence": Defect(
        limits(silence=HOUR, proof=HOUR), "socket half-open", "mid-stream", "it read OPEN for"
    ),
    "no proof": Defect(limits(proof=HOUR), "subscription brings nothing", "before token", "it read OPEN for"),
    "always open": Defect(read_open_always, "subscription brings nothing", "mid-stream", "it read OPEN for"),
    "no second try": Defect(never_try_again, "close 1012 restart", "mid-stream", "OPEN did not come"),
    "no refusal": Defect(take_refusals_for_passing, "token refused", "mid-stream", "a refusal did not come"),
    "refused too soon": Defect(take_failures_for_refusals, "token fails 500", "before token", "OPEN did not come"),
    "sockets kept": Defect(keep_sockets, "socket reset", "mid-stream", "left:"),
    "a thread kept": Defect(keep_a_thread, "garbage", "mid-stream", "threads, descriptors"),
}


def outcome_with(name: str) -> str:
    """What the cell says of the defect; for a process of a pool that does nothing else afterwards."""
    defect = DEFECTS[name]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cell, "PATIENCE", 4.0)
        defect.plant(patch)
        return cell.outcome(defect.fault, defect.moment)

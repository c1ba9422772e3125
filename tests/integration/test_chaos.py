"""A short run of the chaos harness (`make chaos` is the long one), and proof that its verdict would find what it looks for."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from benchmarks.chaos.__main__ import Outcome, chaos, summary
from benchmarks.chaos.plan import KINDS, plan
from benchmarks.chaos.verdict import Evidence, judge, records, stitch
from journeymap.model.change import Changes, JourneyRecord, RowChanges
from journeymap.store.base import Commit
from journeymap.store.disk import open_disk_store

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SEED = 87
"""Its first 24 seconds hold four `kill -9`, a full disk, a locked store and stopped processes."""

SECONDS = 24
AS_OF = time.time_ns() // 1_000_000
RATE = 500


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Path]:
    folder = tmp_path_factory.mktemp("chaos")
    return chaos(SEED, SECONDS, RATE, folder, show=False), folder


def test_nothing_delivered_is_lost_or_doubled_whatever_goes_wrong(ran: tuple[Outcome, Path]) -> None:
    outcome, folder = ran
    assert outcome.wrong == [], (folder / "ingest.log").read_text()[-5_000:]
    verdict = outcome.verdict
    assert outcome.kills == 4
    assert outcome.faults == len(plan(SEED, SECONDS))
    assert 500 < verdict.acknowledged <= verdict.stored == verdict.received <= verdict.sent
    assert verdict.journeys > 300
    said = summary(SEED, SECONDS, RATE, outcome)
    assert "missing 0, doubled 0, never sent 0" in said
    assert f"--seed {SEED} --minutes 0.4" in said


def test_a_seed_draws_one_plan_and_all_kinds_come_up() -> None:
    assert plan(7, 100) == plan(7, 100) != plan(8, 100)
    assert plan(7, 100) == [planned for planned in plan(7, 200) if planned.at < 100]
    assert Counter(planned.what for planned in plan(1, 3_600)).keys() == KINDS.keys()


@pytest.fixture(scope="module")
def stitched(ran: tuple[Outcome, Path]) -> Sequence[bytes]:
    """What `journeymap stitch` makes of what was received."""
    kept: list[bytes] = []

    def keep(evidence: Evidence, events: Iterable[bytes]) -> list[bytes]:
        kept.extend(stitch(evidence, events))
        return kept

    judge(evidence_in(ran[1]), keep)
    return kept


def evidence_in(folder: Path) -> Evidence:
    return Evidence(folder / "store", folder / "sent.jsonl", folder / "acknowledged.jsonl", {}, AS_OF)


Change = Callable[[JourneyRecord, JourneyRecord], JourneyRecord | None]


def change_record(store: Path, change: Change) -> None:
    """Put something else in the place of a record of several events; None deletes it. The other one is the next such."""
    with contextlib.closing(open_disk_store(store, source="eventstreams", environment="dev", now=AS_OF)) as writer:
        one, other = itertools.islice((record for record in records(writer) if len(record.tail) > 1), 2)
        changed = change(one, other)
        changes = Changes(delete_journeys=[one.journey_id]) if changed is None else Changes(journeys=[changed])
        writer.commit(Commit(AS_OF, RowChanges(), changes, {}))


def nothing(one: JourneyRecord, _: JourneyRecord) -> JourneyRecord:
    return one


def lose_a_journey(_: JourneyRecord, __: JourneyRecord) -> None:
    return None


def lose_an_event(one: JourneyRecord, _: JourneyRecord) -> JourneyRecord:
    return replace(one, tail=one.tail[:-1])


def take_an_event_of_another(one: JourneyRecord, other: JourneyRecord) -> JourneyRecord:
    return replace(one, tail=one.tail + other.tail[:1])


def invent_an_event(one: JourneyRecord, _: JourneyRecord) -> JourneyRecord:
    return replace(one, tail=(*one.tail, one.tail[0].replace(b'"eventId":"evt-', b'"eventId":"odd-')))


def show_a_wrong_row(one: JourneyRecord, _: JourneyRecord) -> JourneyRecord:
    return replace(one, row=replace(one.row, event_count=99))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (nothing, set()),
        (lose_a_journey, {"missing", "differing", "rows_differing"}),
        (lose_an_event, {"missing", "differing"}),
        (take_an_event_of_another, {"doubled", "differing"}),
        (invent_an_event, {"invented", "differing"}),
        (show_a_wrong_row, {"rows_differing"}),
    ],
)
def test_what_is_wrong_with_a_store_is_found(
    ran: tuple[Outcome, Path], stitched: Sequence[bytes], tmp_path: Path, change: Change, found: set[str]
) -> None:
    shutil.copytree(ran[1], tmp_path / "copy")
    change_record(tmp_path / "copy" / "store", change)
    verdict = judge(evidence_in(tmp_path / "copy"), lambda *_: stitched)
    fields = ("missing", "invented", "doubled", "differing", "rows_differing", "damaged")
    assert {field for field in fields if getattr(verdict, field)} == found
    assert len(verdict.wrong) == len(found)


def test_a_damaged_journal_is_found(ran: tuple[Outcome, Path], stitched: Sequence[bytes], tmp_path: Path) -> None:
    shutil.copytree(ran[1], tmp_path / "copy")
    path = max((tmp_path / "copy" / "store" / "journal").glob("*.journal"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    assert judge(evidence_in(tmp_path / "copy"), lambda *_: stitched).damaged > 0

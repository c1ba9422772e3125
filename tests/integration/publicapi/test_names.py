"""The names of the simulated organisation, through its public APIs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from journeymap.model.event import STARTED
from journeymap.model.names import NAMES, decode_names
from journeymap.model.time import DAY
from journeymap.readmodel.readmodel import ReadModel
from journeymap.runtime.names import NamesKeeper
from journeymap.simulator.publicapi.organisation import queue_id
from journeymap.simulator.server import SimulatedPlatform
from journeymap.source.publicapi.client import PublicApi, PublicApiConfig
from journeymap.testing import ScriptedSource, frame
from tests.integration.ingest import CLOCK, OPTIONS, Running, Store
from tests.integration.process import until


def now() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture(scope="module")
def platform() -> Iterator[SimulatedPlatform]:
    with SimulatedPlatform(queues=230, rate_limit=10_000) as platform:
        yield platform


@pytest.fixture
def api(platform: SimulatedPlatform) -> Iterator[PublicApi]:
    platform.reset_faults()
    config = PublicApiConfig(
        platform.login_url,
        platform.api_url,
        platform.stream_url,
        platform.client_id,
        platform.client_secret,
        patience=0,
    )
    api = PublicApi(config, now, Random(1))
    yield api
    api.close()


def known(keeper: NamesKeeper) -> Counter[str]:
    return Counter(each.kind for each in decode_names(keeper.document()))


def test_all_kinds_are_named(api: PublicApi) -> None:
    keeper = NamesKeeper(api, now)
    keeper.turn()
    found = {each.id: each.name for each in decode_names(keeper.document())}
    assert known(keeper)["queue"] == 230
    assert min(known(keeper)[kind] for kind in ("user", "wrapup-code", "flow")) >= 4
    assert found[queue_id("Branch 0001")] == "Branch 0001"
    assert all(report.error is None and report.read_at for report in keeper.reports())


def test_a_permission_that_is_missing_costs_the_names_of_one_kind(api: PublicApi, platform: SimulatedPlatform) -> None:
    platform.set_faults(missing_permissions="directory:user:view")
    keeper = NamesKeeper(api, now)
    keeper.turn()
    assert (known(keeper)["user"], known(keeper)["queue"]) == (0, 230)
    missing = {report.kind: report.missing for report in keeper.reports()}
    assert missing == {"queue": None, "wrapup-code": None, "user": "Directory > User > View", "flow": None}


def test_while_the_platform_is_not_to_be_had_the_names_known_from_before_stand(
    api: PublicApi, platform: SimulatedPlatform
) -> None:
    before = NamesKeeper(api, now)
    before.turn()
    platform.set_faults(fail_api="503")
    keeper = NamesKeeper(api, now, before.document())
    keeper.turn()
    assert known(keeper) == known(before)
    assert all(report.error and report.missing is None for report in keeper.reports())


def test_names_reach_who_reads_the_store_and_outlive_the_process(
    api: PublicApi, platform: SimulatedPlatform, tmp_path: Path
) -> None:
    queue, gone = queue_id("Branch 0001"), "ffffffff-0000-4000-8000-000000000000"
    events = [frame(STARTED, CLOCK.now(), f"i-{each}", event_id=each, queueName=each) for each in (queue, gone)]
    store = Store()
    model = ReadModel(store, CLOCK.now, OPTIONS.timeouts, lambda record, raws: None, window=DAY)  # type: ignore[arg-type, return-value]

    def shown() -> set[str | None]:
        model.poll()
        return {part.queue for held in model.rows().values() for part in held.row.interactions}

    with Running(tmp_path, store, ScriptedSource(*events, clock=CLOCK.now), names=NamesKeeper(api, now, look_up=20)):
        until(lambda: shown() == {"Branch 0001", gone}, "names of what has one")
        until(lambda: platform.stats()["answers"].get("GET /api/v2/routing/queues/{entity_id} 404"), "a look-up")
    told = store.document(NAMES)
    with Running(tmp_path, store, ScriptedSource(clock=CLOCK.now)) as running:
        until(lambda: running.ingest.last_status is not None, "a status")
        assert shown() == {"Branch 0001", gone}, "also where nobody asks for names any more"
    assert store.document(NAMES) == told

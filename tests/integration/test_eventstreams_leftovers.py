"""Subscriptions that a process has left on the platform are deleted by the next one, and no others."""

import json
import shutil

import pytest

from journeymap.simulator.server import SimulatedPlatform
from journeymap.source.base import ConnectionState
from tests.eventstreams import Hasty, source_for
from tests.running import Running

OPEN = ConnectionState.OPEN


@pytest.fixture
def platform():
    with SimulatedPlatform() as running:
        yield running


def remembered(path):
    return json.loads(path.read_bytes())["subscriptions"]


def test_what_a_dead_process_left_is_deleted_and_what_others_use_is_not(platform, tmp_path):
    path, copy = tmp_path / "subscriptions.json", tmp_path / "copy.json"
    with Running(source_for(platform, ledger=path)) as dead, Running(source_for(platform)) as other:
        left = dead.wait(lambda status: status.state is OPEN).subscription_id
        others = other.wait(lambda status: status.state is OPEN).subscription_id
        assert remembered(path) == [left]
        shutil.copy(path, copy)  # as if it had died here
        with Running(source_for(platform, ledger=copy)) as heir:
            ours = heir.wait(lambda status: status.state is OPEN).subscription_id
            heir.wait(lambda _: remembered(copy) == [ours])
            assert set(platform.platform.subscriptions) == {others, ours}
        assert remembered(copy) == []
    assert remembered(path) == []


def test_one_that_is_gone_already_is_forgotten(platform, tmp_path):
    path = tmp_path / "subscriptions.json"
    path.write_text(
        json.dumps({"api_url": platform.api_url, "client_id": platform.client_id, "subscriptions": ["long-gone"]})
    )
    with Running(source_for(platform, ledger=path)) as running:
        ours = running.wait(lambda status: status.state is OPEN).subscription_id
        running.wait(lambda _: remembered(path) == [ours])


def test_a_deletion_that_fails_is_tried_again_with_the_next_subscription(platform, tmp_path):
    path = tmp_path / "subscriptions.json"
    platform.set_faults(fail_cleanup="503:1")
    with Running(source_for(platform, Hasty(), ledger=path)) as running:
        first = running.wait(lambda status: status.state is OPEN).subscription_id
        platform.drop_connections()
        running.wait(lambda status: status.state is OPEN and status.reconnects == 1)
        running.wait(lambda _: first not in remembered(path))
        assert len(remembered(path)) == 1


def test_a_token_that_has_ended_is_no_reason_to_leave_one_behind(platform, tmp_path):
    path = tmp_path / "subscriptions.json"
    with Running(source_for(platform, Hasty(), ledger=path)) as running:
        first = running.wait(lambda status: status.state is OPEN).subscription_id
        platform.expire_tokens()
        ours = running.wait(lambda status: status.subscription_id not in {None, first}).subscription_id
        running.wait(lambda _: remembered(path) == [ours])

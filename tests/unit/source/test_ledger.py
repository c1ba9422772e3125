"""Which subscriptions are remembered, and what becomes of a file that cannot be used."""

import json
import stat

import pytest

from journeymap.source.ledger import LONGEST, Ledger


def opened(path, api_url="https://api.example", client_id="client"):
    return Ledger(path, api_url, client_id)


def test_what_is_in_use_is_left_to_the_next_process(tmp_path):
    path = tmp_path / "subscriptions.json"
    ledger = opened(path)
    ledger.make("s1")
    ledger.make("s2")
    ledger.delete("s1")
    assert ledger.left == ()
    assert opened(path).left == ("s2",)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_could_not_be_deleted_is_left_until_it_is(tmp_path):
    path = tmp_path / "subscriptions.json"
    ledger = opened(path)
    ledger.make("s1")
    ledger.leave("s1")
    assert ledger.left == ("s1",)
    ledger = opened(path)
    ledger.make("s2")
    ledger.delete("s1")
    assert opened(path).left == ("s2",)


def test_a_subscription_that_is_made_again_under_its_old_name_is_in_use(tmp_path):
    path = tmp_path / "subscriptions.json"
    opened(path).make("s1")
    ledger = opened(path)
    ledger.make("s1")
    assert ledger.left == ()


@pytest.mark.parametrize("changes", [{"api_url": "https://other.example"}, {"client_id": "other"}])
def test_those_of_another_platform_or_client_are_not_ours(tmp_path, changes):
    path = tmp_path / "subscriptions.json"
    opened(path).make("s1")
    assert opened(path, **changes).left == ()


def test_without_a_file_it_remembers_as_long_as_it_lives():
    ledger = opened(None)
    ledger.make("s1")
    ledger.leave("s1")
    assert ledger.left == ("s1",)


def test_it_does_not_grow(tmp_path):
    path = tmp_path / "subscriptions.json"
    ledger = opened(path)
    for number in range(3 * LONGEST):
        ledger.make(f"s{number}")
        ledger.leave(f"s{number}")
    assert ledger.left == tuple(f"s{number}" for number in range(2 * LONGEST, 3 * LONGEST))
    assert opened(path).left == ledger.left


@pytest.mark.parametrize(
    "content", [b"", b"garbage", b"\xff", b"[]", b"[" * 100_000, b'{"subscriptions":7}', b'{"subscriptions":[1]}']
)
def test_a_file_that_cannot_be_read_is_said_and_written_anew(tmp_path, content, caplog):
    path = tmp_path / "subscriptions.json"
    path.write_bytes(content)
    ledger = opened(path)
    assert ledger.left == ()
    assert "cannot be read" in caplog.text
    ledger.make("s1")
    assert opened(path).left == ("s1",)


def test_a_place_that_cannot_be_written_is_said(tmp_path, caplog):
    ledger = opened(tmp_path / "missing" / "subscriptions.json")
    ledger.make("s1")
    ledger.leave("s1")
    assert ledger.left == ("s1",)
    assert "cannot be written" in caplog.text


def test_what_a_crash_left_beside_it_is_no_obstacle(tmp_path):
    path = tmp_path / "subscriptions.json"
    path.with_name("subscriptions.json.new").write_bytes(b"half")
    opened(path).make("s1")
    assert json.loads(path.read_bytes())["subscriptions"] == ["s1"]

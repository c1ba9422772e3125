"""`journeymap identity`: joins are shown with what undoes them, and undone, with ingest running and without."""

from __future__ import annotations

import contextlib
import re
import shlex
from pathlib import Path

import pytest

from journeymap.cli import main
from journeymap.model.time import HOUR, MINUTE, SECOND
from journeymap.store.disk import open_disk_reader, open_disk_store
from journeymap.testing import ScriptedSource
from tests.telling import call

from .ingest import CLOCK, OPTIONS, Running
from .process import until

NUMBER = "+15555550123"
KEY = f"phone:{NUMBER}"
SHARED = "phone:+15555550199"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JOURNEYMAP_SOURCE", "file:events.jsonl")
    monkeypatch.setenv("JOURNEYMAP_STORE", "disk:store")
    return tmp_path / "store"


def frames() -> list[bytes]:
    now = CLOCK.now() - 3 * HOUR
    return [
        *call("c-1", now, NUMBER, "ann"),
        *call("c-2", now + HOUR, NUMBER),
        *call("c-3", now + 2 * HOUR, "+15555550199", "bob"),
        *call("c-4", now + 2 * HOUR, "+15555550199", "cat"),
        *call("c-5", now + 2 * HOUR, "+15555550199"),
    ]


def import_them(*further: bytes) -> None:
    Path("events.jsonl").write_bytes(b"\n".join(further or frames()) + b"\n")
    assert main(["import", "-q", "events.jsonl"]) == 0


def customers(path: Path) -> dict[str, int]:
    """Interactions by customer."""
    with contextlib.closing(open_disk_reader(path)) as reader:
        rows = reader.snapshot(0, 100).rows
    found: dict[str, int] = {}
    for row in rows:
        found[row.customer_id] = found.get(row.customer_id, 0) + row.interaction_count
    return found


def test_a_join_is_shown_undone_and_made_again(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import_them()
    shared = {"bob": 1, "cat": 1, "interaction:c-5": 1}
    assert customers(path) == {"ann": 2, **shared}

    assert main(["identity", "rules"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"^2\. phone .*\(2 keys: 1 of known customers, 1 shared by too many\)$", said, re.MULTILINE)

    assert main(["identity", "show", KEY]) == 0
    said = capsys.readouterr().out
    assert f"{KEY} is ann." in said
    assert "event  customer.start:session of c-1 (customer.start) of interaction c-1 at " in said
    assert "joined c-2" in said
    assert "undo   journeymap identity split interaction:c-1 ann\n" in said
    (undo,) = re.findall(r"undo   journeymap (.* phone:.*)", said)

    assert main(shlex.split(undo)) == 0
    said = capsys.readouterr().out
    assert customers(path) == {"ann": 1, KEY: 1, **shared}
    assert "2 journeys changed" in said
    assert "ann: 1 journey with 1 interaction, before 1 with 2" in said
    (back,) = re.findall(r"Undo it with: journeymap (.*)", said)

    assert main(["rebuild", "-q", "--no-wait"]) == 0
    assert customers(path) == {"ann": 1, KEY: 1, **shared}

    assert main(shlex.split(back)) == 0
    assert customers(path) == {"ann": 2, **shared}


def test_what_cannot_be_undone_is_said(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["identity", "show", "ann"]) == 1
    import_them()
    capsys.readouterr()
    for command, said in (
        (["split", KEY, "bob"], "it is joined to 'ann'"),
        (["split", SHARED, "dan"], "it is joined to nobody"),
        (["split", "phone:+15555550177", "phone:+15555550177"], "it is joined to nobody"),
        (["split", "ann", "ann"], "neither be joined to itself nor split"),
        (["join", KEY, KEY], "there is nothing to take back"),
        (["show", "dan"], "no journey is 'dan'"),
        (["show", SHARED], "joins nobody: too many customers use it, bob, cat; `journeymap identity split"),
    ):
        assert main(["identity", *command]) == 1
        assert said in capsys.readouterr().err
    assert customers(path)["ann"] == 2


def test_an_unknown_number_is_taken_from_everybody_and_given_back(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = CLOCK.now() - 3 * HOUR
    import_them(*(frame for place in range(3) for frame in call(f"c-{place}", now + place * MINUTE, NUMBER)))
    assert customers(path) == {KEY: 3}
    assert main(["identity", "show", KEY]) == 0
    (undo,) = re.findall(r"undo   journeymap (.*)", capsys.readouterr().out)
    assert main(shlex.split(undo)) == 0
    assert f"{KEY} joins nobody now: 1 journey changed." in capsys.readouterr().out
    alone = {f"interaction:c-{place}": 1 for place in range(3)}
    assert customers(path) == alone
    assert main(["rebuild", "-q", "--no-wait"]) == 0
    assert customers(path) == alone

    assert main(["identity", "show", KEY]) == 1
    assert "it was split from itself; `journeymap identity join" in capsys.readouterr().err
    assert main(["identity", "split", KEY, KEY]) == 1
    capsys.readouterr()
    assert main(["identity", "show", "interaction:c-1"]) == 0
    said = capsys.readouterr().out
    assert "rule   an operator split it from itself: joins nobody\n  event  operator:split:" in said
    (back,) = re.findall(r"undo   journeymap (.*)", said)
    assert main(shlex.split(back)) == 0
    assert customers(path) == {KEY: 3}


@pytest.mark.parametrize("first", [True, False])
def test_a_wrong_contact_is_repaired_whether_the_right_one_called_before_or_after(
    path: Path, first: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    now = CLOCK.now() - 3 * HOUR
    wrong, right = call("c-1", now, NUMBER, "ann"), call("c-2", now + HOUR, NUMBER, "bob")
    import_them(*wrong, *call("c-3", now + MINUTE, NUMBER), *(right if first else ()))
    assert main(["identity", "show", "ann"]) == 0
    assert f"undo   journeymap identity split {KEY} ann\n" in capsys.readouterr().out
    assert main(["identity", "split", KEY, "ann"]) == 0
    import_them(*right)
    assert customers(path) == {"ann": 1, "bob": 2}
    assert main(["identity", "join", KEY, "bob"]) == 0
    import_them(*call("c-4", now + HOUR, NUMBER), *call("c-5", now + 2 * HOUR, NUMBER, "dan"))
    assert customers(path) == {"ann": 1, "bob": 3, "dan": 1}
    assert main(["identity", "split", KEY, "bob"]) == 0
    assert customers(path) == {"ann": 1, "bob": 1, "dan": 3}


def test_a_wrong_contact_is_taken_from_the_call_it_was_linked_to(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = CLOCK.now() - 3 * HOUR
    other = call("c-2", now + HOUR, "+15555550199", "ann")
    import_them(*call("c-1", now, NUMBER, "ann"), *call("c-3", now + MINUTE, NUMBER), *other)
    assert main(["identity", "show", "ann"]) == 0
    assert (
        "undo   journeymap identity split interaction:ID ann   with the ID of one of these" in capsys.readouterr().out
    )
    for wrong, said in (
        (["interaction:c-1", "bob"], "its contact is 'ann'"),
        (["interaction:c-3", "ann"], "no contact names it"),
        (["interaction:c-9", "ann"], "no contact names it"),
    ):
        assert main(["identity", "split", *wrong]) == 1
        assert said in capsys.readouterr().err
    assert main(["identity", "split", "interaction:c-1", "ann"]) == 0
    assert customers(path) == {"ann": 1, KEY: 2}
    assert main(["rebuild", "-q", "--no-wait"]) == 0
    assert customers(path) == {"ann": 1, KEY: 2}
    assert main(["identity", "join", "interaction:c-1", "ann"]) == 0
    assert customers(path) == {"ann": 3}


def test_a_number_on_too_many_calls_cannot_be_joined(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    now = CLOCK.now() - 3 * HOUR
    import_them(*(frame for place in range(101) for frame in call(f"c-{place}", now + place * SECOND, NUMBER)))
    for command in (["join", KEY, "ann"], ["show", KEY]):
        capsys.readouterr()
        assert main(["identity", *command]) == 1
        assert "101 interactions carry it, too many for one customer" in capsys.readouterr().err


def test_ingest_does_it_while_it_runs(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = open_disk_store(path, source="file", environment="dev", now=CLOCK.now(), folded_with=OPTIONS.fingerprint)
    with Running(path, store, ScriptedSource(*frames(), name="file", clock=CLOCK.now)) as running:
        until(lambda: customers(path).get("ann") == 2, "the calls")
        assert main(["identity", "split", KEY, "ann"]) == 0
        said = capsys.readouterr().out
        assert "done by ingest" in said
        assert "2 journeys changed" in said
        assert customers(path)[KEY] == 1
        store.leave_command('identity {"do":"split","from":"a","to":"a","id":"x"}')
        store.leave_command('identity {"do":"merge","from":"a","to":"b","id":"x"}')
        store.leave_command('identity {"do":"join","from":"' + KEY + '","to":"ann","id":"operator:again"}')
        until(lambda: customers(path).get("ann") == 2, "the join")
        assert running.ingest.failure is None
    assert set(store.identity()) >= {"operator:again"}
    assert "x" not in store.identity()
    store.close()

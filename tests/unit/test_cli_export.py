"""`journeymap export` over a store on disk."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from journeymap.cli import main
from journeymap.model.time import MINUTE
from journeymap.runtime.clock import SystemClock
from journeymap.stitch.options import StitchOptions
from journeymap.testing import frame
from tests.stored import ingest, opened


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exporting") / "store"
    now = SystemClock().now()
    frames = []
    for number in range(6):
        at = now - (20 - number) * MINUTE
        about: dict[str, Any] = {"customerId": f"cust-{number}", "channelType": ("voice", "chat")[number % 2]}
        frames += [
            frame("interaction.created", at, f"i{number}", event_id=f"{number}a", queueName="Billing", **about),
            frame("conversation.started", at + MINUTE, f"i{number}", event_id=f"{number}b", agentId="agent-1", **about),
            frame("conversation.ended", at + 2 * MINUTE, f"i{number}", event_id=f"{number}c", **about),
        ]
    ingest(path, frames, StitchOptions(), now)
    return path


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def export(store: Path, *arguments: str) -> int:
    return main(["export", "--store", f"disk:{store}", *arguments])


def lines_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_a_picture_while_a_writer_has_the_store(
    store: Path, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = opened(store, StitchOptions())
    try:
        code = export(store, "-o", "wall.png", "--scale", "2", "--last", "1h", "--theme", "dark", "--title", "An hour")
    finally:
        writer.close()
    assert code == 0
    with Image.open(elsewhere / "wall.png") as picture:
        assert picture.size[0] == 2880
    assert "wall.png: " in capsys.readouterr().err


@pytest.mark.parametrize("form", ["svg", "html", "pdf", "csv", "json", "jsonl", "parquet", "zip"])
def test_every_form_becomes_a_file(store: Path, elsewhere: Path, form: str) -> None:
    assert export(store, "-q", "-o", f"out.{form}", "--customer", "cust-1") == 0
    assert (elsewhere / f"out.{form}").stat().st_size > 100
    assert [path.name for path in elsewhere.iterdir()] == [f"out.{form}"], "nothing is left beside it"


def test_filters_choose(store: Path, elsewhere: Path) -> None:
    assert export(store, "-q", "-o", "chat.csv", "--channel", "chat", "--queue", "billing") == 0
    lines = lines_of((elsewhere / "chat.csv").read_text(encoding="utf-8"))
    assert {line["customer_id"] for line in lines} == {"cust-1", "cust-3", "cust-5"}
    assert {line["agent"] for line in lines} == {"agent-1"}


def test_a_chart_in_groups_with_a_journey_on_top(store: Path, elsewhere: Path) -> None:
    assert export(store, "-q", "-o", "all.json", "--sort", "customer") == 0
    fourth = json.loads((elsewhere / "all.json").read_text(encoding="utf-8"))[3]["journey_id"]
    arranged = ("--channel", "voice", "--group", "queue", "--pinned", fourth)
    for name in ("wall.svg", "wall.zip"):
        assert export(store, "-q", "-o", name, *arranged) == 0
    text = (elsewhere / "wall.svg").read_text(encoding="utf-8")
    assert text.index(">cust-3<") < text.index('class="heading"') < text.index(">cust-4<")
    assert "cust-1" not in text
    with zipfile.ZipFile(elsewhere / "wall.zip") as packet:
        assert packet.read("journeymap/chart.svg").decode().count('class="heading"') == 1
        assert len(json.loads(packet.read("journeymap/journeys.json"))) == 4


def test_one_journey_by_its_id(store: Path, elsewhere: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert export(store, "-o", "-", "--format", "jsonl", "--customer", "cust-2") == 0
    journey = json.loads(capfdbinary.readouterr().out)
    assert export(store, "-q", "-o", "one.svg", "--journey", journey["journey_id"]) == 0
    text = (elsewhere / "one.svg").read_text(encoding="utf-8")
    assert "Journey of cust-2" in text
    assert "agent-1" in text


def test_some_journeys_by_their_ids_become_one_packet(
    store: Path, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(store, "-q", "-o", "all.json", "--sort", "-customer") == 0
    listed = json.loads((elsewhere / "all.json").read_text(encoding="utf-8"))
    assert [journey["customer_id"] for journey in listed] == [f"cust-{number}" for number in reversed(range(6))]
    ids = [listed[place]["journey_id"] for place in (4, 1)]
    chosen = [text for journey_id in (*ids, "j-none") for text in ("--journey", journey_id)]
    assert export(store, "-o", "some.zip", *chosen) == 0
    assert "some.zip: " in capsys.readouterr().err
    with zipfile.ZipFile(elsewhere / "some.zip") as packet:
        journeys = json.loads(packet.read("journeymap/journeys.json"))
        assert [journey["journey_id"] for journey in journeys] == ids
        summary = packet.read("journeymap/summary.md").decode()
        assert "1 more were chosen" not in summary
        assert "1 more was chosen and is not stored any more" in summary
        charts = [name for name in packet.namelist() if name.startswith("journeymap/charts/")]
        assert charts == [f"journeymap/charts/{journey_id}.svg" for journey_id in ids]


def test_a_file_is_not_replaced_by_mistake(store: Path, elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = elsewhere / "a.csv"
    place.write_text("mine", encoding="utf-8")
    assert export(store, "-o", "a.csv") == 1
    assert "--force" in capsys.readouterr().err
    assert place.read_text(encoding="utf-8") == "mine"
    assert export(store, "-q", "-o", "a.csv", "--force") == 0
    assert place.read_text(encoding="utf-8") != "mine"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "x.gif"], "must end in one of png"),
        (["-o", "-"], "does not say what to export"),
        (["-o", "x.png", "--theme", "blue"], "allowed are light, dark"),
        (["-o", "x.png", "--scale", "9"], "allowed is 1 to 4"),
        (["-o", "x.png", "--width", "9"], "allowed is 640 to 4000"),
        (["-o", "x.png", "--customer", "nobody"], "no journey matches"),
        (["-o", "x.png", "--journey", "j-none"], "no journey has the id"),
        (["-o", "x.png", "--journey", "j-none", "--journey", "j-gone"], "no journey has the id"),
        (["-o", "x.png", "--journey", "j-none", "--channel", "chat"], "says which journeys"),
        (["-o", "x.png", "--sort", "luck"], "sort is 'luck'"),
        (["-o", "x.png", "--group", "luck"], "group is 'luck'"),
        (["-o", "x.png", "--journey", "j-none", "--group", "state"], "says which journeys"),
        (["-o", "x.png", "--from", "yesterday"], "from is 'yesterday'"),
        (["-o", "x.png", "--last", "1h", "--to", "2026-01-01"], "leave --from and --to out"),
        (["-o", "x.png", "--time-zone", "Mars/Base"], "TIME_ZONE"),
        (["-o", "missing/x.csv"], "cannot write"),
        (["-o", "x.csv", "--store", "disk:nowhere"], "there are no journeys in the store"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(
    store: Path, elsewhere: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert export(store, *arguments) in {1, 2}
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert list(elsewhere.iterdir()) == []

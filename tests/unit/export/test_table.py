"""Data as files: read back, they say the same as the journeys."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import UTC

import msgspec
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from journeymap.errors import InputError
from journeymap.export.formats import FORMS, form_of
from journeymap.export.naming import file_name
from journeymap.export.table import COLUMNS, harmless
from journeymap.view.document import document
from journeymap.view.labels import parse_moment
from journeymap.view.masking import Viewer
from journeymap.view.rows import drawn_row
from tests.unit.export.sample import PHONE, START, exported, journey, of_journeys, of_rows, reading, row


def lines_of(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"), newline="")))


def test_csv_read_again_gives_the_same_segments() -> None:
    rows = [row(number) for number in range(50)]
    lines = lines_of(exported("csv", of_rows(rows)))
    assert list(lines[0]) == list(COLUMNS)
    found = [
        (
            line["journey_id"],
            line["interaction_id"],
            line["segment"],
            parse_moment(line["start"], "start"),
            parse_moment(line["end"], "end") if line["end"] else None,
        )
        for line in lines
    ]
    expected = [
        (each.journey_id, one.interaction_id, kind, start, end)
        for each in (drawn_row(each, reading()) for each in rows)
        for one in each.interactions
        for kind, start, end in one.bars
    ]
    assert found == expected
    assert {line["milliseconds"] for line in lines if not line["end"]} == {""}


def test_parquet_holds_the_same_typed() -> None:
    rows = [row(number) for number in range(50)]
    table = parquet.read_table(io.BytesIO(exported("parquet", of_rows(rows))))
    assert table.column_names == list(COLUMNS)
    assert table.schema.field("start").type == pa.timestamp("ms", tz="UTC")
    lines = lines_of(exported("csv", of_rows(rows)))
    for found, line in zip(table.to_pylist(), lines, strict=True):
        assert found["segment"] == line["segment"]
        assert round(found["start"].timestamp() * 1000) == parse_moment(line["start"], "start")
        assert (found["milliseconds"] is None) == (line["end"] == "")
        assert (found["disposition"] or "") == line["disposition"]


def test_a_long_journey_is_whole_in_data_though_its_row_is_cut() -> None:
    whole = journey()
    cut = msgspec.structs.replace(row(0), journey_id=whole.journey_id, interaction_count=20)
    selection = msgspec.structs.replace(of_journeys(whole), rows=iter([cut]))
    assert {line["interaction_id"] for line in lines_of(exported("csv", selection))} == {"call", "chat"}


@pytest.mark.parametrize("name", ["=1+1", "+49 30", "-2", "@SUM(A1)", " =1", "\t=1", "\r=1"])
def test_a_spreadsheet_runs_nothing(name: str) -> None:
    line = lines_of(exported("csv", of_rows([row(0, name, queue=name, agent=name, disposition=name)])))[0]
    for column in ("customer_id", "queue", "agent", "disposition"):
        assert line[column] == f"'{name}" == harmless(name)


def test_json_lines_are_journeys_as_the_interface_gives_them() -> None:
    whole = journey(agentId="Ana")
    selection = of_journeys(whole)
    (line,) = exported("jsonl", selection).splitlines()
    assert line == document(whole, selection.reading)


def test_nothing_that_is_masked_is_anywhere_in_any_form() -> None:
    whole = journey(PHONE, agentId="ana@example.com", queueName="030 1234567")
    for form in FORMS:
        selection = of_journeys(whole, viewer=Viewer(False), one=True)
        data = exported(form, selection)
        if form == "zip":
            with zipfile.ZipFile(io.BytesIO(data)) as packet:
                data = b"".join(packet.read(name) for name in packet.namelist() if not name.endswith(".png"))
        if form == "parquet":
            data = repr(parquet.read_table(io.BytesIO(data)).to_pylist()).encode()
        for secret in (PHONE, "15112345678", "ana@example.com", "1234567"):
            assert secret.encode() not in data, form
    assert PHONE.encode() in exported("csv", of_journeys(whole, one=True))


def test_a_packet_holds_all_that_is_needed() -> None:
    whole = journey("cust|1 *bold*", agentId="Ana <b>", queueName="Billing")
    with zipfile.ZipFile(io.BytesIO(exported("zip", of_journeys(whole, one=True)))) as packet:
        assert packet.testzip() is None
        files = {name.removeprefix("journeymap/"): packet.read(name) for name in packet.namelist()}
    assert sorted(files) == ["chart.png", "chart.svg", "events.ndjson", "journeys.json", "summary.md"]
    assert json.loads(files["journeys.json"])[0]["journey_id"] == whole.journey_id
    events = [json.loads(line) for line in files["events.ndjson"].splitlines()]
    assert [event["event_id"] for event in events] == ["e1", "e2", "e3", "e4"]
    assert {event["customer_id"] for event in events} == {"cust|1 *bold*"}
    assert Image.open(io.BytesIO(files["chart.png"])).size[0] == 2880
    words = files["summary.md"].decode()
    assert r"cust\|1 \*bold\*" in words
    assert r"Ana \<b\>" in words
    assert "1 min" in words


def test_a_packet_of_many_lists_them() -> None:
    wholes = [journey(f"cust-{number}") for number in range(3)]
    different = [msgspec.structs.replace(each, journey_id=f"j-{place:020x}") for place, each in enumerate(wholes)]
    with zipfile.ZipFile(io.BytesIO(exported("zip", of_journeys(*different)))) as packet:
        words = packet.read("journeymap/summary.md").decode()
        assert len(json.loads(packet.read("journeymap/journeys.json"))) == 3
    assert all(f"cust-{number} |" in words for number in range(3))


def test_names_of_files_say_nothing_of_a_customer() -> None:
    assert file_name("png", START, UTC) == "journeymap-20231114-221320.png"
    assert file_name("svg", START, UTC, "j-00112233445566778899").startswith("journeymap-j-0011")
    for bad in (PHONE, "ana@example.com", 'j-"\r\nx', "j-+4915112345678", "../../x"):
        assert file_name("zip", START, UTC, bad) == "journeymap-20231114-221320.zip"


def test_the_form_is_the_ending() -> None:
    assert form_of("a.b.PNG") == "png"
    assert form_of("events.ndjson") == "jsonl"
    for name in ("png", "x.gif", "x"):
        with pytest.raises(InputError, match="must end in one of png, svg"):
            form_of(name)

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from journeymap.decode.event import REASONS
from journeymap.errors import InputError
from journeymap.model.event import Event
from journeymap.source.columns import field_of
from journeymap.source.mistakes import PHRASES, Mistakes
from journeymap.source.recorded import Recorded, read_events

AT = 1_760_000_000_000


def line(number: int = 0, **payload: Any) -> bytes:
    event = {"eventId": f"e{number}", "type": "conversation.started", "timestamp": AT + number}
    return json.dumps({**event, "payload": {"interactionId": "i1", "customerId": "c1", **payload}}).encode()


def read(path: Path, strict: bool = False, **columns: str) -> tuple[list[Event], list[str]]:
    mistakes = Mistakes()
    events = list(read_events([Recorded(str(path), columns)], mistakes, strict=strict))
    return events, [text.replace(str(path), path.name) for text in mistakes.lines()]


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    def write(content: bytes, name: str = "events.jsonl") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


def test_good_lines_are_kept_and_bad_ones_counted_by_kind(file: Callable[..., Path]) -> None:
    path = file(
        b"\n".join(
            [
                line(1),
                b"not json",
                b'{"type":"x","timestamp":NaN,"payload":{"interactionId":"i"}}',
                b'{"timestamp":1}',
                b'{"type":"x","timestamp":253370764800000,"payload":{"interactionId":"i"}}',
                b'{"type":"x","timestamp":"9999-01-01T00:00:00Z","payload":{"interactionId":"i"}}',
                b'{"type":"x","timestamp":1760000000000,"payload":{}}',
                b"\x00\x00\x00",
                b"\xff\xfe",
                b'{"type":"x","timestamp":1760000000000,"payload":{"interactionId":"\xed\xa0\x80"}}',
                b"[1,2]",
                b"12",
                b'"' + b"x" * 10_000_000 + b'"',
                line(2),
            ]
        )
    )
    events, report = read(path)
    assert [event.event_id for event in events] == ["e1", "e2"]
    assert report == [
        "events.jsonl: 3 lines not JSON (lines 2, 3, 8)",
        "events.jsonl: 1 line without a type (line 4)",
        f"events.jsonl: 2 lines {PHRASES['bad-timestamp']} (lines 5, 6)",
        "events.jsonl: 1 line without payload.interactionId (line 7)",
        "events.jsonl: 2 lines not UTF-8 (lines 9, 10)",
        "events.jsonl: 3 lines not a JSON object (lines 11, 12)",
        "events.jsonl: 1 line larger than 1 MiB (line 13)",
    ]


def test_many_mistakes_name_the_first_lines(file: Callable[..., Path]) -> None:
    assert read(file(b"x\n" * 1200))[1] == ["events.jsonl: 1,200 lines not JSON (lines 1, 2, 3, …)"]


def test_strict_stops_at_the_first(file: Callable[..., Path]) -> None:
    path = file(line(1) + b"\nx\ny\n")
    with pytest.raises(InputError, match=r"events\.jsonl: line 2 is not JSON$"):
        read(path, strict=True)


def test_an_empty_file_is_said(file: Callable[..., Path]) -> None:
    assert read(file(b"")) == ([], ["events.jsonl: no events in it"])
    assert read(file(b"", "a.csv")) == ([], ["a.csv: no events in it"])


def test_what_is_left_of_a_truncated_gzip_is_kept(file: Callable[..., Path]) -> None:
    whole = gzip.compress(b"\n".join(line(number) for number in range(5000)), compresslevel=0)
    events, report = read(file(whole[: len(whole) // 2], "events.jsonl.gz"))
    assert 2000 < len(events) < 3000
    assert "truncated gzip" in report[-1]
    with pytest.raises(InputError, match=r"truncated gzip|is not JSON"):  # the last line is cut off, too
        read(file(whole[: len(whole) // 2], "events.jsonl.gz"), strict=True)


def test_no_such_file_and_a_directory(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot open .*nowhere.*No such file"):
        Recorded(str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="is a directory"):
        Recorded(str(tmp_path))
    with pytest.raises(InputError, match="null byte"):
        Recorded("a\0b")


def test_every_reason_has_its_phrase() -> None:
    assert set(REASONS) <= set(PHRASES)


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("interaction_id", "interactionId"),
        ("interactionId", "interactionId"),
        ("Interaction ID", "interactionId"),
        ("payload.customerId", "customerId"),
        ("event_type", "type"),
        ("channel", "channelType"),
        ("duration_seconds", "durationSeconds"),
        ("score", "score"),
    ],
)
def test_names_of_columns(column: str, field: str) -> None:
    assert field_of(column) == field


def test_csv_with_bom_quotes_and_more_columns(file: Callable[..., Path]) -> None:
    path = file(
        b"\xef\xbb\xbfevent_id,type,timestamp,interaction_id,customer_id,queue,duration_seconds,score\r\n"
        b'e1,conversation.started,1760000000001,i1,"Smith, ""Jo""","two\nlines",12.5,7\r\n'
        b"e2,conversation.ended,2025-10-09T08:53:20Z,i1,,,,\r\n",
        "events.csv",
    )
    events, report = read(path)
    assert report == []
    assert (events[0].customer_id, events[0].queue, events[0].duration) == ('Smith, "Jo"', "two\nlines", 12_500)
    assert json.loads(events[0].raw)["payload"]["score"] == "7"
    assert (events[1].timestamp, events[1].customer_id) == (AT, None)


def test_csv_with_semicolons_a_payload_and_chosen_columns(file: Callable[..., Path]) -> None:
    path = file(
        b"when;kind;payload;customer_id\n"
        b'1760000000000;interaction.created;"{""interactionId"":""i1"",""customerId"":""c1""}";c2\n'
        b"1760000000000;interaction.created;{broken;c2\n",
        "events.csv",
    )
    events, report = read(path, when="timestamp", kind="type")
    assert [(event.interaction_id, event.customer_id) for event in events] == [("i1", "c2")]
    assert report == ["events.csv: 1 line not JSON (line 3)"]


def test_csv_rows_that_cannot_be_used(file: Callable[..., Path]) -> None:
    header = b"type,timestamp,interaction_id\n"
    good = b"interaction.created,1760000000000,i1\n"
    bad = [
        b"a,1760000000000,i1,more\n",
        b"a,1760000000000,\xff\n",
        b"a\n",
        b"a,1760000000000," + b"x" * 2_000_000 + b"\n",
    ]
    events, report = read(file(header + good + b"".join(bad) + good, "events.csv"))
    assert len(events) == 2
    assert report == [
        "events.csv: 1 line with more fields than the header has columns (line 3)",
        "events.csv: 1 line not UTF-8 (line 4)",
        "events.csv: 1 line with a timestamp that is missing, unreadable or outside the years 2000 to 2100 (line 5)",
        "events.csv: 1 line larger than 1 MiB (line 6)",
    ]


def test_csv_without_the_columns_it_needs(file: Callable[..., Path]) -> None:
    path = file(b"a,b\n1,2\n", "events.csv")
    with pytest.raises(InputError, match=r"no column holds type or timestamp or interactionId; .* --map COLUMN=type"):
        read(path)
    with pytest.raises(InputError, match="there is no column c to map; the columns are a, b"):
        read(path, c="type")


def test_parquet(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    path = tmp_path / "events.parquet"
    moment = datetime.fromtimestamp(AT / 1000, UTC)
    table = pa.table(
        {
            "type": ["interaction.created", "conversation.started", None],
            "timestamp": [moment, moment, moment],
            "interactionId": ["i1", "i1", "i1"],
            "durationSeconds": [1.5, float("nan"), None],
            "payload": [{"agentId": "a1"}, None, {"agentId": None}],
        }
    )
    pq.write_table(table, path)
    events, report = read(path)
    assert [(event.timestamp, event.duration, event.agent) for event in events] == [(AT, 1500, "a1"), (AT, None, None)]
    assert report == ["events.parquet: 1 row without a type (row 3)"]


def test_parquet_garbage(file: Callable[..., Path]) -> None:
    pytest.importorskip("pyarrow")
    for content in (b"", b"PAR1", b"PAR1" + bytes(range(256)) * 20, b"x" * 1000):
        with pytest.raises(InputError, match=r"not readable as Parquet|no events"):
            read(file(content, "events.parquet"))
    with pytest.raises(InputError, match="not readable as Parquet"):
        read(file(b"PAR1" + b"\x00" * 100, "unnamed"))


def test_how_far_it_is(file: Callable[..., Path]) -> None:
    recorded = Recorded(str(file(line(1) + b"\n" + line(2) + b"\n")))
    list(read_events([recorded], Mistakes()))
    assert recorded.position == recorded.size > 0

"""The operations view: its frame, its answers, and gaps on figures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from dash import no_update

from journeymap.model.status import EventCounts, Gap, IngestStatus, SourceReport
from journeymap.model.time import MINUTE, SECOND
from journeymap.view.operations import operations
from journeymap.web.callbacks.journey import show_journey
from journeymap.web.callbacks.operations import answer_operations
from journeymap.web.components import operations as frame
from journeymap.web.hatching import gap_sentence, gap_traces
from journeymap.web.journey_figure import journey_figure
from journeymap.web.theme import GAP_LABELS
from tests.web.double import DoubleReadModel, reported

NOW = 1_790_000_000_000
UNITS = (Path(__file__).parents[2] / "assets" / "base" / "units.mjs").read_text()
OF_ALL = (*frame.HEADLINES, *frame.EVENTS, *frame.BEHIND, *frame.STORE, *frame.INGEST)
OF_A_SOURCE = (*frame.TOKEN, *frame.CONNECTION)
CUT = Gap("eventstreams", "disconnected", NOW - 10 * MINUTE, NOW - 8 * MINUTE, detail="<b>no route</b>")
OPEN = Gap("eventstreams", "disconnected", NOW - MINUTE)
LEFT_OUT = Gap("eventstreams", "dropped", NOW - 5 * MINUTE, NOW - 4 * MINUTE, 1_200)


@pytest.fixture
def model() -> DoubleReadModel:
    return DoubleReadModel(20, clock=lambda: NOW)


def found(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document[name]
    return document


def test_every_figure_is_in_the_document_and_in_a_form_that_the_page_knows() -> None:
    document = operations(reported(NOW), None, (), (), (), NOW)
    for figure in OF_ALL:
        found(document, figure.path)
    for figure in OF_A_SOURCE:
        found(document["sources"][0], figure.path)
    forms = set(re.findall(r"^  (\w+)(?:,|:)", UNITS.partition("FORMS = {")[2], re.MULTILINE))
    assert {figure.form for figure in (*OF_ALL, *OF_A_SOURCE)} <= forms


def test_every_count_is_shown_and_every_figure_explained() -> None:
    shown = {figure.path.rpartition(".")[2] for figure in OF_ALL}
    assert set(EventCounts.__struct_fields__) <= shown
    assert all(figure.label and figure.explained.endswith(".") for figure in (*OF_ALL, *OF_A_SOURCE))
    plain = {"count", "rate"}
    assert all(figure.unit for figure in (*OF_ALL, *OF_A_SOURCE) if figure.form in plain)


def test_only_what_changed_is_sent(model: DoubleReadModel) -> None:
    first = answer_operations({"seen": {}}, model, NOW)
    assert first["parts"].keys() == first["tags"].keys() >= {"status", "findings", "sources", "gaps", "quarantine"}
    assert answer_operations({"seen": first["tags"]}, model, NOW) is no_update
    model.gap_list.append(CUT)
    second = answer_operations({"seen": first["tags"]}, model, NOW)
    assert second["parts"].keys() == {"gaps", "missing"}
    assert answer_operations({"seen": second["tags"]}, model, NOW) is no_update


@pytest.mark.parametrize("question", [None, [], 7, "x"])
def test_what_is_no_question_is_not_answered(question: Any, model: DoubleReadModel) -> None:
    assert answer_operations(question, model, NOW) is no_update


@pytest.mark.parametrize("seen", [None, [], 7, {"status": 1}])
def test_a_page_that_says_nothing_sensible_is_told_all(seen: Any, model: DoubleReadModel) -> None:
    assert len(answer_operations({"seen": seen}, model, NOW)["parts"]) >= 8


def test_what_a_dead_ingest_said_last_is_not_shown_as_of_now() -> None:
    document = operations(reported(NOW - MINUTE), None, (), (), (), NOW)
    (source,) = document["sources"]
    assert (source["state"], source["since"], source["error"]) == (
        "DISCONNECTED",
        NOW - MINUTE,
        "ingest is not running",
    )
    assert document["status"]["events_per_second"] is document["status"]["lag_ms"] is None
    unread = operations(reported(NOW - MINUTE), "store: away", (), (), (), NOW, problem_since=NOW - SECOND)
    assert unread["sources"][0]["error"] == "not known while the store cannot be read"
    assert [(each["code"], each["since"]) for each in unread["findings"]] == [("store", NOW - SECOND)]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (IngestStatus(written_at=NOW, state="OPEN", source="x"), "no event has come yet"),
        (IngestStatus(written_at=NOW, state="OPEN", source="x", last_event_at=NOW), "as they happen"),
        (
            IngestStatus(written_at=NOW, sources=[SourceReport(name="file", finished=True)], last_event_at=NOW),
            "All that the source has was read",
        ),
    ],
)
def test_what_is_well_is_said_too(status: IngestStatus, words: str) -> None:
    document = operations(status, None, (), (), (), NOW)
    assert document["findings"] == []
    assert words in document["well"]


def test_hatching_keeps_to_the_window() -> None:
    window = (NOW - 9 * MINUTE, NOW - 30 * SECOND)
    hatched = gap_traces([CUT, LEFT_OUT, OPEN], window, 3, 20, NOW)
    spans = {(base, base + length) for trace in hatched for base, length in zip(trace["base"], trace["x"], strict=True)}
    assert spans == {
        (window[0], CUT.end),
        (LEFT_OUT.start, LEFT_OUT.end),
        (OPEN.start, window[1]),
    }


def test_gaps_are_told_in_words_that_do_no_harm() -> None:
    assert gap_sentence(CUT, NOW) == (
        f"No events from {{t:{CUT.start}}} to {{t:{CUT.end}}}: disconnected (&lt;b&gt;no route&lt;/b&gt;)<br>2 min"
    )
    assert gap_sentence(OPEN, NOW) == f"No events since {{t:{OPEN.start}}}: disconnected<br>1 min"
    assert gap_sentence(LEFT_OUT, NOW).startswith("1,200 events left out from")
    assert "&lt;i&gt;" in gap_sentence(msgspec.structs.replace(OPEN, kind="<i>"), NOW)
    kinds = (
        (Path(__file__).parents[2] / "assets" / "standing" / "gaps.mjs")
        .read_text()
        .partition("GAP_KINDS = {")[2]
        .partition("}")[0]
    )
    assert dict(re.findall(r'(\w+): "([^"]+)"', kinds)) == GAP_LABELS, "the page and Python say the same"


def test_no_gap_in_sight_draws_nothing() -> None:
    assert gap_traces([CUT], (NOW - MINUTE, NOW), 3, 20, NOW) == []


def test_a_journey_is_drawn_again_when_a_gap_over_it_ends(model: DoubleReadModel) -> None:
    story = next(story for story in model.stories.values() if story.closed)
    question = {"id": story.journey_id}
    middle = (story.started_at + story.last_event_at) // 2
    model.gap_list = [Gap("eventstreams", "disconnected", middle)]
    mark = show_journey(question, model, NOW)["marks"]
    assert show_journey({**question, "seen": mark}, model, NOW) is no_update
    model.gap_list = [Gap("eventstreams", "disconnected", middle, middle + 1_000)]
    ended = show_journey({**question, "seen": mark}, model, NOW)["marks"]
    assert ended is not no_update
    model.gap_list.append(Gap("eventstreams", "disconnected", NOW + MINUTE))
    assert show_journey({**question, "seen": ended}, model, NOW) is no_update
    assert len(journey_figure(story.document(NOW), NOW, model.gap_list[:1])["data"]) > len(
        journey_figure(story.document(NOW), NOW)["data"]
    )

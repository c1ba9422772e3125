"""The viewers of `benchmarks.wall` before the real page's server, and proof that the run would see what it looks for."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import msgspec

from benchmarks.tick import Tick
from benchmarks.viewers import ASKED, Crowd, Seen, Viewer
from benchmarks.wall import IN_USE, MARKED, Held, Minute, figures, spelled, wrong
from journeymap.web.app import create_app
from tests.web.double import DoubleReadModel

HERE, JSON = "http://127.0.0.1", {"content-type": "application/json"}
HELD = Held(300_000_000, 250_000_000, 20, 50, 12_000, 10_000, 11_000, 12_000_000, 3_000, 900)
QUESTION = {"count": 60, "offset": 0, "since": 0, "overview": [0, 1_000, 10], "facets": True}
CALL = {
    "output": "answer.data",
    "outputs": {"id": "answer", "property": "data"},
    "inputs": [{"id": "question", "property": "data", "value": QUESTION}],
    "changedPropIds": ["question.data"],
}


def minute(**changes: Any) -> Minute:
    """One in which all was well."""
    lags = [(f"marked-{number:03}", 300.0) for number in range(MARKED)]
    seen = Seen(took=[3.0], answers=1, bytes=900)
    whole = Minute(HELD, lags, [250.0], MARKED, [Tick(30.0, 20.0, 25.0)], [9_000], [], seen, 0.2)
    return msgspec.structs.replace(whole, **changes)


def test_every_viewer_gets_what_it_asks_for() -> None:
    model = DoubleReadModel(300)
    _, server = create_app(model, clock=model.clock)

    async def look_on() -> Seen:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(server), base_url=HERE, headers=JSON) as client:
            crowd = Crowd(client, CALL, len(ASKED))
            for _ in range(4):
                model.step(20)
                await asyncio.gather(*[crowd.tick(viewer) for viewer in crowd.viewers])
            return crowd.seen

    seen = asyncio.run(look_on())
    assert seen.wrong == []
    assert seen.answers == len(seen.took) == 4 * len(ASKED)
    assert seen.bytes > 1_000
    asked = [
        msgspec.json.encode({name: question[name] for name in ("sort", "group") if name in question})
        for question in model.questions
    ]
    assert len(set(asked)) > 5
    assert any(question["hold"] for question in model.questions)


def test_a_viewer_sees_a_row_that_never_came() -> None:
    viewer = Viewer(QUESTION, {})
    viewer.ask(0)
    answer = {"version": 2, "now": 1, "counted": None, "listed": 2, "matched": 2, "total": 2, "order": ["a", "b"]}
    assert viewer.take({**answer, "rows": [["a", 1]]}) == "a row in the order never came"
    assert viewer.take({**answer, "rows": [["a", 1], ["b", 1]]}) == ""
    assert viewer.take({**answer, "rows": [], "version": 1}) == "the version went back"


def test_what_is_wrong_is_said() -> None:
    well = [minute()] * 4
    assert wrong(well, 0) == []
    assert "10,000" in spelled(1, well[0])
    assert all(figure.ok is not False for figure in figures(well).figures)
    grown = msgspec.structs.replace(HELD, threads=30, descriptors=HELD.descriptors + IN_USE + 1)
    for said, minutes, lost in (
        ("threads have grown from 20 to 30", [*well, minute(held=grown)], 0),
        ("descriptors have grown", [*well, minute(held=grown)], 0),
        ("3 events more were sent than counted", well, 3),
        ("in minute 5 nothing was painted", [*well, minute(bytes=[])], 0),
        ("no answer: ReadError", [*well, minute(seen=Seen([], 1, 1, ["no answer: ReadError"]))], 0),
        ("only 0 were painted", [minute(lags=[])] * 4, 0),
        ("no tick was traced", [minute(ticks=[])] * 4, 0),
    ):
        assert any(said in sentence for sentence in wrong(minutes, lost)), said

"""Callbacks as plain functions: what they answer to good, odd and hostile input."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from dash import no_update

from journeymap.errors import InputError
from journeymap.web.app import create_app
from journeymap.web.callbacks.wall import answer_question
from tests.web.double import DoubleReadModel

NOW = 1_790_000_000_000


@pytest.fixture
def model() -> DoubleReadModel:
    return DoubleReadModel(250, clock=lambda: NOW)


class Refusing:
    """A read model that cannot."""

    def answer(self, _request: Any, _now: int) -> Any:
        raise InputError("no such state")


def test_a_question_is_answered_once_and_then_only_when_something_changed(model: DoubleReadModel) -> None:
    question = {"version": 0, "at": 0, "offset": 0, "count": 60, "hold": None, "have": []}
    answer = answer_question(question, model, NOW + 1)
    assert len(answer["rows"]) == 60
    have = [[row[0], row[1]] for row in answer["rows"]]
    again = {**question, "version": answer["version"], "at": answer["now"], "have": have}
    assert answer_question(again, model, NOW + 2) is no_update
    model.step(1)
    assert answer_question(again, model, NOW + 3) is not no_update


@pytest.mark.parametrize("question", [None, [], "x", 7])
def test_what_is_no_question_changes_nothing(question: Any, model: DoubleReadModel) -> None:
    assert answer_question(question, model, NOW) is no_update
    assert answer_question({}, Refusing(), NOW) is no_update


def test_two_viewers_get_their_own_answers(model: DoubleReadModel) -> None:
    one = answer_question({"at": 0, "count": 60, "customer": "cust-0001"}, model, NOW)
    other = answer_question({"at": 0, "count": 60, "customer": ""}, model, NOW)
    assert (one["matched"], other["matched"]) == (10, 250)
    assert answer_question({"at": 0, "count": 60, "customer": "cust-0001"}, model, NOW)["order"] == one["order"]


@pytest.mark.parametrize("name", ["", "table-"])
def test_an_answer_that_says_nothing_new_is_known_by_its_status(name: str) -> None:
    _, server = create_app(model := DoubleReadModel(3, clock=lambda: NOW), clock=lambda: NOW)
    first = model.answer({"count": 3}, NOW)
    assert first is not None
    have = [[row[0], row[1]] for row in first["rows"]]
    question = {"count": 3, "have": have, "version": first["version"], "at": first["now"] + 1}

    async def ask(**changes: Any) -> int:
        output = {"id": f"{name}answer", "property": "data"}
        value = {"id": f"{name}question", "property": "data", "value": {**question, **changes}}
        call = {
            "output": f"{name}answer.data",
            "outputs": output,
            "inputs": [value],
            "changedPropIds": [f"{name}question.data"],
        }
        async with httpx.AsyncClient(transport=httpx.ASGITransport(server), base_url="http://127.0.0.1") as client:
            return (await client.post("/_dash-update-component", json=call)).status_code

    assert asyncio.run(ask()) == 204
    assert asyncio.run(ask(at=0)) == 200

"""Whose a stretch of an interaction is, by what its events named until then."""

from __future__ import annotations

from journeymap.web.naming import Names

EVENTS = [
    {"interaction_id": "i", "timestamp": 1, "type": "user.start", "agentId": "ada", "queueName": "Billing"},
    {"interaction_id": "i", "timestamp": 5, "type": "user.start", "agentId": "bo"},
    {"interaction_id": "i", "timestamp": 7, "type": "acw", "agentId": "ada", "queueName": "Billing"},
    {"interaction_id": "late", "timestamp": 7, "type": "acw", "agentId": "cy"},
]


def test_the_last_one_named_until_then() -> None:
    names = Names({"events": EVENTS})
    assert [names.agent("i", until) for until in (1, 4, 6)] == ["", "ada", "bo"]
    assert names.queue("i", None) == "Billing"


def test_paperwork_that_comes_later_names_nobody_else() -> None:
    names = Names({"events": EVENTS})
    assert names.agent("i", 9) == names.agent("i", None) == "bo"
    assert names.agent("late", None) == "cy", "unless nobody else is named"

"""Enumerations: three spellings, one value; what is not known keeps its words."""

from __future__ import annotations

from typing import Any

import pytest

from journeymap.decode.genesys.spelling import enumeration, enumerations, is_transfer, medium

DISCONNECT_TYPES = [
    ("ENDPOINT", "endpoint", "endpoint"),
    ("DND_ENDPOINT", "endpoint.dnd", "dndEndpoint"),
    ("CLIENT", "client", "client"),
    ("SYSTEM", "system", "system"),
    ("TIMEOUT", "timeout", "timeout"),
    ("TRANSFER", "transfer", "transfer"),
    ("CONFERENCE_TRANSFER", "transfer.conference", "conferenceTransfer"),
    ("CONSULT_TRANSFER", "transfer.consult", "consultTransfer"),
    ("FORWARD_TRANSFER", "transfer.forward", "forwardTransfer"),
    ("NO_ANSWER_TRANSFER", "transfer.noanswer", "noAnswerTransfer"),
    ("NOT_AVAILABLE_TRANSFER", "transfer.notavailable", "notAvailableTransfer"),
    ("DND_TRANSFER", "transfer.dnd", "dndTransfer"),
    ("TRANSPORT_FAILURE", "transport.failure", "transportFailure"),
    ("ERROR", "error", "error"),
    ("PEER", "peer", "peer"),
    ("OTHER", "other", "other"),
    ("SPAM", "spam", "spam"),
    ("UNCALLABLE", "uncallable", "uncallable"),
    ("INACTIVITY", "inactivity", "inactivity"),
    ("SESSION_EXPIRED", "session.expired", "sessionExpired"),
    ("TAKEOVER", "takeover", "takeover"),
]


@pytest.mark.parametrize("spellings", DISCONNECT_TYPES)
def test_a_disconnect_type_has_one_value(spellings: tuple[str, str, str]) -> None:
    assert {enumeration(spelled) for spelled in spellings} == {spellings[0]}
    assert is_transfer(spellings[0]) == ("TRANSFER" in spellings[0])


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("inqueuecall", "INQUEUECALL"),
        ("WebMessaging", "WEBMESSAGING"),
        ("Standard", "STANDARD"),
        ("FlowOut", "FLOW_OUT"),
        ("voice", "VOICE"),
        ("cobrowse", "COBROWSE"),
        ("somethingNew", "SOMETHING_NEW"),
        ("something.new", "SOMETHING_NEW"),
        ("transfer.blind", "BLIND_TRANSFER"),
        ("blindTransfer", "BLIND_TRANSFER"),
        ("transfer.no.reply", "NO_REPLY_TRANSFER"),
        ("endpoint.gone", "GONE_ENDPOINT"),
        ("transfer.", "TRANSFER"),
        ("SOMETHING_NEW", "SOMETHING_NEW"),
        ("HTMLPage2go", "HTML_PAGE_2_GO"),
        ("été", "été"),
        ("—", "—"),
        ("", None),
        (None, None),
        ([], None),
        ({"a": 1}, None),
        (True, None),
    ],
)
def test_what_is_not_known_keeps_its_words(given: Any, value: str | None) -> None:
    assert enumeration(given) == value


def test_a_transfer_of_an_unknown_sort_is_one_in_all_spellings() -> None:
    assert all(is_transfer(enumeration(given)) for given in ("transfer.blind", "blindTransfer", "BLIND_TRANSFER"))


@pytest.mark.parametrize(
    ("given", "name"),
    [("VOICE", "voice"), ("hologram", "hologram"), ("UNKNOWN", ""), ("unknown", ""), ("", ""), (None, ""), ([], "")],
)
def test_a_medium_that_the_platform_does_not_know_is_none(given: Any, name: str) -> None:
    assert medium(given) == name


def test_arrays() -> None:
    assert enumerations(["Standard", "BULLSEYE", None, 3.5]) == ["STANDARD", "BULLSEYE"]
    assert enumerations("Standard") == []

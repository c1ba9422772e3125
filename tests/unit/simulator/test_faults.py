"""The table of faults: what may be set, and what is said of what may not."""

import re
from pathlib import Path

import pytest

from journeymap.decode.event import decode_frame
from journeymap.errors import InputError
from journeymap.simulator import actions
from journeymap.simulator.faults import TABLE, Faults, assignment
from journeymap.simulator.garbage import FORMS
from journeymap.simulator.platform import Manner, Platform
from tests.architecture.test_documentation import rows

PAGE = Path(__file__).parents[3] / "docs" / "simulator.md"


def test_by_default_nothing_is_wrong() -> None:
    faults = Faults()
    changed = Faults(throttle=3, no_greeting=True, fail_tokens="503")
    changed.reset()
    assert changed == faults


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("throttle=20", 20),
        ("token_life=90", 90.0),
        ("token_life = 500ms", 0.5),
        ("token_life=2m", 120.0),
        ("clock_skew=-90s", -90.0),
        ("no_greeting", True),
        ("no_greeting=on", True),
        ("no_greeting=off", False),
        ("no_greeting=true", True),
        ("fail_tokens=503", "503"),
        ("fail_tokens=503:3", "503:3"),
        ("fail_tokens=hang", "hang"),
        ("fail_tokens=off", ""),
        ("fail_tokens=", ""),
        ("mismatched_subscriptions=callback", "callback"),
    ],
)
def test_text_is_read_by_the_kind_of_the_fault(text: str, expected: object) -> None:
    faults = Faults()
    name, value = assignment(text)
    faults.change({name: value})
    assert getattr(faults, name) == expected


def test_json_values_are_read_too() -> None:
    faults = Faults()
    faults.change({"refuse_tokens": 401, "token_life": 2, "heartbeat_loss": True})
    assert (faults.refuse_tokens, faults.token_life, faults.heartbeat_loss) == ("401", 2.0, True)
    faults.change({"refuse_tokens": None, "token_life": None, "heartbeat_loss": None})
    assert faults == Faults()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("thottle", 1, "no fault is named 'thottle'"),
        ("throttle", -1, "throttle is -1, allowed are whole numbers from 0"),
        ("throttle", 1.5, "throttle is 1.5"),
        ("throttle", True, "throttle is True"),
        ("token_life", "soon", "token_life is 'soon', allowed are seconds"),
        ("token_life", float("nan"), "token_life is nan"),
        ("fail_tokens", 401, "fail_tokens is '401', allowed are 429"),
        ("fail_tokens", "503:0", "fail_tokens is '503:0'"),
        ("fail_tokens", [503], "fail_tokens is [503]"),
        ("no_greeting", "perhaps", "no_greeting is 'perhaps', allowed are true or false"),
        ("mismatched_subscriptions", "both", "allowed are connection, callback"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_changed(name: str, value: object, said: str) -> None:
    faults = Faults()
    with pytest.raises(InputError) as wrong:
        faults.change({"heartbeat_loss": True, name: value})
    assert said in str(wrong.value)
    assert faults == Faults()


def test_an_answer_that_is_given_some_times_runs_out() -> None:
    faults = Faults()
    faults.change({"fail_tokens": "503:2", "fail_handshakes": 429})
    assert [faults.take("fail_tokens") for _ in range(3)] == ["503", "503", ""]
    assert [faults.take("fail_handshakes") for _ in range(3)] == ["429"] * 3


def test_every_fault_is_documented() -> None:
    documented = rows(PAGE)
    assert [name for name in documented if name in TABLE] == list(TABLE), "the table's order is the code's"
    for name, row in TABLE.items():
        assert documented[name] == (row.allowed, row.help), name


def test_every_action_is_documented() -> None:
    documented = rows(PAGE)
    assert [name for name in documented if name in actions.ACTIONS] == list(actions.ACTIONS)
    for name, kind in actions.ACTIONS.items():
        assert documented[name] == (actions.signature(kind).strip("()"), actions.help_of(kind)), name


def test_every_form_of_garbage_is_documented() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert re.findall(r"`(\w+)`", text.partition("The forms of `garbage` are")[2])[: len(FORMS)] == list(FORMS)


@pytest.mark.parametrize("form", FORMS)
def test_garbage_holds_nothing_that_could_be_kept(form: str) -> None:
    events, rejected = decode_frame(FORMS[form].frame)
    assert events == []
    assert rejected


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("dorp", {}, "no action is named 'dorp'"),
        ("drop", {"haw": "fin"}, "drop: Object contains unknown field `haw`"),
        ("drop", {"how": "softly"}, "drop: Invalid enum value 'softly' - at `$.how`"),
        ("close", {"code": "1013"}, "close: Expected `int`"),
    ],
)
def test_what_is_wrong_with_an_action_is_named(name: str, body: dict[str, object], said: str) -> None:
    with pytest.raises(InputError) as wrong:
        actions.action(name, body)
    assert said in str(wrong.value)


@pytest.mark.parametrize(
    ("body", "said"),
    [({"url": "ftp://example.com"}, "neither http nor https"), ({"url": "http://x", "key": "ключ"}, "must be ASCII")],
)
def test_a_destination_that_cannot_be_is_refused(body: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        actions.action("deliver_to", body).on(Platform(Manner(rate=0)))

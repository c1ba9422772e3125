"""No secret that is planted in a frame, whatever else the frame is, is in the sample that is shown of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeymap.decode.event import decode_frame
from journeymap.decode.sample import MASKED, mask_secrets, sample_text

HEAD, TAIL = "Zq7xHead", "Wv9kTail"
"""Where each planted secret begins and ends; by chance they come about nowhere."""

KEYS = (
    *("access_token", "token", "secret", "password", "authorization", "Authorization", "api_key", "apiKey", "API-KEY"),
    *("sessionToken", "session_token", "client_secret", "clientSecret", "refresh_token", "id-token", "x-api-key"),
    *("db.password", "passwd", "userPassphrase", "credentials", "Set-Cookie", "privateKey", "AccessKeyId", "signature"),
)

keys = st.sampled_from(KEYS)
texts = st.text(max_size=12)
plain_secrets = st.text("abcXYZ0189-._~", max_size=20).map(lambda middle: HEAD + middle + TAIL)
any_secrets = texts.map(lambda middle: HEAD + middle + TAIL)
spaces = st.sampled_from([None, 1, 4])
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)


def buried(secret: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """The secret as a text, or somewhere in a list or an object."""
    return st.recursive(
        secret,
        lambda inner: st.one_of(
            st.tuples(values, inner, values).map(list), st.tuples(texts, inner, values).map(lambda t: {t[0]: t[1], "z": t[2]})
        ),
        max_leaves=2,
    )  # fmt: skip


@st.composite
def planted(draw: st.DrawFn) -> Any:
    """A value with a secret under a key that says so, at some depth."""
    value: Any = {"type": "x", draw(keys): draw(buried(any_secrets)), "after": draw(values)}
    if draw(st.booleans()):
        value = {"name": draw(keys), "value": draw(any_secrets)}
    for _ in range(draw(st.integers(0, 3))):
        value = draw(st.sampled_from([[1, value], {"payload": value}, {"headers": [value], "b": 2}]))
    return value


def hidden(raw: bytes, *, cut: bool = False) -> str:
    shown = sample_text(raw, cut=cut)
    assert HEAD not in shown
    assert TAIL not in shown
    assert all(char.isprintable() or char in "\n\t" for char in shown)
    return shown


@given(planted(), spaces, st.booleans(), st.data())
def test_in_json_whole_or_cut_off(value: Any, indent: int | None, ascii_only: bool, data: st.DataObject) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    raw = text.encode("utf-8", "surrogatepass")
    assert MASKED in hidden(raw)
    cut = data.draw(st.integers(0, len(raw)))
    hidden(raw[:cut], cut=True)


@given(planted(), st.integers(1, 3), st.booleans(), st.sampled_from(['\\"', "\\u0022"]))
def test_in_json_inside_of_json(value: Any, depth: int, as_text: bool, mark: str) -> None:
    text = json.dumps(value)
    for _ in range(depth):
        text = json.dumps(text if as_text else {"body": text})
        if mark != '\\"' and depth == 1:
            text = text.replace('\\"', mark)
    assert MASKED in hidden(text.encode())


@given(
    planted(), st.binary(max_size=8), st.binary(max_size=8), st.sampled_from(["utf-8", "utf-16", "utf-16-be", "utf-32"])
)
def test_in_what_is_no_text(value: Any, before: bytes, after: bytes, encoding: str) -> None:
    text = json.dumps(value)
    if encoding == "utf-8":
        # Not JSON any more, nor UTF-8. A quotation mark in front would turn what is inside and outside of texts round.
        hidden(before.replace(b'"', b"").replace(b"'", b"") + text.encode() + after)
    hidden(text.encode(encoding))


@given(
    keys,
    plain_secrets,
    st.sampled_from(["", "GET /x?a=1&", "a=1&", "junk ", "\n"]),
    st.sampled_from(["", "&b=2", " HTTP/1.1"]),
)
def test_in_forms_addresses_and_headers(key: str, secret: str, before: str, after: str) -> None:
    shown = hidden(f"{before}{key}={secret}{after}".encode())
    assert shown == f"{before}{key}={MASKED}{after if 'ookie' not in key and 'uthori' not in key else ''}"
    hidden(f"{before}{key}: {secret}{after}\r\nx: 1".encode())
    hidden(f"<{key}>{secret}</{key}>".encode())
    hidden(f"u=https%3A%2F%2Fx%2F%3F{key}%3D{secret}".encode())


@given(
    plain_secrets,
    st.sampled_from(["Bearer ", "bearer  ", "BEARER%20", "Basic ", "wss://user:", "https://"]),
    st.text('{}[]":, \nab', max_size=10),
)
def test_access_tokens_and_passwords_in_addresses(secret: str, kind: str, around: str) -> None:
    hidden(f"{around}{kind}{secret}@host/{around}".encode())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"type":"x","payload":{"interactionId":"i1"}}', None),
        ('{"timestamp":1,"token":"","secret":null,"n":2}', None),
        ('{"token":123456789,"n":2}', '{"token":******,"n":2}'),
        ('{"tokens":["a","b"],"n":2}', '{"tokens":******,"n":2}'),
        ('{"type":"token.expired","timestamp":1}', None),
        ('{"a":"Bearer abcdefgh","n":2}', '{"a":"Bearer ******","n":2}'),
        ('{"token":"abcdefgh","again":"abcdefgh"}', '{"token":"******","again":"******"}'),
        ('{"access_token":"abc\\"def","n":2}', '{"access_token":"******","n":2}'),
        ('{"access_token":"abc\\\\","n":2}', '{"access_token":"******","n":2}'),
        ('{"access_token":"abc', '{"access_token":"******'),
        ("{access_token: abc, n: 2}\nx: 1", "{access_token: ******\nx: 1"),
        ("Cookie: a=1; b=2, c=\"3\"\nx: 1", "Cookie: ******\nx: 1"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.sig_-x end", "jwt ****** end"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----!", "******!"),
        ("a basic plan", None),
    ],
)  # fmt: skip
def test_what_is_masked_and_what_is_not(text: str, shown: str | None) -> None:
    assert mask_secrets(text) == (text if shown is None else shown)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"\xff\xfe\x00abc", "\\xff\\xfe\\x00abc"),
        ("grüße\n\t\u202e\u2028".encode(), "grüße\n\t\\u202e\\u2028"),
        (b'{"\\u0061ccess_token":"abcdefgh"}', '{"access_token":"******"}'),
        (b"mail\\u0040example.org", "mail@example.org"),
        ('{"type":1}'.encode("utf-16-le"), '{"type":1}'),
        (b"", ""),
    ],
)
def test_what_is_no_text_is_shown_with_escapes(raw: bytes, shown: str) -> None:
    assert sample_text(raw) == shown


def test_a_character_that_was_cut_in_two_is_left_out() -> None:
    assert sample_text("aé".encode()[:2], cut=True) == "a"
    assert sample_text("aé".encode()[:2]) == "a\\xc3"


@given(st.binary(max_size=300))
def test_whatever_comes_it_says_something_of_it(raw: bytes) -> None:
    assert isinstance(hidden(raw), str)


@pytest.mark.parametrize(
    "hostile", [b"token" * 400, b"\\" * 2_000, b'token"' + b"\\" * 1_900, b"bearer " + b"+" * 1_900, b"://" * 600, b'"' * 2_000,
                b'token:{' * 280, b'\\"token\\":' * 190]
)  # fmt: skip
def test_hostile_frames_cost_no_time(hostile: bytes) -> None:
    """Quadratic at most, in 2,000 bytes: pytest's time limit ends what is worse."""
    for _ in range(10):
        sample_text(hostile)


@given(planted())
def test_a_rejected_event_says_how_long_it_was(value: Any) -> None:
    raw = json.dumps(value).encode() + b" " * 3_000
    _, rejected = decode_frame(raw)
    for item in rejected:
        assert len(item.sample) <= 2_000
        assert item.size <= len(raw)

"""What a viewer without the right sees."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeymap.view.masking import Viewer, mask, mask_value

ANYONE = Viewer(sees_identifiers=False)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("+4915112345678", "•••78"),
        ("tel:+49 (151) 1234-5678", "tel:•••78"),
        ("0049/151/12345678 called", "•••78 called"),
        ("2025550123", "•••23"),
        ("ann.smith@example.co.uk", "a•••@•••"),
        ("mail <ann@example.com>, call 555-0123-99", "mail <a•••@•••>, call •••99"),
        ("j-0123456789abcdef0123", "j-0123456789abcdef0123"),
        ("12345678-1234-1234-1234-123456789012", "12345678-1234-1234-1234-123456789012"),
        ("customer-42", "customer-42"),
        ("2026-11-24", "2026-11-24"),
        ("12:30", "12:30"),
        ("session:tok-1", "session:tok-1"),
        ("a@b", "a@b"),
    ],
)
def test_phone_numbers_and_addresses_are_masked_and_nothing_else(text: str, shown: str) -> None:
    assert mask(text, ANYONE) == shown
    assert mask(text, Viewer()) == text


@given(st.text(alphabet="+0123456789 ()-./@ab.•", max_size=40))
def test_masking_twice_is_masking_once(text: str) -> None:
    once = mask(text, ANYONE)
    assert mask(once, ANYONE) == once


@given(st.from_regex(r"\+?[0-9]{7,15}", fullmatch=True), st.sampled_from(["", " ", "tel:", "("]))
def test_no_number_shows_more_than_two_digits(number: str, before: str) -> None:
    if not number.isascii():
        return
    assert len(re.findall(r"\d", mask(before + number, ANYONE))) == 2


def test_values_are_masked_at_every_level_but_links_stay() -> None:
    value = {"interaction_id": "4915112345678", "n": 4915112345678, "a": [{"callerId": "+4915112345678"}, None]}
    assert mask_value(value, ANYONE) == {
        "interaction_id": "4915112345678",
        "n": 4915112345678,
        "a": [{"callerId": "•••78"}, None],
    }
    assert mask_value(value, Viewer()) is value

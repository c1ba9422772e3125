"""Which sources may share a store."""

from __future__ import annotations

import pytest

from journeymap.model.origin import is_same_origin


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("notifications", "eventbridge", True),
        ("notifications", "eventbridge,notifications", True),
        ("eventbridge,file", "file,notifications", True),
        ("file", "file", True),
        ("simulator", "notifications", False),
        ("eventstreams", "notifications", False),
        ("file,notifications", "notifications", False),
        ("", "notifications", False),
    ],
)
def test_the_public_apis_are_one_origin_and_every_other_source_is_its_own(one: str, other: str, same: bool) -> None:
    assert is_same_origin(one, other) is is_same_origin(other, one) is same

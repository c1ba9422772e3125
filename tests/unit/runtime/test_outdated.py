"""When a store says that its journeys are not what today's settings or code would make."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from journeymap.model.fingerprint import Fingerprint
from journeymap.model.time import HOUR, MINUTE
from journeymap.runtime.outdated import outdated
from journeymap.stitch.options import STITCHING_VERSION, StitchOptions, Timeouts, options_of
from journeymap.stitch.rules import RULES, IdentityRules

TODAY = StitchOptions(Timeouts(5 * MINUTE, 30 * MINUTE, {}, {"voice": 2 * HOUR}), 24 * HOUR).fingerprint


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (replace(TODAY, engagement_window=48 * HOUR), "ENGAGEMENT_WINDOW 2d (now 24h)"),
        (replace(TODAY, close_after=HOUR), "CLOSE_AFTER 1h (now 30m)"),
        (replace(TODAY, close_after_by_channel={}), "CLOSE_AFTER__VOICE 30m (now 2h)"),
        (
            replace(TODAY, close_after_by_channel={"voice": 2 * HOUR, "chat": HOUR}),
            "CLOSE_AFTER__CHAT 1h (now 30m)",
        ),
        (replace(TODAY, identity_rules=("contact",)), f"IDENTITY_RULES contact (now {', '.join(RULES)})"),
        (replace(TODAY, key_limit=3, ignored_keys=("+1",)), "IDENTITY_KEY_LIMIT 3 (now 1), another IDENTITY_IGNORE"),
        (
            replace(TODAY, engagement_window=HOUR, stitching_version=0),
            f"ENGAGEMENT_WINDOW 1h (now 24h), stitching rules 0 (now {STITCHING_VERSION})",
        ),
    ],
)
def test_what_is_different_is_said_with_the_remedy(before: Fingerprint, said: str) -> None:
    rest = f"made with {said}: `journeymap rebuild` makes them anew"
    assert outdated([before], TODAY) == f"the stored journeys were {rest}"
    assert outdated([before, TODAY], TODAY) == f"some of the stored journeys were {rest}"


def test_nothing_is_said_of_a_store_made_as_today_or_of_an_empty_one() -> None:
    assert outdated([TODAY], TODAY) is None
    assert outdated([], TODAY) is None


def test_only_what_is_stored_makes_a_difference() -> None:
    """`idle_after` is read off the clock; a channel's value that is the general one is none."""
    timeouts = Timeouts(MINUTE, 30 * MINUTE, {"voice": HOUR}, {"voice": 2 * HOUR, "chat": 30 * MINUTE})
    assert StitchOptions(timeouts, 24 * HOUR).fingerprint == TODAY


def test_a_fingerprint_leads_back_to_its_options() -> None:
    options = StitchOptions(engagement_window=HOUR, identity=IdentityRules(("phone",), 2, ("+15555550100",)))
    assert options_of(options.fingerprint) == options

"""A fingerprint: what the journeys in a store were folded with."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from journeymap.model.key import KEY_KINDS
from journeymap.model.time import Millis


class Fingerprint(msgspec.Struct, frozen=True):
    """All that decides what is stored of a set of events. Where two are equal, so are the stored journeys.

    `stitching_version` stands for the code. `close_after` is in it because it ends hand-overs and says from when a journey
    reads CLOSED; `close_after_by_channel` holds only what differs from it. What matters only when a journey is looked at
    (`idle_after`), or decides whether one is kept (the retention), is not. `identity_rules`, `key_limit` and `ignored_keys`
    say by what customers were known (docs/identity.md).
    """

    stitching_version: int
    engagement_window: Millis
    close_after: Millis
    close_after_by_channel: Mapping[str, Millis] = {}
    identity_rules: tuple[str, ...] = ("contact", *KEY_KINDS)
    key_limit: int = 1
    ignored_keys: tuple[str, ...] = ()

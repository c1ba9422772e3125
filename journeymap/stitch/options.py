"""The settings that change what a set of events means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from journeymap.model.fingerprint import Fingerprint
from journeymap.model.time import HOUR, MINUTE, Millis
from journeymap.stitch.rules import IdentityRules

STITCHING_VERSION: Final = 4
"""Raised whenever the same events come to other journeys (docs/stitching.md) or to other rows of them than before: stores
made before then say that they want a rebuild."""


class Timeouts(msgspec.Struct, frozen=True):
    """After how long without an event an interaction reads IDLE, and CLOSED; the channel's own value first."""

    idle_after: Millis = 5 * MINUTE
    close_after: Millis = 30 * MINUTE
    idle_after_by_channel: Mapping[str, Millis] = {}
    close_after_by_channel: Mapping[str, Millis] = {}

    def idle(self, channel: str) -> Millis:
        """Quiet time after which an interaction of this channel reads IDLE."""
        return self.idle_after_by_channel.get(channel, self.idle_after)

    def close(self, channel: str) -> Millis:
        """Quiet time after which an interaction of this channel reads CLOSED; also how long a transfer awaits a target."""
        return self.close_after_by_channel.get(channel, self.close_after)


class StitchOptions(msgspec.Struct, frozen=True):
    """All settings of stitching. Two runs with equal options over the same events give the same journeys."""

    timeouts: Timeouts = Timeouts()
    engagement_window: Millis = 24 * HOUR
    identity: IdentityRules = IdentityRules()

    @property
    def fingerprint(self) -> Fingerprint:
        """What a store is told that its journeys were folded with."""
        general = self.timeouts.close_after
        special = {name: after for name, after in self.timeouts.close_after_by_channel.items() if after != general}
        rules = self.identity
        return Fingerprint(
            STITCHING_VERSION,
            self.engagement_window,
            general,
            special,
            rules.order,
            rules.key_limit,
            tuple(sorted(rules.ignore)),
        )


def options_of(fingerprint: Fingerprint) -> StitchOptions:
    """Options that fold as a fingerprint says, by today's rules. What is only looked at when journeys are shown is left open."""
    timeouts = Timeouts(close_after=fingerprint.close_after, close_after_by_channel=fingerprint.close_after_by_channel)
    rules = IdentityRules(fingerprint.identity_rules, fingerprint.key_limit, fingerprint.ignored_keys)
    return StitchOptions(timeouts, fingerprint.engagement_window, rules)

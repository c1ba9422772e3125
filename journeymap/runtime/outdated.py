"""Whether the journeys in a store are what today's settings and code would make of its events."""

from __future__ import annotations

from collections.abc import Sequence

from journeymap.model.fingerprint import Fingerprint
from journeymap.settings.values import show_length


def outdated(stored: Sequence[Fingerprint], today: Fingerprint) -> str | None:
    """A sentence on what is different, with the remedy; None where nothing is."""
    others = [other for other in stored if other != today]
    if not others:
        return None
    some = "some of the stored journeys were" if today in stored else "the stored journeys were"
    found = ", ".join(_differences(others[-1], today))
    return f"{some} made with {found}: `journeymap rebuild` makes them anew"


def _differences(before: Fingerprint, today: Fingerprint) -> list[str]:
    pairs = [
        ("ENGAGEMENT_WINDOW", before.engagement_window, today.engagement_window),
        ("CLOSE_AFTER", before.close_after, today.close_after),
    ]
    for channel in sorted(before.close_after_by_channel.keys() | today.close_after_by_channel.keys()):
        old, new = (each.close_after_by_channel.get(channel, each.close_after) for each in (before, today))
        pairs.append((f"CLOSE_AFTER__{channel.upper()}", old, new))
    found = [f"{name} {show_length(old)} (now {show_length(new)})" for name, old, new in pairs if old != new]
    found += [
        f"{name} {_listed(old)} (now {_listed(new)})"
        for name, old, new in (
            ("IDENTITY_RULES", before.identity_rules, today.identity_rules),
            ("IDENTITY_KEY_LIMIT", (str(before.key_limit),), (str(today.key_limit),)),
        )
        if old != new
    ]
    if before.ignored_keys != today.ignored_keys:
        found.append("another IDENTITY_IGNORE")  # it may name telephone numbers
    if before.stitching_version != today.stitching_version:
        found.append(f"stitching rules {before.stitching_version} (now {today.stitching_version})")
    return found


def _listed(values: Sequence[str]) -> str:
    return ", ".join(values) or "none"

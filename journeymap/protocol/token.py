"""When an access token is to be renewed, and which answers of a token endpoint are final."""

from __future__ import annotations

import enum
import math
from typing import Any, Final

import msgspec

from journeymap.model.time import DAY, MINUTE, SECOND, Millis

REFRESH_BEFORE_END: Final = 5 * MINUTE
UNKNOWN_LIFE: Final = 30 * MINUTE
"""Assumed where the platform does not say how long a token lives."""

LONGEST_LIFE: Final = 365 * DAY
JITTER_SHARE: Final = 60
LONGEST_JITTER: Final = 30 * SECOND


class Verdict(enum.Enum):
    """What an HTTP status of a token request means."""

    GRANTED = "granted"
    REFUSED = "refused"
    TRANSIENT = "transient"


def judge(status: int) -> Verdict:
    """200 grants; 400, 401 and 403 refuse the credentials; everything else may pass."""
    if status == 200:
        return Verdict.GRANTED
    return Verdict.REFUSED if status in (400, 401, 403) else Verdict.TRANSIENT


def life_of(expires_in: Any) -> Millis:
    """How long a token lives by its `expires_in` (seconds, as a number or as text), within 1 s and a year."""
    if isinstance(expires_in, str) and expires_in.isascii() and expires_in.isdigit() and len(expires_in) < 20:
        expires_in = int(expires_in)
    # Compared and not asked with `isfinite`, which raises for a whole number beyond all floats.
    if isinstance(expires_in, bool) or not isinstance(expires_in, (int, float)) or not 0 < expires_in < math.inf:
        return UNKNOWN_LIFE
    return LONGEST_LIFE if expires_in >= LONGEST_LIFE // SECOND else max(SECOND, int(expires_in * SECOND))


class Schedule(msgspec.Struct, frozen=True, gc=False):
    """When a token is to be renewed and when it ends."""

    refresh_at: Millis
    expires_at: Millis


def schedule(obtained_at: Millis, life: Millis, jitter: float) -> Schedule:
    """5 minutes before the end, or at 5/6 of a life shorter than half an hour; a little earlier by `jitter` in [0, 1).

    Never sooner than 1 s after it was obtained, so that a token of no life is no reason for a storm of requests.
    """
    refresh = min(max(life - REFRESH_BEFORE_END, 0), life) if life >= 6 * REFRESH_BEFORE_END else life * 5 // 6
    refresh -= int(jitter * min(LONGEST_JITTER, life // JITTER_SHARE))
    return Schedule(obtained_at + max(refresh, SECOND), obtained_at + life)

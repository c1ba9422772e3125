"""A token bucket: how often something may happen, with short bursts."""

from __future__ import annotations

from journeymap.model.time import SECOND, Millis


class Bucket:
    """Lets `rate` things a second pass on average, and up to `burst` at once after a quiet time. Starts full.

    Times are of one steady clock. One thread at a time.
    """

    def __init__(self, rate: int, burst: int) -> None:
        self._rate = rate
        self._full = burst * SECOND
        self._left = self._full  # in thousandths, so that a millisecond adds a whole number
        self._at: Millis | None = None

    def take(self, now: Millis) -> Millis:
        """Let one pass: 0. Or how long (ms) until the next one may; then nothing was taken."""
        if self._at is None or now > self._at:
            passed = 0 if self._at is None else now - self._at
            self._left = min(self._full, self._left + passed * self._rate)
            self._at = now
        if self._left >= SECOND:
            self._left -= SECOND
            return 0
        return -(-(SECOND - self._left) // self._rate)

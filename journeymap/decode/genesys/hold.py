"""When a hold is over, which only the difference between snapshots shows; a late copy of an earlier one shows the same."""

from __future__ import annotations

from typing import Final

import msgspec

from journeymap.model.time import SECOND, Millis

COPY_DELAY: Final[Millis] = 2 * SECOND
"""So long after a hold was first seen, what is like a snapshot before it may be a late copy of that: by another topic, or on a
topic channel that is being replaced. Content does not tell, since a conversation after a hold may be just as it was before."""


class Hold(msgspec.Struct):
    """A hold since `start`, first seen at `seen_at`. `doubted` is when what may have been a late copy showed it over."""

    start: Millis
    seen_at: Millis
    doubted: Millis | None = None

    def over_at(self, start: Millis | None, *, talks: bool, again: bool, now: Millis) -> Millis | None:
        """When it was over, by a snapshot that came `now`; None while it goes on, or as long as that is in doubt.

        The snapshot shows the session on hold since `start`, or that it `talks`, or neither: then it has ended, and the hold with
        it. `again`: a snapshot just like it was taken before. A doubt ends with the next snapshot.
        """
        if start == self.start:
            self.doubted = None  # that was a late copy indeed
            return None
        if start is not None:
            return None if again or start < self.start else self.doubted or start
        if not talks:
            return self.doubted
        if not again:
            return self.doubted or now
        if now - self.seen_at > COPY_DELAY:
            return now
        self.doubted = self.doubted or now
        return None

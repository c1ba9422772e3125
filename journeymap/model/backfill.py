"""What back-fill says of itself: which periods are fetched again from the platform's records, and how far that is."""

from __future__ import annotations

from typing import Final

import msgspec

from journeymap.model.time import Millis

BACKFILL: Final = "backfill"
"""Name of the document that is a list of `Fill`, oldest first. It outlives restarts."""

START: Final = "start"
GAP: Final = "gap"
ASKED: Final = "asked"
AGAIN: Final = "again"

WAITING: Final = "waiting"
FILLING: Final = "filling"
STORING: Final = "storing"
REFUSED: Final = "refused"
FILLED: Final = "filled"


class Fill(msgspec.Struct, frozen=True):
    """A period `[start, end)` that is fetched, or was. Never holds a secret.

    `reason` is `start` (the first start), `gap`, `asked` (by an operator) or `again` (a second look at a period whose records
    may have lagged); `jobs` asks for jobs instead of queries. `state` is `waiting`, `filling`, `storing` (all has come, not all
    of it is in the store), `refused` (until an operator acts) or `filled`. `problem` is why it did not go on last, None while
    all is well; `tries` counts how often that happened in a row. It goes on at `due_at`.
    `share` is how much of it is done, from 0 to 1; all from `reached` on is. `conversations` were kept, `passed` told nothing
    new; `requests` were made. `sure` says that the records were seen to reach beyond the end; `notes` what was found out.
    """

    fill_id: str
    reason: str
    start: Millis
    end: Millis
    jobs: bool = False
    state: str = WAITING
    asked_at: Millis = 0
    due_at: Millis = 0
    problem: str | None = None
    tries: int = 0
    share: float = 0.0
    reached: Millis | None = None
    conversations: int = 0
    passed: int = 0
    requests: int = 0
    filled_at: Millis | None = None
    sure: bool = True
    notes: list[str] = []

    @property
    def over(self) -> bool:
        """Whether there is nothing left to do."""
        return self.state == FILLED

    def covers(self, start: Millis, end: Millis) -> bool:
        """Whether the whole of another period lies in this one."""
        return self.start <= start and end <= self.end


class BackfillReport(msgspec.Struct, frozen=True):
    """How back-fill stands; counts are since ingest started. `now` is what is being fetched, None if nothing is; `waiting` how
    many others wait. `filled` periods were fetched, with so many `conversations` by so many `requests`; `failed` is how often
    that did not go on."""

    now: Fill | None = None
    waiting: int = 0
    problem: str | None = None
    refused: bool = False
    filled: int = 0
    conversations: int = 0
    requests: int = 0
    failed: int = 0


decode_fills = msgspec.json.Decoder(list[Fill]).decode
